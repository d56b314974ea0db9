/** What a worker on another machine and its server say to each other, beside the job store. */

import { z } from "zod";
import { hasControlCharacters } from "../../domain/errors.ts";
import { QUEUE_STATES } from "../../domain/hosts/host-state.ts";
import type { CalendarOverrides } from "../../domain/market/session-exceptions.ts";
import { cleanName } from "../../schemas.ts";
import type { FromWorker, ToWorker } from "../messages.ts";
import { workerReport } from "./report-shapes.ts";
import { interval, name } from "./shapes.ts";

/** Threads of a worker, and jobs that it takes at once, at most. */
export const MAX_THREADS = 256;
export const MAX_JOBS = 1_024;

/** What a worker is called. */
export const hostName = name
  .overwrite(cleanName)
  .min(1)
  .refine((text) => !hasControlCharacters(text), { error: "wants a name without line breaks" });

/** What a worker says of itself when it comes. */
export const registration = z.strictObject({
  rules: z.record(z.string().max(40), z.number()),
  version: name,
  host: hostName,
  cores: z.int().min(1).max(100_000),
  /** Bytes. */
  memory: z.number().nonnegative(),
  /** Jobs at once. */
  jobs: z.int().min(1).max(MAX_JOBS),
  /** The providers and intervals of which it takes jobs; `null`: all. */
  providers: z.array(name).max(100).nullable(),
  intervals: z.array(interval).max(20).nullable(),
});
export type Registration = z.infer<typeof registration>;

export interface Registered {
  readonly session: string;
  /** The server takes the worker to be gone when it hears nothing for this long, milliseconds. */
  readonly leaseMs: number;
  /** How long a request for orders is held back, milliseconds. */
  readonly holdMs: number;
  readonly sessions: CalendarOverrides;
  /** The name of the job queue from which a worker may take keys; `null`: there is none outside the server. */
  readonly queue: string | null;
  /** What is in that queue alone; `null` without one. */
  readonly queueMark: string | null;
}

/** What a worker reports of one of its threads. */
export interface Report {
  readonly thread: number;
  readonly report:
    | { readonly type: "thread_started" }
    | { readonly type: "thread_ended"; readonly why: string }
    | FromWorker;
}
const report: z.ZodType<Report> = z.strictObject({
  thread: z.int().min(1),
  // By its type: a union would try each shape in turn, and most reports are of the last.
  report: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("thread_started") }),
    z.strictObject({ type: z.literal("thread_ended"), why: z.string().max(2_000) }),
    workerReport,
  ]),
});

export const syncRequest = z.strictObject({
  session: name,
  /** The number of the first report; they are numbered from 1. */
  first: z.int().min(1),
  reports: z.array(report).max(5_000),
  /** All orders up to this number have arrived. */
  ordered: z.int().nonnegative(),
  /** Whether the answer may wait until there is an order. */
  mayWait: z.boolean(),
  /** Bytes that the worker's process holds. */
  memory: z.number().nonnegative(),
  /** Whether the worker takes no more jobs: it ends when those that it has are over. */
  isLeaving: z.boolean(),
  /** Whether it can reach the job queue; `null`: it takes no keys from there. */
  queue: z.enum(QUEUE_STATES).nullable(),
});
export type SyncRequest = z.infer<typeof syncRequest>;

/** A key that a worker has taken from the job queue. */
export const claimRequest = z.strictObject({ session: name, key: z.string().max(1_000) });
export type ClaimRequest = z.infer<typeof claimRequest>;

export interface ClaimAnswer {
  /** Whether its job may be done here. If not, it is done elsewhere, was cancelled, or has begun before. */
  readonly isHere: boolean;
}

/** What the server wants of a thread, or of the worker as a whole. */
export interface Order {
  readonly number: number;
  readonly thread: number;
  readonly order: ToWorker | { readonly type: "leave" };
}

export interface SyncAnswer {
  /** All reports up to this number have arrived. */
  readonly received: number;
  /** The orders that have not arrived, as far as the server knows. */
  readonly orders: readonly Order[];
  /** Whether the worker may take keys from the job queue. */
  readonly mayTake: boolean;
}
