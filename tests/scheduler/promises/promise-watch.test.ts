/** Promises over time: what is stored, what is forecast, and what is reported. */

import { expect, test } from "bun:test";
import { recordStatements } from "../../../src/storage/alerts/outbox.ts";
import { date, moment, startWorld } from "./world.ts";

// The 15th of January 2026 is a Thursday; New York is five hours behind.
const WEDNESDAY = date("01-14");

test("a deadline is kept when every symbol has the last bar of the session before it", async () => {
  await using world = await startWorld();
  world.clock.time = moment("01-15T00:00:00");
  const { id } = await world.promise();
  await world.bar("AAPL", WEDNESDAY, moment("01-15T02:00:00"));
  await world.bar("MSFT", WEDNESDAY, moment("01-15T11:00:00"));
  await world.at("01-15T11:30:00");
  expect(world.watch.statusOf(id)).toMatchObject({
    state: "fresh",
    deadline: moment("01-15T12:00:00"),
    total: 2,
    fresh: 2,
    missing: 0,
    burnDown: [
      { at: moment("01-14T21:00:00"), missing: 2 },
      { at: moment("01-15T02:00:00"), missing: 1 },
      { at: moment("01-15T11:00:00"), missing: 0 },
    ],
  });
  await world.at("01-15T12:00:02");
  const { results } = await world.service.read(id);
  expect(results).toMatchObject([{ outcome: "kept", deadline: moment("01-15T12:00:00"), fresh: 2, gaps: 0, note: "" }]);
  expect(await world.kinds()).toEqual([]);
});

test("a missed deadline is recorded and reported once, and so is its recovery", async () => {
  await using world = await startWorld();
  const { id } = await world.promise();
  await world.bar("AAPL", WEDNESDAY, moment("01-15T02:00:00"));
  await world.at("01-15T05:00:00");
  expect(world.watch.statusOf(id)).toMatchObject({ state: "will_be_missed", missing: 1, symbols: ["MSFT"] });
  expect(await world.kinds()).toEqual([]);
  // Six hours before it.
  await world.at("01-15T06:00:00");
  await world.at("01-15T07:00:00");
  const atRisk = `freshness_at_risk:${id}:${moment("01-15T12:00:00")}`;
  expect(await world.kinds()).toEqual([atRisk]);
  await world.at("01-15T12:00:02");
  await world.at("01-15T12:02:00");
  const missed = `freshness_missed:${id}:${moment("01-15T12:00:00")}`;
  expect(await world.kinds()).toEqual([atRisk, missed]);
  expect((await world.service.read(id)).results).toMatchObject([
    {
      outcome: "missed",
      fresh: 1,
      missing: 1,
      symbols: ["MSFT"],
      note: "1 symbol of 2 lacked the last bar: no run is planned before the deadline",
      recoveredAt: null,
    },
  ]);
  await world.bar("MSFT", WEDNESDAY, moment("01-15T13:00:00"));
  await world.at("01-15T13:01:00");
  await world.at("01-15T13:03:00");
  expect(await world.kinds()).toEqual([atRisk, missed, `freshness_recovered:${id}:${moment("01-15T12:00:00")}`]);
  expect((await world.service.read(id)).results[0]!.recoveredAt).toBe(moment("01-15T13:01:00"));
  expect(world.events.map(({ kind }) => kind)).toEqual(["freshness_at_risk", "freshness_missed"]);
});

test("a provisional bar does not count until it is final", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ symbols: ["AAPL"] });
  await world.bar("AAPL", WEDNESDAY, moment("01-14T20:00:00"));
  await world.db.write([{ sql: "UPDATE series SET provisional_from = ?", args: [WEDNESDAY] }]);
  await world.at("01-15T05:00:00");
  expect(world.watch.statusOf(id)).toMatchObject({ fresh: 0, missing: 1 });
  await world.db.write([{ sql: "UPDATE series SET provisional_from = NULL", args: [] }]);
  await world.at("01-15T05:02:00");
  expect(world.watch.statusOf(id)).toMatchObject({ fresh: 1, missing: 0, state: "fresh" });
});

