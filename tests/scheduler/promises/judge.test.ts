/** What came of deadlines: judged once, also after a stop of the server, from what proves it. */

import { expect, test } from "bun:test";
import { startApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { date, moment, startWorld } from "./world.ts";

// The 15th of January 2026 is a Thursday; New York is five hours behind.
const WEDNESDAY = date("01-14");
const THURSDAY = date("01-15");

test("a bar that came after the deadline does not keep it, however late it is judged", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ symbols: ["AAPL"] });
  await world.bar("AAPL", WEDNESDAY, moment("01-15T12:00:01"));
  await world.at("01-15T18:00:00");
  expect((await world.service.read(id)).results).toMatchObject([
    { outcome: "missed", judgedAt: moment("01-15T18:00:00") },
  ]);
});

test("deadlines while the server was not running are judged from arrivals: kept, missed, and unknown where none is recorded", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ symbols: ["AAPL"] });
  await world.bar("AAPL", date("01-13"), moment("01-14T02:00:00"));
  await world.bar("AAPL", WEDNESDAY, moment("01-15T02:00:00"));
  await world.bar("AAPL", THURSDAY, moment("01-16T13:00:00"));
  await world.bar("AAPL", date("01-16"), moment("01-17T02:00:00"));
  // The record of an earlier release: when the bar arrived is not known.
  await world.db.write([
    { sql: "DELETE FROM batches WHERE from_ts = ?", args: [date("01-16")] },
    { sql: "INSERT INTO arrivals SELECT series_id, ?1, ?1 + 1, 0, 1 FROM batches LIMIT 1", args: [date("01-16")] },
  ]);
  world.clock.time = moment("01-20T09:00:00");
  world.restart();
  await world.watch.judgePassed();
  const outcomes = (await world.service.read(id)).results.map(({ deadline, outcome }) => [
    new Date(deadline).toISOString().slice(5, 10),
    outcome,
  ]);
  // The 19th is Martin Luther King Day: no deadline.
  expect(outcomes).toEqual([
    ["01-16", "missed"],
    ["01-15", "kept"],
  ]);
  await world.at("01-20T12:00:02");
  const [last] = (await world.service.read(id)).results;
  expect(last).toMatchObject({ outcome: "unknown", unknown: 1 });
  expect(last!.note).toContain("no record of when the bar arrived");
});

test("a deadline while the server was down is judged at its next start, once", async () => {
  using folder = temporaryFolder();
  const startAt = (text: string) => startApp({ folder, clock: new VirtualClock(moment(text)) });
  {
    await using app = await startAt("01-15T10:00:00");
    await app.post("/api/promises", { name: "Coins", symbols: ["ADA-USD"], by_time: "07:00" });
  }
  for (const start of ["01-15T15:00:00", "01-15T16:00:00"]) {
    await using app = await startAt(start);
    const { promises } = (await app.get("/api/promises")).body;
    expect(promises[0].last_result).toMatchObject({ outcome: "missed", judged_at: "2026-01-15T15:00:00.000Z" });
    const { results } = (await app.get(`/api/promises/${promises[0].id}/results`)).body;
    expect(results).toHaveLength(1);
    expect(await app.app.db.rows("SELECT count(*) FROM alert_events WHERE kind = 'freshness_missed'", [])).toEqual([
      [1],
    ]);
  }
});

test("a bar that is stored just after a deadline and arrived before it is in time", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ symbols: ["AAPL"] });
  await world.at("01-15T12:00:01");
  expect((await world.service.read(id)).results).toEqual([]);
  expect(world.watch.statusOf(id)!.deadline).toBe(moment("01-15T12:00:00"));
  await world.bar("AAPL", WEDNESDAY, moment("01-15T11:59:59"));
  await world.at("01-15T12:00:02");
  expect((await world.service.read(id)).results).toMatchObject([{ outcome: "kept" }]);
});

test("a deadline is judged once, whatever stopped the server between", async () => {
  await using world = await startWorld();
  const { id } = await world.promise();
  await world.at("01-15T12:00:02");
  // As if it had been killed before the promise was marked: the result stands.
  await world.db.write([{ sql: "UPDATE promises SET checked_at = ?", args: [moment("01-15T00:00:00")] }]);
  await world.bar("AAPL", WEDNESDAY, moment("01-15T02:00:00"));
  await world.bar("MSFT", WEDNESDAY, moment("01-15T02:00:00"));
  world.restart();
  await world.watch.judgePassed();
  expect((await world.service.read(id)).results).toMatchObject([{ outcome: "missed", missing: 2 }]);
  expect((await world.kinds()).filter((key) => key.startsWith("freshness_missed"))).toHaveLength(1);
});

test("gaps that were filled since the deadline leave its outcome unknown when it is judged late", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ symbols: ["AAPL"] });
  await world.bar("AAPL", WEDNESDAY, moment("01-15T02:00:00"));
  await world.db.write([
    {
      sql: "INSERT INTO arrivals SELECT id, ?1, ?1 + 1, ?2, 0 FROM series",
      args: [date("01-12"), moment("01-16T02:00:00")],
    },
  ]);
  await world.at("01-16T03:00:00");
  expect((await world.service.read(id)).results).toMatchObject([
    { outcome: "unknown", gaps: null, fresh: 1, note: "gaps may have been filled since" },
  ]);
});

test("a paused promise has no deadlines, and those of the pause have no result when it is resumed", async () => {
  await using world = await startWorld();
  const { id } = await world.promise();
  await world.service.change(id, { enabled: false });
  await world.at("01-15T13:00:00");
  expect(world.watch.statusOf(id)).toBeUndefined();
  await world.service.change(id, { enabled: true });
  await world.at("01-15T14:00:00");
  expect((await world.service.read(id)).results).toEqual([]);
  expect(world.watch.statusOf(id)!.deadline).toBe(moment("01-16T12:00:00"));
});

test("a clock that was set back by days does not stop the deadlines", async () => {
  await using world = await startWorld();
  const { id } = await world.promise();
  await world.at("02-15T12:00:02");
  await world.at("01-15T11:00:00");
  await world.at("01-15T12:00:02");
  const deadlines = (await world.service.read(id)).results.map(({ deadline }) => deadline);
  expect(deadlines).toContain(moment("01-15T12:00:00"));
  expect(world.lines.join("\n")).toContain("the clock was set back");
});

test("a promise about a deleted watchlist or about nothing stored is unknown, never kept", async () => {
  await using world = await startWorld();
  const { id } = await world.promise({ scope: "stored", symbols: undefined });
  await world.at("01-15T12:00:02");
  expect((await world.service.read(id)).results).toMatchObject([
    { outcome: "unknown", total: 0, note: "it is about no symbol" },
  ]);
});
