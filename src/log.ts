/** The log: to stderr, to viewers through the hub, and to the database through `save`. */

import { messageOf, onOneLine, withoutPaths } from "./domain/errors.ts";
import { LOG_LEVELS, type LogFormat, type LogLevel, type LogLine, printedLine } from "./domain/log.ts";
import type { ProgressHub } from "./hub.ts";

export interface Log {
  /** What is below it is dropped; nothing is unless given. */
  readonly level?: LogLevel;
  /**
   * @param detail is only printed, as a path or an address that is for admins: pages show the stored line to every reader.
   * Paths that errors of the system quote are taken out of the stored line in any case
   */
  write(level: LogLevel, message: string, runId?: string | null, symbol?: string | null, detail?: string): void;
}

/**
 * A log that drops what is below `level`, prints the rest to stderr and passes it to the hub and to `save`.
 * `redact` is applied to every message first; then
 * each becomes one line without control characters, because a part of it may come from anybody.
 */
export function createLog(options: {
  level: LogLevel;
  format?: LogFormat;
  hub: ProgressHub;
  save?: (line: LogLine) => void;
  redact?: (message: string) => string;
  print?: (text: string) => void;
}): Log {
  const threshold = LOG_LEVELS.indexOf(options.level);
  const print = options.print ?? printLine;
  const printSoon = options.print ?? printLater;
  const redact = options.redact ?? ((message) => message);
  const clean = (message: string) => onOneLine(redact(message));
  return {
    level: options.level,
    write(level, message, runId = null, symbol = null, detail) {
      if (LOG_LEVELS.indexOf(level) < threshold) return;
      const line = options.hub.log({ at: Date.now(), level, runId, symbol, message: clean(withoutPaths(message)) });
      options.save?.(line);
      const whole = clean(detail === undefined ? message : `${message} (${detail})`);
      const text = printedLine(options.format ?? "text", { ...line, message: whole });
      // What explains an end of the process must be printed before it.
      if (level === "warn" || level === "error") print(text);
      else printSoon(text);
    },
  };
}

/** Lines that are printed together at the end of this turn of the event loop: each write is a call of the system. */
let unprinted = "";

function printAll(): void {
  const text = unprinted;
  unprinted = "";
  if (text !== "") writeStderr(text);
}

let isWatched = false;

/**
 * Writes to stderr. What cannot be written is lost: without a listener, a full disk below a log file or a reader that has
 * gone would end the process.
 */
export function writeStderr(text: string): void {
  if (!isWatched) process.stderr.on("error", () => {});
  isWatched = true;
  process.stderr.write(text);
}

function printLater(line: string): void {
  if (unprinted === "") setImmediate(printAll);
  unprinted += `${line}\n`;
}

function printLine(line: string): void {
  unprinted += `${line}\n`;
  printAll();
}

// There is no end of the turn in which the process is ended.
process.on("exit", printAll);

/** Prints what is said before the log is open: as it is, or as a line of the JSON log. */
export function plainPrinter(format: LogFormat, print: (text: string) => void = printLine): (text: string) => void {
  if (format === "text") return print;
  return (message) => print(printedLine(format, { at: Date.now(), level: "info", message, runId: null, symbol: null }));
}

/** Reports a failed write to stderr only: the log could not be written either. */
export function reportError(error: unknown): void {
  printLine(`cannot write to the database: ${onOneLine(messageOf(error))}`);
}
