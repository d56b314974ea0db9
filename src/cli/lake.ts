/** `barkeep lake sync` and `barkeep lake check`. */

import type { Config } from "../config.ts";
import type { CheckResult } from "../pipeline/lake/check-lake.ts";
import type { SyncResult } from "../pipeline/lake/sync-lake.ts";
import type { ApiClient } from "./api-client.ts";
import { type Common, readerFor, terminal } from "./commands.ts";
import { EXIT } from "./exit-codes.ts";
import { linesOf, progressBar } from "./follow.ts";
import { print } from "./terminal.ts";

type Line<T> = { readonly done: number; readonly total: number } | { readonly result: T } | { readonly error: string };

/** The result of a task of the lake; its progress is shown on a terminal. @throws Error if it failed */
async function taskOf<T>(client: ApiClient, path: string, unit: string, { json = false }: Common): Promise<T> {
  const output = json || !terminal().isTerminal ? null : terminal();
  const response = await client.request(path, { method: "POST" });
  let isDrawn = false;
  try {
    for await (const text of linesOf(response.body!)) {
      const line = JSON.parse(text) as Line<T>;
      if ("result" in line) return line.result;
      if ("error" in line) throw new Error(line.error);
      const { done, total } = line;
      isDrawn = output !== null;
      output?.write(`\r\x1b[K${progressBar((done / Math.max(1, total)) * 100)}  ${done} of ${total} ${unit}`);
    }
  } finally {
    if (isDrawn) output?.write("\r\x1b[K");
  }
  throw new Error("The server ended before the lake was done");
}

/** Rebuilds the whole lake. */
export async function lakeSyncCommand(config: Config, options: Common): Promise<number> {
  await using client = await readerFor(config, options);
  const { written, removed } = await taskOf<SyncResult>(client, "/api/lake/sync", "series", options);
  console.log(
    options.json
      ? JSON.stringify({ written, removed })
      : `${written} years of bars and features written, ${removed} files deleted`,
  );
  return EXIT.done;
}

/** Compares the lake with its manifest and with the store; fails if something differs. */
export async function lakeCheckCommand(config: Config, options: Common): Promise<number> {
  await using client = await readerFor(config, options);
  const result = await taskOf<CheckResult>(client, "/api/lake/check", "files and series", options);
  if (options.json) console.log(JSON.stringify(result));
  else for (const line of reportOf(result)) print(line);
  return result.count === 0 ? EXIT.done : EXIT.failed;
}

function reportOf({ files, rows, pending, count, differences }: CheckResult): string[] {
  return [
    ...differences.map(({ path, what }) => `${path}: ${what}`),
    ...(count > differences.length ? [`and ${count - differences.length} more`] : []),
    `${files} files with ${rows.toLocaleString("en-US")} compared bars: ${count === 0 ? "nothing differs" : `${count} differ`}`,
    ...(pending === 0 ? [] : [`${pending} changed years wait to be written and were not compared with the store`]),
    ...(count === 0 ? [] : ["Rebuild the lake with: barkeep lake sync"]),
  ];
}
