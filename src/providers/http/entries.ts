/** Reads lists in which single elements may be odd: those are left out, and the rest is kept. */

import type { z } from "zod";
import { ProviderError } from "../../domain/errors.ts";
import type { FetchContext } from "../provider.ts";

/**
 * The elements of `list` that have the shape `entry`; the others are counted in the log.
 * @throws ProviderError if there are elements and none has it
 */
export function readEntries<Entry>(
  entry: z.ZodType<Entry>,
  list: readonly unknown[],
  what: string,
  { log }: Pick<FetchContext, "log">,
): Entry[] {
  const entries: Entry[] = [];
  let odd: string | null = null;
  for (const [index, element] of list.entries()) {
    const parsed = entry.safeParse(element);
    if (parsed.success) entries.push(parsed.data);
    else {
      const { path, message } = parsed.error.issues[0]!;
      odd ??= `${[index, ...path].join(".")}: ${message}`;
    }
  }
  if (odd === null) return entries;
  if (entries.length === 0) throw new ProviderError("invalid_response", `${what}: ${odd}`);
  log("warn", `${what}: ${list.length - entries.length} of ${list.length} entries left out, the first at ${odd}`);
  return entries;
}
