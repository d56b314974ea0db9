/** The messages between the main thread and its workers: plain data only. */

import {
  messageOf,
  ProviderError,
  type ProviderErrorKind,
  type StorageFault,
  type StorageTrouble,
} from "../domain/errors.ts";
import type { LogLevel } from "../domain/log.ts";
import type { Interval } from "../domain/market/interval.ts";
import type { CalendarOverrides } from "../domain/market/session-exceptions.ts";
import type { PlanCut } from "../domain/plan.ts";
import type { Coverage } from "../domain/runs/coverage.ts";
import type { Stage, Wait } from "../domain/runs/progress.ts";
import type { FetchMode } from "../domain/runs/refetch.ts";
import type { Mode } from "../domain/runs/states.ts";
import type { BulkAnswer, QuotaReport } from "../providers/provider.ts";
import type { SharedDatabase } from "../storage/db.ts";

/** One symbol of a run, with everything a worker needs. */
export interface SymbolTask {
  readonly jobId: number;
  readonly runId: string;
  readonly symbol: string;
  readonly interval: Interval;
  readonly mode: Mode;
  readonly provider: string;
  /** Whether the whole history is fetched again and then replaces the stored one. */
  readonly rebuild: boolean;
  /** The provider from which a repair may fetch what `provider` does not have. */
  readonly repairProvider: string | null;
  readonly fetchMode: FetchMode;
  readonly batchDays: number;
  /** Half-open range of the run, epoch seconds. */
  readonly rangeFrom: number;
  readonly rangeTo: number;
  /** Whether the run names the first day of its range, instead of a number of years. */
  readonly dated: boolean;
  /** What counts as now (epoch seconds). */
  readonly asOf: number;
  /** The right of a worker on another machine to write for the job; absent on the server's own threads. */
  readonly attempt?: string;
}

/** Why a worker has to stop its job. */
export type StopReason = "pause" | "cancel" | "skip" | "shutdown";

/** How a job ended in the worker. Only unexpected errors are thrown. */
export type Outcome =
  | {
      readonly kind: "done";
      readonly seconds: number;
      readonly dataPoints: number;
      readonly apiCalls: number;
      /** Gaps in the series that are not confirmed. */
      readonly gaps: number;
    }
  | { readonly kind: "stopped"; readonly reason: StopReason }
  /** Another worker has the job, or nobody: this one could not write any more. */
  | { readonly kind: "lost" }
  /** The database is in trouble, which is no failure of the job. */
  | { readonly kind: "held"; readonly fault: StorageFault }
  /** The quota is spent: the job continues when the wait is over. */
  | { readonly kind: "parked"; readonly wait: Wait; readonly reason: string; readonly counters: CallCounters }
  /** If a provider failed, `error` is the kind of failure and `counters` the job's counts until then. */
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly error?: ProviderErrorKind;
      readonly counters?: CallCounters;
    };

/** The counts of a job that ended early. */
interface CallCounters {
  readonly dataPoints: number;
  readonly apiCalls: number;
}

/** The providers' variables, as they are sent to threads. */
export interface ProviderVariables {
  /** By name. */
  readonly providerValues: Readonly<Record<string, string | undefined>>;
  /** Those of them that are keys (`secretsOf`): they are redacted from all that a thread reports. */
  readonly secrets: readonly string[];
}

/** What a job needs besides its store. */
interface ProviderSettings extends ProviderVariables {
  /** Closures and short days on top of the built-in calendar. */
  readonly sessions: CalendarOverrides;
}

export interface WorkerSettings extends SharedDatabase, ProviderSettings {
  /** The server's lease, without which nothing is written. */
  readonly lease: string;
}

/** The server that has the database, for a thread on another machine. */
export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
}

/** The settings of a thread on another machine. */
export interface RemoteSettings extends ProviderSettings {
  readonly server: ServerAddress;
}

/** The limiter's answer to a thread: the request may be sent, or will not be granted in time. */
export type LimiterAnswer =
  | {
      readonly type: "granted";
      readonly request: number;
      /** Until when a worker on another machine may use it, epoch milliseconds of that machine, which sets it. */
      readonly until?: number;
    }
  | (PlainError & { readonly type: "refused"; readonly request: number });

/** Refuses a request with the error that the limiter threw. */
export const refused = (request: number, error: unknown): LimiterAnswer => ({
  type: "refused",
  request,
  ...plainError(error),
});

/** A provider's error as plain data. */
export interface PlainError {
  readonly kind: ProviderErrorKind;
  readonly message: string;
  readonly retryAfter: number | undefined;
}

