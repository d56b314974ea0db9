/** The shared HTTP client and the window logic with vendors that misbehave. */

import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { DAY, type Interval } from "../../../src/domain/market/interval.ts";
import { REASONS, validateBars } from "../../../src/domain/market/validate-bars.ts";
import { FAST_RETRIES, providerOn } from "../../fakes/providers.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { breakOff, hang, html, reply, truncated } from "../../fakes/vendors/faults.ts";
import { at } from "../../helpers/inputs/bars.ts";
import { recordingContext } from "../fetch-context.ts";

const fake = fakeEodhd();
const provider = providerOn(fake, "eodhd");
afterAll(fake.close);
afterEach(() => {
  fake.script.length = 0;
  fake.always = null;
  fake.urls.length = 0;
  fake.maxDays = 120;
  fake.market.edit = (_symbol, _interval, bar) => bar;
});

const window = (interval: Interval, from = "2024-05-01", to = "2024-05-15") => ({
  symbol: "AAPL",
  interval,
  from: at(from),
  to: at(to),
  asOf: at("2026-01-01"),
});
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error,
  );

describe("retries", () => {
  test("retries overcome a vendor that is down for a moment, and are reported", async () => {
    const expectedBars = await provider.fetchBars(window("1d"), recordingContext());
    fake.script.push(reply(503, ""), html(502), reply(500, "oops"), reply(504, ""));
    const context = recordingContext();
    expect(await provider.fetchBars(window("1d"), context)).toEqual(expectedBars);
    expect(context.waits).toEqual([
      "Retry 2/5 in 1s: HTTP 503",
      "Retry 3/5 in 1s: HTTP 502",
      "Retry 4/5 in 1s: HTTP 500",
      "Retry 5/5 in 1s: HTTP 504",
    ]);
    expect(context.costs).toEqual([1, 1, 1, 1, 1]);
  });

  test("retries end after five attempts with the vendor's message", async () => {
    fake.always = reply(503, "down for maintenance");
    const error = await failureOf(provider.fetchBars(window("1d"), recordingContext()));
    expect([error.kind, error.message]).toEqual(["transient", "EODHD: HTTP 503: down for maintenance"]);
    expect(fake.urls.length).toBe(5);
  });

  test("retries wait as long as a Retry-After says", async () => {
    fake.script.push(reply(503, "", { "retry-after": "0.3" }));
    const context = recordingContext();
    await provider.fetchBars(window("1d"), context);
    expect(context.logs.filter((line) => line.endsWith("try 2 of 5 in 0.3s")).length).toBe(1);
  });

  test("retries wait up to a bound that doubles, anywhere below it", async () => {
    fake.always = reply(503, "");
    const waits = async (random: number) => {
      const context = recordingContext();
      await failureOf(
        providerOn(fake, "eodhd", {}, { backoffMs: 20, random: () => random }).fetchBars(window("1d"), context),
      );
      return context.logs.flatMap((line) => /in ([\d.]+)s$/.exec(line)?.[1] ?? []).map(Number);
    };
    expect(await waits(0)).toEqual([0, 0, 0, 0]);
    expect(await waits(0.999)).toEqual([0, 0, 0.1, 0.2]); // 20, 40, 80, 160 ms
  });

  test("a stop cuts a retry's wait short", async () => {
    fake.always = reply(503, "");
    const stop = new AbortController();
    const context = { ...recordingContext(stop.signal), waiting: () => stop.abort(new Error("cancelled")) };
    const slow = providerOn(fake, "eodhd", {}, { backoffMs: 3_600_000, random: () => 1 });
    expect((await failureOf(slow.fetchBars(window("1d"), context))).message).toBe("cancelled");
  });

  test("requests stopped under way keep their slot for a minute, and count as sent", async () => {
    fake.always = hang();
    const stop = new AbortController();
    const context = recordingContext(stop.signal);
    const answer = failureOf(provider.fetchBars(window("1d"), context));
    while (fake.urls.length === 0) await Bun.sleep(1);
    stop.abort(new Error("paused"));
    expect((await answer).message).toBe("paused");
    expect(context.reports).toEqual([{}]);
    expect(context.ends.map(({ code }) => code)).toEqual(["stopped"]);
  });

  test("retries are not spent on a refused key, an unknown symbol or a plan", async () => {
    for (const [status, text, kind] of [
      [401, "Unauthenticated", "auth"],
      [200, "Unauthenticated", "auth"],
      [403, "Only EOD data allowed for free users. Please, contact our support team", "plan"],
      [404, "Ticker Not Found.", "unknown_symbol"],
    ] as const) {
      fake.urls.length = 0;
      fake.always = reply(status, text);
      const error = await failureOf(provider.fetchBars(window("1m"), recordingContext()));
      expect([error.kind, fake.urls.length]).toEqual([kind, 1]);
    }
  });

  test("retries of malformed answers end after three", async () => {
    fake.always = html(200, "Down for maintenance");
    const error = await failureOf(provider.fetchBars(window("1d"), recordingContext()));
    expect([error.kind, error.message, fake.urls.length]).toEqual([
      "invalid_response",
      "EODHD: HTTP 200: Down for maintenance",
      3,
    ]);
  });

  test.each([
    ["no rows where rows belong", { status: "degraded" }, "the answer: is an object, not a list"],
    ["rows that are none", [{ cache: "miss" }, { cache: "miss" }], "0.date: is missing"],
    ["no content", null, "the answer: is null, not a list"],
  ])("retries overcome JSON of another shape (%s), and end after three with words", async (_, body, words) => {
    const expectedBars = await provider.fetchBars(window("1d"), recordingContext());
    fake.urls.length = 0;
    fake.script.push(reply(200, body), reply(200, body));
    const context = recordingContext();
    // What was read of the odd answers is left behind nowhere: not among the bars, not among the rejected rows.
    expect(await provider.fetchBars(window("1d"), context)).toEqual(expectedBars);
    expect(context.waits).toEqual(["Retry 2/3 in 1s: unexpected answer", "Retry 3/3 in 1s: unexpected answer"]);
    expect([fake.urls.length, context.costs]).toEqual([3, [1, 1, 1]]);

    fake.urls.length = 0;
    fake.always = reply(200, body);
    const error = await failureOf(provider.fetchBars(window("1d"), recordingContext()));
    expect([error.kind, fake.urls.length]).toEqual(["invalid_response", 3]);
    expect(error.message).toStartWith(`EODHD: unexpected answer: ${words}`);
  });
});

