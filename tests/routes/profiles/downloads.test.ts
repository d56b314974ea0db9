/** Lists of many profiles: what the server's thread reads for them, and that downloads come from the export thread. */

import { afterAll, beforeAll, beforeEach, expect, type Mock, setDefaultTimeout, spyOn, test } from "bun:test";
import { FEATURES } from "../../../src/features/catalog.ts";
import { CATALOG_VERSION } from "../../../src/features/version.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { profileStatements } from "../../../src/storage/profiles/profiles.ts";
import { upgradeDatabase } from "../../../src/storage/upgrade.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { type Folder, temporaryFolder } from "../../helpers/folder.ts";

setDefaultTimeout(60_000);

const MANY = 1_500;
const symbolOf = (n: number) => `S${String(n).padStart(4, "0")}`;
const numberOf = (n: number, place: number) => ((n + place) % 50 === 0 ? null : n + place / 1_000);

let folder: Folder;
let app: TestApp;
let rows: Mock<TestApp["app"]["db"]["rows"]>;
let exported: Mock<TestApp["app"]["exporter"]["body"]>;

beforeAll(async () => {
  folder = temporaryFolder();
  const db = await openDatabase(folder.database());
  await upgradeDatabase(db);
  const profile = (n: number) => [
    {
      sql: `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions)
        VALUES (?, ?, 'demo', 'x', '1d', 'none', 'regular')`,
      args: [n + 1, symbolOf(n)],
    },
    ...profileStatements({
      symbol: symbolOf(n),
      interval: "1d",
      provider: "demo",
      seriesId: n + 1,
      firstBar: 86_400,
      lastBar: 172_800,
      lastClose: 1.5,
      features: Object.fromEntries(FEATURES.map(({ name }, place) => [name, numberOf(n, place)])),
      catalogVersion: String(CATALOG_VERSION),
      backfill: {
        history_complete: true,
        history_rows: n,
        api_calls_used: 1,
        fetch_duration_seconds: 1,
        feature_count: FEATURES.length,
        batch_size_days: 30,
      },
      updatedAt: 1_700_000_000_000,
    }),
  ];
  await db.write(Array.from({ length: MANY }, (_, n) => profile(n)).flat());
  db.close();
  app = await startApp({ folder, env: { BARKEEP_WORKERS: "1" } });
  rows = spyOn(app.app.db, "rows");
  exported = spyOn(app.app.exporter, "body");
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});
beforeEach(() => {
  rows.mockClear();
  exported.mockClear();
});

/** How often the server's thread read feature values. */
const valueReads = () => rows.mock.calls.filter(([sql]) => sql.includes("feature_values")).length;

test("a page of the list reads no feature values, and downloads read them on the export thread", async () => {
  const page = await app.get("/profiles?page=2&sort=-bars");
  expect(page.text).toContain(`200 of 1,500`);
  expect(valueReads()).toBe(0);
  const csv = (await app.get("/profiles?format=csv")).text.split("\r\n");
  expect(csv.length).toBe(MANY + 2);
  expect(csv.at(-1)).toBe("");
  expect(csv[0]!.split(",").slice(0, 7)).toEqual(
    "symbol,interval,provider,health,first_bar,last_bar".split(",").concat(FEATURES[0]!.name),
  );
  for (const n of [0, 50, MANY - 1]) {
    const cells = FEATURES.map((_, place) => String(numberOf(n, place) ?? ""));
    const head = [symbolOf(n), "1d", "demo", "stale", "1970-01-02T00:00:00.000Z", "1970-01-03T00:00:00.000Z"];
    expect(csv[n + 1]).toBe([...head, ...cells].join(","));
  }
  const { body } = await app.get("/profiles?format=json");
  expect(body.profiles.length).toBe(MANY);
  expect(exported).toHaveBeenCalledTimes(2);
  expect(valueReads()).toBe(0);
});

test("the API lists profiles as it reads each, page by page, without their values on the server's thread", async () => {
  const { body, headers } = await app.get("/api/profiles?limit=1000&offset=700");
  expect(headers.get("Content-Type")).toBe("application/json");
  expect(body.profiles.map(({ symbol }: { symbol: string }) => symbol)).toEqual(
    Array.from({ length: 800 }, (_, at) => symbolOf(700 + at)),
  );
  expect(valueReads()).toBe(0);
  // One profile has the findings behind its health besides.
  const { body: single } = await app.get(`/api/profiles/${symbolOf(703)}`);
  expect(single).toEqual({ ...body.profiles[3], findings: [] });
  expect((await app.get("/api/profiles?offset=5000")).body).toEqual({ profiles: [] });
});

test("a screen with a rank shows and downloads its column", async () => {
  const name = FEATURES[1]!.name;
  const query = new URLSearchParams({ where: `rank(${name}) > 0.999`, sort: `-rank(${name})` });
  const { text } = await app.get(`/profiles?${query}`);
  expect(text).toContain(`rank(${name})`);
  expect(text.match(/<tr><td class="c-pick">/g)!.length).toBe(2);
  const csv = (await app.get(`/profiles?${query}&format=csv`)).text.trim().split("\r\n");
  expect(csv[0]).toBe(`symbol,interval,provider,health,first_bar,last_bar,rank(${name})`);
  const known = Array.from({ length: MANY }, (_, n) => n).filter((n) => numberOf(n, 1) !== null).length;
  expect(csv.slice(1).map((line) => [line.slice(0, 5), Number(line.split(",").at(-1))])).toEqual([
    [symbolOf(MANY - 1 - (numberOf(MANY - 1, 1) === null ? 1 : 0)), 1],
    [symbolOf(MANY - 2 - (numberOf(MANY - 1, 1) === null ? 1 : 0)), (known - 1) / known],
  ]);
});

test("a profile that is deleted while a download is under way is left out of it", async () => {
  const response = await fetch(`${app.url}/profiles?format=csv`);
  const reader = response.body!.getReader();
  await reader.read();
  const last = symbolOf(MANY - 1);
  await app.app.db.write([{ sql: "DELETE FROM profiles WHERE symbol = ?", args: [last] }]);
  let text = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    text += new TextDecoder().decode(piece.value);
  expect(text).toContain(`\n${symbolOf(MANY - 2)},`);
  expect((await app.get("/profiles")).text).toContain("200 of 1,499");
  expect(text.split(last).length - 1).toBeLessThanOrEqual(1);
});

test("a download that fails breaks off after its first piece, and is an error before it; both are in the log", async () => {
  const { db, log } = app.app;
  const [lines, rename] = [spyOn(log, "write"), (from: string, to: string) => `ALTER TABLE ${from} RENAME TO ${to}`];
  const body = (await (await fetch(`${app.url}/profiles?format=json`)).body)!.getReader();
  await body.read();
  await db.write([{ sql: rename("profiles", "away"), args: [] }]);
  const rest = (async () => {
    while (!(await body.read()).done);
  })();
  await expect(rest).rejects.toThrow();
  const { status, body: problem } = await app.get("/api/profiles");
  expect([status, JSON.stringify(problem).includes("SQL")]).toEqual([500, false]);
  const errors = lines.mock.calls.filter(([level]) => level === "error").map(([, message]) => message);
  expect(errors).toContain("An export failed");
  expect(errors).toContainEqual(expect.stringMatching(/^GET \/api\/profiles: SqliteError: /));
  await db.write([{ sql: rename("away", "profiles"), args: [] }]);
  lines.mockRestore();
});
