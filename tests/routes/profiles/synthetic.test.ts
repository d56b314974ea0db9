/** Bars of the demo provider are recognizable wherever they are shown or exported. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_CSV_DIR: "/" } });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete", "failed");
});
afterAll(() => app[Symbol.asyncDispose]());

const BADGE = /class="pill[^"]*" title="Made-up bars[^"]*">.*?Synthetic/gs;
const badges = async (path: string) => (await app.get(path)).text.match(BADGE)?.length ?? 0;
const flags = async () => {
  const [profile, list, bars, features] = await Promise.all(
    ["profiles/AAPL", "profiles", "bars/AAPL?interval=1d", "features/AAPL?interval=1d&names=rsi_14"].map((path) =>
      app.get(`/api/${path}`),
    ),
  );
  return [profile!.body, list!.body.profiles[0], bars!.body, features!.body].map(({ synthetic }) => synthetic);
};

test("synthetic bars have a badge in the list, at the head of the profile and at its chart, and say so in JSON", async () => {
  expect(await badges("/profiles")).toBe(1);
  expect(await badges("/profiles?where=rsi_14%20>%200")).toBe(1);
  expect(await badges("/profiles/AAPL")).toBe(2);
  expect((await app.get("/profiles/AAPL")).text).toContain("Candlestick chart of AAPL, synthetic bars");
  expect(await flags()).toEqual([true, true, true, true]);
  for (const format of ["csv", "parquet", "json"]) {
    const answer = await fetch(`${app.url}/api/bars/AAPL?interval=1d&format=${format}`);
    expect(answer.headers.get("x-barkeep-synthetic")).toBe("true");
    await answer.arrayBuffer();
  }
});

test("synthetic bars are never what another provider's gaps are filled with", async () => {
  const answer = await fetch(`${app.url}/api/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ symbols: ["AAPL"], mode: "repair", provider: "files", repair_provider: "demo" }),
  });
  expect(answer.status).toBe(422);
  expect(await answer.text()).toContain("its bars are made up");
});

test("real bars have no badge", async () => {
  for (const table of ["profiles", "series"]) {
    await app.app.db.write([{ sql: `UPDATE ${table} SET provider = 'eodhd'`, args: [] }]);
  }
  // The list reads rows that are replaced.
  await app.app.db.write([{ sql: "UPDATE profiles SET revision = revision + 1", args: [] }]);
  expect(await badges("/profiles/AAPL")).toBe(0);
  expect((await app.get("/profiles/AAPL")).text).not.toContain('value="demo"');
  expect(await flags()).toEqual([false, false, false, false]);
  expect((await fetch(`${app.url}/api/bars/AAPL?interval=1d`)).headers.has("x-barkeep-synthetic")).toBe(false);
});
