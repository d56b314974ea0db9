/** The limiter between real providers and real (fake) vendors, over HTTP on loopback. */

import { describe, expect, test } from "bun:test";
import type { Clock } from "../../../src/clock.ts";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { FetchContext, Provider } from "../../../src/providers/provider.ts";
import { RateLimiter } from "../../../src/providers/quotas/rate-limiter.ts";
import { findProvider, quotaRules } from "../../../src/providers/registry.ts";
import { FAST_RETRIES, valuesFor } from "../../fakes/providers.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { recordingContext } from "../fetch-context.ts";

const day = (index: number) => Date.UTC(2020, 0, 1 + index) / 1000;

/** A clock on which a minute takes a tenth of a second. */
function fastClock(): Clock {
  const speed = 600;
  const start = Date.now();
  return {
    now: () => start + (performance.timeOrigin + performance.now() - start) * speed,
    steady: () => performance.now() * speed,
    after: (milliseconds, action) => {
      const timer = setTimeout(action, milliseconds / speed);
      return () => clearTimeout(timer);
    },
  };
}

function contextOn(
  limiter: RateLimiter,
  provider: string,
  job: string,
  more: Partial<FetchContext> = {},
): FetchContext {
  const context = recordingContext();
  return {
    ...context,
    acquire: (cost = 1) => limiter.acquire({ provider, run: "r", job, cost, maxWait: 3_600 }),
    ...more,
  };
}

const ask = (provider: Provider, symbol: string, index: number, context: FetchContext) =>
  provider.fetchBars({ symbol, interval: "1d", from: day(index), to: day(index + 4), asOf: day(4_000) }, context);

describe("eight workers on one key", () => {
  test("eight workers on one key never exceed the vendor's minute over thousands of calls, and are never refused", async () => {
    const fake = fakeBinance();
    const clock = fastClock();
    const limit = 200;
    fake.clock = clock.now;
    fake.perMinute = limit;
    const values = { ...valuesFor(fake, "binance"), BINANCE_PER_MINUTE: String(2 * limit) }; // each request weighs two
    const provider = findProvider("binance")!.create(values, CALENDAR, { ...FAST_RETRIES, timeoutMs: 30_000 });
    const limiter = new RateLimiter(quotaRules(values), { clock });
    const calls = 2_400;
    let sent = 0;
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        // Later and later days: the fake's prices would be made from their beginning for each earlier one.
        for (let call = sent++; call < calls; call = sent++)
          await ask(provider, "BTC-USDT", call, contextOn(limiter, "binance", `j${worker}`));
      }),
    );
    expect(fake.urls.length).toBe(calls);
    expect(fake.refusedForRate).toBe(0);
    expect(fake.busiestMinute()).toBeLessThanOrEqual(limit);
    limiter.close();
    await fake.close();
  }, 60_000);
});

describe("a day that is spent in the middle of a run", () => {
  test("a day spent in the middle of a run parks the jobs with the seconds to the reset, and the vendor gets no request until then", async () => {
    const fake = fakeEodhd();
    fake.calls.limit = 3;
    const clock = new VirtualClock(Date.UTC(2026, 4, 5, 18));
    const values = valuesFor(fake, "eodhd");
    const provider = findProvider("eodhd")!.create(values, CALENDAR, FAST_RETRIES);
    const limiter = new RateLimiter(quotaRules(values), { clock });
    const run = (index: number) => ask(provider, "AAPL", index * 10, contextOn(limiter, "eodhd", `j${index}`));
    for (let index = 0; index < 3; index++) await run(index);
    const parked = await run(3).catch((error) => error);
    expect([parked.kind, parked.retryAfter]).toEqual(["quota_exceeded", 6 * 3600]);
    const asked = fake.urls.length;
    const next = await run(4).catch((error) => error);
    expect([next.kind, fake.urls.length]).toEqual(["quota_exceeded", asked]);

    fake.calls.used = 0; // midnight
    await clock.advance(6 * 3_600_000);
    expect((await run(3)).bars.ts.length).toBeGreaterThan(0);
    limiter.close();
    await fake.close();
  });

  test("a spent day is remembered over a restart", async () => {
    const fake = fakeEodhd();
    const clock = new VirtualClock(Date.UTC(2026, 4, 5, 18));
    const values = { ...valuesFor(fake, "eodhd"), EODHD_PER_DAY: "2" };
    const provider = findProvider("eodhd")!.create(values, CALENDAR, FAST_RETRIES);
    const before = new RateLimiter(quotaRules(values), { clock });
    for (let index = 0; index < 2; index++) await ask(provider, "AAPL", index * 10, contextOn(before, "eodhd", "j"));
    const after = new RateLimiter(quotaRules(values), { clock });
    after.restore(before.rows());
    const refused = await ask(provider, "AAPL", 30, contextOn(after, "eodhd", "j")).catch((error) => error);
    expect(refused.kind).toBe("quota_exceeded");
    expect(fake.urls.length).toBe(2);
    for (const limiter of [before, after]) limiter.close();
    await fake.close();
  });

  test("requests without a maximum wait continue by themselves after the reset", async () => {
    const fake = fakeEodhd();
    fake.calls.limit = 1;
    const clock = new VirtualClock(Date.UTC(2026, 4, 5, 23, 30));
    const values = valuesFor(fake, "eodhd");
    const provider = findProvider("eodhd")!.create(values, CALENDAR, FAST_RETRIES);
    const limiter = new RateLimiter(quotaRules(values), { clock });
    await ask(provider, "AAPL", 0, contextOn(limiter, "eodhd", "a"));
    let told = () => {};
    const waits = new Promise<void>((resolve) => {
      told = resolve;
    });
    const acquire = (cost = 1) =>
      limiter.acquire({ provider: "eodhd", run: "r", job: "b", cost, onWait: () => told() });
    const answer = ask(provider, "AAPL", 10, contextOn(limiter, "eodhd", "b", { acquire }));
    await waits; // refused by the vendor once, then waiting in the limiter
    fake.calls.used = 0;
    await clock.advance(30 * 60_000);
    expect((await answer).bars.ts.length).toBeGreaterThan(0);
    expect(fake.urls.length).toBe(3);
    limiter.close();
    await fake.close();
  });
});

test("rules carry the user's own limits and an account that changes with the key", () => {
  const rules = quotaRules({ EODHD_API_KEY: "one", EODHD_PER_DAY: "20" });
  const eodhd = rules.find(({ provider }) => provider === "eodhd")!;
  expect(eodhd.limits).toEqual([
    { period: "minute", counts: "requests", limit: 1_000 },
    { period: "day", counts: "units", limit: 20, fixed: true },
  ]);
  const other = quotaRules({ EODHD_API_KEY: "two" }).find(({ provider }) => provider === "eodhd")!;
  expect(other.account).not.toBe(eodhd.account);
  expect(rules.find(({ provider }) => provider === "demo")?.limits).toEqual([]);
});
