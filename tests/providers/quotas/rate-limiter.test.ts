import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Clock } from "../../../src/clock.ts";
import { ProviderError } from "../../../src/domain/errors.ts";
import { accountOf } from "../../../src/providers/entry.ts";
import type { Permit } from "../../../src/providers/provider.ts";
import type { QuotaLimit } from "../../../src/providers/quotas/meters.ts";
import type { QuotaRow } from "../../../src/providers/quotas/quota-state.ts";
import { RateLimiter } from "../../../src/providers/quotas/rate-limiter.ts";
import { busiestMinute } from "../../fakes/vendors/vendor.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { ask, HOUR, limiterOf, MINUTE, perDay, perMinute } from "./limits.ts";

/** Runs `calls` requests through `workers` workers; requests and answers take `way()` ms each. Gives the vendor's view. */
async function work(limiter: RateLimiter, clock: VirtualClock, { calls = 100, workers = 8, way = () => 20 }) {
  const arrivals: number[] = [];
  let left = calls;
  await clock.until(
    Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        while (left-- > 0) {
          const permit = await limiter.acquire(ask({ job: `j${worker}` }));
          await clock.sleep(way());
          arrivals.push(clock.now());
          await clock.sleep(way());
          permit.settle({});
        }
      }),
    ),
  );
  return arrivals;
}

describe("a minute's limit", () => {
  test("a minute's limit is never exceeded at the vendor, however long requests are on their way", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 20 }),
        async (limit, ways) => {
          const clock = new VirtualClock();
          let turn = 0;
          const way = () => ways[turn++ % ways.length]!;
          const arrivals = await work(limiterOf(clock, [perMinute(limit)]), clock, { calls: limit * 4, way });
          expect(arrivals.length).toBe(limit * 4);
          expect(busiestMinute(arrivals)).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("a minute's limit is never exceeded over 6,000 calls of 8 workers, and hardly a second of it is wasted", async () => {
    const clock = new VirtualClock();
    const start = clock.now();
    let turn = 0;
    const way = () => 20 + ((turn++ * 7919) % 180);
    const arrivals = await work(limiterOf(clock, [perMinute(200)]), clock, { calls: 6_000, way });
    expect(busiestMinute(arrivals)).toBe(200);
    const ideal = (6_000 / 200 - 1) * MINUTE;
    expect(ideal / (clock.now() - start)).toBeGreaterThanOrEqual(0.97);
  });

  test("a minute's limit counts weights where the vendor does", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [{ period: "minute", counts: "units", limit: 10 }]);
    const permits: Permit[] = [];
    for (let i = 0; i < 3; i++) limiter.acquire(ask({ cost: 4, job: `${i}` })).then((permit) => permits.push(permit));
    await clock.advance(0);
    expect(permits.length).toBe(2);
    for (const permit of permits) permit.settle({});
    await clock.advance(MINUTE - 1);
    expect(permits.length).toBe(2);
    await clock.advance(1);
    expect(permits.length).toBe(3);
  });

  test("a slot of the minute is freed when a worker crashes without settling", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(1)]);
    await limiter.acquire(ask());
    let granted = false;
    limiter.acquire(ask({ job: "other" })).then(() => {
      granted = true;
    });
    await clock.advance(2 * MINUTE);
    expect(granted).toBe(false);
    await clock.advance(2 * MINUTE);
    expect(granted).toBe(true);
  });

  test("waiting requests learn until when they wait, and why", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(2)]);
    const reports: [string, number, string][] = [];
    const listen = (job: string) =>
      ask({ job, onWait: ({ until }, reason) => void reports.push([job, (until - clock.now()) / 1000, reason]) });
    const first = await limiter.acquire(listen("a"));
    const second = await limiter.acquire(listen("b"));
    expect(reports).toEqual([]);
    first.settle({});
    second.settle({});
    for (const job of ["c", "d", "e"]) limiter.acquire(listen(job));
    await clock.advance(0);
    expect(reports.map(([job, seconds, reason]) => [job, seconds, reason])).toEqual([
      ["c", 60, "requests a minute"],
      ["d", 60, "requests a minute"],
      ["e", 120, "requests a minute"],
    ]);
  });
});

