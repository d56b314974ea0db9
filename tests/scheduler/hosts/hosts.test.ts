import { expect, spyOn, test } from "bun:test";
import type { Report, SyncRequest } from "../../../src/pipeline/remote/protocol.ts";
import { RemoteHosts } from "../../../src/scheduler/hosts/hosts.ts";
import { RULES } from "../../../src/scheduler/hosts/rules.ts";
import { WriteLock } from "../../../src/storage/connection/file/write-lock.ts";
import { waitLimitEnd, withWaitLimit } from "../../../src/storage/connection/wait-limit.ts";
import type { Database, Write } from "../../../src/storage/db.ts";

const LEASE_MS = 100;

/** Hosts without a database; `note` is called when their pool hears of them, `onLine` with what is logged. */
function startHosts(note = () => {}, onLine: (text: string) => void = () => {}) {
  const recorded: Write[] = [];
  const hosts = new RemoteHosts({
    db: { write: async (writes: Write[]) => void recorded.push(...writes) } as unknown as Database,
    log: { write: (_level, text) => onLine(text) },
    pool: { attach: note, detach: note, receive: note },
    version: "0.0.0",
    leaseMs: LEASE_MS,
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
  const about = {
    rules: { ...RULES },
    version: "0.0.0",
    cores: 1,
    memory: 1,
    jobs: 1,
    providers: null,
    intervals: null,
  };
  const from = { token: "t", address: "127.0.0.1", mayHaveKeys: true };
  return {
    hosts,
    recorded,
    come: (host: string) => hosts.register({ ...about, host }, from).session,
    sync: (session: string, reports: Report[] = []) => {
      const rest = { first: 1, ordered: 0, mayWait: false, memory: 1, isLeaving: false };
      return hosts.sync({ session, reports, ...rest } satisfies SyncRequest);
    },
  };
}

test("what a worker's report causes waits for a database in trouble, although the request that brought it does not", async () => {
  const limits: number[] = [];
  const { hosts, come, sync } = startHosts(() => void limits.push(waitLimitEnd()));
  const session = come("h");
  const answer = await withWaitLimit(2_000, async () => {
    expect(waitLimitEnd()).toBeLessThan(Number.POSITIVE_INFINITY);
    return sync(session, [
      { thread: 1, report: { type: "thread_started" } },
      { thread: 1, report: { type: "thread_ended", why: "crashed" } },
    ]);
  });
  expect(answer).toEqual({ received: 2, orders: [] });
  expect(limits).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  await hosts.close();
});

test("a worker is lost when it falls silent, unless it was started again or never knew that it was taken in", async () => {
  let now = 0;
  using _ = spyOn(performance, "now").mockImplementation(() => now);
  const given = Promise.withResolvers<void>();
  const lines: string[] = [];
  const { hosts, recorded, come, sync } = startHosts(undefined, (line) => {
    if (!line.includes("is not heard of any more")) return;
    if (lines.push(line) === 2) given.resolve();
  });
  const first = ["killed", "restarted"].map(come);
  come("registered twice");
  for (const session of first) await sync(session);
  now = 10;
  const again = [come("restarted"), come("registered twice")];
  now = LEASE_MS + 5;
  for (const session of again) await sync(session);
  await given.promise;
  expect(hosts.list().map(({ name }) => name)).toEqual(["restarted", "registered twice"]);
  expect(hosts.lost().map(({ name }) => name)).toEqual(["killed"]);
  // Both that were lost with their jobs are alerts.
  expect(recorded.length).toBe(2);
  await hosts.close();
});
