/**
 * Cron expressions in a time zone: read, put in words, asked for their times.
 *
 * The clock changes neither skip nor double a turn. A time that the change to summer time leaves out (02:30) is taken
 * right after the gap. A time that the change back brings twice is taken the first time, if the expression names fixed
 * hours and minutes; one that goes by steps (every half hour) goes on through both hours.
 */

import { Cron } from "croner";
import cronstrue from "cronstrue";
import { invalid, messageOf, quote } from "../../domain/errors.ts";
import { isTimeZone } from "../../domain/time.ts";

/** Shortest time between two turns, milliseconds: no bar is shorter. */
const SHORTEST = 60_000;
const LONGEST_EXPRESSION = 100;
/** Turns compared to find the shortest time between two. */
const PROBED = 60;

const PARTS = "wants five parts: minute, hour, day of month, month, day of week (a sixth in front for seconds)";

export interface CronTimes {
  /** What the expression says, in words, without the time zone: `At 18:30, Monday through Friday`. */
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
  if (expression.length > LONGEST_EXPRESSION) throw invalid("cron", `is longer than ${LONGEST_EXPRESSION} characters`);
  // croner would accept a date instead of a pattern, and run it once.
  if (!/^(?:@\w+|\S+(?:\s+\S+){4,5})$/.test(expression.trim())) throw invalid("cron", PARTS);
  let cron: Cron;
  try {
    cron = new Cron(expression.trim(), {
      paused: true,
      timezone: timeZone,
      mode: "5-or-6-parts",
      // A list of times is as fixed as one time: it runs once when the hour occurs twice.
      fixedTimeRule: "no-wildcard",
    });
  } catch (error) {
    throw invalid("cron", messageOf(error).replace(/^CronPattern: /, ""));
  }
  return {
    words: inWords(expression.trim()),
    next: (after, count) => cron.nextRuns(count, new Date(after)).map((date) => date.getTime()),
    last(at) {
      // Whole seconds, as in the expression; the reference itself is left out, so the second after it is asked.
      const reference = new Date((Math.floor(at / 1000) + 1) * 1000);
      return cron.previousRuns(1, reference)[0]?.getTime() ?? null;
    },
  };
}

/**
 * Checks an expression that somebody typed.
 * @throws Refusal also for one that never occurs, or more often than once a minute
 */
export function checkCron(expression: string, timeZone: string): void {
  const coming = readCron(expression, timeZone).next(Date.now(), PROBED);
  if (coming.length === 0) throw invalid("cron", "names a time that never comes");
  if (coming.some((time, index) => index > 0 && time - coming[index - 1]! < SHORTEST)) {
    throw invalid("cron", "comes more often than once a minute");
  }
}

function inWords(expression: string): string {
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