describe("a day's limit", () => {
  test("a day's limit stops requests and continues after the vendor's reset", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [{ ...perDay(10), dayStart: 5 * 3600 }]);
    let granted = 0;
    for (let i = 0; i < 4; i++) limiter.acquire(ask({ cost: 5, job: `${i}` })).then(() => granted++);
    await clock.advance(17 * HOUR - 1);
    expect(granted).toBe(2);
    await clock.advance(1); // 05:00 UTC of the next day
    expect(granted).toBe(4);
  });

  test("a request that would wait longer than its maximum is refused at once, with the seconds to the reset", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perDay(1)]);
    await limiter.acquire(ask());
    const failure = await limiter.acquire(ask({ maxWait: 60 })).catch((error) => error);
    expect(failure).toBeInstanceOf(ProviderError);
    expect([failure.kind, failure.retryAfter]).toEqual(["quota_exceeded", 12 * 3600]);
    expect(failure.message).toBe("acme: the day's quota of 1 units is used up; resuming at 2026-01-16 00:00 UTC");
    expect(limiter.snapshot()[0]?.waiting).toBe(0);
  });

  test("a day's limit lets cheap requests use what is too little for an expensive one", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perDay(6)]);
    await limiter.acquire(ask({ cost: 4 }));
    const granted: string[] = [];
    limiter.acquire(ask({ cost: 5, job: "dear" })).then(() => granted.push("dear"));
    limiter.acquire(ask({ cost: 2, job: "cheap" })).then(() => granted.push("cheap"));
    await clock.advance(1000);
    expect(granted).toEqual(["cheap"]);
    await clock.advance(12 * HOUR);
    expect(granted).toEqual(["cheap", "dear"]);
  });

  test("a day's limit gets back what the vendor did not charge, but not after the reset", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(100), perDay(100)]);
    const used = () => limiter.snapshot()[0]!.gauges.map((gauge) => gauge.used);
    const free = await limiter.acquire(ask({ cost: 5 }));
    const cheap = await limiter.acquire(ask({ cost: 5 }));
    expect(used()).toEqual([2, 10]);
    free.settle({ charged: 0 });
    cheap.settle({ charged: 1 });
    expect(used()).toEqual([2, 1]); // the minute's two requests were sent all the same
    free.settle({ charged: 0 });
    expect(used()).toEqual([2, 1]);
    const late = await limiter.acquire(ask({ cost: 5 }));
    await clock.advance(12 * HOUR);
    late.settle({ charged: 0 });
    expect(used()[1]).toBe(0);
  });

  test("a request that costs more than the whole limit is refused at once", async () => {
    const failure = await limiterOf(new VirtualClock(), [perDay(3)])
      .acquire(ask({ cost: 5 }))
      .catch((error) => error);
    expect(failure.kind).toBe("plan");
    expect(failure.message).toBe("acme: one request costs 5 units, the day's limit is 3");
  });

  test("limits of the hour and the month follow the vendor's clock as well", () => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 31, 23, 10));
    const limits: QuotaLimit[] = [
      { period: "hour", counts: "requests", limit: 50 },
      { period: "month", counts: "requests", limit: 500 },
    ];
    const gauges = limiterOf(clock, limits).snapshot()[0]!.gauges;
    expect(gauges.map((gauge) => gauge.resetsAt)).toEqual([Date.UTC(2026, 1, 1) / 1000, Date.UTC(2026, 1, 1) / 1000]);
  });
});

