/** Promises over the API: made, read, changed, refused and deleted, with the forecast of real stored bars. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

const DAY = 86_400_000;
/** Noon of this day: runs store the bars up to the day before, whatever the time is. */
const NOON = Math.floor(Date.now() / DAY) * DAY + DAY / 2;

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ clock: new VirtualClock(NOON) });
  await app.waitForRun(await app.start({ symbols: ["BTC-USD", "ETH-USD"], years: 1 }), "complete");
});
afterAll(() => app[Symbol.asyncDispose]());

/** What it needs is the day before, in UTC. */
const crypto = { by_time: "20:00", time_zone: "UTC", days: "every_day", max_gaps: 1_000 };
const pathsOf = (body: { errors?: { path: string }[] }) => body.errors?.map(({ path }) => path).toSorted();

test("a promise is made, read, listed, changed, paused and deleted over the API", async () => {
  const made = await app.post("/api/promises", { name: "Coins", symbols: ["btc-usd", "ETH-USD"], ...crypto });
  expect(made.status).toBe(201);
  const { id, status, ...promise } = made.body.promise;
  expect(promise).toEqual({
    name: "Coins",
    scope: "symbols",
    symbols: ["BTC-USD", "ETH-USD"],
    watchlist_id: null,
    interval: "1d",
    provider: null,
    by_time: "20:00",
    time_zone: "UTC",
    days: "every_day",
    venue: "us_equity",
    max_gaps: 1_000,
    gap_days: 30,
    warn_hours: 6,
    enabled: true,
    last_result: null,
  });
  expect(status).toMatchObject({ forecast: "fresh", total: 2, fresh: 2, missing: 0, unknown: 0, symbols: [] });
  expect(status.deadline).toBe(new Date(NOON + 8 * 3_600_000).toISOString());
  expect(status.burn_down[0].at).toBe(new Date(NOON - DAY / 2).toISOString());
  const path = `/api/promises/${id}`;
  expect((await app.get(path)).body.promise.name).toBe("Coins");

  const changed = await app.send("PATCH", path, { symbols: ["BTC-USD", "SOL-USD"], gap_days: 5 });
  expect(changed.status).toBe(200);
  expect(changed.body.promise).toMatchObject({ name: "Coins", gap_days: 5, max_gaps: 1_000 });
  expect(changed.body.promise.status).toMatchObject({
    forecast: "will_be_missed",
    fresh: 1,
    missing: 1,
    symbols: ["SOL-USD"],
    reasons: [{ cause: "schedule", forecast: "will_be_missed", symbols: 1 }],
  });

  const paused = await app.send("PATCH", path, { enabled: false });
  expect(paused.body.promise).toMatchObject({ enabled: false, status: null });
  const { promises } = (await app.get("/api/promises")).body;
  expect(promises.map((each: { id: number }) => each.id)).toContain(id);

  expect((await app.send("DELETE", path)).status).toBe(204);
  expect((await app.get(path)).status).toBe(404);
  const { body: audit } = await app.get("/api/audit");
  expect(audit.entries.map((each: { action: string }) => each.action)).toEqual(
    expect.arrayContaining(["promise.create", "promise.change", "promise.pause", "promise.delete"]),
  );
});

test.each([
  [{ by_time: "7:00" }, "by_time"],
  [{ by_time: "24:00" }, "by_time"],
  [{ by_time: undefined }, "by_time"],
  [{ time_zone: "+02:00" }, "time_zone"],
  [{ days: "sometimes" }, "days"],
  [{ venue: "XXXX" }, "venue"],
  [{ symbols: [] }, "symbols"],
  [{ symbols: undefined }, "symbols"],
  [{ symbols: undefined, scope: "watchlist" }, "watchlist_id"],
  [{ symbols: undefined, watchlist_id: 999 }, "watchlist_id"],
  [{ provider: "nobody" }, "provider"],
  [{ max_gaps: -1 }, "max_gaps"],
  [{ gap_days: 0 }, "gap_days"],
  [{ warn_hours: 1.5 }, "warn_hours"],
  [{ by: "07:00" }, ""],
])("%j is refused at %p, and nothing is stored", async (wrong, path) => {
  const before = (await app.get("/api/promises")).text;
  const { status, body } = await app.post("/api/promises", {
    name: "Wrong",
    symbols: ["AAPL"],
    by_time: "07:00",
    ...wrong,
  });
  expect(status).toBe(422);
  expect(pathsOf(body)).toEqual([path]);
  expect((await app.get("/api/promises")).body.promises).toHaveLength(JSON.parse(before).promises.length);
});

test("a promise that names symbols and a watchlist is refused unless its scope says which counts", async () => {
  const { body: watchlist } = await app.post("/api/watchlists", { name: "Both", symbols: ["MSFT"] });
  const both = { symbols: ["AAPL"], watchlist_id: watchlist.id };
  const made = await app.post("/api/promises", { ...both, name: "Both", by_time: "07:00" });
  expect([made.status, pathsOf(made.body)]).toEqual([422, ["watchlist_id"]]);
  const { body } = await app.post("/api/promises", { ...both, name: "Both", by_time: "07:00", scope: "watchlist" });
  expect(body.promise).toMatchObject({ scope: "watchlist", symbols: [], watchlist_id: watchlist.id });
  const path = `/api/promises/${body.promise.id}`;
  expect((await app.send("PATCH", path, both)).status).toBe(422);
  expect((await app.send("PATCH", path, { symbols: ["AAPL"] })).body.promise).toMatchObject({ scope: "symbols" });
  await app.send("DELETE", path);
});