test("a series of minutes without a trade in the last one is fresh once its provider was asked after the close", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ symbols: ["AAPL"], interval: "1m" });
  const ts = moment("01-14T20:31:00") / 1_000;
  const close = moment("01-14T21:00:00") / 1_000;
  await world.bar("AAPL", ts, moment("01-14T20:40:00"), { interval: "1m", length: 3_600 });
  await world.at("01-15T05:00:00");
  expect(world.watch.statusOf(id)).toMatchObject({ fresh: 0, missing: 1 });
  await world.db.write([
    {
      sql: "INSERT INTO batches (series_id, run_id, from_ts, to_ts, status, rows, fetched_at) SELECT id, 'r2', ?1, ?2, 'ok', 1, ?3 FROM series",
      args: [WEDNESDAY, close + 86_400, moment("01-15T05:01:00")],
    },
  ]);
  // What was traded in a minute that was rejected is not known; one without any price was without a trade.
  const price = (open: number | null) => `{"ts":1,"open":${open},"high":null,"low":null,"close":null,"volume":5}`;
  const refuse = (open: number | null) => ({
    sql: "INSERT OR REPLACE INTO rejected_bars SELECT id, '2026-01-14T20:59:00.000Z', 'a price is missing', ?1, 'r2', 1 FROM series",
    args: [price(open)],
  });
  await world.db.write([refuse(10)]);
  await world.at("01-15T05:02:00");
  expect(world.watch.statusOf(id)).toMatchObject({ fresh: 0, missing: 1 });
  await world.db.write([refuse(null)]);
  await world.at("01-15T05:03:00");
  expect(world.watch.statusOf(id)).toMatchObject({ fresh: 1, state: "fresh" });
  await world.at("01-15T12:00:02");
  expect((await world.service.read(id)).results).toMatchObject([{ outcome: "kept" }]);
});

test("a symbol of an exchange without a calendar is unknown, and the deadline neither kept nor missed", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ symbols: ["AAPL", "ABC@XYZ"] });
  await world.bar("AAPL", WEDNESDAY, moment("01-15T02:00:00"));
  await world.bar("ABC@XYZ", WEDNESDAY, moment("01-15T02:00:00"));
  await world.at("01-15T12:00:02");
  expect((await world.service.read(id)).results).toMatchObject([
    { outcome: "unknown", fresh: 1, unknown: 1, missing: 0 },
  ]);
});

test("a schedule that runs in time puts a promise on track, and is named with its time", async () => {
  await using world = await startWorld();
  await world.schedule({ cron: "30 4 * * *" });
  const { id } = await world.promise();
  await world.at("01-15T03:00:00");
  expect(world.watch.statusOf(id)).toMatchObject({
    state: "on_track",
    reasons: [
      {
        cause: "schedule",
        symbols: 2,
        text: expect.stringContaining("the schedule “Nightly” starts at 2026-01-15 04:30 UTC"),
      },
    ],
  });
  const { estimates } = world.state;
  await world.at("01-15T03:09:00");
  expect(world.state.estimates).toBe(estimates);
  await world.at("01-15T04:31:00");
  expect(world.watch.statusOf(id)).toMatchObject({ state: "will_be_missed" });
});

