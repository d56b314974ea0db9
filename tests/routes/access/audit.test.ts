import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { ask, formOf } from "../../helpers/http.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "2" } });
});
afterAll(() => app[Symbol.asyncDispose]());

const rows = async (query = "") => {
  const { text } = await app.get(`/audit?format=csv${query}`);
  return text.trim().split("\r\n").slice(1);
};
const actions = async (query = "") => (await rows(query)).map((row) => row.split(",")[2]).toReversed();

test("changes to runs, profiles and watchlists are audited, with who, why and what was before", async () => {
  const id = await app.start({ symbols: ["AAPL", "MSFT"] });
  await app.waitForRun(id, "complete");
  await app.send("DELETE", "/api/profiles/MSFT?reason=not%20needed%20any%20more");
  const { body: list } = await app.post("/api/watchlists", { name: "Tech", symbols: ["AAPL"] });
  await app.send("PATCH", `/api/watchlists/${list.id}`, { name: "Big tech", remove: ["AAPL"] });
  await app.send("DELETE", `/api/watchlists/${list.id}`);
  expect(await actions()).toEqual([
    "run.start",
    "profile.delete",
    "watchlist.create",
    "watchlist.add",
    "watchlist.rename",
    "watchlist.remove",
    "watchlist.delete",
  ]);
  expect((await rows("&action=profile.delete"))[0]).toContain("local,profile.delete,MSFT,not needed any more,");
  expect((await rows("&action=watchlist.rename"))[0]).toContain('"{""name"":""Tech""}","{""name"":""Big tech""}"');
});

test("changes to the jobs of a run are audited with their states and symbols", async () => {
  const id = await app.start({ symbols: ["IBM", "ORCL", "SAP"], years: 30 });
  await app.post(`/api/runs/${id}/pause?reason=lunch`);
  await app.post(`/api/runs/${id}/jobs/SAP/cancel`);
  await app.post(`/api/runs/${id}/cancel`);
  expect(await actions("&symbol=SAP")).toEqual(["run.start", "run.pause", "job.cancel"]);
  expect(await actions("&symbol=ORCL")).toEqual(["run.start", "run.pause", "run.cancel"]);
  const [row] = await app.app.db.rows("select before, after, reason from audit where action = 'job.cancel'", []);
  expect([JSON.parse(String(row![0])), JSON.parse(String(row![1])), row![2]]).toEqual([
    { paused: 1 },
    { run: id, symbols: ["SAP"] },
    null,
  ]);
  expect(await actions("&actor=nobody")).toEqual([]);
});

test("refused actions are audited only as refusals, and those only where access was refused", async () => {
  const before = await rows();
  await app.post("/api/runs", { symbols: ["<script>"] });
  await app.post("/api/runs/none/pause");
  await app.send("DELETE", "/api/profiles/NONE");
  await app.post("/api/watchlists", { name: "" });
  await ask(`${app.url}/api/runs`, { method: "POST", headers: { Authorization: "Bearer bk_wrong" } });
  const [refused, ...others] = await rows();
  expect(refused).toContain("nobody,request.refuse,POST /api/runs");
  expect(others).toEqual(before);
});

test("the audit page is paged by key, keeps its filter, and says what it cannot read", async () => {
  const insert = "insert into audit (at, actor, action, subject) values (?, 'ada', 'test.page', ?)";
  await app.app.db.write(Array.from({ length: 250 }, (_, i) => ({ sql: insert, args: [i * 1_000, `S${i}`] })));
  const seen: string[] = [];
  let path: string | undefined = "/audit?actor=ada";
  while (path !== undefined) {
    const { text } = await app.get(path);
    seen.push(...[...text.matchAll(/<th scope="row" class="named">(S\d+)<\/th>/g)].map(([, subject]) => subject!));
    path = /class="button" href="([^"]+)">Older/.exec(text)?.[1]?.replaceAll("&amp;", "&");
  }
  expect(seen).toEqual(Array.from({ length: 250 }, (_, i) => `S${249 - i}`));
  // And back again: the first page it leads to has no newer rows.
  const way = (text: string, to: string) =>
    new RegExp(`class="button" href="([^"]+)">${to}`).exec(text)?.[1]?.replaceAll("&amp;", "&");
  const second = (await app.get(way((await app.get("/audit?actor=ada")).text, "Older")!)).text;
  const first = (await app.get(way(second, "Newer")!)).text;
  expect(first).toContain('<th scope="row" class="named">S249</th>');
  // Columns in which nothing is said take no room from the others.
  expect(first).toContain("<td>–</td><td>–</td><td>–</td></tr>");
  expect(way(first, "Newer")).toBeUndefined();
  expect(way(first, "Older")).toBeDefined();
  expect(await rows("&actor=ada&from=1970-01-01&to=1970-01-01")).toHaveLength(250);
  expect(await rows("&actor=ada&from=1970-01-02")).toHaveLength(0);
  expect((await app.get("/audit?symbol=no%20way&from=soon")).text).toContain(
    "no way is not a symbol. soon is not a day",
  );
});

test("hostile text in the audit is shown as text, and no cell of the download is a formula", async () => {
  const hostile = `<script>alert(1)</script>"'`;
  const insert = "insert into audit (at, actor, action, subject, reason, after) values (9, ?, 'x', ?, '=1+1', ?)";
  await app.app.db.write([{ sql: insert, args: [hostile, hostile, JSON.stringify({ [hostile]: hostile })] }]);
  const { text } = await app.get("/audit?action=x");
  expect(text).toContain("&lt;script&gt;");
  expect(text).not.toContain("<script>alert");
  expect((await rows("&action=x"))[0]).toContain(`,"'=1+1",`);
});

