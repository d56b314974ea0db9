/** A request to the limiter while it waits, and the permit that it gets. */

import type { Wait } from "../../domain/runs/progress.ts";
import type { Permit } from "../provider.ts";
import type { ClockedPeriod, PeriodStarts, SlidingMinute, Slot } from "./meters.ts";
import type { QuotaRow } from "./quota-state.ts";

/** One request that waits for its permit. */
export interface QuotaRequest {
  readonly provider: string;
  readonly run: string;
  readonly job: string;
  /** Weighted units, at least 1. */
  readonly cost: number;
  /** Takes the request out of the queue when aborted. */
  readonly signal?: AbortSignal;
  /** Longest wait for a spent period or a hold, seconds; beyond that the request is refused and its job parked. */
  readonly maxWait?: number;
  /** Called when the request has to wait, and when that changes by a whole second; `reason` is one line. */
  readonly onWait?: (wait: Wait, reason: string) => void;
}

/** A request that is counted. */
export type SentRequest = Pick<QuotaRequest, "provider" | "run" | "job" | "cost">;

export interface AccountHooks {
  /** Stores rows, and which requests they count, before these are sent. */
  readonly persist?: (rows: readonly QuotaRow[], granted: readonly SentRequest[]) => void | Promise<void>;
  /** A request that was stored, the same object, is not sent. */
  readonly unsent?: (request: SentRequest) => void;
  readonly onChange?: () => void;
}

/** A request in the queue of an account. */
export interface Waiting extends QuotaRequest {
  readonly resolve: (permit: Permit) => void;
  readonly reject: (reason: unknown) => void;
  readonly stop: () => void;
  /** The expected end that was last reported, epoch milliseconds. */
  reported: number;
}

/** Some requests of a job that are granted before they are needed. */
export interface LeaseRequest extends Pick<QuotaRequest, "provider" | "run" | "job" | "cost"> {
  readonly count: number;
}

/** A permit that was leased ahead. */
export interface LeasedPermit extends Permit {
  /** It was not and will not be used. */
  unsent(): void;
}

/** Why a request cannot be sent now. A `quota` block may let cheaper requests pass; the others block all. */
export interface Block {
  readonly cause: "hold" | "rate" | "quota";
  /** Steady milliseconds. */
  readonly until: number;
  readonly reason: string;
}

/** The internal state of a permit. */
export interface Grant {
  readonly cost: number;
  readonly run: string;
  /** Steady milliseconds. */
  at: number;
  readonly slots: readonly { readonly minute: SlidingMinute; readonly slot: Slot }[];
  readonly starts: readonly { period: ClockedPeriod; starts: PeriodStarts }[];
  /** Whether it was leased before its request: how long it waited says nothing of the provider. */
  readonly isAhead: boolean;
  answered: boolean;
  charged: number;
}