test("a schedule counts only if it runs after the bar is final, at the interval and of the provider of the promise", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ by_time: "23:00", time_zone: "UTC" });
  // The session of Thursday ends at 21:00 UTC.
  await world.schedule({ name: "Too early", cron: "30 20 * * *" });
  await world.schedule({ name: "Hours", cron: "30 21 * * *", interval: "1h" });
  await world.schedule({ name: "Paused", cron: "30 21 * * *", enabled: false });
  await world.schedule({ name: "Repairs", cron: "30 21 * * *", mode: "repair" });
  await world.schedule({ name: "One", cron: "30 21 * * *", symbols: ["AAPL"] });
  await world.at("01-15T12:00:02");
  const { state, reasons } = world.watch.statusOf(id)!;
  expect(state).toBe("will_be_missed");
  expect(reasons.map(({ symbols, text }) => [symbols, text])).toEqual([
    [1, "no run is planned before the deadline: the schedule “Paused” is paused"],
    [1, "the schedule “One” starts at 2026-01-15 21:30 UTC and ends at about 2026-01-15 21:31 UTC"],
  ]);
});

test("a run at work brings its symbols if it began after their bars were final; its end and its pauses count", async () => {
  await using world = await startWorld();
  const { id } = await world.promise();
  const asOf = moment("01-15T02:00:00") / 1_000;
  const eta = (seconds: number, high: number, limitedBy: "speed" | "quota" = "speed") =>
    ({ seconds, low: seconds, high, limitedBy, until: null }) as const;
  const stateAt = async (minute: string) => {
    await world.at(`01-15T03:${minute}:00`);
    const { state, reasons } = world.watch.statusOf(id)!;
    return [state, reasons.map(({ cause, symbols, text }) => `${cause} ${symbols}: ${text}`)] as const;
  };
  world.run(["AAPL", "MSFT"], { asOf, eta: eta(600, 900) });
  expect(await stateAt("00")).toEqual([
    "on_track",
    ["schedule 2: the run “Catch up” ends at about 2026-01-15 03:10 UTC"],
  ]);
  // Nine hours are left.
  world.run(["AAPL", "MSFT"], { asOf, eta: eta(8 * 3_600, 10 * 3_600) });
  expect((await stateAt("01"))[0]).toBe("at_risk");
  world.run(["AAPL", "MSFT"], { asOf, eta: eta(12 * 3_600, 14 * 3_600, "quota") });
  expect(await stateAt("02")).toEqual([
    "will_be_missed",
    ["quota 2: the run “Catch up” ends at about 2026-01-15 15:02 UTC, after the deadline"],
  ]);
  world.run(["AAPL", "MSFT"], { asOf });
  expect((await stateAt("03"))[0]).toBe("unknown");
  world.run(["AAPL", "MSFT"], { asOf, blocked: { by: "quota", until: moment("01-15T13:00:00") / 1_000 } });
  expect((await stateAt("04"))[1][0]).toStartWith("quota 2: the run “Catch up” ends at about 2026-01-15 13:00 UTC");
  world.run(["AAPL", "MSFT"], { asOf, jobs: "paused" });
  expect((await stateAt("05"))[1]).toEqual(["schedule 2: the run “Catch up” is paused"]);
  // Begun before the close: it leaves out the bar that is needed.
  world.run(["AAPL", "MSFT"], { asOf: moment("01-14T20:00:00") / 1_000, eta: eta(600, 900) });
  expect((await stateAt("06"))[1]).toEqual(["schedule 2: no run is planned before the deadline"]);
  world.run(["AAPL"], { asOf, eta: eta(600, 900) });
  expect((await stateAt("07"))[1]).toEqual([
    "schedule 1: no run is planned before the deadline",
    "schedule 1: the run “Catch up” ends at about 2026-01-15 03:17 UTC",
  ]);
});

test("a key that was refused puts a promise at risk until a run of the provider is complete", async () => {
  await using world = await startWorld();
  await world.schedule({ cron: "30 4 * * *" });
  const { id } = await world.promise();
  const refused = { kind: "key_refused", at: moment("01-15T01:00:00"), provider: "demo", reason: "HTTP 401" } as const;
  await world.db.write(recordStatements([refused]));
  await world.at("01-15T03:00:00");
  expect(world.watch.statusOf(id)).toMatchObject({
    state: "at_risk",
    reasons: [{ cause: "provider", text: expect.stringContaining("refused its key at 2026-01-15 01:00 UTC") }],
  });
  await world.db.write([
    {
      sql: `INSERT INTO runs (id, mode, interval, provider, years, batch_days, max_workers, range_from, range_to, as_of, state,
        created_at, finished_at) VALUES ('r2', 'full', '1d', 'demo', '2', 30, 1, 0, 1, 1, 'complete', 1, ?)`,
      args: [moment("01-15T03:01:00")],
    },
  ]);
  await world.at("01-15T03:02:00");
  expect(world.watch.statusOf(id)).toMatchObject({ state: "on_track" });
});

