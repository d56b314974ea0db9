/** Events that no job notices, and what is mailed of them. */

import { expect, test } from "bun:test";
import { AlertWatch } from "../../src/alerts/alert-watch.ts";
import { composeMail } from "../../src/alerts/compose.ts";
import { type AlertEvent, type AlertKind, alertKey, DEFAULT_ALERT_RULES } from "../../src/domain/alerts.ts";
import { createCalendar } from "../../src/domain/market/calendar.ts";
import { valuesFor } from "../fakes/providers.ts";
import { fakeEodhd } from "../fakes/vendors/eodhd.ts";
import { reply } from "../fakes/vendors/faults.ts";
import { promised, runEnded, runReport } from "../helpers/alert-events.ts";
import { startApp, type TestApp } from "../helpers/app.ts";

const DAY = 86_400_000;

function watchOf({ app }: TestApp, kinds: readonly AlertKind[], now: () => number, free = 50e9) {
  const on = Object.fromEntries(Object.keys(DEFAULT_ALERT_RULES.on).map((kind) => [kind, false])) as Record<
    AlertKind,
    boolean
  >;
  for (const kind of kinds) on[kind] = true;
  const { db, log, profiles } = app;
  return new AlertWatch(
    {
      db,
      log,
      profiles,
      calendar: createCalendar({}),
      rules: () => [{ ...DEFAULT_ALERT_RULES, on }],
      summary: () => ({ at: "18:00", zone: "America/New_York" }),
      space: async () => ({ free, used: 1e9 }),
      onAlert: () => {},
    },
    now,
  );
}
const kindsIn = async ({ app }: TestApp) => {
  const rows = await app.db.rows("SELECT kind, count(*) FROM alert_events GROUP BY kind ORDER BY kind", []);
  return Object.fromEntries(rows);
};

test("a series that goes stale is an event once, until it has newer bars", async () => {
  await using app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 1 }), "complete");
  let now = Date.now();
  const watch = watchOf(app, ["series_stale"], () => now);
  await watch.check();
  expect((await kindsIn(app)).series_stale).toBeUndefined();
  now += 12 * DAY;
  await watch.check();
  now += 2 * DAY;
  await watch.check();
  // Another start of the server does not record them again.
  await watchOf(app, ["series_stale"], () => now).check();
  expect((await kindsIn(app)).series_stale).toBe(2);
});

test("series are examined again when the clock was set back after they were", async () => {
  await using app = await startApp();
  let now = Date.now() + 400 * DAY;
  const watch = watchOf(app, ["series_stale"], () => now);
  await watch.check();
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  now -= 388 * DAY;
  await watch.check();
  expect((await kindsIn(app)).series_stale).toBe(1);
});

test("a disk with little space is an event once a day, and nobody is asked when no rule wants it", async () => {
  await using app = await startApp();
  let now = Date.UTC(2026, 0, 15, 12);
  await watchOf(app, [], () => now, 1e6).check();
  expect(await kindsIn(app)).toEqual({});
  const watch = watchOf(app, ["disk_low"], () => now, 1e6);
  await watch.check();
  await watch.check();
  expect(await kindsIn(app)).toEqual({ disk_low: 1 });
  now += DAY;
  await watch.check();
  expect(await kindsIn(app)).toEqual({ disk_low: 2 });
});

test("the daily summary is made at its time in its zone, once a day, and counts what ended since", async () => {
  await using app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "DEMO-FAIL"], years: 1 }), "failed");
  await app.app.usage.flush();
  const today = new Date().toISOString().slice(0, 10);
  let now = Date.parse(`${today}T22:30:00Z`);
  const watch = watchOf(app, ["daily_summary"], () => now);
  const zone = new Intl.DateTimeFormat("en", { timeZone: "America/New_York", timeZoneName: "longOffset" });
  const summer = zone.format(now).includes("-04:00");
  now = Date.parse(`${today}T${summer ? "21" : "22"}:59:00Z`);
  await watch.check();
  expect(await kindsIn(app)).toEqual(expect.not.objectContaining({ daily_summary: 1 }));
  now += 120_000;
  await watch.check();
  await watch.check();
  expect(await kindsIn(app)).toMatchObject({ daily_summary: 1 });
  const [row] = await app.app.db.rows("SELECT event FROM alert_events WHERE kind = 'daily_summary'", []);
  const event = JSON.parse(String(row![0]));
  expect(event).toMatchObject({ day: today, runs: { failed: 1 }, jobs: { complete: 1, failed: 1 }, series: { ok: 1 } });
  expect(event.requests).toBeGreaterThan(0);
});

test("a run that is complete after it had failed has recovered; one that never failed has not", async () => {
  await using app = await startApp();
  const first = await app.start({ symbols: ["AAPL"], years: 1 });
  await app.waitForRun(first, "complete");
  expect((await kindsIn(app)).run_recovered).toBeUndefined();
  const id = await app.start({ symbols: ["MSFT", "DEMO-FAIL"], years: 1 });
  await app.waitForRun(id, "failed");
  await app.app.db.write([{ sql: "UPDATE jobs SET symbol = 'KO' WHERE symbol = 'DEMO-FAIL'", args: [] }]);
  const { runs } = app.app;
  const run = runs.registry.runs.get(id)!;
  await runs.control.complete(run.jobs.get("DEMO-FAIL")!, 1, { dataPoints: 1, apiCalls: 1, gaps: 0 });
  expect((await kindsIn(app)).run_recovered).toBe(1);
});

