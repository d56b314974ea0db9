import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { parquetMetadata } from "hyparquet";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { FORMATS, readTable } from "./read-table.ts";

setDefaultTimeout(60_000);

let app: TestApp;
/** Between a run of one year and one of two. */
let between: string;
/** What was answered then. */
const answered = new Map<string, unknown>();

const BARS = "bars/AAPL?adjust=all";
const WEEKS = "bars/AAPL?interval=1w";
const FEATURES = "features/AAPL?names=sma_200,rsi_14,rsi_14@1w";
const PANEL = "panel?symbols=AAPL,MSFT&names=rsi_14&include=ohlcv&labels=fwd_ret_5&sort=timestamp";
const ask = (path: string, at?: string) =>
  fetch(`${app.url}/api/${path}${at === undefined ? "" : `&as_known_at=${at}`}`);
const dataOf = (response: Response) => readTable(response, "json");

beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1, batch_days: 365 }), "complete");
  for (const path of [BARS, WEEKS, FEATURES, PANEL]) answered.set(path, await dataOf(await ask(path)));
  between = new Date().toISOString();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 2, batch_days: 365 }), "complete");
});
afterAll(() => app[Symbol.asyncDispose]());

test.each([BARS, WEEKS, FEATURES, PANEL])("%s is answered as it was at an earlier moment", async (path) => {
  const now = await dataOf(await ask(path));
  const then = await ask(path, between);
  expect(then.headers.get("x-barkeep-known-since")).toBeNull();
  expect(await dataOf(then)).toEqual(answered.get(path) as typeof now);
  expect(now.length).toBeGreaterThan((answered.get(path) as unknown[]).length);
});

test.each(FORMATS)("bars as known at a moment are the same as %s", async (format) => {
  expect(await readTable(await ask(`${BARS}&format=${format}`, between), format)).toEqual(
    answered.get(BARS) as Awaited<ReturnType<typeof dataOf>>,
  );
});

test("JSON, the metadata of a file and the missing symbols say what was known at the moment", async () => {
  const { as_known_at, known_since } = (await (await ask(BARS, between)).json()) as Record<string, unknown>;
  expect([as_known_at, known_since]).toEqual([between, null]);
  expect(await (await ask(BARS)).json()).not.toHaveProperty("as_known_at");
  const panel = await ask(`${PANEL}&format=parquet`, between);
  expect(panel.headers.get("x-barkeep-missing")).toBe("MSFT");
  const { key_value_metadata } = parquetMetadata(await panel.arrayBuffer());
  expect(key_value_metadata).toContainEqual({ key: "barkeep.as_known_at", value: between });
});

test("where arrivals were not recorded, the answer says since when it is exact", async () => {
  const since = Date.now() + 60_000;
  await app.app.db.write([{ sql: "UPDATE series SET arrivals_since = ?", args: [since] }]);
  const response = await ask(`panel?symbols=AAPL,MSFT&names=none&include=ohlcv`, new Date().toISOString());
  const iso = new Date(since).toISOString();
  expect(response.headers.get("x-barkeep-known-since")).toBe(iso);
  expect(await response.json()).toMatchObject({ known_since: iso });
  const page = await fetch(`${app.url}/panel?symbols=AAPL&include=ohlcv&names=none&as_known_at=${between}`);
  expect(await page.text()).toContain(`is recorded since ${iso}`);
  await app.app.db.write([{ sql: "UPDATE series SET arrivals_since = NULL", args: [] }]);
});

test.each([
  ["yesterday", /"yesterday" is not a date or time/],
  ["2126-01-01", /lies in the future/],
])("as_known_at=%s is refused with a sentence", async (at, sentence) => {
  for (const path of [BARS, FEATURES, PANEL]) {
    const response = await ask(path, at);
    expect(response.status).toBe(422);
    const { errors } = (await response.json()) as { errors: { path: string; message: string }[] };
    expect(errors[0]!.path).toBe("as_known_at");
    expect(errors[0]!.message).toMatch(sentence);
  }
});

test("a screen, which knows today's profiles only, is refused together with an earlier moment", async () => {
  const response = await ask("panel?where=rsi_14<30&names=none&include=ohlcv", between);
  expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
    422,
    expect.stringContaining("chooses by the profiles of today"),
  ]);
});

test("a symbol of which nothing was stored at the moment is answered with 404", async () => {
  const response = await ask("bars/MSFT?interval=1d", between);
  expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
    404,
    `No 1d bars of MSFT were stored at ${between}`,
  ]);
});