test("a provider without its setting, a hold and trouble of the database are reasons of their own", async () => {
  await using world = await startWorld();
  await world.schedule({ cron: "30 4 * * *" });
  const { id } = await world.promise();
  const held = (hour: string) => ({
    ...{ provider: "demo", gauges: [], waiting: 0, latencyMs: null, unitsPerRequest: 1, spenders: [] },
    hold: { until: moment(`01-15T${hour}:00:00`) / 1_000, reason: "HTTP 429" },
  });
  world.state.quota = held("13");
  await world.at("01-15T03:00:00");
  expect(world.watch.statusOf(id)).toMatchObject({ state: "will_be_missed", reasons: [{ cause: "provider" }] });
  world.state.quota = held("05");
  await world.at("01-15T03:02:00");
  expect(world.watch.statusOf(id)).toMatchObject({ state: "at_risk", reasons: [{ cause: "provider" }] });
  world.state.quota = undefined;
  world.state.trouble = "The disk is full";
  await world.at("01-15T03:04:00");
  expect(world.watch.statusOf(id)!.reasons.map(({ cause }) => cause)).toEqual(["storage", "schedule"]);
  world.state.trouble = null;
  const other = await world.promise({ name: "Other", provider: "eodhd", symbols: ["KO"] });
  world.forget("eodhd");
  await world.at("01-15T03:06:00");
  expect(world.watch.statusOf(other.id)).toMatchObject({ state: "will_be_missed", reasons: [{ cause: "provider" }] });
});

test("a spent quota is the reason that a deadline will be missed", async () => {
  await using world = await startWorld();
  await world.schedule({ cron: "30 4 * * *" });
  const { id } = await world.promise();
  world.state.cost = { calls: 100, units: 100, seconds: 10 };
  const gauge = { period: "day", counts: "units", used: 950, limit: 1_000, resetsAt: date("01-16") } as const;
  world.state.quota = {
    ...{ provider: "demo", gauges: [gauge], hold: null, waiting: 0, latencyMs: null, unitsPerRequest: 1, spenders: [] },
  };
  await world.at("01-15T03:00:00");
  expect(world.watch.statusOf(id)).toMatchObject({
    state: "will_be_missed",
    reasons: [{ cause: "quota", text: expect.stringContaining("needs 100 units of Demo") }],
  });
});

test("gaps within its days count: more than allowed miss the deadline, older ones do not count", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ symbols: ["AAPL"], max_gaps: 1, gap_days: 5 });
  await world.bar("AAPL", WEDNESDAY, moment("01-15T02:00:00"));
  await world.gap("AAPL", date("01-13"), 0);
  await world.gap("AAPL", date("01-02"), 0);
  await world.at("01-15T05:00:00");
  expect(world.watch.statusOf(id)).toMatchObject({ state: "fresh", gaps: { open: 1, confirmed: 0 } });
  await world.gap("AAPL", date("01-12"), 3);
  await world.at("01-15T05:02:00");
  expect(world.watch.statusOf(id)).toMatchObject({ state: "at_risk", gaps: { open: 1, confirmed: 1 } });
  await world.at("01-15T12:00:02");
  expect((await world.service.read(id)).results).toMatchObject([
    { outcome: "missed", missing: 0, gaps: 2, note: "2 gaps, at most 1 allowed" },
  ]);
});
