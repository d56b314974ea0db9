/** A FetchContext that grants everything at once and remembers what it was asked. */

import type { FetchContext, QuotaReport } from "../../src/providers/provider.ts";

export interface RecordingContext extends FetchContext {
  readonly costs: number[];
  readonly reports: QuotaReport[];
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
    waiting: (reason) => void waits.push(reason),
    log: (level, message) => void logs.push(`${level}: ${message}`),
  };
}
