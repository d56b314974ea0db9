import { expect, test } from "bun:test";
import { type Report, RULES, type SyncRequest } from "../../../src/pipeline/remote/protocol.ts";
import { RemoteHosts } from "../../../src/scheduler/hosts/hosts.ts";
import { WriteLock } from "../../../src/storage/connection/file/write-lock.ts";
import { hurried, patienceEnd } from "../../../src/storage/connection/patience.ts";
import type { Database } from "../../../src/storage/db.ts";

test("what a worker's report causes waits for a database in trouble, although the request that brought it does not", async () => {
  const patience: number[] = [];
  const note = () => void patience.push(patienceEnd());
  const hosts = new RemoteHosts({
    db: {} as Database,
    log: { write() {} },
    pool: { attach: note, detach: note, receive: note },
    version: "0.0.0",
    settings: () => ({
      dbUrl: "file:none",
      dbToken: undefined,
      dbFile: null,
      writeLock: new WriteLock().shared,
      lease: "",
      providerValues: {},
      sessions: {},
    }),
    onStorage() {},
  });
  const registration = { rules: { ...RULES }, version: "0.0.0", host: "h", cores: 1, memory: 1, jobs: 1 };
  const from = { token: "t", address: "127.0.0.1", mayHaveKeys: true };
  const settings = { providers: null, intervals: null };
  const { session } = hosts.register({ ...registration, ...settings }, from);
  const reports: Report[] = [
    { thread: 1, report: { type: "thread_started" } },
    { thread: 1, report: { type: "thread_ended", why: "crashed" } },
  ];
  const request: SyncRequest = { session, first: 1, reports, ordered: 0, mayWait: false, memory: 1, isLeaving: false };
  const answer = await hurried(2_000, async () => {
    expect(patienceEnd()).toBeLessThan(Number.POSITIVE_INFINITY);
    return hosts.sync(request);
  });
  expect(answer).toEqual({ received: 2, orders: [] });
  expect(patience).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  await hosts.close();
});
