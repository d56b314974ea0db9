import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createWatchlist } from "../../../src/storage/companies/watchlists.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { readTable } from "./read-table.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 1, batch_days: 365 }), "complete");
  await createWatchlist(app.app.db, "Big names", ["MSFT", "AAPL", "NOPE"]);
});
afterAll(() => app[Symbol.asyncDispose]());

const decoded = (html: string) => html.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&#39;", "'");

test("the page of panels offers every feature, label and watchlist before anything was asked", async () => {
  const { status, text } = await app.get("/panel");
  expect(status).toBe(200);
  for (const part of ['value="rsi_14"', 'value="tb_20_20_20"', "Big names", 'name="where"'])
    expect(text).toContain(part);
  expect(text).not.toContain("Download");
});

test("the page of panels says rows, size and missing symbols, and its download is that panel", async () => {
  const query =
    "watchlist=Big+names&interval=1d&feature=rsi_14&feature=sma_20&include=ohlcv&label=fwd_ret_5&labels=tb_5_10_10&format=csv";
  const { status, text } = await app.get(`/panel?${query}`);
  expect(status).toBe(200);
  const rows = Number(/About ([\d,]+) rows of 11 columns, about \d+ kB/.exec(text)![1]!.replace(",", ""));
  expect(text).toContain("2 symbols; without bars in the range: NOPE.");
  const address = decoded(/href="(\/api\/panel[^"]*)"/.exec(text)![1]!);
  const table = await readTable(await fetch(app.url + address), "csv");
  expect(Math.abs(table.length / rows - 1)).toBeLessThan(0.1);
  expect(Object.keys(table[0]!).slice(-4)).toEqual(["rsi_14", "sma_20", "fwd_ret_5", "tb_5_10_10"]);
  // What is to be copied names the whole address, in quotes that the address has not.
  const commands = [...text.matchAll(/<pre>([^<]*)<\/pre>/g)].map(([, command]) => decoded(command!));
  expect(commands).toHaveLength(6);
  expect(commands.at(-1)).toContain(`'${app.url}${address}'`);
});

test.each([
  ["symbols=AAPL", 422, "the table would have no columns"],
  ["include=ohlcv", 422, "Wants one of symbols, watchlist and where"],
  ["symbols=AAPL&feature=rsi_15", 422, "is not a feature"],
  ["symbols=AAPL&include=ohlcv&labels=fwd_ret_4", 422, "is no label"],
  ["symbols=AAPL&include=ohlcv&from=yesterday", 422, "is not a date or time"],
  ["watchlist=Nobody&include=ohlcv", 404, "There is no watchlist named"],
])("the page of panels says what is wrong: %s", async (query, status, why) => {
  const answer = await app.get(`/panel?${query}`);
  expect([answer.status, decoded(answer.text)]).toEqual([status, expect.stringContaining(why)]);
});