describe("a vendor without an answer", () => {
  test("a vendor that hangs is given up after the time limit", async () => {
    fake.always = hang();
    const context = recordingContext();
    const withShortTimeout = providerOn(fake, "eodhd", {}, { timeoutMs: 50, backoffMs: 1 });
    const error = await failureOf(withShortTimeout.fetchBars(window("1d", "2024-05-01", "2024-05-02"), context));
    expect([error.kind, error.message]).toEqual(["transient", "EODHD: no answer within 0.05s"]);
    expect(context.waits).toEqual(["Retry 2/5 in 1s: no answer within 0.05s"]);
    expect(context.ends.map(({ code, isRetry }) => [code, isRetry])).toEqual([
      ["timeout", false],
      ["timeout", true],
    ]);
    for (const { seconds } of context.ends) expect(seconds).toBeGreaterThanOrEqual(0.04);
  });

  test("a vendor that cannot be reached costs nothing", async () => {
    const closed = fakeEodhd();
    await closed.close();
    const context = recordingContext();
    const error = await failureOf(providerOn(closed, "eodhd").fetchBars(window("1m"), context));
    expect(error.kind).toBe("transient");
    expect(error.message).toStartWith("EODHD: no connection");
    expect(context.costs).toEqual([5, 5, 5, 5, 5]);
    expect(context.reports).toEqual(Array(5).fill({ charged: 0 }));
    expect(context.ends.map(({ code, isRetry }) => `${code} ${isRetry}`)).toEqual([
      "no_connection false",
      ...Array(4).fill("no_connection true"),
    ]);
  });

  for (const [title, behaviour] of [
    ["breaks off", breakOff()],
    ["ends too early", truncated()],
  ] as const) {
    test(`a vendor whose answer ${title} is asked again, then for halves, and no bar is lost`, async () => {
      const expectedBars = await provider.fetchBars(window("1m"), recordingContext());
      fake.urls.length = 0;
      fake.script.push(behaviour, behaviour);
      const context = recordingContext();
      expect(await provider.fetchBars(window("1m"), context)).toEqual(expectedBars);
      expect(fake.urls.length).toBe(4);
      expect(context.logs.filter((line) => line.includes("asking for halves")).length).toBe(1);
    });
  }

  test("a redirect that would send the key elsewhere is not followed", async () => {
    const elsewhere = fakeEodhd();
    fake.always = reply(302, "", { location: `${elsewhere.url}/eod/AAPL.US` });
    const error = await failureOf(provider.fetchBars(window("1d"), recordingContext()));
    expect(error.kind).toBe("invalid_response");
    expect(elsewhere.urls.length).toBe(0);
    await elsewhere.close();
  });
});

