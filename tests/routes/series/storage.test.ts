/** The storage page and its API. */

import { expect, test } from "bun:test";
import { isoDate } from "../../../src/domain/time.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { ask, formOf } from "../../helpers/http.ts";
import { PASSWORD, PASSWORD_HASH } from "../../helpers/password.ts";

const runOf = { years: 2, interval: "1d" };

/** The app with daily bars of three symbols, and its clock's present day. */
async function withSeries(options: Parameters<typeof startApp>[0] = {}): Promise<TestApp> {
  const app = await startApp(options);
  await app.waitForRun(await app.start({ ...runOf, symbols: ["AAA", "BBB", "CCC"] }), "complete");
  return app;
}

const form = (app: TestApp, path: string, fields: [string, string][]) => ask(app.url + path, formOf(fields));

const oneYearAgo = () => {
  const day = new Date();
  return isoDate(Date.UTC(day.getUTCFullYear() - 1, day.getUTCMonth(), 15) / 1_000);
};

test("the storage page and its API list every series with rows, bytes and range, sorted and filtered", async () => {
  await using app = await withSeries();
  const { body } = await app.get("/api/storage?sort=-bars&q=b");
  expect(body).toMatchObject({ total: 1, uncounted: 0, lake: null, pruning: null });
  const [series] = body.series;
  const [[bars, first, last]] = (await app.app.db.rows(
    "SELECT count(*), min(ts), max(ts) FROM bars WHERE series_id = (SELECT id FROM series WHERE symbol = 'BBB')",
    [],
  )) as [[number, number, number]];
  expect(series).toMatchObject({
    ...{ symbol: "BBB", interval: "1d", provider: "demo", synthetic: true, bars, profile: true, kept_from: null },
    ...{ first_bar: new Date(first * 1_000).toISOString(), last_bar: new Date(last * 1_000).toISOString() },
  });
  expect(series.bytes / bars).toBeWithin(30, 120);
  expect(body.database.bytes).toBeGreaterThan(series.bytes);
  const all = (await app.get("/api/storage?sort=-symbol&limit=2")).body;
  expect([all.total, all.bars, all.series.map(({ symbol }: { symbol: string }) => symbol)]).toEqual([
    3,
    3 * bars,
    ["CCC", "BBB"],
  ]);

  await app.app.db.write([{ sql: "DELETE FROM profiles WHERE symbol = 'CCC'", args: [] }]);
  const without = (await app.get("/api/storage?profile=without")).body;
  expect(without.series).toMatchObject([{ symbol: "CCC", bars, profile: false }]);

  const page = (await app.get("/storage?provider=demo&sort=-bars")).text;
  for (const text of ["Database file", "Write-ahead log", "Free on its disk", "All 3", "BBB"])
    expect(page).toContain(text);
  expect((await app.get("/storage?interval=7d")).status).toBe(422);
  expect((await app.get("/api/storage?sort=size")).status).toBe(422);
});

test("a dry run says what a deletion would delete, and deletes nothing; the deletion is refused for other series", async () => {
  await using app = await withSeries();
  const { db } = app.app;
  const before = oneYearAgo();
  const count = async (sql: string) => Number((await db.rows(sql, []))[0]![0]);
  const older = await count(`SELECT count(*) FROM bars WHERE ts < unixepoch('${before}')`);
  const dry = await app.post("/api/storage/prune", { before, filter: {} });
  expect(dry.status).toBe(200);
  expect(dry.body).toMatchObject({
    ...{ dry_run: true, selected: 3, series: 3, counted: 3, busy: 0, bars: older, emptied: 0 },
    ...{ profiles_deleted: 0, profiles_recomputed: 3, lake_bytes: null },
  });
  expect(await count("SELECT count(*) FROM series WHERE kept_from IS NOT NULL")).toBe(0);
  const refused = await app.post("/api/storage/prune", { before, filter: {}, dry_run: false, expect: 2 });
  expect([refused.status, refused.body.detail]).toEqual([
    409,
    "It would concern 3 series now, not 2: look at it again first",
  ]);
  await app.app.stored.pruning.idle();
  expect(await count("SELECT count(*) FROM series WHERE kept_from IS NOT NULL")).toBe(0);
  for (const body of [{ before }, { before, filter: {}, series: [1] }, { before: "2999-01-01", filter: {} }]) {
    expect((await app.post("/api/storage/prune", body)).status).toBe(422);
  }
});

