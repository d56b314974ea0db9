/** Says which part of a cron expression cannot be read. The library's own messages count days and months from 0. */

import { quote } from "../../domain/errors.ts";

interface Part {
  readonly name: string;
  readonly wants: string;
}

const SECOND: Part = { name: "second", wants: "numbers from 0 to 59" };

/** The parts after the optional one for seconds. */
const PARTS: readonly Part[] = [
  { name: "minute", wants: "numbers from 0 to 59" },
  { name: "hour", wants: "numbers from 0 to 23" },
  { name: "day of month", wants: "numbers from 1 to 31, L for the last day" },
  { name: "month", wants: "numbers from 1 to 12 or JAN to DEC" },
  { name: "day of week", wants: "numbers from 0 (Sunday) to 7 or SUN to SAT" },
];

const FORMS = "lists such as 1,3, ranges from low to high such as 1-5, or steps such as */2";

/**
 * What is wrong with an expression that was refused.
 * @param isReadable whether an expression is accepted, which is asked for each of its parts alone
 */
export function faultOf(expression: string, isReadable: (expression: string) => boolean): string {
  if (expression.startsWith("@"))
    return `${quote(expression)} is not known: wants @hourly, @daily, @weekly, @monthly, @yearly, or five parts`;
  const given = expression.split(/\s+/);
  const parts = given.length > PARTS.length ? [SECOND, ...PARTS] : PARTS;
  const reads = (text: string, index: number) => isReadable(given.map((_, i) => (i === index ? text : "*")).join(" "));
  const wrong = given.findIndex((text, index) => !reads(text, index));
  const part = parts[wrong];
  const whole = given[wrong];
  if (part === undefined || whole === undefined) return `${quote(expression)} cannot be read as a cron expression`;
  const pieces = whole.split(",");
  // Of a list, the value that is wrong by itself; otherwise the values cannot stand together.
  const piece = pieces.find((each) => each !== "" && !reads(each, wrong)) ?? whole;
  return `${part.name} ${quote(piece)} cannot be read: wants ${part.wants}, ${FORMS}`;
}
