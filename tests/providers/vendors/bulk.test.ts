/** Daily updates of many symbols with one request for all of them: what lands, what it costs, and when it is not used. */

import { afterEach, describe, expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { isoDate } from "../../../src/domain/time.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { providerOn, valuesFor } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import type { FakeVendor } from "../../fakes/vendors/vendor.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { recordingContext } from "../fetch-context.ts";

/** As few as make it worth while: three requests for each are more than fifteen for all. */
const SYMBOLS = ["AAPL", "MSFT", "BRK.B", "QA", "QB", "QC"];

const open: FakeVendor[] = [];
afterEach(() => Promise.all(open.splice(0).map((fake) => fake.close())));
function started<Fake extends FakeVendor>(fake: Fake): Fake {
  for (const symbol of SYMBOLS) fake.market.known.add(symbol);
  open.push(fake);
  return fake;
}

/** The newest `count` sessions whose bars the vendor has, the newest last. */
function sessions(provider: Provider, count: number): number[] {
  const now = Date.now() / 1000;
  return CALENDAR.sessionsBetween("us_equity", now - (count + 20) * 2 * DAY, now)
    .map(({ date }) => date)
    .filter((date) => provider.availableAt!("AAPL", "1d", date) <= now)
    .slice(-count);
}

/** Hides the bars from this one on, as they were hidden before they took place. */
function hideFrom(fake: FakeVendor, first: number): void {
  fake.market.edit = (_symbol, _interval, bar) => (bar.ts >= first ? null : bar);
}
const showAll = (fake: FakeVendor) => {
  fake.market.edit = (_symbol, _interval, bar) => bar;
};

const env = (fake: FakeVendor, name: string) =>
  ({ ...valuesFor(fake, name), [`${name.toUpperCase()}_PER_MINUTE`]: "100000", BARKEEP_WORKERS: "1" }) as Record<
    string,
    string
  >;

async function run(app: TestApp, order: object) {
  const id = await app.start(order);
  return { id, ...(await app.waitForRun(id, "complete", "failed")) };
}

async function previewed(app: TestApp, provider: string, symbols = SYMBOLS): Promise<string> {
  const fields = { symbols: symbols.join(" "), provider, years: "1", interval: "1d", mode: "incremental" };
  return (await fetch(`${app.url}/runs/preview`, { method: "POST", body: new URLSearchParams(fields) })).text();
}

const closes = async (app: TestApp, symbol: string, from: number): Promise<[string, number][]> => {
  const { data } = (await app.get(`/api/bars/${symbol}?interval=1d&from=${isoDate(from)}`)).body;
  return data.map(({ timestamp, close }: { timestamp: string; close: number }) => [timestamp.slice(0, 10), close]);
};

/** A year of all symbols, without the newest `lacking` sessions; then what happens next is the update. */
async function withHistory(fake: FakeVendor, name: string, { symbols = SYMBOLS, lacking = 1 } = {}) {
  const hidden = sessions(providerOn(fake, name), lacking);
  hideFrom(fake, hidden[0]!);
  const app = await startApp({ env: env(fake, name) });
  const full = await run(app, { symbols, provider: name, years: 1, interval: "1d", mode: "full" });
  expect(full.run.state).toBe("complete");
  showAll(fake);
  fake.urls.length = 0;
  const update = (of = symbols) =>
    run(app, { symbols: of, provider: name, years: 1, interval: "1d", mode: "incremental" });
  return { app, update, hidden };
}

describe("an update of many symbols", () => {
  test("Massive: a few requests bring all symbols up to date, with their splits and dividends, and each batch is in the ledger", async () => {
    const fake = started(fakeMassive());
    const { app, update, hidden } = await withHistory(fake, "massive");
    await using _ = app;
    const [newest] = hidden;
    fake.market.actions.set("MSFT", [{ kind: "dividend", date: newest!, value: 0.75 }]);
    fake.market.actions.set("AAPL", [{ kind: "split", date: newest!, value: 4 }]);
    const said = await previewed(app, "massive");
    const { id, run: done, jobs } = await update();
    expect(done.state).toBe("complete");
    // Ten sessions again, the new one, a list of splits, one of dividends for each week.
    expect(fake.urls.length).toBe(15);
    expect([done.apiCalls, Number(/(\d+) calls/.exec(said)?.[1])]).toEqual([15, 15]);
    expect(jobs.reduce((sum, { apiCalls }) => sum + apiCalls, 0)).toBe(15);
    for (const symbol of ["AAPL", "BRK.B", SYMBOLS.at(-1)!]) {
      const [bar] = (await fake.market.bars(symbol, "1d", newest!, newest!))!;
      expect(await closes(app, symbol, newest!)).toEqual([[isoDate(newest!), bar!.close!]]);
    }
    const rows = await app.app.db.rows("SELECT status, count(*) FROM batches WHERE run_id = ?1 GROUP BY status", [id]);
    expect(rows).toEqual([["ok", SYMBOLS.length]]);
    const actions = await app.app.db.rows("SELECT symbol, kind, value FROM corporate_actions ORDER BY symbol", []);
    expect(actions).toEqual([
      ["AAPL", "split", 4],
      ["MSFT", "dividend", 0.75],
    ]);
    expect(await app.app.db.rows("SELECT count(*) FROM rejected_bars", [])).toEqual([[0]]);
    expect((await app.get("/api/profiles/MSFT?interval=1d")).body.backfill_metadata).toMatchObject({
      gaps: 0,
      history_complete: true,
    });
    // Nothing is left of the answers when the run has ended, and nothing to fetch.
    fake.urls.length = 0;
    expect((await update()).run.apiCalls).toBe(0);
    expect(fake.urls.length).toBe(0);
  }, 60_000);

  test("Alpaca: many symbols share a request, in pages", async () => {
    const fake = started(fakeAlpaca());
    const { app, update, hidden } = await withHistory(fake, "alpaca");
    await using _ = app;
    fake.pageRows = 30;
    const { run: done } = await update();
    // 6 symbols, 11 sessions: three pages of 30 rows, and one of actions.
    expect([done.state, done.apiCalls, fake.urls.length]).toEqual(["complete", 4, 4]);
    const [newest] = hidden;
    for (const symbol of SYMBOLS.slice(0, 4)) expect((await closes(app, symbol, newest!)).length).toBe(1);
  }, 60_000);

  test("EODHD: a whole day costs 100 units, so few symbols are requested one by one", async () => {
    const fake = started(fakeEodhd());
    const { app, update } = await withHistory(fake, "eodhd", { symbols: SYMBOLS.slice(0, 5) });
    await using _ = app;
    expect(await previewed(app, "eodhd", SYMBOLS.slice(0, 5))).toContain("15 calls");
    const { run: done } = await update();
    expect([done.state, done.apiCalls]).toEqual(["complete", 15]);
    expect(fake.urls.some(({ pathname }) => pathname.includes("bulk"))).toBe(false);
  }, 60_000);

  test("a symbol that the answer of a day lacks has a gap there, and is not complete by itself", async () => {
    const fake = started(fakeMassive());
    const { app, update, hidden } = await withHistory(fake, "massive", { lacking: 2 });
    await using _ = app;
    const [missing] = hidden;
    fake.market.edit = (symbol, _interval, bar) => (symbol === "MSFT" && bar.ts === missing ? null : bar);
    const { run: done } = await update();
    expect(done.state).toBe("complete");
    const { gaps } = (await app.get("/api/profiles/MSFT?interval=1d")).body.backfill_metadata;
    expect(gaps).toBe(1);
    expect((await app.get("/api/profiles/AAPL?interval=1d")).body.backfill_metadata.gaps).toBe(0);
  }, 60_000);

  test("odd elements of a day concern their symbol alone", async () => {
    const fake = started(fakeMassive());
    const { app, update, hidden } = await withHistory(fake, "massive");
    await using _ = app;
    const [newest] = hidden;
    fake.always = async (_request, url) => {
      if (!url.pathname.endsWith(isoDate(newest!))) return null;
      const good = (await fake.market.bars("AAPL", "1d", newest!, newest!))![0]!;
      const of = (T: unknown, more = {}) => ({
        T,
        o: good.open,
        h: good.high,
        l: good.low,
        c: good.close,
        v: 5,
        t: newest! * 1000 + 75_600_000,
        ...more,
      });
      const results = [
        null,
        3,
        of(7),
        of("ZZZZ"),
        of("AAPL"),
        of("MSFT", { t: null }),
        of("BRK.B", { t: (newest! - DAY) * 1000 }),
      ];
      return Response.json({ status: "OK", results });
    };
    const { run: done } = await update();
    expect(done.state).toBe("complete");
    expect((await closes(app, "AAPL", newest!)).length).toBe(1);
    expect((await closes(app, "MSFT", newest!)).length).toBe(0);
    const rejected = await app.app.db.rows(
      "SELECT s.symbol FROM rejected_bars r JOIN series s ON s.id = r.series_id ORDER BY 1",
      [],
    );
    expect(rejected).toEqual([["BRK.B"], ["MSFT"]]);
  }, 60_000);

  test("a day without any bar, or a refusal, is not relied on: each symbol is requested by itself", async () => {
    const fake = started(fakeMassive());
    const { app, update, hidden } = await withHistory(fake, "massive");
    await using _ = app;
    fake.always = (_request, url) =>
      url.pathname.includes("/grouped/") ? Response.json({ status: "OK", resultsCount: 0 }) : null;
    const { run: done } = await update();
    expect(done.state).toBe("complete");
    const [newest] = hidden;
    for (const symbol of SYMBOLS) expect((await closes(app, symbol, newest!)).length).toBe(1);
    expect(fake.urls.filter(({ pathname }) => pathname.includes("/grouped/")).length).toBe(1);
    expect(app.printed.join("\n")).toContain("the request for many symbols failed, each symbol is requested by itself");
  }, 60_000);

  test("the newest day that a free plan refuses is left out for all symbols with one request", async () => {
    const fake = started(fakeMassive());
    const { app, update, hidden } = await withHistory(fake, "massive");
    await using _ = app;
    const [newest] = hidden;
    fake.always = (_request, url) =>
      url.pathname.endsWith(isoDate(newest!))
        ? reply(403, { status: "NOT_AUTHORIZED", message: "Attempted to request today's data before end of day." })(
            _request,
            url,
          )
        : null;
    const { run: done } = await update();
    expect(done.state).toBe("complete");
    expect(done.leftOut).toHaveLength(1);
    expect(fake.urls.filter(({ pathname }) => pathname.endsWith(isoDate(newest!))).length).toBe(1);
  }, 60_000);
});

for (const [name, start] of [
  ["alpaca", fakeAlpaca],
  ["eodhd", fakeEodhd],
  ["massive", fakeMassive],
] as const) {
  test(`${name}: many symbols at once give what each gives by itself: bars, splits and dividends`, async () => {
    const fake = started(start());
    const day = Date.UTC(2025, 5, 18) / 1000;
    fake.market.actions.set("BRK.B", [{ kind: "dividend", date: day, value: 0.75 }]);
    fake.market.actions.set("AAPL", [
      { kind: "split", date: day, value: 4 },
      { kind: "split", date: day - 400 * DAY, value: 2 },
    ]);
    const provider = providerOn(fake, name);
    const bulk = provider.bulk!;
    expect([bulk.serves("AAPL"), bulk.serves("BTC-USD"), bulk.serves("VOD@LSE")]).toEqual([true, false, false]);
    // A holiday, a weekend, and the newest session that is not over yet.
    const span = { from: day - 5 * DAY, to: day + 5 * DAY, asOf: day + 2 * DAY + 15 * 3600 };
    const parts = bulk.parts(SYMBOLS, span);
    const context = recordingContext();
    const answers = await Promise.all(parts.map((part) => bulk.fetch(part, span, context)));
    expect(context.costs.reduce((sum, cost) => sum + cost, 0)).toBe(parts.reduce((sum, { cost }) => sum + cost, 0));
    for (const symbol of SYMBOLS) {
      const window = { symbol, interval: "1d", ...span } as const;
      const own = answers.flatMap((answer) => answer.get(symbol) ?? []);
      const [shared, single] = [await bulk.bars(window, own, context), await provider.fetchBars(window, context)];
      expect([symbol, shared.bars, shared.rejected]).toEqual([symbol, single.bars, single.rejected]);
      const listed = await provider.fetchActions!(symbol, context);
      expect(shared.actions).toEqual(listed.filter(({ date }) => date >= span.from));
    }
    // A symbol that lacks less gets no more than it lacks.
    const late = { symbol: "AAPL", interval: "1d", ...span, from: day } as const;
    const { bars } = await bulk.bars(
      late,
      answers.flatMap((answer) => answer.get("AAPL") ?? []),
      context,
    );
    expect(bars.ts[0]).toBe(day);
  });
}

test("eodhd: a day of the exchange costs 100 units for its bars, splits and dividends each", async () => {
  const fake = started(fakeEodhd());
  const span = {
    from: Date.UTC(2025, 5, 16) / 1000,
    to: Date.UTC(2025, 5, 19) / 1000,
    asOf: Date.UTC(2025, 6, 1) / 1000,
  };
  const parts = providerOn(fake, "eodhd").bulk!.parts(SYMBOLS, span);
  expect([parts.length, parts.reduce((sum, { cost }) => sum + cost, 0)]).toEqual([9, 900]);
});

test("alpaca: an answer for many symbols that is as long as the limit and names no next page is not relied on", async () => {
  const fake = started(fakeAlpaca());
  const provider = providerOn(fake, "alpaca");
  const day = Date.UTC(2025, 5, 18) / 1000;
  const span = { from: day - 5 * DAY, to: day + DAY, asOf: day + 5 * DAY };
  const bar = { t: "2025-06-18T04:00:00Z", o: 1, h: 1, l: 1, c: 1, v: 1 };
  fake.always = () => Response.json({ bars: { AAPL: Array(10_000).fill(bar) }, next_page_token: null });
  const [part] = provider.bulk!.parts(SYMBOLS, span);
  const error = await provider.bulk!.fetch(part!, span, recordingContext()).catch((thrown) => thrown);
  expect(error.message).toBe("Alpaca: an answer of 10000 rows may have been cut");
});

test("massive: dividends are listed by the week, and a week's list that may be cut is requested in halves", async () => {
  const fake = started(fakeMassive());
  const provider = providerOn(fake, "massive");
  const day = Date.UTC(2025, 5, 16) / 1000;
  const span = { from: day, to: day + 9 * DAY, asOf: day + 20 * DAY };
  const parts = provider.bulk!.parts(SYMBOLS, span).filter(({ list }) => list === 2);
  expect(parts.map(({ from, to }) => [isoDate(from), isoDate(to)])).toEqual([
    ["2025-06-16", "2025-06-23"],
    ["2025-06-23", "2025-06-25"],
  ]);
  const paid = (date: string) => ({ ticker: "AAPL", ex_dividend_date: date, cash_amount: 0.26, currency: "USD" });
  fake.always = (_request, { searchParams }) => {
    const [first, last] = [searchParams.get("ex_dividend_date.gte")!, searchParams.get("ex_dividend_date.lte")!];
    const results = first === last ? [paid(first)] : Array(1_000).fill(paid(first));
    return Response.json({ status: "OK", results });
  };
  const context = recordingContext();
  const answers = await provider.bulk!.fetch(parts[0]!, span, context);
  expect(
    answers
      .get("AAPL")!
      .actions.map(({ date }) => isoDate(date))
      .sort(),
  ).toEqual([16, 17, 18, 19, 20, 21, 22].map((of) => `2025-06-${of}`));
  // A single day cannot be divided: then the log says so.
  fake.always = () => Response.json({ status: "OK", results: Array(1_000).fill(paid("2025-06-16")) });
  await provider.bulk!.fetch({ ...parts[0]!, to: day + DAY }, span, context);
  const warnings = context.logs.filter((line) => line.startsWith("warn"));
  expect(warnings).toEqual(["warn: Massive (Polygon): a list of 1000 splits or dividends may be cut"]);
});

test("alpaca: a list of actions that may be cut is requested for half of the symbols at a time", async () => {
  const fake = started(fakeAlpaca());
  const provider = providerOn(fake, "alpaca");
  const day = Date.UTC(2025, 5, 18) / 1000;
  const span = { from: day, to: day + DAY, asOf: day + 5 * DAY };
  const part = provider.bulk!.parts(["AAPL", "MSFT"], span).find(({ what }) => what === "actions")!;
  fake.always = (_request, { searchParams }) => {
    const symbols = searchParams.get("symbols")!.split(",");
    const paid = { symbol: symbols[0], ex_date: "2025-06-18", rate: 0.26 };
    const cash_dividends = Array(symbols.length === 1 ? 1 : 1_000).fill(paid);
    return Response.json({ corporate_actions: { cash_dividends }, next_page_token: null });
  };
  const answers = await provider.bulk!.fetch(part, span, recordingContext());
  expect([...answers].map(([symbol, { actions }]) => [symbol, actions.length])).toEqual([
    ["AAPL", 1],
    ["MSFT", 1],
  ]);
});