describe("what the vendor says", () => {
  const dayUsed = (limiter: RateLimiter) => limiter.snapshot()[0]!.gauges.at(-1)!.used;

  test("the vendor's count is taken over where it exceeds ours, plus what is still on its way", async () => {
    const limiter = limiterOf(new VirtualClock(), [perDay(1_000)]);
    const first = await limiter.acquire(ask({ cost: 5 }));
    await limiter.acquire(ask({ cost: 5 })); // on its way: the vendor has not seen it
    first.settle({ used: { day: 400 } });
    expect(dayUsed(limiter)).toBe(405);
    limiter.report("acme", { used: { day: 3 } }); // a stale counter takes nothing back
    expect(dayUsed(limiter)).toBe(405);
  });

  test("the vendor's count of its minute corrects ours", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(10)]);
    (await limiter.acquire(ask())).settle({ used: { minute: 10 } });
    let granted = false;
    limiter.acquire(ask()).then(() => {
      granted = true;
    });
    await clock.advance(MINUTE - 1);
    expect(granted).toBe(false);
    await clock.advance(1);
    expect(granted).toBe(true);
  });

  test("the vendor's limit is taken over, unless the user set a lower one", async () => {
    const clock = new VirtualClock();
    const open = limiterOf(clock, [perMinute(10)]);
    open.report("acme", { limits: { minute: 2_000 } });
    expect(open.snapshot()[0]?.gauges[0]?.limit).toBe(2_000);
    const fixed = limiterOf(clock, [{ ...perMinute(10), fixed: true }]);
    fixed.report("acme", { limits: { minute: 2_000 } });
    expect(fixed.snapshot()[0]?.gauges[0]?.limit).toBe(10);
    fixed.report("acme", { limits: { minute: 5 } });
    expect(fixed.snapshot()[0]?.gauges[0]?.limit).toBe(5);
  });

  test("a hold by the vendor holds all requests", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(100)]);
    (await limiter.acquire(ask())).settle({ holdSeconds: 30, reason: "HTTP 429" });
    const start = clock.now();
    const waits: string[] = [];
    const ends = Promise.all(
      ["a", "b"].map(async (job) => {
        await limiter.acquire(ask({ job, run: job, onWait: (_, reason) => void waits.push(reason) }));
        return clock.now() - start;
      }),
    );
    expect(await clock.until(ends)).toEqual([30_000, 30_000]);
    expect(waits).toEqual(["HTTP 429", "HTTP 429"]);
  });

  test("a long ban refuses requests with a short maximum wait", async () => {
    const limiter = limiterOf(new VirtualClock(), []);
    limiter.report("acme", { holdSeconds: 7_200, reason: "HTTP 418: banned" });
    const failure = await limiter.acquire(ask({ maxWait: 300 })).catch((error) => error);
    expect([failure.kind, failure.retryAfter]).toEqual(["rate_limited", 7_200]);
    expect(failure.message).toContain("HTTP 418: banned");
  });
});