test("a promise and a watchlist as they were read can be made again under another name", async () => {
  const made = await app.post("/api/watchlists", { name: "Read", symbols: ["BTC-USD"] });
  const watchlist = (await app.get(`/api/watchlists/${made.body.id}`)).body;
  const other = await app.post("/api/watchlists", { ...watchlist, name: "Made again" });
  expect([other.status, other.body.symbols]).toEqual([201, ["BTC-USD"]]);
  for (const chosen of [{ symbols: ["BTC-USD"] }, { watchlist_id: watchlist.id }, { scope: "stored" }]) {
    const first = await app.post("/api/promises", { name: "First", ...crypto, ...chosen });
    const { promise } = (await app.get(`/api/promises/${first.body.promise.id}`)).body;
    const { id, ...copy } = (await app.post("/api/promises", { ...promise, name: "Copy" })).body.promise;
    expect({ ...copy, name: "First", id: promise.id }).toEqual(promise);
    expect(id).not.toBe(promise.id);
    const sent = await app.send("PATCH", `/api/promises/${promise.id}`, promise);
    expect([sent.status, sent.body.promise]).toEqual([200, promise]);
    for (const each of [id, promise.id]) await app.send("DELETE", `/api/promises/${each}`);
  }
  const refused = await app.post("/api/promises", { name: "Other", ...crypto, symbols: ["BTC-USD"], state: "fresh" });
  expect([refused.status, refused.body.detail]).toEqual([422, 'unknown field "state"']);
});

test("the name of a promise is unique, whatever its case", async () => {
  const body = { symbols: ["AAPL"], by_time: "07:00", enabled: false };
  const first = await app.post("/api/promises", { ...body, name: "Twin" });
  const second = await app.post("/api/promises", { ...body, name: "TWIN" });
  expect([second.status, pathsOf(second.body)]).toEqual([409, ["name"]]);
  await app.send("DELETE", `/api/promises/${first.body.promise.id}`);
});

test("the results of a promise are listed newest first, and before a moment", async () => {
  const made = await app.post("/api/promises", { name: "Past", symbols: ["BTC-USD"], ...crypto });
  const { id } = made.body.promise;
  const days = [1, 2, 3].map((day) => Date.UTC(2026, 0, day, 20));
  await app.app.db.write(
    days.map((deadline) => ({
      sql: `INSERT INTO promise_results (promise_id, deadline, outcome, judged_at, total, fresh, missing, unknown, gaps, note, symbols)
        VALUES (?1, ?2, 'missed', ?2, 1, 0, 1, 0, 0, 'late', '["BTC-USD"]')`,
      args: [id, deadline],
    })),
  );
  const { results } = (await app.get(`/api/promises/${id}/results`)).body;
  expect(results.map((each: { deadline: string }) => each.deadline.slice(0, 10))).toEqual([
    "2026-01-03",
    "2026-01-02",
    "2026-01-01",
  ]);
  expect(results[0]).toEqual({
    deadline: "2026-01-03T20:00:00.000Z",
    outcome: "missed",
    judged_at: "2026-01-03T20:00:00.000Z",
    total: 1,
    fresh: 0,
    missing: 1,
    unknown: 0,
    gaps: 0,
    note: "late",
    symbols: ["BTC-USD"],
    recovered_at: null,
  });
  const earlier = (await app.get(`/api/promises/${id}/results?before=2026-01-02T20:00:00Z&limit=1`)).body.results;
  expect(earlier.map((each: { deadline: string }) => each.deadline.slice(0, 10))).toEqual(["2026-01-01"]);
  expect((await app.get("/api/promises/999/results")).status).toBe(404);
  await app.send("DELETE", `/api/promises/${id}`);
});

test("a scrape has the symbols of a promise, its forecast and its results", async () => {
  const made = await app.post("/api/promises", { name: "Scraped", symbols: ["BTC-USD", "SOL-USD"], ...crypto });
  const { text } = await app.get("/metrics");
  expect(text).toContain('barkeep_freshness_symbols{promise="Scraped",state="missing"} 1');
  expect(text).toContain('barkeep_freshness_forecast{promise="Scraped",forecast="will_be_missed"} 1');
  expect(text).toContain('barkeep_freshness_forecast{promise="Scraped",forecast="fresh"} 0');
  expect(text).toContain('barkeep_freshness_results_total{promise="Scraped",outcome="missed"} 0');
  const { deadline } = made.body.promise.status;
  expect(text).toContain(
    `barkeep_freshness_deadline_timestamp_seconds{promise="Scraped"} ${Date.parse(deadline) / 1_000}`,
  );
  await app.send("DELETE", `/api/promises/${made.body.promise.id}`);
});

test("a schedule that runs before the deadline is the reason that missing symbols are on track", async () => {
  const every = { name: "Coins often", cron: "*/10 * * * *", time_zone: "UTC", symbols: ["ADA-USD"] };
  const schedule = await app.post("/api/schedules", every);
  const made = await app.post("/api/promises", { name: "Coming", symbols: ["ADA-USD"], ...crypto });
  const { forecast, reasons } = made.body.promise.status;
  expect(forecast).toBe("on_track");
  expect(reasons[0].text).toMatch(/^the schedule “Coins often” starts at .* UTC and ends at about .* UTC$/);
  await app.send("DELETE", `/api/schedules/${schedule.body.schedule.id}`);
  await app.send("DELETE", `/api/promises/${made.body.promise.id}`);
});
