/** The shapes of what a worker sends: everything is checked before it is used. */

import { z } from "zod";
import { FINDING_KINDS } from "../../domain/market/anomalies/scale-changes.ts";
import { BAR_FIELDS, type BarColumns } from "../../domain/market/bars.ts";
import { ACTION_KINDS } from "../../domain/market/corporate-actions.ts";
import { GAP_KINDS } from "../../domain/market/holes.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import { PLAN_FACT_KINDS } from "../../domain/plan.ts";
import { TIMED_STAGES } from "../../domain/runs/stage-times.ts";

/** Longest text of a message, characters. */
const MAX_TEXT = 4_000;

export const text = z.string().max(MAX_TEXT);
/** Names: of symbols, providers, runs. */
export const name = z.string().max(200);
export const id = z.int().positive();
export const count = z.int().nonnegative();
/** Epoch seconds. */
export const moment = z.number();
export const interval = z.enum(INTERVALS);

const isColumn = (value: unknown, length: number) => value instanceof Float64Array && value.length === length;

/** Ascending times, and columns of the same length. */
function areBars(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== BAR_FIELDS.length) return false;
  const { ts } = value as Partial<BarColumns>;
  if (!(ts instanceof Float64Array)) return false;
  const columns = value as Readonly<Record<string, unknown>>;
  if (!BAR_FIELDS.every((field) => isColumn(columns[field], ts.length))) return false;
  return ts.every((time, at) => Number.isSafeInteger(time) && (at === 0 || time > ts[at - 1]!));
}

export const bars = z.custom<BarColumns>(areBars, { error: "wants bars" });
export const bytes = z.instanceof(Uint8Array);
/** Half open, epoch seconds. */
export const window = z.object({ from: moment, to: moment });
export const times = z.tuple([moment, moment]);
export const cut = z.strictObject({ from: moment, to: moment, words: text });

export const session = z.strictObject({
  date: moment,
  open: moment,
  close: moment,
  early: z.boolean(),
  lunch: window.exactOptional(),
});

export const action = z.strictObject({
  kind: z.enum(ACTION_KINDS),
  date: moment,
  value: z.number(),
  currency: z.string().max(12).nullable().exactOptional(),
  seenAt: z.number().exactOptional(),
});

export const finding = z.strictObject({
  kind: z.enum(FINDING_KINDS),
  date: moment,
  ratio: z.number().nullable(),
  jumpDate: moment.nullable(),
  seenAt: z.number().exactOptional(),
});

export const gap = z.strictObject({
  date: moment,
  kind: z.enum(GAP_KINDS),
  rows: count,
  hours: times.nullable(),
  holes: z.array(times),
});

export const planFact = z.strictObject({
  kind: z.enum(PLAN_FACT_KINDS),
  scope: name,
  value: z.number(),
  words: text,
  seenAt: z.number(),
});

const about = { at: z.number(), symbol: name, interval, provider: name, from: moment, to: moment };

/** The alert events that a job may record. */
export const event = z.discriminatedUnion("kind", [
  z.strictObject({
    ...about,
    kind: z.literal("revision_found"),
    what: z.enum(["split", "dividend", "correction", "suspicious", "scale"]),
    bars: count,
    detail: text,
  }),
  z.strictObject({ ...about, kind: z.literal("gap_found"), missing: text }),
]);

export const workTime = z.strictObject({
  apiCalls: count,
  fetchMs: z.number().nonnegative(),
  stageMs: z.partialRecord(z.enum(TIMED_STAGES), z.number()),
});

export const finishedJob = z.strictObject({
  jobId: id,
  seconds: z.number().nonnegative(),
  workedMs: z.number().nonnegative(),
  dataPoints: count,
  apiCalls: count,
  gaps: count,
});
