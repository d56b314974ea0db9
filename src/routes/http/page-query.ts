/** Parameters in the addresses of pages: an empty one counts as not given, and one that cannot be read is refused. */

import type { Context } from "hono";
import { invalid, quote } from "../../domain/errors.ts";
import { isInOrder, NOT_IN_ORDER, parseIsoMoment } from "../../domain/time.ts";

/** @throws Refusal if `read` gives nothing for a text that is not empty */
function parameter<Value>(c: Context, name: string, read: (text: string) => Value | null | undefined, wants: string) {
  const text = (c.req.query(name) ?? "").trim();
  if (text === "") return undefined;
  const value = read(text);
  if (value == null) throw invalid(name, `${quote(text.slice(0, 40))} is not ${wants}`);
  return value;
}

/** One of `values`, or `undefined`. @throws Refusal */
export const chosen = <const Value extends string | number>(c: Context, name: string, values: readonly Value[]) =>
  parameter(c, name, (text) => values.find((each) => String(each) === text), `one of ${values.join(", ")}`);

/** Epoch seconds, or `undefined`. @throws Refusal */
const momentIn = (c: Context, name: string) =>
  parameter(
    c,
    name,
    (text) => (Number.isNaN(parseIsoMoment(text)) ? null : parseIsoMoment(text)),
    "a date or time: wants 2024-01-31 or 2024-01-31T14:30:00Z",
  );

/** `from` and `to`, each of which may be left out. @throws Refusal, also if they are not in order */
export function rangeIn(c: Context) {
  const range = { from: momentIn(c, "from"), to: momentIn(c, "to") };
  if (!isInOrder(range)) throw invalid("to", NOT_IN_ORDER);
  return range;
}

/** A month as `read` gives it, or `undefined`. @throws Refusal */
export const monthIn = (c: Context, name: string, read: (text: string) => number | null) =>
  parameter(c, name, read, "a month: wants 2026-03");

/** The id of a row, or `undefined`. @throws Refusal */
export const idIn = (c: Context, name: string) =>
  parameter(c, name, (text) => (/^\d{1,15}$/.test(text) ? Number(text) : null), "the id of a row");
