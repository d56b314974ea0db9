/** What Prometheus reads of a server: every declared metric, in a form it can parse, with the right numbers. */

import { expect, test } from "bun:test";
import { type Declaration, METRICS } from "../../../src/metrics/declarations.ts";
import { RULES } from "../../../src/scheduler/hosts/rules.ts";
import { valuesFor } from "../../fakes/providers.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

/** The samples of a scrape by their whole name; refuses what Prometheus would. */
async function scrape(app: TestApp): Promise<Map<string, number>> {
  const { text, type } = await app.get("/metrics");
  expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
  const samples = new Map<string, number>();
  let family = "";
  for (const line of text.trimEnd().split("\n")) {
    const head = /^# (?:HELP|TYPE) (\w+) \S/.exec(line)?.[1];
    if (head !== undefined) {
      family = head;
      continue;
    }
    const [, name = "", labels = "", value = ""] =
      /^(\w+)((?:\{(?:\w+="(?:[^"\\]|\\.)*",?)+\})?) (-?[\d.e+-]+|NaN|[+-]Inf)$/.exec(line) ?? [];
    expect(`${line}: ${name.replace(/_(?:bucket|sum|count)$/, "")}`).toBe(`${line}: ${family}`);
    expect(samples.has(name + labels)).toBe(false);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

test("a scrape counts jobs, requests by their code, retries, durations and bars of every provider", async () => {
  const fake = fakeEodhd();
  await using _ = { [Symbol.asyncDispose]: () => fake.close() };
  await using app = await startApp({ env: valuesFor(fake, "eodhd") as Record<string, string> });
  expect((await scrape(app)).get('barkeep_jobs_finished_total{provider="eodhd",outcome="failed"}')).toBe(0);
  fake.script.push(reply(503, "down for a moment"));
  for (const provider of ["eodhd", "demo"]) {
    const symbols = provider === "demo" ? ["AAPL", "DEMO-FAIL"] : ["MSFT"];
    await app.waitForRun(await app.start({ symbols, provider, years: 1, batch_days: 365 }), "complete", "failed");
  }
  const { body: profile } = await app.get("/api/profiles/MSFT?interval=1d");
  const stored = profile.backfill_metadata.history_rows;
  const samples = await scrape(app);
  expect(samples.get('barkeep_jobs_finished_total{provider="demo",outcome="complete"}')).toBe(1);
  expect(samples.get('barkeep_jobs_finished_total{provider="demo",outcome="failed"}')).toBe(1);
  expect(samples.get('barkeep_jobs_finished_total{provider="eodhd",outcome="complete"}')).toBe(1);
  expect(samples.get('barkeep_provider_requests_total{provider="eodhd",code="503"}')).toBe(1);
  expect(samples.get('barkeep_provider_requests_total{provider="eodhd",code="200"}')).toBe(fake.urls.length - 1);
  expect(samples.get('barkeep_provider_retries_total{provider="eodhd"}')).toBe(1);
  expect(samples.get('barkeep_provider_request_duration_seconds_count{provider="eodhd"}')).toBe(fake.urls.length);
  expect(samples.get('barkeep_provider_request_duration_seconds_bucket{provider="eodhd",le="+Inf"}')).toBe(
    fake.urls.length,
  );
  expect(samples.get('barkeep_bars_stored_total{provider="eodhd"}')).toBe(stored);
  expect(samples.get('barkeep_jobs_open{state="queued"}')).toBe(0);

  // A second run finds nothing new: no bars are counted twice.
  await app.waitForRun(
    await app.start({ symbols: ["MSFT"], provider: "eodhd", mode: "incremental" }),
    "complete",
    "failed",
  );
  expect((await scrape(app)).get('barkeep_bars_stored_total{provider="eodhd"}')).toBe(stored);
});

test("every declared metric appears in a scrape, with the labels of its declaration and no others", async () => {
  const fake = fakeEodhd();
  await using _ = { [Symbol.asyncDispose]: () => fake.close() };
  using folder = temporaryFolder();
  const env = { ...(valuesFor(fake, "eodhd") as Record<string, string>), BARKEEP_LAKE: `${folder.path}/lake` };
  await using app = await startApp({ env });
  fake.script.push(reply(503, "down for a moment"));
  const { id } = (await app.app.schedules.list())[0]!;
  await app.app.schedules.change(id, { scope: "symbols", symbols: ["MSFT"], provider: "eodhd", years: 1 });
  const { turn } = await app.app.schedules.runNow(id);
  await app.waitForRun(turn.run!.id, "complete");
  await app.app.backups.change({ folder: folder.path, at: null, keep: 1 });
  await app.app.backups.backUpNow();
  await app.post("/api/promises", { name: "Mornings", symbols: ["MSFT"], by_time: "07:00" });
  const about = { version: "0.2.0", host: "rack", cores: 1, memory: 1, jobs: 1, providers: null, intervals: null };
  const from = { token: "rack token", address: "10.1.2.3", mayHaveKeys: true };
  const { session } = app.app.hosts.register({ ...about, rules: RULES }, from);
  const known = { ordered: 0, mayWait: false, memory: 1, isLeaving: false, queue: "up" } as const;
  await app.app.hosts.sync({ ...known, session, first: 1, reports: [] });
  // Its size is known once it has been written.
  await app.app.lake.idle();
  const samples = [...(await scrape(app)).keys()];
  for (const [name, { labels, type }] of Object.entries(METRICS) as [string, Declaration][]) {
    const found = samples.filter((each) => each.replace(/(?:_bucket|_sum|_count)?(?:\{.*)?$/, "") === name);
    expect(`${name}: ${found.length > 0}`).toBe(`${name}: true`);
    for (const each of found) {
      const given = [...each.matchAll(/(\w+)="/g)].map(([, label]) => label!).filter((label) => label !== "le");
      expect(`${each} ${given.sort().join()}`).toBe(`${each} ${[...labels].sort().join()}`);
    }
    if (type === "counter") expect(name).toEndWith("_total");
  }
});

test("a job that waits makes the queue older, and a schedule is as old as its last complete run", async () => {
  await using app = await startApp();
  const { db, schedules, runs } = app.app;
  const before = await scrape(app);
  expect(before.get("barkeep_queue_oldest_seconds")).toBe(0);
  const { id, name } = (await schedules.list())[0]!;
  expect(before.get(`barkeep_schedule_enabled{schedule="${name}"}`)).toBe(0);
  expect(before.has(`barkeep_schedule_last_success_age_seconds{schedule="${name}"}`)).toBe(false);
  const start = async (symbols: string[]) => {
    await schedules.change(id, { scope: "symbols", symbols, years: 1 });
    const { run } = (await schedules.runNow(id)).turn;
    await app.waitForRun(run!.id, "complete", "failed");
    return run!.id;
  };
  const complete = await start(["AAPL"]);
  // The later one failed, so it says nothing of fresh data.
  await start(["DEMO-FAIL"]);
  await db.write([{ sql: "UPDATE runs SET finished_at = finished_at - 7200000 WHERE id = ?", args: [complete] }]);
  const age = (await scrape(app)).get(`barkeep_schedule_last_success_age_seconds{schedule="${name}"}`)!;
  expect(Math.floor(age / 60)).toBe(120);

  const waiting = await app.start({ symbols: ["MSFT"], years: 1 });
  const [job] = runs.registry.runs.get(waiting)!.jobs.values();
  await app.waitForRun(waiting, "complete");
  Object.assign(job!, { state: "queued", queuedAt: Date.now() - 90_000 });
  runs.registry.runs.get(waiting)!.finishedAt = null;
  expect(Math.floor(runs.registry.oldestQueued() / 10_000)).toBe(9);
});
