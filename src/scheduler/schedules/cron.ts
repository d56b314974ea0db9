/**
 * Cron expressions in a time zone: their times, and a description in words. Changes of the clock neither skip nor double
 * a turn: a time inside the gap (02:30) is due right after it; of a doubled hour, fixed times use the first one, and
 * steps (every half hour) both.
 */

import { Cron } from "croner";
import cronstrue from "cronstrue";
import { invalid, quote } from "../../domain/errors.ts";
import { isTimeZone } from "../../domain/time.ts";
import { faultOf } from "./cron-faults.ts";

/** Shortest time between two turns, milliseconds: no bar is shorter. */
const MIN_GAP_MS = 60_000;
const MAX_EXPRESSION = 100;
/** Turns compared to find the shortest time between two. */
const PROBED = 60;

const PARTS = "wants five parts: minute, hour, day of month, month, day of week (a sixth in front for seconds)";

export interface CronTimes {
  /** The expression in words, without the time zone: `At 18:30, Monday through Friday`. */
  readonly words: string;
  /** The next `count` times after `after`; all are epoch milliseconds. */
  next(after: number, count: number): number[];
  /** The last time up to and including `at`, or `null` if there was none. */
  last(at: number): number | null;
}

/**
 * Reads an expression that was checked before.
 * @throws Refusal at `cron` or `time_zone` with what is wrong
 */
export function readCron(expression: string, timeZone: string): CronTimes {
  requireTimeZone(timeZone);
  if (expression.length > MAX_EXPRESSION) throw invalid("cron", `is longer than ${MAX_EXPRESSION} characters`);
  // croner would accept a date instead of a pattern, and run it once.
  if (!/^(?:@\w+|\S+(?:\s+\S+){4,5})$/.test(expression.trim())) throw invalid("cron", PARTS);
  const cron = parse(expression.trim(), timeZone);
  if (cron === null)
    throw invalid(
      "cron",
      faultOf(expression.trim(), (text) => parse(text, timeZone) !== null),
    );
  return {
    words: describeExpression(expression.trim()),
    next: (after, count) => cron.nextRuns(count, new Date(after)).map((date) => date.getTime()),
    last(at) {
      // Whole seconds, as in the expression; croner leaves out the reference itself, so it gets the second after it.
      const reference = new Date((Math.floor(at / 1000) + 1) * 1000);
      return cron.previousRuns(1, reference)[0]?.getTime() ?? null;
    },
  };
}

/** The times of an expression; `null` if it cannot be read. */
function parse(expression: string, timeZone: string): Cron | null {
  try {
    return new Cron(expression, {
      paused: true,
      timezone: timeZone,
      mode: "5-or-6-parts",
      // A list of times is as fixed as one time: it runs once when the hour occurs twice.
      fixedTimeRule: "no-wildcard",
    });
  } catch {
    return null;
  }
}

/**
 * Checks an expression that somebody typed.
 * @throws Refusal also for one that never occurs, or more often than once a minute
 */
export function checkCron(expression: string, timeZone: string): void {
  // Without seconds it comes at most once a minute; each further time takes half a millisecond.
  const hasSeconds = expression.trim().split(/\s+/).length === 6;
  const nextTimes = readCron(expression, timeZone).next(Date.now(), hasSeconds ? PROBED : 1);
  if (nextTimes.length === 0) throw invalid("cron", "names a time that never comes");
  if (nextTimes.some((time, index) => index > 0 && time - nextTimes[index - 1]! < MIN_GAP_MS)) {
    throw invalid("cron", "comes more often than once a minute");
  }
}

function describeExpression(expression: string): string {
  try {
    return cronstrue.toString(expression, { use24HourTimeFormat: true });
  } catch {
    return expression;
  }
}

/** @throws Refusal unless it is an IANA time zone */
function requireTimeZone(name: string): void {
  // Offsets such as +02:00 are refused: they have no summer time.
  if (isTimeZone(name)) return;
  throw invalid("time_zone", `${quote(name)} is not a time zone: wants a name such as America/New_York or UTC`);
}
