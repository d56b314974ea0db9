/** Lines of the log, as storage, pages and the API use them. */

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogLine {
  /** Increases as long as the server runs. */
  readonly id: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly level: LogLevel;
  readonly runId: string | null;
  readonly symbol: string | null;
  readonly message: string;
}

/** Whether a line or its level contains `text`, ignoring case: `warn` finds warnings. */
export const lineContains = (text: string, { level, message }: LogLine): boolean =>
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
