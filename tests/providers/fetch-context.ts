/** A FetchContext that grants everything at once and records all calls. */

import { describeWait } from "../../src/domain/runs/progress.ts";
import type { FetchContext, QuotaReport } from "../../src/providers/provider.ts";

export interface RecordingContext extends FetchContext {
  readonly costs: number[];
  readonly reports: QuotaReport[];
  /** As micro-stages. */
  readonly waits: string[];
  readonly logs: string[];
}

export function recordingContext(signal: AbortSignal = new AbortController().signal): RecordingContext {
  const costs: number[] = [];
  const reports: QuotaReport[] = [];
  const waits: string[] = [];
  const logs: string[] = [];
  return {
    signal,
    costs,
    reports,
    waits,
    logs,
    acquire: async (cost = 1) => {
      signal.throwIfAborted();
      costs.push(cost);
      return { settle: (report) => void reports.push(report) };
    },
    waiting: (wait) => void waits.push(describeWait(wait, Date.now())),
    log: (level, message) => void logs.push(`${level}: ${message}`),
  };
}