describe("memory", () => {
  test("a permit is given only after the request is stored", async () => {
    const clock = new VirtualClock();
    let release = () => {};
    const stored: (readonly QuotaRow[])[] = [];
    const limiter = limiterOf(clock, [perDay(10)], {
      persist: (rows: readonly QuotaRow[]) => {
        stored.push(rows);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    let granted = false;
    limiter.acquire(ask({ cost: 3 })).then(() => {
      granted = true;
    });
    await clock.advance(0);
    expect(stored).toEqual([[{ account: "acme:1", period: "day", startedAt: Date.UTC(2026, 0, 15) / 1000, used: 3 }]]);
    expect(granted).toBe(false);
    release();
    await clock.advance(0);
    expect(granted).toBe(true);
  });

  test("a request that cannot be stored is not sent, and not counted", async () => {
    const limiter = limiterOf(new VirtualClock(), [perMinute(5), perDay(10)], {
      persist: () => Promise.reject(new Error("disk full")),
    });
    expect(limiter.acquire(ask({ cost: 3 }))).rejects.toThrow("The quota of acme could not be stored: disk full");
    await new Promise(setImmediate);
    expect(limiter.snapshot()[0]?.gauges.map((gauge) => gauge.used)).toEqual([0, 0]);
  });

  test("a restart keeps the day, the minute and the hold", async () => {
    const clock = new VirtualClock();
    const limits = [perMinute(4), perDay(10)];
    const before = limiterOf(clock, limits);
    for (let i = 0; i < 4; i++) (await before.acquire(ask())).settle({});
    before.report("acme", { holdSeconds: 20, reason: "HTTP 429" });
    const rows = before.rows();
    await clock.advance(5_000);
    const after = limiterOf(clock, limits);
    after.restore(rows);
    expect(after.snapshot()[0]).toMatchObject({
      gauges: [{ used: 4 }, { used: 4 }],
      hold: { until: clock.now() / 1000 + 15 },
    });
    let granted = false;
    after.acquire(ask()).then(() => {
      granted = true;
    });
    await clock.advance(55_000);
    expect(granted).toBe(false);
    await clock.advance(5_000);
    expect(granted).toBe(true);
  });

  test("a minute is over a minute after its last request, however often the server is started again meanwhile", async () => {
    const clock = new VirtualClock();
    /** The steady clock of a process begins with it. */
    const process = () => {
      const start = clock.now();
      const own: Clock = {
        now: () => clock.now(),
        steady: () => clock.now() - start,
        after: (milliseconds, action) => clock.after(milliseconds, action),
      };
      return new RateLimiter([{ provider: "acme", account: "acme:1", limits: [perMinute(2)] }], { clock: own });
    };
    const first = process();
    for (let i = 0; i < 2; i++) (await first.acquire(ask())).settle({});
    let rows = first.rows();
    for (let start = 1; start <= 12; start++) {
      await clock.advance(5_000);
      const next = process();
      next.restore(rows);
      expect([start, next.snapshot()[0]?.gauges[0]?.used]).toEqual([start, start < 12 ? 2 : 0]);
      // As with each start of a server, and each time that the clock is marked.
      rows = next.rows();
    }
  });

  test("rows of another key or of yesterday count for nothing", async () => {
    const clock = new VirtualClock();
    const before = limiterOf(clock, [perDay(10)]);
    await before.acquire(ask({ cost: 7 }));
    const rows = before.rows();
    const other = new RateLimiter([{ provider: "acme", account: "acme:2", limits: [perDay(10)] }], { clock });
    other.restore(rows);
    expect(other.snapshot()[0]?.gauges[0]?.used).toBe(0);
    await clock.advance(24 * HOUR);
    const next = limiterOf(clock, [perDay(10)]);
    next.restore(rows);
    expect(next.snapshot()[0]?.gauges[0]?.used).toBe(0);
  });

  test("a new key takes over the waiting requests", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perDay(1)]);
    await limiter.acquire(ask());
    const waits = [ask({ job: "a" }), ask({ job: "a" }), ask({ job: "b" })].map((request) => limiter.acquire(request));
    await clock.advance(1_000);
    expect(limiter.snapshot()[0]?.waiting).toBe(3);
    limiter.define({ provider: "acme", account: "acme:2", limits: [perDay(3)] });
    await clock.until(Promise.all(waits));
    expect(limiter.snapshot()[0]?.gauges[0]?.used).toBe(3);
  });

  test("an account's name distinguishes keys and contains none of them", () => {
    expect(accountOf("acme", "secret-1")).not.toBe(accountOf("acme", "secret-2"));
    expect(accountOf("acme", "secret-1")).toMatch(/^acme:[0-9a-f]{12}$/);
  });

  test("the spenders of a limit are known", async () => {
    const limiter = limiterOf(new VirtualClock(), [perDay(100)]);
    await limiter.acquire(ask({ run: "a", cost: 5 }));
    await limiter.acquire(ask({ run: "b", cost: 20 }));
    (await limiter.acquire(ask({ run: "a", cost: 5 }))).settle({ charged: 0 });
    expect(limiter.snapshot()[0]?.spenders).toEqual([
      { run: "b", units: 20 },
      { run: "a", units: 5 },
    ]);
  });
});

test("latency and cost are measured from answers, the newest counting most; what never reached the vendor is left out", async () => {
  const clock = new VirtualClock();
  const limiter = limiterOf(clock, [perMinute(1_000)]);
  const { provider } = ask({});
  const request = async (ms: number, cost: number, charged = cost) => {
    const permit = await clock.until(limiter.acquire(ask({ cost })));
    await clock.until(clock.sleep(ms));
    permit.settle({ charged });
  };
  expect(limiter.state(provider)).toMatchObject({ latencyMs: null, unitsPerRequest: 1 });
  await request(600, 5);
  expect(limiter.state(provider)).toMatchObject({ latencyMs: 600, unitsPerRequest: 5 });
  await request(3, 5, 0);
  expect(limiter.state(provider)?.latencyMs).toBe(600);
  for (let i = 0; i < 100; i++) await request(100, 2);
  expect(limiter.state(provider)?.latencyMs).toBeCloseTo(100, 0);
  expect(limiter.state(provider)?.unitsPerRequest).toBeCloseTo(2, 1);
  expect(limiter.state("nobody")).toBeUndefined();
});
