import { expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_AT_WORK } from "../../../src/domain/defaults.ts";
import type { QuotaState } from "../../../src/providers/quotas/quota-state.ts";
import { Admission, admits, type ProviderLoad } from "../../../src/scheduler/queue/admission.ts";

const minute = (limit: number, used = 0, counts: "requests" | "units" = "requests") =>
  ({ period: "minute", counts, limit, used, resetsAt: null }) as const;
const day = (limit: number, used: number, counts: "requests" | "units" = "requests") =>
  ({ period: "day", counts, limit, used, resetsAt: 86_400 }) as const;

const quota = (change: Partial<QuotaState> = {}): QuotaState => ({
  provider: "acme",
  gauges: [],
  hold: null,
  waiting: 0,
  spenders: [],
  latencyMs: 600,
  unitsPerRequest: 1,
  ...change,
});

const load = (change: Partial<ProviderLoad> = {}): ProviderLoad => ({
  threads: 2,
  all: change.own ?? 2,
  own: 2,
  waiting: change.own ?? 2,
  committing: 0,
  ended: 0,
  maxInFlight: MAX_AT_WORK,
  quota: quota(),
  ...change,
});

/** The jobs at work when all of them wait for answers and no more is admitted. */
function most(change: Partial<ProviderLoad>): number {
  for (let own = 0; own <= 2 * MAX_AT_WORK; own++) if (!admits(load({ own, ...change }))) return own;
  throw new Error("there is no end");
}

test("a job whose request is under way frees its place, one that computes does not", () => {
  expect(admits(load({ own: 20, waiting: 20 }))).toBe(true);
  expect(admits(load({ own: 20, waiting: 19 }))).toBe(true);
  expect(admits(load({ own: 20, waiting: 18 }))).toBe(false);
  // Files are read without requests: as many at once as there are threads.
  expect(most({ waiting: 0 })).toBe(2);
});

test("a rate keeps twice as many jobs at work as it takes to use it, at the latency that was measured", () => {
  const limits = (limit: number, latencyMs: number | null, more: Partial<QuotaState> = {}) =>
    most({ quota: quota({ gauges: [minute(limit)], latencyMs, ...more }) });
  expect(limits(1_000, 600)).toBe(20);
  expect(limits(1_000, 2_000)).toBe(MAX_AT_WORK);
  expect(limits(5, 600)).toBe(2);
  // Before the first answer it is not known how many are needed.
  expect(limits(1_000, null)).toBe(2);
  expect(limits(1_000, 600, { gauges: [minute(6_000, 0, "units")], unitsPerRequest: 2 })).toBe(60);
});

test("a hold and a spent period admit no more jobs than there are threads; the rest of a day goes to few", () => {
  const gauges = [minute(1_000)];
  expect(most({ quota: quota({ gauges, hold: { until: 100, reason: "busy" } }) })).toBe(2);
  expect(most({ quota: quota({ gauges: [...gauges, day(100_000, 100_000)] }) })).toBe(2);
  expect(most({ quota: quota({ gauges: [...gauges, day(100_000, 99_000)] }) })).toBe(10);
  expect(most({ quota: quota({ gauges: [...gauges, day(100_000, 20_000)] }) })).toBe(20);
});

test("a provider that bears few requests at once gets no more, and one without a job always gets its threads", () => {
  expect(most({ maxInFlight: 8 })).toBe(8);
  expect(most({ maxInFlight: 1 })).toBe(1);
  expect(admits(load({ own: 1, waiting: 0, all: MAX_AT_WORK }))).toBe(true);
  expect(admits(load({ own: 2, all: MAX_AT_WORK }))).toBe(false);
});

test("as many jobs are at work as ended in the last moment, so that their first and last writes share commits", () => {
  expect(most({ waiting: 0, ended: 12 })).toBe(12);
  expect(most({ waiting: 0, ended: 200 })).toBe(MAX_AT_WORK);
  expect(admits(load({ own: 30, waiting: 0, committing: 28 }))).toBe(false);
  expect(admits(load({ own: 30, waiting: 0, committing: 29 }))).toBe(true);
  expect(most({ waiting: 0, ended: 12, maxInFlight: 5 })).toBe(5);
});