describe("limits that the vendor reports", () => {
  test("a 429 holds all requests for its Retry-After", async () => {
    fake.script.push(reply(429, { error: "API rate limit exceeded" }, { "retry-after": "7" }));
    const context = recordingContext();
    const { bars } = await provider.fetchBars(window("1d"), context);
    expect(bars.ts.length).toBe(10);
    expect(context.reports).toContainEqual({ charged: 0, holdSeconds: 7, reason: "EODHD is busy: HTTP 429" });
  });

  test("a 429 is one however large its body is, and no reason to ask for less", async () => {
    const body = " ".repeat(5 * 2 ** 20);
    fake.script.push(() => new Response(body, { status: 429, headers: { "retry-after": "7" } }));
    const context = recordingContext();
    const limited = providerOn(fake, "eodhd", {}, { ...FAST_RETRIES, maxAnswerBytes: 2 ** 20 });
    const { bars } = await limited.fetchBars(window("1d"), context);
    expect([bars.ts.length, fake.urls.length]).toEqual([10, 2]);
    expect(context.reports).toContainEqual({ charged: 0, holdSeconds: 7, reason: "EODHD is busy: HTTP 429" });
  });

  test("a Retry-After may be a date", async () => {
    fake.script.push(reply(429, "", { "retry-after": new Date(Date.now() + 20_000).toUTCString() }));
    const context = recordingContext();
    await provider.fetchBars(window("1d"), context);
    const hold = context.reports.find(({ holdSeconds }) => holdSeconds !== undefined)?.holdSeconds;
    expect(hold).toBeGreaterThan(15);
    expect(hold).toBeLessThanOrEqual(20);
  });

  test("a 429 without a time holds a little longer with every try", async () => {
    fake.script.push(...Array.from({ length: 4 }, () => html(429)));
    const context = recordingContext();
    await providerOn(fake, "eodhd", {}, { busyMs: 5_000, random: () => 1 }).fetchBars(window("1d"), context);
    expect(context.reports.flatMap(({ holdSeconds }) => holdSeconds ?? [])).toEqual([5, 10, 20, 40]);
  });

  test("a spent day is reported to the limiter, which waits for the reset", async () => {
    fake.script.push(reply(402, "You exceeded your daily API requests limit. Please contact support"));
    const context = recordingContext();
    const { bars } = await provider.fetchBars(window("1d"), context);
    expect(bars.ts.length).toBe(10);
    expect(context.reports).toContainEqual({ charged: 0, used: { day: Number.POSITIVE_INFINITY } });
    expect(context.waits).toEqual([]); // the limiter shows that wait
  });

  test("headers and errors correct the limiter's count", async () => {
    fake.script.push(
      reply(200, [], { "x-ratelimit-limit": "1000", "x-ratelimit-remaining": "640" }),
      reply(404, "Ticker Not Found."),
    );
    const context = recordingContext();
    await provider.fetchBars(window("1d"), context);
    expect(context.reports).toContainEqual({ used: { minute: 360 }, limits: { minute: 1000 }, accepted: true });
    await failureOf(provider.fetchBars(window("1m"), context));
    expect(context.reports).toContainEqual({ charged: 1 });
  });
});

