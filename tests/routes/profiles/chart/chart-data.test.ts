/** What the page of a profile sends for its chart besides bars: marks, sessions, and the table of bars. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { emptyBars } from "../../../../src/domain/market/bars.ts";
import { DAY } from "../../../../src/domain/market/interval.ts";
import { isoDate } from "../../../../src/domain/time.ts";
import { readLastBars } from "../../../../src/storage/market/bars.ts";
import { storeActions } from "../../../../src/storage/market/corporate-actions.ts";
import { recordRevised } from "../../../../src/storage/market/revisions.ts";
import { findProfile } from "../../../../src/storage/profiles/profiles.ts";
import { startApp, type TestApp } from "../../../helpers/app.ts";
import { temporaryFolder } from "../../../helpers/folder.ts";

setDefaultTimeout(60_000);

const folder = temporaryFolder();
let app: TestApp;
/** The starts of the last bars, newest last, epoch seconds. */
let ts: Float64Array;
let seriesId: number;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_CSV_DIR: folder.path } });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 2 }), "complete");
  await app.waitForRun(await app.start({ symbols: ["MSFT"], interval: "1h", years: 1 }), "complete");
  ({ seriesId } = (await findProfile(app.app.db, "AAPL", "1d"))!);
  ({ ts } = await readLastBars(app.app.db, seriesId, Number.MAX_SAFE_INTEGER, 600));
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const marks = (query: string) => app.get(`/profiles/AAPL/chart/marks?interval=1d&${query}`);

test("actions, revisions, gaps and refused rows of the asked time are marks, each with its words", async () => {
  const { db } = app.app;
  const day = (back: number) => ts[ts.length - back]!;
  await storeActions(db, {
    provider: "demo",
    symbol: "AAPL",
    actions: [
      { kind: "split", date: day(20), value: 4, currency: null },
      { kind: "dividend", date: day(15), value: 0.25, currency: null },
      { kind: "dividend", date: day(300), value: 0.2, currency: null },
    ],
    replaced: [],
  });
  const old = emptyBars(2);
  old.ts.set([day(12), day(11)]);
  await db.write(recordRevised(seriesId, "run", Date.UTC(2026, 0, 5), { kind: "correction", bars: old }));
  await db.write([
    { sql: "INSERT INTO gaps (series_id, date, kind, rows) VALUES (?1, ?2, 'missing', 0)", args: [seriesId, day(10)] },
    {
      sql: "INSERT INTO rejected_bars (series_id, place, reason, raw, run_id, seen_at) VALUES (?1, ?2, 'odd', '{}', 'run', 0)",
      args: [seriesId, new Date(day(8) * 1_000).toISOString()],
    },
    {
      sql: "INSERT INTO rejected_bars (series_id, place, reason, raw, run_id, seen_at) VALUES (?1, 'A.csv:7', 'cut', ?2, 'run', 0)",
      args: [seriesId, `${isoDate(day(7))},1,2`],
    },
    {
      sql: "INSERT INTO rejected_bars (series_id, place, reason, raw, run_id, seen_at) VALUES (?1, 'A.csv:9', 'cut', 'x', 'run', 0)",
      args: [seriesId],
    },
    // The days of the request are not those of the row.
    {
      sql: "INSERT INTO rejected_bars (series_id, place, reason, raw, run_id, seen_at) VALUES (?1, ?2, 'no row', 'null', 'run', 0)",
      args: [seriesId, `${isoDate(day(6))} to ${isoDate(day(2))}, row 3`],
    },
  ]);
  const { status, body } = await marks(`from=${isoDate(day(30))}&to=${isoDate(day(1))}`);
  expect(status).toBe(200);
  const on = (back: number) => ({ from: day(back), to: day(back) });
  expect(body).toEqual({
    marks: [
      { kind: "split", ...on(20), text: `${isoDate(day(20))}: split 4 for 1` },
      { kind: "dividend", ...on(15), text: `${isoDate(day(15))}: dividend 0.25` },
      { kind: "revision", from: day(12), to: day(11), text: "2 bars revised (correction), seen 2026-01-05" },
      { kind: "gap", ...on(10), text: `${isoDate(day(10))}: no bars` },
      { kind: "refused", ...on(8), text: "refused: odd" },
      { kind: "refused", ...on(7), text: "refused: cut" },
    ],
    sessions: [],
    more: false,
  });
});

