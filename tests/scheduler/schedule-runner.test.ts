import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Clock } from "../../src/clock.ts";
import { ScheduleRunner } from "../../src/scheduler/schedules/schedule-runner.ts";
import { newEvents } from "../../src/storage/alerts/outbox.ts";
import { createWatchlist, deleteWatchlist } from "../../src/storage/companies/watchlists.ts";
import { turnsOf } from "../../src/storage/schedules.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";

/** A clock that is set by the test; its timers never fire, so that only the test polls. */
class ManualClock implements Clock {
  time = Date.UTC(2026, 0, 5);
  now = () => this.time;
  /** How far it was set, which is no time that passes. */
  #set = 0;
  steady = () => this.time - this.#set;
  /** Somebody sets it, and no time passes. */
  jump(milliseconds: number): void {
    this.time += milliseconds;
    this.#set += milliseconds;
  }
  after = () => () => {};
  /** Sets it to a moment of the year 2026, e.g. `03-08T07:00`. */
  set(moment: string): void {
    this.time = Date.parse(`2026-${moment}Z`);
  }
}

const clock = new ManualClock();
let app: TestApp;
let runner: ScheduleRunner;
beforeAll(async () => {
  app = await startApp({ clock });
  runner = restarted();
});
afterAll(() => app[Symbol.asyncDispose]());
afterEach(async () => {
  const { schedules, runs, hub } = app.app;
  for (const { id } of await schedules.list()) await schedules.remove(id);
  for (const run of hub.runs()) if (run.finishedAt === null) await runs.actOnRun(run.id, "cancel");
});

/** The schedule runner of a restarted server. */
function restarted(): ScheduleRunner {
  const { db, log, runs } = app.app;
  return new ScheduleRunner({ db, log, runs, defaultProvider: "demo" }, clock);
}

let count = 0;
/** Creates a schedule at `moment`; each has a symbol of its own. */
async function scheduleAt(moment: string, order: object = {}) {
  clock.set(moment);
  count += 1;
  return app.app.schedules.save(null, {
    name: `Schedule ${count}`,
    cron: "30 18 * * 1-5",
    symbols: [`S${count}`],
    years: 1,
    ...order,
  });
}
/** Polls at each of the moments. */
async function pollAt(...moments: string[]) {
  for (const moment of moments) {
    clock.set(moment);
    await runner.poll();
  }
}
const turns = async (id: number) =>
  (await turnsOf(app.app.db, id, 100)).map(({ dueAt, cause, outcome }) =>
    [new Date(dueAt).toISOString().slice(5, 16), cause, outcome].join(" "),
  );
const lastTurn = async (id: number) => (await app.app.schedules.read(id)).lastTurn!;
/** Waits for the run of the last turn to end. */
const finish = async (id: number) => app.waitForRun((await lastTurn(id)).run!.id, "complete", "failed", "cancelled");

