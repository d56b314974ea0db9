/** A quota as it is stored, and as the page shows it. */

import type { QuotaPeriod } from "../provider.ts";

/** What must survive a restart. In a `hold` row `startedAt` is the end of the hold, `used` how many seconds of it are left. */
export interface QuotaRow {
  /** Identifies provider and key without revealing the key. */
  readonly account: string;
  readonly period: QuotaPeriod | "hold";
  /** Epoch seconds: the start of the period; for the sliding minute the moment of its last request. */
  readonly startedAt: number;
  readonly used: number;
}

/** One limit as the page shows it. */
export interface QuotaGauge {
  readonly period: QuotaPeriod;
  readonly counts: "requests" | "units";
  readonly used: number;
  readonly limit: number;
  /** Epoch seconds of the reset; `null` for the minute, which slides. */
  readonly resetsAt: number | null;
}

/** A provider's quota as the page shows it. */
export interface QuotaState {
  readonly provider: string;
  readonly gauges: readonly QuotaGauge[];
  /** The current hold: its end (epoch seconds) and the reason. */
  readonly hold: { readonly until: number; readonly reason: string } | null;
  /** Requests that wait for a permit. */
  readonly waiting: number;
  /** Recent milliseconds from a permit to its answer; `null` before the first answer. */
  readonly latencyMs: number | null;
  /** Units that a request has cost recently. */
  readonly unitsPerRequest: number;
  /** Units spent by each run since the server started or midnight UTC, largest first. */
  readonly spenders: readonly { readonly run: string; readonly units: number }[];
}
