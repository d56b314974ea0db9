/** Lines of the log, as storage, pages and the API use them. */

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How lines are printed: for people, or one JSON object each for programs that collect logs. */
export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

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

/** A line as it is printed; what belongs to no run or symbol has no such field. */
export function printedLine(format: LogFormat, { at, level, message, runId, symbol }: Omit<LogLine, "id">): string {
  const time = new Date(at).toISOString();
  if (format === "text") return `${time} ${level.padEnd(5)} ${message}`;
  return JSON.stringify({
    time,
    level,
    message,
    ...(runId === null ? {} : { run_id: runId }),
    ...(symbol === null ? {} : { symbol }),
  });
}
