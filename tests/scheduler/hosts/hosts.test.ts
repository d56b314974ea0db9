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
  const silences: boolean[] = [];
  const drained = new Set<string>();
  const hosts = new RemoteHosts({
    db: { write: async (writes: Write[]) => void recorded.push(...writes) } as unknown as Database,
    log: { write: (_level, text) => onLine(text) },
    pool: {
      ...{ attach: note, detach: note, receive: note, fewestJobs: () => 0 },
      silenceChanged: ({ isSilent }) => void silences.push(isSilent),
    },
    drained: {
      has: (name) => drained.has(name),
      list: () => [...drained],
      set: async (name, isDrained) => void (isDrained ? drained.add(name) : drained.delete(name)),
    },
    version: "0.0.0",
    leaseMs: LEASE_MS,
    settings: () => ({
      dbUrl: "file:none",
      dbToken: undefined,
      dbFile: null,
      writeLock: new WriteLock().shared,
      lease: "",
      providerValues: {},
      secrets: [],
      sessions: {},
    }),
    onStorage() {},
    jobQueue: () => ({ name: null, mark: null }),
    labelsOf: () => undefined,
    claim: () => false,
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
    silences,
    come: (host: string, token = "t") => hosts.register({ ...about, host }, { ...from, token }).session,
    sync: (session: string, reports: Report[] = []) => {
      const rest = { first: 1, ordered: 0, mayWait: false, memory: 1, isLeaving: false, queue: null };
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
  expect(answer).toEqual({ received: 2, orders: [], mayTake: true });
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
  const first = ["killed", "restarted"].map((host) => come(host));
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

test("a worker that is silent for a moment is given no job and takes no place of others, until it is heard of again", async () => {
  let now = 0;
  using _ = spyOn(performance, "now").mockImplementation(() => now);
  const { hosts, silences, come, sync } = startHosts();
  const session = come("h");
  await sync(session, [{ thread: 1, report: { type: "thread_started" } }]);
  expect(hosts.capacity).toBe(1);
  now = LEASE_MS * 0.3 + 1;
  while (silences.length === 0) await Bun.sleep(1);
  expect(hosts.list()).toMatchObject([{ name: "h", isSilent: true }]);
  expect(hosts.capacity).toBe(0);
  await sync(session);
  expect(silences).toEqual([true, false]);
  expect(hosts.list()).toMatchObject([{ name: "h", isSilent: false }]);
  expect(hosts.capacity).toBe(1);
  await hosts.close();
});

test("a worker that was drained takes no jobs when it comes again, whether it was lost or has left, until it is resumed", async () => {
  const { hosts, come } = startHosts();
  const drained = () => hosts.list().map(({ name, isDraining }) => [name, isDraining]);
  const first = come("h");
  const twin = come("h");
  come("other");
  const { id } = hosts.list()[0]!;
  await hosts.setDraining(id, true);
  expect(drained()).toEqual([
    ["h", true],
    ["h", true],
    ["other", false],
  ]);
  expect(hosts.drainedElsewhere()).toEqual([]);
  for (const session of [first, twin]) hosts.leave(session);
  expect(hosts.drainedElsewhere()).toEqual(["h"]);
  come("h");
  expect(drained()).toEqual([
    ["other", false],
    ["h", true],
  ]);
  await hosts.resume("h");
  expect(drained()[1]).toEqual(["h", false]);
  await expect(hosts.resume("h")).rejects.toThrow("No worker of this name is drained");
  await hosts.close();
});

test("workers that are lost together are one alert, few have one each", async () => {
  let now = 0;
  using _ = spyOn(performance, "now").mockImplementation(() => now);
  const lose = async (count: number) => {
    const lines: string[] = [];
    const { hosts, recorded, come, sync } = startHosts(undefined, (line) => {
      if (line.includes("is not heard of any more")) lines.push(line);
    });
    now = 0;
    for (let each = 0; each < count; each++) await sync(come(`h${each}`));
    now = LEASE_MS + 5;
    while (lines.length < count) await Bun.sleep(1);
    await hosts.close();
    return recorded.length;
  };
  expect(await lose(3)).toBe(3);
  expect(await lose(40)).toBe(1);
});

test("a token stands for a bounded number of workers, and says so; another token's are taken", async () => {
  const { hosts, come } = startHosts();
  for (let each = 0; each < 200; each++) hosts.leave(come(`h${each}`));
  expect(() => come("one more")).toThrow(
    "The token t has been used for 200 names of workers within a day: give each machine one with --name, or another token",
  );
  // Those that are known come again.
  come("h7");
  come("one more", "other");
  for (let each = 0; each < 399; each++) come("h7");
  expect(() => come("h7")).toThrow("400 workers of the token t are present already");
  await hosts.close();
});