test("a deletion runs in the background, is in the audit with its reason, and the profiles are computed again", async () => {
  await using app = await withSeries();
  const { db, stored } = app.app;
  const before = oneYearAgo();
  const kept = `${before}T00:00:00Z`;
  const { id } = (await app.get("/api/storage?q=BBB")).body.series[0];
  const answer = await app.post("/api/storage/prune?reason=disk%20full", { before, series: [id], dry_run: false });
  expect(answer.status).toBe(202);
  await stored.pruning.idle();
  expect(
    await db.rows(`SELECT count(*) FROM bars WHERE series_id = ${id} AND ts < unixepoch('${before}')`, []),
  ).toEqual([[0]]);
  const [entry] = (await app.get("/api/audit?action=storage.prune")).body.entries;
  expect(entry).toMatchObject({ subject: "BBB", reason: "disk full", after: { before, series: 1, symbols: ["BBB"] } });

  const { runs } = (await app.get("/api/runs?mode=reprocess")).body;
  await app.waitForRun(runs[0].id, "complete");
  const profile = (await app.get("/api/profiles/BBB")).body;
  expect(Date.parse(profile.first_bar)).toBeGreaterThanOrEqual(Date.parse(kept));
  const [[rows]] = (await db.rows("SELECT count(*) FROM bars WHERE series_id = ?", [id])) as [[number]];
  expect(profile.backfill_metadata).toMatchObject({
    kept_from: kept,
    history_rows: rows,
    gaps: 0,
    history_complete: true,
  });
  expect(profile.backfill_metadata.features_outdated).toBeUndefined();
  expect((await app.get("/profiles/BBB")).text).toContain(`The history begins on ${before} by choice`);
  const listed = (await app.get("/api/storage?q=BBB")).body.series[0];
  expect(listed).toMatchObject({ bars: rows, kept_from: new Date(kept).toISOString(), pruning: false });
  const quality = (await app.get("/api/quality?q=BBB&months=36")).body.profiles[0].cells;
  expect(quality.filter((cell: string | null) => cell === "holes")).toEqual([]);
});

test("the page asks with the consequences first, and a deletion that was confirmed for other series asks again", async () => {
  await using app = await withSeries();
  const before = oneYearAgo();
  const asked = await form(app, "/storage/prune?q=A", [
    ["scope", "all"],
    ["before", before],
  ]);
  expect(asked.text).toContain(`Delete the bars of 1 series before ${before}?`);
  expect(asked.text).toContain("It cannot be undone");
  expect(asked.text).toContain("Reason, for the audit");
  const confirm = (expected: string): [string, string][] => [
    ...([
      ["scope", "all"],
      ["before", before],
      ["confirm", "yes"],
    ] as [string, string][]),
    ["expect", expected],
  ];
  const changed = await form(app, "/storage/prune?q=A", confirm("2"));
  expect([changed.status, changed.text.includes("look again")]).toEqual([409, true]);
  const done = await form(app, "/storage/prune?q=A", confirm("1"));
  expect([done.status, done.headers.get("Location")]).toEqual([303, "/storage?q=A"]);
  await app.app.stored.pruning.idle();
  expect((await app.get("/storage")).text).toContain("By choice");
  const nothing = await form(app, "/storage/prune?q=A", [
    ["scope", "all"],
    ["before", before],
  ]);
  expect(nothing.text).toContain("there is nothing to delete");
  expect(
    (
      await form(app, "/storage/prune", [
        ["scope", "picked"],
        ["before", before],
      ])
    ).status,
  ).toBe(422);
  expect(
    (
      await form(app, "/storage/prune", [
        ["scope", "all"],
        ["before", "soon"],
      ])
    ).status,
  ).toBe(422);
});

test("nothing is deleted of series whose jobs are active, and the answer names them", async () => {
  await using app = await withSeries({ env: { DEMO_LATENCY_MS: "50" } });
  const run = await app.start({ ...runOf, years: 20, symbols: ["CCC"] });
  await app.post(`/api/runs/${run}/pause`);
  await app.waitForRun(run, "paused");
  const before = oneYearAgo();
  const refused = await app.post("/api/storage/prune", { before, filter: {}, dry_run: false });
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining("Jobs of CCC wait")]);
  expect(
    (
      await form(app, "/storage/prune", [
        ["scope", "all"],
        ["before", before],
      ])
    ).text,
  ).toContain("1 series has a job");
  expect(await app.app.db.rows("SELECT count(*) FROM series WHERE kept_from IS NOT NULL", [])).toEqual([[0]]);
});

test("only an admin may delete old bars, and only an admin is offered it", async () => {
  await using app = await startApp({ env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH, BARKEEP_WORKERS: "1" } });
  const login = await form(app, "/login", [["password", PASSWORD]]);
  const Cookie = login.headers.get("Set-Cookie")!.split(";")[0]!;
  const run = { ...runOf, symbols: ["AAA"] };
  const started = await ask(`${app.url}/api/runs`, {
    method: "POST",
    headers: { Cookie, "Content-Type": "application/json" },
    body: JSON.stringify(run),
  });
  await app.waitForRun(started.body.run.id, "complete");
  expect((await ask(`${app.url}/storage`, { headers: { Cookie } })).text).toContain("Delete bars before");
  for (const scope of ["read", "operate"]) {
    const made = await ask(`${app.url}/settings/access`, {
      method: "POST",
      headers: { Cookie, Accept: "text/html" },
      body: new URLSearchParams({ name: scope, scope }),
    });
    const Authorization = `Bearer ${/bk_[\w-]{43}/.exec(made.text)![0]}`;
    const page = await ask(`${app.url}/storage`, { headers: { Authorization } });
    expect([page.status, page.text.includes("AAA"), page.text.includes("Delete bars before")]).toEqual([
      200,
      true,
      false,
    ]);
    for (const path of ["/api/storage/prune", "/storage/prune"]) {
      const refused = await ask(app.url + path, {
        method: "POST",
        headers: { Authorization, "Content-Type": "application/json" },
        body: JSON.stringify({ before: oneYearAgo(), filter: {}, dry_run: false }),
      });
      expect(refused.status).toBe(403);
    }
  }
});
