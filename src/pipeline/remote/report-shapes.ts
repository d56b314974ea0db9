/** The shapes of what threads on other machines report of their jobs (`FromWorker`). */

import { z } from "zod";
import { PROVIDER_ERROR_KINDS, TROUBLE_KINDS } from "../../domain/errors.ts";
import { LOG_LEVELS } from "../../domain/log.ts";
import { FEATURE_COUNT } from "../../features/catalog.ts";
import type { BulkAnswer, QuotaReport } from "../../providers/provider.ts";
import type { FromWorker, SharedValue } from "../messages.ts";
import { action, count, cut, id, name, text } from "./shapes.ts";

const kind = z.enum(PROVIDER_ERROR_KINDS);
const line = text;

const wait = z.discriminatedUnion("cause", [
  z.strictObject({ cause: z.enum(["rate", "quota", "hold"]), until: z.number() }),
  z.strictObject({
    cause: z.literal("retry"),
    until: z.number(),
    attempt: count,
    of: count,
    reason: line,
  }),
]);

const features = z.int().min(0).max(FEATURE_COUNT);

/** A worker says nothing of stages that only the server decides. */
const stage = z.discriminatedUnion("stage", [
  z.strictObject({ stage: z.literal("fetch"), done: count, total: count }),
  z.strictObject({ stage: z.literal("engineer"), done: features, total: features, first: features.exactOptional() }),
  z.strictObject({ stage: z.literal("create") }),
  z.strictObject({ stage: z.literal("store") }),
  z.strictObject({ stage: z.literal("waiting"), wait }),
]);

const coverage = z.strictObject({ cells: z.string().max(64), total: count, answered: count, failed: count });

const periods = z.strictObject({
  minute: z.number().exactOptional(),
  hour: z.number().exactOptional(),
  day: z.number().exactOptional(),
  month: z.number().exactOptional(),
});
/** Of a used-up period a vendor may say that all of it is. */
const used = z.record(z.enum(["minute", "hour", "day", "month"]), z.number().or(z.literal(Number.POSITIVE_INFINITY)));

const quota: z.ZodType<QuotaReport> = z.strictObject({
  charged: z.number().nonnegative().exactOptional(),
  used: used.exactOptional(),
  limits: periods.exactOptional(),
  holdSeconds: z.number().nonnegative().exactOptional(),
  reason: line.exactOptional(),
  accepted: z.boolean().exactOptional(),
  ended: z
    .strictObject({ code: z.string().max(40), seconds: z.number().nonnegative(), isRetry: z.boolean() })
    .exactOptional(),
});

const error = z
  .strictObject({ kind, message: line, retryAfter: z.number().optional() })
  .transform(({ retryAfter, ...rest }) => ({ ...rest, retryAfter }));
const rejected = z.strictObject({ where: text, reason: text, raw: text, isReported: z.boolean().exactOptional() });
const bulkAnswer: z.ZodType<BulkAnswer> = z.strictObject({
  rows: z.array(z.array(z.number().or(z.nan())).max(6)),
  rejected: z.array(rejected),
  actions: z.array(action),
});
const sharedValue: z.ZodType<SharedValue> = z.union([
  z.literal("failed"),
  z.strictObject({ from: z.number(), to: z.number(), keys: z.array(text), symbols: z.array(name) }),
  bulkAnswer,
]);

const fault = z.strictObject({ kind: z.enum(TROUBLE_KINDS), what: line, advice: line, canPass: z.boolean() });
const counters = z.strictObject({ dataPoints: count, apiCalls: count });
const outcome = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("done"),
    seconds: z.number().nonnegative(),
    dataPoints: count,
    apiCalls: count,
    gaps: count,
  }),
  z.strictObject({ kind: z.literal("stopped"), reason: z.enum(["pause", "cancel", "skip", "shutdown"]) }),
  z.strictObject({ kind: z.literal("lost") }),
  z.strictObject({ kind: z.literal("held"), fault }),
  z.strictObject({ kind: z.literal("parked"), wait, reason: line, counters }),
  z.strictObject({
    kind: z.literal("failed"),
    reason: line,
    error: kind.exactOptional(),
    counters: counters.exactOptional(),
  }),
]);

const ofJob = { jobId: id, attempt: z.string().max(200) };
const request = z.int().positive();
const share = z.int().positive();
/** Permits that are leased ahead at once, at most. */
const MAX_LEASED = 16;
const block = z.int().min(1).max(MAX_LEASED);

export const workerReport = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ready") }),
  z.strictObject({ ...ofJob, type: z.literal("stage"), stage, dataPoints: count, apiCalls: count }),
  z.strictObject({ ...ofJob, type: z.literal("coverage"), coverage }),
  z.strictObject({ ...ofJob, type: z.literal("left_out"), cuts: z.array(cut).max(1_000) }),
  z.strictObject({ ...ofJob, type: z.literal("acquire"), request, provider: name, cost: z.number().positive() }),
  z.strictObject({
    ...ofJob,
    type: z.literal("lease"),
    request,
    count: block,
    provider: name,
    cost: z.number().positive(),
  }),
  z.strictObject({ ...ofJob, type: z.literal("use"), request }),
  z.strictObject({ ...ofJob, type: z.literal("unused"), requests: z.array(request).max(MAX_LEASED) }),
  z.strictObject({ ...ofJob, type: z.literal("release"), request }),
  z.strictObject({ ...ofJob, type: z.literal("settle"), request, report: quota }),
  z.strictObject({ ...ofJob, type: z.literal("share"), share, key: text, part: name }),
  z.strictObject({ ...ofJob, type: z.literal("share_made"), share, parts: z.map(name, sharedValue) }),
  z.strictObject({ ...ofJob, type: z.literal("share_failed"), share, error }),
  z.strictObject({ ...ofJob, type: z.literal("share_left"), share }),
  z.strictObject({ ...ofJob, type: z.literal("alert") }),
  z.strictObject({ ...ofJob, type: z.literal("committing"), isCommitting: z.boolean() }),
  z.strictObject({ ...ofJob, type: z.literal("log"), level: z.enum(LOG_LEVELS), message: z.string().max(20_000) }),
  z.strictObject({ ...ofJob, type: z.literal("outcome"), outcome }),
]) satisfies z.ZodType<FromWorker>;