test("a schedule whose run is complete after a failed one has recovered", async () => {
  await using app = await startApp();
  const { schedules } = app.app;
  const { id } = (await schedules.list())[0]!;
  for (const symbols of [["DEMO-FAIL"], ["AAPL"], ["AAPL"]]) {
    await schedules.change(id, { scope: "symbols", symbols, years: 1 });
    const { run } = (await schedules.runNow(id)).turn;
    await app.waitForRun(run!.id, "complete", "failed");
  }
  expect((await kindsIn(app)).run_recovered).toBe(1);
});

const AT = Date.UTC(2026, 0, 15, 12);
const { jobs: _, ...recovered } = runReport({ state: "complete" });
const EVENTS: readonly AlertEvent[] = [
  { kind: "run_recovered", at: AT, run: recovered },
  { kind: "key_refused", at: AT, provider: "eodhd", reason: "HTTP 401 (check EODHD_API_KEY)" },
  { kind: "series_stale", at: AT, symbol: "AAPL", interval: "1d", provider: "demo", lastBar: AT / 1_000 },
  { kind: "quality_found", at: AT, symbol: "AAPL", interval: "1d", provider: "demo", lastBar: AT / 1_000 },
  { kind: "disk_low", at: AT, free: 1.2e9, database: 9e9 },
  promised("freshness_at_risk"),
  promised("freshness_missed"),
  { ...promised("freshness_recovered"), reason: "", missing: 0, symbols: [] },
  { kind: "backup_failed", at: AT, folder: "/mnt/b", reason: "the folder does not exist", advice: "Create it." },
  { kind: "worker_lost", at: AT, name: "rack-1", jobs: 12 },
  { kind: "queue_down", at: AT, what: "It is away", detail: "redis://q: refused", advice: "Check it.", since: AT },
  {
    ...{ kind: "daily_summary", at: AT, day: "2026-01-15", requests: 12 },
    ...{ runs: { complete: 2 }, jobs: { complete: 9, failed: 1 }, series: { ok: 8, stale: 1 } },
  },
];

test.each(EVENTS.map((event) => [event.kind, event] as const))(
  "%s says what happened and where to look",
  (kind, event) => {
    const mail = composeMail(kind, [event], "http://barkeep.test:3000");
    const subjects = {
      run_recovered: "Recovered: 2 symbols complete",
      key_refused: "Key refused: eodhd",
      series_stale: "Stale: AAPL",
      quality_found: "Suspicious bars: AAPL",
      disk_low: "Disk nearly full: 1.2 GB left",
      backup_failed: "Backup failed",
      worker_lost: "Lost: worker rack-1",
      queue_down: "The job queue is down",
      freshness_at_risk: "Promise at risk: Tech by seven",
      freshness_missed: "Promise missed: Tech by seven",
      freshness_recovered: "Up to date again: Tech by seven",
      daily_summary: "Summary of 2026-01-15: 1 symbol failed",
    };
    expect(mail.subject).toBe(subjects[kind as keyof typeof subjects]);
    expect(mail.text).toMatch(/: http:\/\/barkeep\.test:3000\/\S*\n/);
    expect(mail.brief.length).toBeGreaterThan(20);
  },
);

test("many workers that were lost together are one mail with all of their names, once a day", () => {
  const others = Array.from({ length: 300 }, (_, at) => ({ name: `rack-${at + 2}`, at: AT, jobs: at }));
  const event = { kind: "worker_lost", at: AT, name: "rack-1", jobs: 12, others } as const;
  const mail = composeMail("worker_lost", [event], "http://barkeep.test:3000");
  expect(mail.subject).toBe("Lost: workers rack-1, rack-2, rack-3 and 298 more");
  expect(mail.text).toContain("301 workers are not heard of any more");
  expect(mail.text).toContain("rack-200");
  expect(mail.text).toContain("and 101 more");
  expect(alertKey(event)).toBe(alertKey({ ...event, name: "rack-2", others: [...others.slice(1), { ...event }] }));
  expect(alertKey(event)).not.toBe(alertKey({ ...event, others: [] }));
});

test("the mail of a failed run has its symbols as CSV, and no cell is a formula", () => {
  const failed = { symbol: "BAD", state: "failed", dataPoints: 0, apiCalls: 1, seconds: 0.5 } as const;
  const run = runReport({ jobs: [{ ...failed, error: '=HYPERLINK("http://x"), no' }] });
  expect(composeMail("run_failed", [runEnded({ run })], "http://x").attachment).toBe(
    'run,symbol,interval,provider,state,data_points,api_calls,seconds,error\r\nr1,BAD,1d,demo,failed,0,1,0.5,"\'=HYPERLINK(""http://x""), no"\r\n',
  );
  expect(composeMail("run_finished", [runEnded({ kind: "run_finished", run })], "http://x").attachment).toBeNull();
});

test("a refused key is an event, once a day and provider", async () => {
  const fake = fakeEodhd();
  await using __ = { [Symbol.asyncDispose]: () => fake.close() };
  await using app = await startApp({ env: valuesFor(fake, "eodhd") as Record<string, string> });
  fake.always = reply(401, "Unauthenticated");
  for (const symbol of ["AAPL", "MSFT"]) {
    await app.waitForRun(await app.start({ symbols: [symbol], provider: "eodhd", years: 1 }), "failed");
  }
  // It is recorded after its job has failed.
  while ((await kindsIn(app)).key_refused === undefined) await Bun.sleep(5);
  expect((await kindsIn(app)).key_refused).toBe(1);
});