describe("windows", () => {
  const spans = () =>
    fake.urls.map((url) => [Number(url.searchParams.get("from")), Number(url.searchParams.get("to"))]);

  test("a window as long as the vendor allows is one request", async () => {
    const context = recordingContext();
    await provider.fetchBars(window("1m", "2024-01-01", "2024-04-30"), context);
    expect(context.costs).toEqual([5]);
    expect(provider.maxWindowDays("1m", "AAPL")).toBe(120);
    expect(provider.maxWindowDays("1h", "AAPL")).toBe(120);
  });

  test("a window longer than the vendor allows is cut", async () => {
    const context = recordingContext();
    await provider.fetchBars(window("1m", "2023-01-01", "2023-07-01"), context);
    expect(context.costs).toEqual([5, 5]);
  });

  test("a window the vendor finds too long is halved, never widened, and stays complete", async () => {
    const expectedBars = await provider.fetchBars(window("1m", "2024-01-01", "2024-03-01"), recordingContext());
    fake.urls.length = 0;
    fake.maxDays = 20;
    const halved = await provider.fetchBars(window("1m", "2024-01-01", "2024-03-01"), recordingContext());
    expect(halved).toEqual(expectedBars);
    for (const [from, to] of spans()) {
      expect(from).toBeGreaterThanOrEqual(at("2024-01-01"));
      expect(to).toBeLessThan(at("2024-03-01"));
    }
  });

  test("every window is sent, even when the vendor refuses each of them", async () => {
    fake.always = reply(422, { errors: { from: ["Max period length is 0 days"] } });
    const error = await failureOf(provider.fetchBars(window("1m"), recordingContext()));
    expect([error.kind, error.message]).toEqual(["bad_request", "EODHD: HTTP 422: Max period length is 0 days"]);
    expect(spans().every(([from, to]) => from! >= at("2024-05-01") && to! < at("2024-05-15") && to! > from!)).toBe(
      true,
    );
  });

  test("a window without a session costs nothing: weekends, the future, days not yet final", async () => {
    const context = recordingContext();
    const ask = async (from: string, to: string, asOf: string, interval: Interval = "1m") =>
      (await provider.fetchBars({ ...window(interval, from, to), asOf: at(asOf) }, context)).bars.ts.length;
    expect(await ask("2024-05-04", "2024-05-06", "2025-01-01")).toBe(0);
    expect(await ask("2024-05-27", "2024-05-28", "2025-01-01")).toBe(0); // Memorial Day
    expect(await ask("2024-05-07", "2024-05-08", "2024-05-06T12:00:00Z")).toBe(0);
    expect(await ask("2024-05-07", "2024-05-08", "2024-05-08T03:14:59Z", "1d")).toBe(0); // final at 23:15 New York
    expect(context.costs).toEqual([]);
    expect(await ask("2024-05-07", "2024-05-08", "2024-05-08T03:15:00Z", "1d")).toBe(1);
    expect(context.costs).toEqual([1]);
  });

  test("a window before the vendor's history costs nothing", async () => {
    const context = recordingContext();
    const { bars } = await provider.fetchBars(window("1m", "1999-01-01", "1999-03-01"), context);
    expect([bars.ts.length, context.costs.length]).toEqual([0, 0]);
  });
});