test("more marks than can be shown are cut, and said", async () => {
  const first = Math.floor(Date.UTC(1990, 0, 1) / 1_000);
  const dates = JSON.stringify(Array.from({ length: 600 }, (_, at) => first + at * DAY));
  await app.app.db.write([
    {
      sql: "INSERT INTO gaps (series_id, date, kind, rows) SELECT ?1, value, 'missing', 0 FROM json_each(?2)",
      args: [seriesId, dates],
    },
  ]);
  const { body } = await marks("from=1990-01-01&to=1995-01-01");
  expect([body.marks.length, body.more]).toEqual([500, true]);
  expect((await marks("from=1990-01-01&to=1990-02-01")).body.more).toBe(false);
});

test("bars of less than a day come with the hours of their sessions, and marks of a date lie at its open", async () => {
  const from = isoDate(ts.at(-10)!);
  const to = isoDate(ts.at(-1)! + DAY);
  const { body } = await app.get(`/profiles/MSFT/chart/marks?interval=1h&from=${from}&to=${to}`);
  expect(body.sessions.length).toBeGreaterThanOrEqual(10);
  for (const [open, close] of body.sessions) expect(close - open).toBeLessThanOrEqual(6.5 * 3_600);
  expect((await app.get(`/profiles/MSFT/chart/marks?interval=1h&level=1w&from=${from}`)).body.sessions).toEqual([]);
  expect(
    (await marks("level=1h&from=2020-01-01")).body.marks.find(({ kind }: { kind: string }) => kind === "split").from,
  ).toBeGreaterThan(ts.at(-20)!);
});

test("marks of a symbol without bars are not found, and odd times are refused", async () => {
  expect((await app.get("/profiles/NONE/chart/marks?interval=1d")).status).toBe(404);
  expect((await marks("from=yesterday")).status).toBe(422);
  expect((await app.get("/profiles/AAPL/chart/marks?interval=2d")).status).toBe(422);
});

test("the table of bars goes page by page through all of them, each bar once", async () => {
  const seen: string[] = [];
  let path: string | undefined = "/profiles/AAPL/bars?interval=1d";
  for (let page = 0; path !== undefined && page < 10; page++) {
    const { text, status } = await app.get(path);
    expect(status).toBe(200);
    seen.push(...[...text.matchAll(/<th scope="row"[^>]*>.*?(\d{4}-\d\d-\d\d)/g)].map(([, date]) => date!));
    path = /href="([^"]*)">\s*Older/.exec(text)?.[1]?.replaceAll("&amp;", "&");
  }
  expect(seen).toEqual([...ts].reverse().map(isoDate));
});

test("the table of bars has the values of the API, the change to the bar before, and a way to newer bars", async () => {
  const from = isoDate(ts.at(-300)!);
  const { text } = await app.get(`/profiles/AAPL/bars?interval=1d&from=${from}&adjust=none`);
  const { data } = (await app.get(`/api/bars/AAPL?adjust=none&from=${isoDate(ts.at(-301)!)}`)).body;
  const [before, bar] = data;
  const change = (bar.close / before.close - 1) * 100;
  expect(text).toContain(`${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(2)}%`);
  expect(text).toContain(String(bar.close));
  expect(text).toMatch(/Newer<\/a>/);
  expect(text).toMatch(/Older<\/a>/);
  expect((await app.get("/profiles/NONE/bars")).status).toBe(404);
  expect((await app.get("/profiles/AAPL/bars?from=x")).status).toBe(422);
});
