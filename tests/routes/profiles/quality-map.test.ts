/** `/quality` and `GET /api/quality`: the months of series in every state, and the scores of providers. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type CellState, cellsOf, monthOf, monthText, parseMonth } from "../../../src/domain/profiles/quality-map.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";

const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1000);
const MONTH = monthOf(NOW);
const ago = (months: number) => monthText(MONTH - months);
/** A moment in the middle of the month so many months ago. */
const within = (months: number) => Date.parse(`${ago(months)}-14T00:00:00Z`) / 1000;

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT", "ZZZ"], years: 1 }), "complete", "failed");
  const write = (sql: string, ...args: unknown[]) => app.app.db.write([{ sql, args }]);
  // An exchange without a calendar.
  for (const table of ["series", "profiles"]) await write(`UPDATE ${table} SET symbol = 'ODD@XX' WHERE symbol = 'ZZZ'`);
  const [[aapl], [msft]] = (await app.app.db.rows("SELECT id FROM series ORDER BY symbol", [])) as [[number], [number]];
  const gap = "INSERT INTO gaps (series_id, date, kind, rows, answers) VALUES (?, ?, ?, 0, ?)";
  await write(gap, aapl, within(2), "hole", 0);
  await write(gap, aapl, within(3), "missing", 3);
  await write(gap, aapl, within(4), "outside", 0);
  await write(
    `INSERT INTO batches (series_id, from_ts, to_ts, run_id, status, rows, error, left_out, fetched_at)
     VALUES (?, ?, ?, 'x', 'not_in_plan', 0, 'free', ?, 1)`,
    aapl,
    within(5),
    within(5) + DAY,
    JSON.stringify([[within(5), within(5) + DAY]]),
  );
  await write(
    `INSERT INTO bar_revisions (series_id, ts, seen_at, run_id, kind, open, high, low, close, volume)
     VALUES (?, ?, 1, 'x', 'correction', 1, 1, 1, 1, 1)`,
    aapl,
    within(6),
  );
  await write(
    "INSERT INTO findings (series_id, kind, date, seen_at) VALUES (?, 'scale_change', ?, 1)",
    aapl,
    within(8),
  );
  await write("INSERT INTO rejected_bars VALUES (?, 'p', 'r', 'raw', 'x', 1)", aapl);
  await write("UPDATE profiles SET last_bar = ? WHERE series_id = ?", within(3), msft);
});
afterAll(() => app[Symbol.asyncDispose]());

const cellsOfSymbol = (
  body: { months: string[]; profiles: { symbol: string; cells: (CellState | null)[] }[] },
  symbol: string,
) =>
  Object.fromEntries(
    body.profiles.find((each) => each.symbol === symbol)!.cells.map((cell, at) => [body.months[at]!, cell]),
  );

test("a month is complete, has holes, is suspicious, revised, not in the plan, stale, or without a calendar", async () => {
  const { body } = await app.get("/api/quality?months=14");
  expect([body.months.length, body.months.at(-1), body.total]).toEqual([14, ago(0), 3]);
  const aapl = cellsOfSymbol(body, "AAPL");
  expect([2, 3, 4, 5, 6, 7, 8].map((months) => aapl[ago(months)])).toEqual([
    "holes",
    // Three repairs have brought nothing: there is nothing.
    "complete",
    "suspicious",
    "not_in_plan",
    "revised",
    "complete",
    "suspicious",
  ]);
  // Before its first bar.
  expect(aapl[ago(13)]).toBeNull();
  const msft = cellsOfSymbol(body, "MSFT");
  expect([0, 1, 2, 3, 4].map((months) => msft[ago(months)])).toEqual(["stale", "stale", "stale", "stale", "complete"]);
  expect(cellsOfSymbol(body, "ODD@XX")[ago(3)]).toBe("no_calendar");
  expect(body.counts).toMatchObject({ holes: 1, suspicious: 2, not_in_plan: 1, revised: 1, stale: 4 });
  expect(body.providers).toMatchObject([
    { provider: "demo", series: 3, holes: 1, confirmed_holes: 1, revised_bars: 1, refused_rows: 1, late_series: 1 },
  ]);
  expect(body.providers[0].late_days).toBeGreaterThan(50);
});

test("the map is filtered by symbol, interval, provider and state, and paged", async () => {
  const symbols = async (query: string) => {
    const { body } = await app.get(`/api/quality?${query}`);
    return [body.total, ...body.profiles.map(({ symbol }: { symbol: string }) => symbol)];
  };
  expect(await symbols("q=aa")).toEqual([1, "AAPL"]);
  expect(await symbols("state=stale")).toEqual([1, "MSFT"]);
  expect(await symbols(`state=holes&months=1&to=${ago(2)}`)).toEqual([1, "AAPL"]);
  expect(await symbols(`state=holes&months=1&to=${ago(1)}`)).toEqual([0]);
  expect(await symbols("interval=1m")).toEqual([0]);
  expect(await symbols("provider=eodhd")).toEqual([0]);
  expect(await symbols("limit=1&offset=1")).toEqual([3, "MSFT"]);
  for (const query of ["to=2026-13", "state=good", "months=0", "other=1"]) {
    expect((await app.get(`/api/quality?${query}`)).status).toBe(422);
  }
});

test("the page has the same, with a link from each month to the gaps of that month", async () => {
  const { text } = await app.get("/quality?months=12");
  expect(text).toContain(`href="/profiles/AAPL?interval=1d&amp;month=${ago(2)}#quality-title"`);
  expect(text).toContain(`AAPL ${ago(2)}: Holes`);
  expect(text).toContain("Providers");
  const month = (await app.get(`/profiles/AAPL?interval=1d&month=${ago(2)}`)).text;
  expect(month).toContain(`Gaps of ${ago(2)}`);
  expect(month).toContain(`${ago(2)}-14: has holes`);
  expect(month).not.toContain(`${ago(4)}-14: bars outside`);
  expect((await app.get("/quality?q=nothing")).text).toContain("No profile matches");
});

test("minutes that an earlier release stored are not called complete before they are checked", () => {
  const none = new Set<number>();
  const facts = {
    firstBar: within(2),
    lastBar: within(1),
    hasCalendar: true,
    isChecked: false,
    staleBefore: 0,
    suspectMonth: null,
    holes: none,
    outside: none,
    notInPlan: none,
    revised: none,
  };
  expect(cellsOf(facts, [MONTH - 3, MONTH - 2, MONTH - 1, MONTH], NOW)).toEqual([null, "unchecked", "unchecked", null]);
});

test("months are read as they are written", () => {
  expect(monthText(parseMonth("2026-03")!)).toBe("2026-03");
  for (const text of ["2026-00", "2026-13", "26-03", "2026-3", ""]) expect(parseMonth(text)).toBeNull();
});