describe("a schedule", () => {
  test("a due schedule starts one run, however often the clock is polled", async () => {
    const { id } = await scheduleAt("01-05T12:00");
    await pollAt("01-05T18:29:59", "01-05T18:30", "01-05T18:30:01", "01-05T18:30:40");
    expect(await turns(id)).toEqual(["01-05T18:30 due started"]);
    await finish(id);
    const { run } = await lastTurn(id);
    expect(run).toMatchObject({ state: "complete", complete: 1, failed: 0 });
    const stored = await app.app.runs.read(run!.id);
    expect(stored.run).toMatchObject({ mode: "incremental", interval: "1d", provider: "demo", years: 1 });
    expect(stored.jobs.map(({ symbol }) => symbol)).toEqual([`S${count}`]);
  });

  test("a schedule that was last checked in the future runs when it is next due, and the log says so", async () => {
    const { id } = await scheduleAt("01-05T12:00");
    const later = Date.UTC(2036, 0, 1);
    await app.app.db.write([{ sql: "UPDATE schedules SET checked_at = ? WHERE id = ?", args: [later, id] }]);
    await pollAt("01-05T18:30", "01-05T18:30:20");
    expect(await turns(id)).toEqual(["01-05T18:30 due started"]);
    expect(app.printed.join("\n")).toContain(
      `Schedule ${count} was last checked at 2036-01-01 00:00 UTC, in the future`,
    );
    await finish(id);
    await pollAt("01-06T18:30");
    expect((await turns(id))[0]).toBe("01-06T18:30 due started");
    await finish(id);
  });

  test("a paused schedule has no turns, and catches up with none when it is resumed", async () => {
    const { id } = await scheduleAt("01-05T12:00", { enabled: false });
    await pollAt("01-05T18:30", "01-06T18:30");
    clock.set("01-07T12:00");
    await app.app.schedules.change(id, { enabled: true });
    expect(await turns(id)).toEqual([]);
    await pollAt("01-07T18:30");
    expect(await turns(id)).toEqual(["01-07T18:30 due started"]);
  });

  test("a schedule with a new expression does not catch up with times of the new one", async () => {
    const { id } = await scheduleAt("01-05T12:00");
    clock.set("01-05T15:00");
    await app.app.schedules.change(id, { cron: "0 9 * * *" });
    await pollAt("01-05T15:01");
    expect(await turns(id)).toEqual([]);
  });

  test("a schedule takes its symbols from a watchlist, and says when that is empty or gone", async () => {
    const watchlist = await createWatchlist(app.app.db, "Mine", ["WL1", "WL2"]);
    const { id } = await scheduleAt("01-05T12:00", { symbols: undefined, watchlist_id: watchlist });
    await pollAt("01-05T18:30");
    const { jobs } = await finish(id);
    expect(jobs.map(({ symbol }) => symbol)).toEqual(["WL1", "WL2"]);
    await deleteWatchlist(app.app.db, watchlist);
    await pollAt("01-06T18:30");
    expect(await lastTurn(id)).toMatchObject({ outcome: "skipped", note: "Its watchlist was deleted: choose another" });
  });

  test("a schedule of everything stored runs what its provider has a profile of", async () => {
    const first = await app.start({ symbols: ["KEPT"], years: 1, interval: "1h" });
    await app.waitForRun(first, "complete");
    const { id } = await scheduleAt("01-05T12:00", { symbols: undefined, scope: "stored", interval: "1h" });
    await pollAt("01-05T18:30");
    const { jobs } = await finish(id);
    expect(jobs.map(({ symbol }) => symbol)).toEqual(["KEPT"]);
  });

  test("a schedule that cannot start says why, and tries again at its next turn", async () => {
    const { id } = await scheduleAt("01-12T12:00");
    await app.app.db.orm.run(`update schedules set provider = 'tiingo' where id = ${id}`);
    await pollAt("01-12T18:30", "01-13T18:30");
    expect(await turns(id)).toEqual(["01-13T18:30 due refused", "01-12T18:30 due refused"]);
    expect((await lastTurn(id)).note).toContain("Tiingo is not set up: it needs TIINGO_API_KEY");
    expect(await mailed(id)).toEqual(["01-12T18:30 left", "01-13T18:30 left"]);
  });
});

/** What is mailed of missed turns: when they were due, and whether a run has caught up with them. */
const mailed = async (id: number) => {
  // Ids of schedules that were removed are used again; names are not.
  const { name } = await app.app.schedules.read(id);
  const events = (await newEvents(app.app.db, 100)).map(({ event }) => event);
  return events.flatMap((event) =>
    event.kind === "schedule_missed" && event.name === name
      ? [`${new Date(event.dueAt).toISOString().slice(5, 16)} ${event.caughtUp ? "caught up" : "left"}`]
      : [],
  );
};

describe("missed turns", () => {
  test("missed turns are caught up with by one run", async () => {
    const { id } = await scheduleAt("01-05T12:00");
    runner = restarted();
    await pollAt("01-08T12:00", "01-08T12:01");
    expect(await turns(id)).toEqual(["01-07T18:30 catch_up started"]);
    expect((await lastTurn(id)).note).toBe("Catches up with 3 runs missed while the server was not running");
    expect(await mailed(id)).toEqual(["01-07T18:30 caught up"]);
    await finish(id);
    await pollAt("01-08T18:30");
    expect(await turns(id)).toEqual(["01-08T18:30 due started", "01-07T18:30 catch_up started"]);
  });

  test("missed turns are skipped if the schedule says so, but recorded", async () => {
    const { id } = await scheduleAt("01-05T12:00", { on_missed: "skip" });
    runner = restarted();
    await pollAt("01-06T12:00", "01-06T12:01");
    expect(await turns(id)).toEqual(["01-05T18:30 due missed"]);
    expect(await mailed(id)).toEqual(["01-05T18:30 left"]);
    await pollAt("01-06T18:30");
    expect(await turns(id)).toEqual(["01-06T18:30 due started", "01-05T18:30 due missed"]);
  });

  test("missed turns need no run of their own when the next turn is due now", async () => {
    const { id } = await scheduleAt("01-05T12:00");
    await pollAt("01-06T18:30:20");
    expect(await turns(id)).toEqual(["01-06T18:30 due started", "01-05T18:30 due missed"]);
  });

  test("a poll that comes some seconds late misses no turn", async () => {
    const { id } = await scheduleAt("01-05T12:00", { on_missed: "skip" });
    await pollAt("01-05T18:30:45");
    expect(await turns(id)).toEqual(["01-05T18:30 due started"]);
  });
});

