/** The completeness of a profile on its page, and the runs that can be started beside it. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { startApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

const form = (fields: Record<string, string>) => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields),
  redirect: "manual" as const,
});

test("a profile shows its sessions, its gaps and its revisions; repair and rebuild start from there", async () => {
  await using app = await startApp();
  const { db, runs } = app.app;
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete", "failed");
  const whole = await app.get("/profiles/AAPL");
  expect(whole.text).toContain("all complete");
  expect(whole.text).toContain("No vendor has changed a stored bar.");

  const [hole] = await db.rows("SELECT ts FROM bars ORDER BY ts LIMIT 1 OFFSET 100", []);
  const ts = Number(hole![0]);
  await db.write([
    { sql: "DELETE FROM bars WHERE ts = ?", args: [ts] },
    {
      sql: "INSERT INTO corporate_actions (provider, symbol, kind, date, value, seen_at) VALUES ('demo', 'AAPL', 'split', ?, 4, 0)",
      args: [ts - 86_400 * 10],
    },
  ]);
  const amber = await app.waitForRun(await app.start({ symbols: ["AAPL"], mode: "reprocess" }), "complete", "failed");
  // The job is complete, but its data is not.
  expect(amber.jobs.map(({ status, gaps }) => [status, gaps])).toEqual([["Complete", 1]]);
  expect((await app.get(`/runs/${amber.run.id}`)).text).toContain("Complete, 1 gap");
  const page = (await app.get("/profiles/AAPL")).text;
  expect(page).toContain("session-missing");
  expect(page).toContain(`${new Date(ts * 1000).toISOString().slice(0, 10)}: missing`);
  expect(page).toContain("split, 4");
  // Three answers without the bar may also have had one that was rejected: nothing says that the session was empty.
  await db.write([{ sql: "UPDATE gaps SET answers = 3", args: [] }]);
  expect((await app.get("/profiles/AAPL")).text).toContain(
    `${new Date(ts * 1000).toISOString().slice(0, 10)}: incomplete, and 3 repairs brought nothing`,
  );
  await db.write([{ sql: "UPDATE gaps SET answers = 0", args: [] }]);

  // Read with the split, and raw.
  const first = async (query: string) => (await app.get(`/api/bars/AAPL?interval=1d${query}`)).body.data[0];
  const [adjusted, raw] = [await first(""), await first("&adjust=none")];
  expect([adjusted.close, adjusted.volume]).toEqual([raw.close / 4, raw.volume * 4]);
  expect((await app.get("/api/bars/AAPL?interval=1d&adjust=sometimes")).status).toBe(422);

  // The page follows: its last change, its chart and its downloads.
  const [last] = await db.rows("SELECT last_bar FROM profiles", []);
  await db.write([
    {
      sql: "INSERT INTO corporate_actions (provider, symbol, kind, date, value, seen_at) VALUES ('demo', 'AAPL', 'split', ?, 2, 0)",
      args: [Number(last![0])],
    },
  ]);
  const shown = async (query: string) => {
    const { text } = await app.get(`/profiles/AAPL?interval=1d${query}`);
    const change = /([+−][\d.]+)%/.exec(text)![1]!.replace("−", "-");
    return { change: Number(change), chart: /data-adjust="(\w+)"/.exec(text)![1], text };
  };
  const [splits, none] = [await shown(""), await shown("&adjust=none")];
  expect([splits.chart, none.chart]).toEqual(["splits", "none"]);
  // Halved by the split, the close before makes the change what it is.
  expect((1 + splits.change / 100) / (1 + none.change / 100)).toBeCloseTo(2, 2);
  expect(none.text).toContain("format=csv&amp;adjust=none");
  expect(none.text).toContain("/profiles/AAPL?interval=1d&amp;adjust=all");
  expect(none.text).toContain("split, 4 for 1");

  const newest = () => app.app.hub.runs().toSorted((a, b) => (a.id < b.id ? 1 : -1))[0]!;
  const repaired = await fetch(`${app.url}/profiles/AAPL/renew`, form({ interval: "1d", order: "repair" }));
  expect([repaired.status, newest().mode]).toEqual([303, "repair"]);
  const { jobs } = await app.waitForRun(newest().id, "complete", "failed");
  expect([jobs[0]!.state, jobs[0]!.apiCalls]).toEqual(["complete", 1]);
  expect((await app.get("/profiles/AAPL")).text).toContain("all complete");

  expect((await fetch(`${app.url}/profiles/AAPL/renew`, form({ interval: "1d", order: "rebuild" }))).status).toBe(303);
  await app.waitForRun(newest().id, "complete", "failed");
  expect((await runs.read(newest().id)).run.mode).toBe("full");
  expect(app.printed.join("\n")).toContain("history rebuilt");
  expect((await fetch(`${app.url}/profiles/NOPE/renew`, form({ interval: "1d", order: "repair" }))).status).toBe(404);
  // What is no order is not taken for one that downloads everything again.
  for (const order of ["repiar", ""])
    expect((await fetch(`${app.url}/profiles/AAPL/renew`, form({ interval: "1d", order }))).status).toBe(422);
}, 60_000);

test("outdated profiles can be recomputed from the list of all", async () => {
  await using app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete", "failed");
  expect((await app.get("/profiles")).text).not.toContain("outdated");
  await app.app.db.write([{ sql: "UPDATE profiles SET catalog_version = '0'", args: [] }]);
  expect((await app.get("/profiles")).text).toContain("Recompute features of 1 outdated profile");
  expect((await fetch(`${app.url}/profiles/outdated`, form({}))).headers.get("location")).toBe("/");
  await app.waitForJob("AAPL", (job) => job.state === "complete" && job.apiCalls === 0 && job.status === "Complete");
});

test("hours that do not start with the session of their exchange are said to be built anew, by a rebuild", async () => {
  await using app = await startApp();
  const id = await app.start({ symbols: ["AAPL"], interval: "1h", years: 1 });
  await app.waitForRun(id, "complete", "failed");
  expect((await app.get("/profiles/AAPL?interval=1h")).text).not.toContain("off-session");
  // As if they were of London, from before its sessions were known.
  await app.app.db.write([
    { sql: "UPDATE series SET symbol = 'VOD@LSE', sessions = 'extended'", args: [] },
    { sql: "UPDATE profiles SET symbol = 'VOD@LSE'", args: [] },
  ]);
  const { text } = await app.get("/profiles/VOD%40LSE?interval=1h");
  expect(text).toMatch(/Bars do not start with the session: one is of 20\d\d-\d\d-\d\d \d\d:30 (GMT|GMT\+1|BST)\./);
  expect(text).toContain("“Download again and rebuild” stores them by the session");
});

test("raw prices of a provider without splits and dividends say that they cannot be adjusted", async () => {
  using folder = temporaryFolder();
  const now = Date.now() / 1_000;
  const days = CALENDAR.sessionsBetween("us_equity", now - 60 * 86_400, now - 5 * 86_400).map(({ date }) =>
    isoDate(date),
  );
  const rows = days.map((day) => `${day},100,101,99,100,1000`);
  await Bun.write(join(folder.path, "QQ.csv"), ["date,open,high,low,close,volume", ...rows].join("\n"));
  await using app = await startApp({ env: { BARKEEP_CSV_DIR: folder.path } });
  await app.waitForRun(await app.start({ symbols: ["QQ"], provider: "files", years: 1 }), "complete", "failed");
  expect((await app.get("/profiles/QQ")).text).toContain("The provider has none: these prices cannot be adjusted.");
  expect(app.printed.join("\n")).toContain("has no splits and dividends: its raw prices cannot be adjusted");
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete", "failed");
  expect((await app.get("/profiles/AAPL")).text).not.toContain("these prices cannot be adjusted");
});
