/** Lines of the log, as the store, the pages and the API see them. */

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogLine {
  /** Counts up over the life of the server process. */
  readonly id: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly level: LogLevel;
  readonly runId: string | null;
  readonly symbol: string | null;
  readonly message: string;
}

/** Whether a line contains `text`, in any case; its level counts, so that `warn` finds warnings. */
export const saysInLog = (text: string, { level, message }: LogLine): boolean =>
  `${level} ${message}`.toLowerCase().includes(text.toLowerCase());

/** A line of the log as the API writes it. */
export function logToWire(line: LogLine) {
  return {
    id: line.id,
    at: new Date(line.at).toISOString(),
    level: line.level,
    run_id: line.runId,
    symbol: line.symbol,
    message: line.message,
  };
}
