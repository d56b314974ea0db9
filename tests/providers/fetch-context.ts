/** A FetchContext that grants everything at once and records all calls. */

import { describeWait } from "../../src/domain/runs/progress.ts";
import type { FetchContext, QuotaReport, RequestEnd } from "../../src/providers/provider.ts";

export interface RecordingContext extends FetchContext {
  readonly costs: number[];
  /** Without `ended`. */
  readonly reports: QuotaReport[];
  readonly ends: RequestEnd[];
  /** As micro-stages. */
  readonly waits: string[];
  readonly logs: string[];
}

export function recordingContext(signal: AbortSignal = new AbortController().signal): RecordingContext {
  const costs: number[] = [];
  const reports: QuotaReport[] = [];
  const ends: RequestEnd[] = [];
  const waits: string[] = [];
  const logs: string[] = [];
  return {
    signal,
    costs,
    reports,
    ends,
    waits,
    logs,
    acquire: async (cost = 1) => {
      signal.throwIfAborted();
      costs.push(cost);
      return {
        settle({ ended, ...report }) {
          reports.push(report);
          if (ended) ends.push(ended);
        },
      };
    },
    waiting: (wait) => void waits.push(describeWait(wait, Date.now())),
    log: (level, message) => void logs.push(`${level}: ${message}`),
  };
}