const someGauge = fc.record({
  period: fc.constantFrom("minute" as const, "hour" as const, "day" as const, "month" as const),
  counts: fc.constantFrom("requests" as const, "units" as const),
  used: fc.nat(10_000),
  limit: fc.integer({ min: 1, max: 10_000 }),
  resetsAt: fc.constant(null),
});
const someLoad = fc
  .record({
    threads: fc.integer({ min: 1, max: 16 }),
    own: fc.nat(90),
    others: fc.nat(90),
    ended: fc.nat(90),
    committing: fc.nat(90),
    computing: fc.nat(90),
    maxInFlight: fc.integer({ min: 1, max: 100 }),
    gauges: fc.array(someGauge, { maxLength: 3 }),
    isHeld: fc.boolean(),
    latencyMs: fc.option(fc.integer({ min: 0, max: 60_000 })),
    unitsPerRequest: fc.integer({ min: 1, max: 10 }),
  })
  .map(
    ({ own, others, committing, computing, gauges, isHeld, latencyMs, unitsPerRequest, ...rest }): ProviderLoad => ({
      ...rest,
      own,
      all: own + others,
      committing: Math.min(own, committing),
      waiting: Math.max(0, own - computing - committing),
      quota: quota({ gauges, latencyMs, unitsPerRequest, hold: isHeld ? { until: 1, reason: "" } : null }),
    }),
  );

test("property: no more than the server bears, never less than the threads, and less load never closes the door", () => {
  fc.assert(
    fc.property(someLoad, (each) => {
      const admitted = admits(each);
      const unfinished = each.own - each.committing;
      if (unfinished >= each.maxInFlight) expect(admitted).toBe(false);
      else if (unfinished < each.threads) expect(admitted).toBe(true);
      else if (admitted) expect(each.all).toBeLessThan(MAX_AT_WORK);
      if (admitted && unfinished >= Math.max(each.threads, each.ended)) {
        expect(unfinished - each.waiting).toBeLessThan(each.threads);
        expect(each.quota!.hold).toBeNull();
      }
      if (!admitted) return;
      expect(admits({ ...each, waiting: unfinished })).toBe(true);
      expect(admits({ ...each, all: Math.max(each.own, each.all - 1) })).toBe(true);
      const quota = { ...each.quota!, gauges: each.quota!.gauges.map((gauge) => ({ ...gauge, used: 0 })) };
      expect(admits({ ...each, quota })).toBe(true);
    }),
  );
});

test("the dispatcher checks again when threads have been free for a moment, and not for every message between", async () => {
  let waiting = 0;
  let polls = 0;
  const admission = new Admission({
    threads: 1,
    providerOf: () => ({ name: "acme" }),
    counts: { waiting: () => waiting, committing: () => 0, aside: () => 0, allAside: 0 },
    quotaOf: () => quota(),
    poll: () => void polls++,
  });
  expect(admission.admits("r")).toBe(true);
  const ended = admission.dispatched("r");
  expect(admission.admits("r")).toBe(false);
  const ask = (now: number) => {
    waiting = now;
    admission.changed("acme");
  };
  // Between two pieces of work a thread only looks free.
  ask(1);
  expect(admission.admits("r")).toBe(false);
  ask(0);
  await Bun.sleep(20);
  expect(admission.admits("r")).toBe(false);
  const before = polls;
  ask(1);
  await Bun.sleep(20);
  expect(admission.admits("r")).toBe(true);
  expect(polls).toBe(before + 1);
  ended();
  expect(admission.admits("r")).toBe(true);
  admission.close();
});

test("jobs of a silent worker take no place of others, but count where a provider bears few requests at once", () => {
  let aside = 0;
  const admission = (maxInFlight?: number) =>
    new Admission({
      threads: 1,
      most: 3,
      providerOf: () => ({ name: "acme", ...(maxInFlight !== undefined && { maxInFlight }) }),
      counts: {
        waiting: () => 0,
        committing: () => 0,
        aside: () => aside,
        get allAside() {
          return aside;
        },
      },
      quotaOf: () => quota(),
      poll() {},
    });
  const [plain, few] = [admission(), admission(2)];
  for (const each of [plain, few]) for (let job = 0; job < 3; job++) each.dispatched("r");
  expect([plain.admits("r"), few.admits("r")]).toEqual([false, false]);
  aside = 3;
  expect([plain.admits("r"), few.admits("r")]).toEqual([true, false]);
  // The worker is heard of again: its jobs are at work beside the new one.
  plain.dispatched("r");
  aside = 0;
  expect(plain.admits("r")).toBe(false);
  for (const each of [plain, few]) each.close();
});
