/** Lists that the API shares with pages: the catalogue of features, the audit, the log. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { hashSecret, newSecret } from "../../../src/auth.ts";
import { FEATURES } from "../../../src/features/catalog.ts";
import { CATALOG_VERSION } from "../../../src/features/version.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { PASSWORD_HASH } from "../../helpers/password.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  for (const name of ["One", "Two", "Three"]) await app.post("/api/watchlists", { name, symbols: ["AAPL"] });
  await app.send("DELETE", "/api/watchlists/1?reason=tidy");
  const insert = "insert into logs (at, level, run_id, symbol, message) values (?, ?, ?, ?, ?)";
  const lines = [
    [1_000, "debug", "r1", "AAPL", "fine detail"],
    [2_000, "info", "r1", "AAPL", "first step"],
    [3_000, "warn", "r1", "MSFT", "second step"],
  ] as const;
  await app.app.db.write(lines.map((args) => ({ sql: insert, args: [...args] })));
});
afterAll(() => app[Symbol.asyncDispose]());

test("the catalogue of the API has every feature with formula, source and version", async () => {
  const { status, body } = await app.get("/api/features");
  expect([status, body.version]).toEqual([200, CATALOG_VERSION]);
  expect(body.features.map(({ name }: { name: string }) => name)).toEqual(FEATURES.map(({ name }) => name));
  const { formula, source, unit } = FEATURES.find(({ name }) => name === "sma_5")!;
  expect(body.features.find(({ name }: { name: string }) => name === "sma_5")).toEqual({
    ...{ number: 1, name: "sma_5", family: "moving_average", unit, formula, source },
    ...{ warmup: 4, memory: "window", memory_bars: 5 },
  });
});

test("pages of the audit lead through all entries and back, and a filter chooses among them", async () => {
  const { body: all } = await app.get("/api/audit?limit=100");
  const actions = all.entries.map(({ action }: { action: string }) => action).toSorted();
  const each = (action: string) => Array(3).fill(action);
  expect(actions).toEqual([...each("watchlist.add"), ...each("watchlist.create"), "watchlist.delete"]);
  expect([all.older, all.newer]).toEqual([null, null]);
  expect(all.entries[0]).toMatchObject({ actor: "local", action: "watchlist.delete", reason: "tidy", after: null });
  const { body: first } = await app.get("/api/audit?limit=4");
  const { body: second } = await app.get(`/api/audit?limit=4&before=${first.older}`);
  expect([...first.entries, ...second.entries]).toEqual(all.entries);
  expect([first.newer, second.older]).toEqual([null, null]);
  expect((await app.get(`/api/audit?limit=4&after=${second.newer}`)).body.entries).toEqual(first.entries);
  expect((await app.get("/api/audit?action=watchlist.delete")).body.entries).toEqual([all.entries[0]]);
  expect((await app.get("/api/audit?to=2020-01-01")).body.entries).toEqual([]);
  expect((await app.get("/api/audit?before=1&after=2")).body.errors[0].path).toBe("after");
  expect((await app.get("/api/audit?whom=me")).status).toBe(422);
});

test("lines of the log come newest first in pages, debug lines only when asked for", async () => {
  const messages = async (query: string) => {
    const { body } = await app.get(`/api/logs?run_id=r1${query}`);
    return [body.lines.map(({ message }: { message: string }) => message), body.older !== null];
  };
  expect(await messages("")).toEqual([["second step", "first step"], false]);
  expect(await messages("&debug=1")).toEqual([["second step", "first step", "fine detail"], false]);
  expect(await messages("&text=WARN")).toEqual([["second step"], false]);
  expect(await messages("&symbol=AAPL")).toEqual([["first step"], false]);
  expect(await messages("&limit=1")).toEqual([["second step"], true]);
  const { older } = (await app.get("/api/logs?run_id=r1&limit=1")).body;
  const { body } = await app.get(`/api/logs?run_id=r1&limit=1&before=${older}`);
  expect(body.older).toBeNull();
  expect(body.lines).toEqual([
    {
      ...{ id: expect.any(Number), at: "1970-01-01T00:00:02.000Z", level: "info" },
      ...{ run_id: "r1", symbol: "AAPL", message: "first step" },
    },
  ]);
});

test("a token to read gets the catalogue and the log, but not the audit, and nobody gets any without one", async () => {
  await using guarded = await startApp({ env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH } });
  const secret = newSecret("bk_");
  await saveToken(guarded.app.db, { name: "reader", scope: "read", hash: hashSecret(secret), expiresAt: null });
  const statuses = async (headers: Record<string, string>) => {
    const paths = ["/api/features", "/api/logs", "/api/audit"];
    return Promise.all(paths.map(async (path) => (await fetch(guarded.url + path, { headers })).status));
  };
  expect(await statuses({ Authorization: `Bearer ${secret}` })).toEqual([200, 200, 403]);
  expect(await statuses({})).toEqual([401, 401, 401]);
});