const form = (path: string, fields: Record<string, string>) => fetch(app.url + path, formOf(fields));
/** Action, subject, reason, before and after of the actions since the one with the id `after`, oldest first. */
const entries = async (after: number) =>
  (
    await app.app.db.rows("select action, subject, reason, before, after from audit where id > ? order by id", [after])
  ).map(([action, subject, reason, ...states]) => [
    action,
    subject,
    reason,
    ...states.map((state) => (state === null ? null : JSON.parse(String(state)))),
  ]);
const lastEntry = async () => Number((await app.app.db.rows("select coalesce(max(id), 0) from audit", []))[0]![0]);

test("the audit of a schedule has what was changed, and nothing that stayed", async () => {
  const { body } = await app.post("/api/schedules", { name: "Evening", cron: "30 18 * * 1-5", symbols: ["NVDA"] });
  const { id } = body.schedule;
  const start = await lastEntry();
  await app.send("PATCH", `/api/schedules/${id}`, { cron: "0 19 * * 1-5" });
  await app.send("PATCH", `/api/schedules/${id}`, { cron: "0 19 * * 1-5" });
  await form(`/schedules/${id}/pause`, { reason: "holidays" });
  await form(`/schedules/${id}/resume`, {});
  const { body: taken } = await app.post(`/api/schedules/${id}/run`);
  await app.waitForRun(taken.turn.run_id, "complete");
  await form(`/schedules/${id}/delete`, { reason: " not needed " });
  const seen = await entries(start);
  const { text: page } = await app.get("/audit?action=schedule.create");
  expect(page).toContain("time zone UTC, scope symbols, interval 1d, mode incremental, years 2, enabled true");
  expect(seen.filter(([action]) => String(action).startsWith("schedule."))).toEqual([
    ["schedule.change", "Evening", null, { cron: "30 18 * * 1-5" }, { cron: "0 19 * * 1-5" }],
    ["schedule.pause", "Evening", "holidays", { enabled: true }, { enabled: false }],
    ["schedule.resume", "Evening", null, { enabled: false }, { enabled: true }],
    ["schedule.run", "Evening", null, null, { run: taken.turn.run_id }],
    ["schedule.delete", "Evening", "not needed", expect.objectContaining({ symbols: ["NVDA"] }), null],
  ]);
});

test("pausing a run from its page takes a reason into the audit", async () => {
  const id = await app.start({ symbols: ["IBM", "ORCL"], years: 30 });
  const { text } = await ask(`${app.url}/runs/${id}`, { headers: { Accept: "text/html" } });
  const action = /<form id="pause-why"[^>]*action="([^"]+)"/.exec(text)![1]!;
  const start = await lastEntry();
  await form(action, { reason: "quota is for others" });
  expect((await entries(start)).map((entry) => entry.slice(0, 3))).toEqual([["job.pause", id, "quota is for others"]]);
  await app.post(`/api/runs/${id}/cancel`);
  const ended = await ask(`${app.url}/runs/${id}`, { headers: { Accept: "text/html" } });
  expect(ended.text).not.toContain("pause-why");
});

test("the audit of alert rules has which mails, which limits, and why", async () => {
  const start = await lastEntry();
  const rules = { quota_percent: "90", digest_minutes: "15", reason: "too many mails" };
  await form("/alerts", { ...rules, on: "run_failed" });
  await form("/alerts", { ...rules, on: "run_failed" });
  const [first, ...more] = await entries(start);
  expect(more).toEqual([]);
  expect(first!.slice(0, 3)).toEqual(["alerts.change", "rules", "too many mails"]);
  expect(first![4]).toMatchObject({ mails: ["run_failed"], quota_percent: 90 });
});

test("the forms and dialogs that change something ask for the reason", async () => {
  const { body } = await app.post("/api/schedules", { name: "Asked", cron: "0 9 * * *", symbols: ["IBM"] });
  const { id } = body.schedule;
  for (const path of [`/schedules/${id}`, `/schedules/${id}/delete`, "/settings", "/alerts"]) {
    const { text } = await ask(app.url + path, { headers: { Accept: "text/html" } });
    expect([path, /<input id="reason-\w+" name="reason" maxlength="200"/.test(text)]).toEqual([path, true]);
  }
});

test("paths and reasons are put on record on one line, without characters that control a terminal", async () => {
  const hostile = "a%0aFORGED%1b[31m%c2%9b%e2%80%ae";
  const escaped = "a\\nFORGED\\x1b[31m\\x9b\\u202e";
  await ask(`${app.url}/${hostile}`, { headers: { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" } });
  const run = await app.post(`/api/runs?reason=${hostile}`, { symbols: ["AAPL"] });
  await app.waitForRun(run.body.run.id, "complete");
  const [started, refused] = await rows();
  expect(started).toContain(`,${escaped},`);
  expect(refused).toContain(`GET /${escaped},`);
  // Those of older versions are escaped where they are exported.
  const insert = "insert into audit (at, actor, action, subject) values (?, 'ada', 'test.old', ?)";
  await app.app.db.write([{ sql: insert, args: [Date.now(), decodeURIComponent(hostile)] }]);
  expect((await rows("&action=test.old"))[0]).toEndWith(`,ada,test.old,${escaped},,,`);
});
