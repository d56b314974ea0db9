import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { FEATURES } from "../../../src/features/catalog.ts";
import { findProfile, profileStatements } from "../../../src/storage/profiles/profiles.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";

setDefaultTimeout(60_000);

type Row = { symbol: string; features: Record<string, number | null> };
let app: TestApp;
let all: Row[];
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  const id = await app.start({ symbols: ["AAPL", "MSFT", "IBM", "SAP", "ORCL", "KO", "PEP", "F"], years: 1 });
  await app.waitForRun(id, "complete");
  all = (await app.get("/api/profiles")).body.profiles;
});
afterAll(() => app[Symbol.asyncDispose]());

const address = (path: string, query: Record<string, string>) => `${path}?${new URLSearchParams(query)}`;
const found = async (where: string, sort = ""): Promise<string[]> => {
  const { body } = await app.get(address("/api/profiles", { where, sort }));
  return body.profiles.map(({ symbol }: Row) => symbol);
};
const those = (matches: (features: Record<string, number>) => boolean) =>
  all.filter(({ features }) => matches(features as Record<string, number>)).map(({ symbol }) => symbol);

test("a screener finds what its condition says, and nothing else", async () => {
  const median = all.map(({ features }) => features.rsi_14!).toSorted((a, b) => a - b)[4]!;
  expect(await found(`rsi_14<${median}`)).toEqual(those(({ rsi_14 }) => rsi_14! < median));
  expect(await found(`not (rsi_14 < ${median}) or sma_5 > sma_20`)).toEqual(
    those(({ rsi_14, sma_5, sma_20 }) => rsi_14! >= median || sma_5! > sma_20!),
  );
  expect(await found(`rsi_14 >= ${median} and sma_5 <= sma_20`)).toEqual(
    those(({ rsi_14, sma_5, sma_20 }) => rsi_14! >= median && sma_5! <= sma_20!),
  );
});

test("a feature without a value satisfies no condition, is sorted last, and every feature can be used", async () => {
  const { db } = app.app;
  const profile = (await findProfile(db, "KO", "1d"))!;
  await db.write(profileStatements({ ...profile, features: { ...profile.features, rsi_14: null } }));
  expect(await found("rsi_14 < 1000")).not.toContain("KO");
  expect(await found("not rsi_14 < 1000")).toEqual([]);
  const ranked = all
    .filter(({ symbol }) => symbol !== "KO")
    .toSorted((a, b) => b.features.rsi_14! - a.features.rsi_14!);
  expect(await found("", "-rsi_14")).toEqual([...ranked.map(({ symbol }) => symbol), "KO"]);
  for (const { name } of FEATURES) expect((await app.get(`/api/profiles?where=${name}%3E0`)).status).toBe(200);
});

test("a condition that cannot be read is refused at its place, in the API and on the page", async () => {
  const where = "rsi_14 < 30 and <script>alert(1)</script>";
  const { status, body } = await app.get(address("/api/profiles", { where }));
  expect([status, body.errors]).toEqual([
    422,
    [{ path: "where", message: expect.stringMatching(/cannot be read \(at character 34\)/) }],
  ]);
  const page = await app.get(address("/profiles", { where }));
  expect(page.status).toBe(422);
  expect(page.text).toContain("at character 34");
  expect(page.text).not.toContain("<script>alert");
  expect((await app.get("/api/profiles?sort=symbol;drop")).status).toBe(422);
});

test("the profiles page shows the features of its screener, offers all names, and downloads what it shows", async () => {
  const query = { where: "sma_5 > 0", sort: "-sma_20" };
  const { text } = await app.get(address("/profiles", query));
  expect(text.match(/<option value="/g)!.length).toBeGreaterThanOrEqual(FEATURES.length);
  expect(text).toContain('aria-sort="descending"');
  const csv = (await app.get(address("/profiles", { ...query, format: "csv" }))).text.trim().split("\r\n");
  expect(csv[0]).toBe("symbol,interval,provider,health,first_bar,last_bar,sma_5,sma_20");
  const order = await found(query.where, query.sort);
  expect(csv.slice(1).map((line) => line.split(",")[0]!)).toEqual(order);
  const { body } = await app.get(address("/profiles", { ...query, format: "json" }));
  expect(body.profiles.map(({ symbol }: Row) => symbol)).toEqual(order);
});

test("a condition is added to the screener without JavaScript", async () => {
  const query = { where: "sma_5 > 1 or sma_20 > 1", feature: "rsi_14", sign: "<", than: "70", sort: "" };
  const { headers } = await fetch(app.url + address("/profiles", query), { redirect: "manual" });
  const to = new URL(headers.get("Location")!, app.url);
  expect(to.searchParams.get("where")).toBe("(sma_5 > 1 or sma_20 > 1) and rsi_14 < 70");
});

test("a screener takes facts of companies and the top of a feature, in the API and on the page", async () => {
  await fetch(`${app.url}/api/companies/import`, {
    method: "POST",
    body: "symbol,sector\nIBM,Technology\nSAP,Technology\nKO,Consumer Staples\n",
    headers: { "content-type": "text/csv" },
  });
  expect(await found("sector = Technology")).toEqual(["IBM", "SAP"]);
  expect(await found('sector = "consumer staples" and sma_5 > 0')).toEqual(["KO"]);
  const [first, second] = all.toSorted((a, b) => b.features.dollar_volume_20! - a.features.dollar_volume_20!);
  expect(await found("top(dollar_volume_20, 2)", "-dollar_volume_20")).toEqual([first!.symbol, second!.symbol]);
  const page = await app.get(address("/profiles", { where: "top(dollar_volume_20, 2)" }));
  expect(page.text).toContain("top(dollar_volume_20, 100)");
  expect(page.text).toMatch(new RegExp(`/profiles/${first!.symbol}\\b`));
  const { status, body } = await app.get(address("/api/profiles", { where: "sector > Technology" }));
  expect([status, body.errors[0].message]).toEqual([422, "sector can only be compared with = and != (at character 8)"]);
});