describe("a clock that is set", () => {
  test("a schedule whose clock was set back a week, also over a restart, goes on with its next turn, and the log says so", async () => {
    const { id, name } = await scheduleAt("01-20T12:00", { cron: "* * * * *", on_missed: "skip" });
    await pollAt("01-20T12:01");
    await finish(id);
    runner = restarted();
    app.printed.length = 0;
    // What became due less than a minute ago runs too.
    for (const moment of ["01-13T12:00:30", "01-13T12:01"]) {
      await pollAt(moment);
      await finish(id);
    }
    expect((await turns(id)).toSorted()).toEqual([
      "01-13T12:00 due started",
      "01-13T12:01 due started",
      "01-20T12:01 due started",
    ]);
    expect(app.printed.filter((line) => line.includes(name) && line.includes("the clock was set back"))).toHaveLength(
      1,
    );
  });

  test("turns that a clock skips when it is set forwards are made up for once, and the reason is the clock", async () => {
    const { id } = await scheduleAt("01-05T12:00");
    await pollAt("01-05T12:00");
    clock.jump(3 * 86_400_000);
    await runner.poll();
    expect(await turns(id)).toEqual(["01-07T18:30 catch_up started"]);
    expect((await lastTurn(id)).note).toBe("Catches up with 3 runs missed when the clock was set forwards");
  });
});

describe("overlap", () => {
  test("a schedule whose own run is unfinished waits for its next turn", async () => {
    await using slow = await startApp({ clock, env: { DEMO_LATENCY_MS: "2000" } });
    const { db, log, runs, schedules } = slow.app;
    const own = new ScheduleRunner({ db, log, runs, defaultProvider: "demo" }, clock);
    clock.set("01-05T12:00");
    const { id } = await schedules.save(null, { name: "Long", cron: "30 18 * * *", symbols: ["LONG"] });
    const outcomes: (string | undefined)[] = [];
    const pollOn = async (day: string) => {
      clock.set(`01-${day}T18:30`);
      await own.poll();
      outcomes.push((await schedules.read(id)).lastTurn?.outcome);
    };
    await pollOn("05");
    const { lastTurn: first } = await schedules.read(id);
    await pollOn("06");
    expect((await schedules.read(id)).lastTurn?.note).toBe(`Its last run (${first!.run!.id}) is not finished`);
    await expect(schedules.runNow(id)).rejects.toThrow("is not finished");
    // A paused run is not finished either.
    await runs.actOnRun(first!.run!.id, "pause");
    await pollOn("07");
    await runs.actOnRun(first!.run!.id, "cancel");
    await pollOn("08");
    expect(outcomes).toEqual(["started", "skipped", "skipped", "started"]);
  });

  test("a schedule leaves out symbols active in other runs, and starts nothing when none is left", async () => {
    await using slow = await startApp({ clock, env: { DEMO_LATENCY_MS: "2000" } });
    const { db, log, runs, schedules } = slow.app;
    const own = new ScheduleRunner({ db, log, runs, defaultProvider: "demo" }, clock);
    await slow.start({ symbols: ["BUSY"], mode: "full" });
    clock.set("01-05T12:00");
    const order = { cron: "30 18 * * *", time_zone: "UTC" };
    const some = await schedules.save(null, { ...order, name: "Some", symbols: ["BUSY", "FREE"] });
    const none = await schedules.save(null, { ...order, name: "None", symbols: ["BUSY"] });
    clock.set("01-05T18:30");
    await own.poll();
    const { lastTurn: taken } = await schedules.read(some.id);
    expect(taken).toMatchObject({ outcome: "started", note: "BUSY left out: at work in other runs" });
    expect((await runs.read(taken!.run!.id)).jobs.map(({ symbol }) => symbol)).toEqual(["FREE"]);
    expect((await schedules.read(none.id)).lastTurn).toMatchObject({
      outcome: "skipped",
      note: "BUSY left out: at work in other runs",
    });
  });
});

test("a night of the change of clocks has one turn, at 02:30 or right after the gap", async () => {
  const daily = { cron: "30 2 * * *", time_zone: "America/New_York" };
  const spring = await scheduleAt("03-07T12:00", daily);
  await pollAt("03-08T06:30", "03-08T06:59", "03-08T07:00", "03-08T07:30");
  expect(await turns(spring.id)).toEqual(["03-08T07:00 due started"]);
  await finish(spring.id);
  const autumn = await scheduleAt("10-31T12:00", { ...daily, cron: "30 1 * * *" });
  await pollAt("11-01T05:30", "11-01T06:00", "11-01T06:30", "11-01T07:00");
  expect(await turns(autumn.id)).toEqual(["11-01T05:30 due started"]);
});

test("the clock itself starts the turns", async () => {
  const virtual = new VirtualClock(Date.UTC(2026, 0, 5, 18, 29));
  await using own = await startApp({ clock: virtual });
  const stream = own.app.hub.stream();
  await own.app.schedules.save(null, { name: "Timer", cron: "30 18 * * *", symbols: ["TICK"], years: 1 });
  // A poll reads the database, which takes time: the clock is advanced until it is done.
  for (let seen = false; !seen; ) {
    await virtual.advance(1_000);
    const chunk = await stream.next(20);
    seen = chunk?.events.some((event) => event.type === "run") ?? true;
  }
  expect(own.app.hub.runs()).toHaveLength(1);
});
