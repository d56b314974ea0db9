/** Runs schedules when they are due, and catches up with or records missed turns. */

import type { Clock } from "../../clock.ts";
import { messageOf } from "../../domain/errors.ts";
import type { Schedule, Turn } from "../../domain/schedules.ts";
import { utcMinute } from "../../domain/time.ts";
import { withoutWaitLimit } from "../../storage/connection/wait-limit.ts";
import { readSchedules, setChecked } from "../../storage/schedules.ts";
import { type CronTimes, readCron } from "./cron.ts";
import { closeTurn, runTurn, type TurnDependencies } from "./turn.ts";

/** A turn later than this (ms) was missed: the server was down, or the machine asleep. */
const MISSED_AFTER_MS = 60_000;
/** Longest time between two polls (ms), so that a sleep or a changed clock is noticed. */
const POLL_MS = 30_000;
/** Most missed turns that are counted exactly. */
const COUNTED = 1_000;

export class ScheduleRunner {
  #cancelTimer: (() => void) | null = null;
  #closed = false;
  /** The last poll, steady milliseconds, and why turns since then were missed. */
  #polledAt: number | null = null;
  #cause = "";
  /** Turns run one after the other, so that a manual and a due one do not overlap. */
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly dependencies: TurnDependencies,
    private readonly clock: Clock,
  ) {}

  /** Runs what is due now and sets the timer for the next poll; called at the start and after every change. */
  poll(): Promise<void> {
    return withoutWaitLimit(() => this.#poll());
  }

  #poll(): Promise<void> {
    return this.#enqueue(async () => {
      const now = this.clock.steady();
      const isRunning = this.#polledAt !== null && now - this.#polledAt < 2 * POLL_MS;
      this.#cause = isRunning ? "when the clock was set forwards" : "while the server was not running";
      this.#polledAt = now;
      this.#cancelTimer?.();
      let wait = POLL_MS;
      try {
        for (const schedule of await readSchedules(this.dependencies.db)) {
          if (schedule.enabled && !this.#closed) {
            wait = Math.min(wait, await this.#runDue(await this.#notInFuture(schedule)));
          }
        }
      } catch (error) {
        this.dependencies.log.write(
          "error",
          `Schedules could not be read and will be tried again: ${messageOf(error)}`,
        );
      }
      if (!this.#closed) this.#cancelTimer = this.clock.after(Math.max(1, wait), () => void this.poll());
    });
  }

  /** Runs a schedule now, whatever its expression says and even if it is paused. */
  runNow(schedule: Schedule): Promise<Turn> {
    const now = this.clock.now();
    return this.#enqueue(() => runTurn(this.dependencies, schedule, { dueAt: now, at: now, cause: "by_hand" }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#running;
  }

  /** Runs the turns of one schedule since the last poll; returns the milliseconds to its next one. */
  async #runDue(schedule: Schedule): Promise<number> {
    try {
      const times = readCron(schedule.cron, schedule.timeZone);
      const now = this.clock.now();
      const last = times.last(now);
      if (last !== null && last > schedule.checkedAt) await this.#runTurns(schedule, times, last, now);
      const [next] = times.next(now, 1);
      return next === undefined ? POLL_MS : next - this.clock.now();
    } catch (error) {
      // A failing schedule must not stop the others.
      this.dependencies.log.write("error", `Schedule ${schedule.name}: ${messageOf(error)}`);
      return POLL_MS;
    }
  }

  /** A schedule that was last checked in the future, because the clock was set back, counts from now on. */
  async #notInFuture(schedule: Schedule): Promise<Schedule> {
    const now = this.clock.now();
    const { id, name, checkedAt } = schedule;
    if (checkedAt <= now + MISSED_AFTER_MS) return schedule;
    const when = Number.isFinite(new Date(checkedAt).getTime()) ? utcMinute(checkedAt) : "a time that does not exist";
    this.dependencies.log.write(
      "warn",
      `Schedule ${name} was last checked at ${when}, in the future: the clock was set back. Its runs count from now on.`,
    );
    // What has just become due runs.
    const from = now - MISSED_AFTER_MS;
    await setChecked(this.dependencies.db, id, from);
    return { ...schedule, checkedAt: from };
  }

  /** `last` is the newest due turn; earlier ones, and itself if it is late, were missed. */
  async #runTurns(schedule: Schedule, times: CronTimes, last: number, now: number): Promise<void> {
    const missedUntil = times.last(now - MISSED_AFTER_MS);
    const onTime = last > now - MISSED_AFTER_MS;
    if (missedUntil !== null && missedUntil > schedule.checkedAt) {
      const missed = countTurns(times, schedule.checkedAt, missedUntil);
      if (!onTime && schedule.onMissed === "catch_up") {
        const note = `Catches up with ${missed} missed ${this.#cause}`;
        await runTurn(this.dependencies, schedule, { dueAt: missedUntil, at: now, cause: "catch_up", note });
        return;
      }
      const why = `${missed} came due ${this.#cause}`;
      await closeTurn(this.dependencies, schedule, { dueAt: missedUntil, at: now, cause: "due" }, "missed", why);
    }
    if (onTime) await runTurn(this.dependencies, schedule, { dueAt: last, at: now, cause: "due" });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#running.then(work);
    this.#running = result.catch(() => {});
    return result;
  }
}

/** `1 run`, `3 runs`, `over 1,000 runs`: the turns after `from` up to and including `to`. */
function countTurns(times: CronTimes, from: number, to: number): string {
  const count = times.next(from, COUNTED + 1).filter((time) => time <= to).length;
  if (count > COUNTED) return `over ${COUNTED.toLocaleString("en-US")} runs`;
  return count === 1 ? "1 run" : `${count} runs`;
}