describe("rows", () => {
  test("rows without numbers stay without them until they are validated", async () => {
    fake.market.edit = (_symbol, _interval, bar) =>
      bar.ts % 7 === 0 ? { ...bar, open: null, high: null, low: null, close: null, volume: null } : bar;
    const asked = window("1m", "2024-05-06", "2024-05-07");
    const { bars } = await provider.fetchBars(asked, recordingContext());
    const judged = validateBars(bars, asked);
    expect(judged.rejected.length).toBeGreaterThan(10);
    expect(new Set(judged.rejected.map(({ reason }) => reason))).toEqual(new Set([REASONS.noPrice]));
    expect(judged.bars.ts.length + judged.rejected.length).toBe(bars.ts.length);
  });

  test("longer bars are built from valid minutes only, and the others are reported", async () => {
    const spike = at("2024-05-06T15:00:00Z");
    fake.market.edit = (_symbol, _interval, bar) =>
      bar.ts === spike ? { ...bar, high: bar.high! * 100, close: bar.close! * 100 } : bar;
    const { bars, rejected } = await provider.fetchBars(window("1h", "2024-05-06", "2024-05-07"), recordingContext());
    expect(rejected.map(({ reason }) => reason)).toEqual([REASONS.jump]);
    expect(Math.max(...bars.high)).toBeLessThan(2 * Math.min(...bars.low));
    expect(bars.ts.length).toBe(7);
  });

  test("a longer bar is rejected if a minute in it has a price that cannot be used, and not for one without trades", async () => {
    const [odd, idle] = [at("2024-05-06T15:00:00Z"), at("2024-05-06T17:00:00Z")];
    const nothing = { open: null, high: null, low: null, close: null, volume: null };
    fake.market.edit = (_symbol, _interval, bar) =>
      bar.ts === odd ? { ...bar, low: null } : bar.ts === idle ? { ...bar, ...nothing } : bar;
    const { bars, rejected } = await provider.fetchBars(window("1h", "2024-05-06", "2024-05-07"), recordingContext());
    expect(rejected.map(({ where, reason }) => `${where} ${reason}`)).toEqual([
      `2024-05-06T15:00:00.000Z ${REASONS.noPrice}`,
      `2024-05-06T17:00:00.000Z ${REASONS.noPrice}`,
      `2024-05-06T14:30:00.000Z ${REASONS.part}`,
    ]);
    const hours = [13.5, 15.5, 16.5, 17.5, 18.5, 19.5];
    expect([...bars.ts]).toEqual(hours.map((hour) => at("2024-05-06") + hour * 3_600));
  });

  test("bars of 5m, 15m and 1h equal what their minutes give, anchored at the open", async () => {
    for (const interval of ["5m", "15m", "1h"] as const) {
      const asked = window(interval, "2024-07-01", "2024-07-06"); // a short day and a holiday
      const { bars } = await provider.fetchBars(asked, recordingContext());
      fake.market.extended = false;
      const expected = (await fake.market.bars("AAPL", interval, asked.from, asked.to))!;
      fake.market.extended = true;
      expect([...bars.ts]).toEqual(expected.map(({ ts }) => ts));
      expect([...bars.high]).toEqual(expected.map(({ high }) => high!));
      expect([...bars.close]).toEqual(expected.map(({ close }) => close!));
      expect([...bars.volume]).toEqual(expected.map(({ volume }) => volume!));
    }
  });

  test("a window that begins or ends inside an hour gets whole hours", async () => {
    const ask = async (from: string, to: string) => [
      ...(await provider.fetchBars(window("1h", from, to), recordingContext())).bars.volume,
    ];
    const whole = await ask("2024-05-06", "2024-05-07");
    expect(await ask("2024-05-06T14:00:00Z", "2024-05-06T16:00:00Z")).toEqual(whole.slice(1, 3));
  });

  test("rows are not merged with those of another day", async () => {
    const { bars } = await provider.fetchBars(window("1m", "2024-11-25", "2024-12-02"), recordingContext());
    expect(new Set([...bars.ts].map((ts) => Math.floor(ts / DAY))).size).toBe(4);
  });
});

describe("the vendor's own count", () => {
  test("the vendor's own count is requested and taken over unless it is yesterday's", async () => {
    fake.calls.used = 1234;
    fake.calls.date = new Date().toISOString().slice(0, 10);
    const today = recordingContext();
    await provider.checkQuota!(today);
    expect(today.reports).toContainEqual({ used: { day: 1234 }, limits: { day: 100_000 }, accepted: true });
    fake.calls.date = "2020-01-01";
    const stale = recordingContext();
    await provider.checkQuota!(stale);
    expect(stale.reports).toContainEqual({ used: { day: 0 }, limits: { day: 100_000 }, accepted: true });
  });
});
