/** What a command that failed prints, and its exit code. */

import { CommanderError } from "commander";
import { ConfigError } from "../config/reader.ts";
import { describeError, type FieldError, messageOf, Refusal } from "../domain/errors.ts";
import { storageFault } from "../storage/connection/trouble.ts";
import { EXIT } from "./exit-codes.ts";

/** 2 if the command or its input is wrong, 1 for every other error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof Refusal && error.kind === "invalid") return EXIT.usage;
  return error instanceof Error && "status" in error && error.status === 422 ? EXIT.usage : EXIT.failed;
}

/**
 * The lines for a person; none where the command line has printed its own.
 * @param isOption whether the command has an option, such as `--years`
 */
export function faultLines(error: unknown, isOption: (flag: string) => boolean): string[] {
  if (error instanceof CommanderError) return [];
  if (error instanceof ConfigError) return error.message.split("\n");
  const fields = error instanceof Error && "errors" in error && Array.isArray(error.errors) ? error.errors : [];
  if (fields.length > 0) return fields.map((each: FieldError) => fieldLine(each, isOption));
  const message = messageOf(error);
  const advice = storageFault(error)?.advice;
  return advice === undefined || message.includes(advice) ? [message] : [message, advice];
}

/** A field of the API by what was typed for it: `batch_days` is `--batch-days`, and a symbol is named in its message. */
function fieldLine({ path, message }: FieldError, isOption: (flag: string) => boolean): string {
  if (/^symbols\.\d+$/.test(path)) return message;
  const flag = `--${path.replaceAll("_", "-")}`;
  return describeError({ path: isOption(flag) ? flag : path, message });
}