/** An error as plain data; anything but a `ProviderError` may be over soon. */
export function plainError(error: unknown): PlainError {
  const [kind, retryAfter] =
    error instanceof ProviderError ? [error.kind, error.retryAfter] : ["transient" as const, undefined];
  return { kind, message: messageOf(error), retryAfter };
}

/** The reverse of `plainError`. */
export const providerError = ({ kind, message, retryAfter }: PlainError) =>
  new ProviderError(kind, message, retryAfter);

/** The bulk requests of a run: which of them answer for a symbol. */
export interface SharedPlan {
  /** The requested days, epoch seconds, half open. */
  readonly from: number;
  readonly to: number;
  /** The requests that answer for a symbol; of the plan as a whole, none. */
  readonly keys: readonly string[];
  /** All symbols, in the plan as a whole. */
  readonly symbols: readonly string[];
}

/** A part of an answer that the jobs of a run share. `failed`: there is none, each job requests its own. */
export type SharedValue = SharedPlan | BulkAnswer | "failed";

export type ToWorker =
  | { readonly type: "open"; readonly settings: WorkerSettings | RemoteSettings }
  | { readonly type: "task"; readonly task: SymbolTask; readonly hasOthers: boolean }
  | { readonly type: "stop"; readonly jobId: number; readonly reason: StopReason }
  | LimiterAnswer
  /** This job is to fetch the shared answer; or its part of it, or why there is none. */
  | { readonly type: "share_lead"; readonly share: number }
  | { readonly type: "share_answer"; readonly share: number; readonly value: SharedValue | undefined }
  | { readonly type: "share_refused"; readonly share: number; readonly error: PlainError }
  /** The limiter lets the request wait: why, and until when. */
  | { readonly type: "held"; readonly request: number; readonly wait: Wait }
  /** Permits that were asked for ahead: so many, numbered from `request`. */
  | { readonly type: "leased"; readonly attempt: string; readonly request: number; readonly count: number }
  /** The limiter holds a provider, or another request waits: permits that were leased ahead are not used any more. */
  | { readonly type: "recall"; readonly provider: string }
  /** The providers' variables changed; they apply from the next job on. */
  | ({ readonly type: "configure" } & ProviderVariables)
  /** The database can be written again: what waits for it is tried now. */
  | { readonly type: "storage_recovered" }
  | { readonly type: "close" };

/** What a worker reports of one of its jobs. */
export type JobReport =
  | { readonly type: "stage"; readonly stage: Stage; readonly dataPoints: number; readonly apiCalls: number }
  /** The state of the job's batches, shown with the next stage. */
  | { readonly type: "coverage"; readonly coverage: Coverage }
  /** What the plan of the provider has left out of the job so far. */
  | { readonly type: "left_out"; readonly cuts: readonly PlanCut[] }
  | { readonly type: "acquire"; readonly request: number; readonly provider: string; readonly cost: number }
  /** Asks for `count` permits ahead of requests, numbered from `request`: for so many as the limiter can spare. */
  | {
      readonly type: "lease";
      readonly request: number;
      readonly count: number;
      readonly provider: string;
      readonly cost: number;
    }
  /** A request is sent with a permit that was leased ahead. */
  | { readonly type: "use"; readonly request: number }
  /** Permits that were leased ahead are returned: nothing was or will be sent with them. */
  | { readonly type: "unused"; readonly requests: readonly number[] }
  /** The job was stopped before its request was granted or sent. */
  | { readonly type: "release"; readonly request: number }
  | { readonly type: "settle"; readonly request: number; readonly report: QuotaReport }
  /** Requests a part of what the run shares; `share` numbers this request. */
  | { readonly type: "share"; readonly share: number; readonly key: string; readonly part: string }
  | { readonly type: "share_made"; readonly share: number; readonly parts: ReadonlyMap<string, SharedValue> }
  | { readonly type: "share_failed"; readonly share: number; readonly error: PlainError }
  /** The job was stopped while it waited for it. */
  | { readonly type: "share_left"; readonly share: number }
  /** An event was recorded that may be mailed. */
  | { readonly type: "alert" }
  /** The job waits for a commit and for nothing else, or no longer. */
  | { readonly type: "committing"; readonly isCommitting: boolean }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string }
  | { readonly type: "outcome"; readonly outcome: Outcome };

export type FromWorker =
  | { readonly type: "ready" }
  /** Why the thread's writes wait; `null` when they continue. */
  | { readonly type: "storage"; readonly trouble: StorageTrouble | null }
  | (JobReport & { readonly jobId: number /** As in the task. */; readonly attempt?: string });
