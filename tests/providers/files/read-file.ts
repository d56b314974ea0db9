/** Reads the text or bytes of one file as the provider does. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BAR_FIELDS } from "../../../src/domain/market/bars.ts";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { isoSecond } from "../../../src/domain/time.ts";
import { createFilesProvider } from "../../../src/providers/files/files-provider.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { recordingContext } from "../fetch-context.ts";

const at = (date: string) => Date.parse(`${date}T00:00:00Z`) / 1_000;

interface Read {
  /** `2024-01-02T00:00:00Z 1 2 0.5 1.5 10` */
  readonly bars: string[];
  /** `3: reason` */
  readonly rejected: string[];
  readonly logs: string[];
}

export async function readFile(
  name: string,
  content: string | Uint8Array,
  { symbol = "AAPL", interval = "1d" }: { symbol?: string; interval?: Interval } = {},
): Promise<Read> {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, name), content);
  const context = recordingContext();
  const window = { symbol, interval, from: at("1990-01-01"), to: at("2040-01-01"), asOf: at("2040-01-01") };
  const { bars, rejected } = await createFilesProvider({ directory: folder.path }).fetchBars(window, context);
  return {
    bars: [...bars.ts].map((ts, row) =>
      [isoSecond(ts), ...BAR_FIELDS.slice(1).map((field) => bars[field][row])].join(" "),
    ),
    rejected: rejected.map(({ where, reason }) => `${where.slice(name.length + 1)}: ${reason}`),
    logs: context.logs.map((line) => line.replace("warn: ", "")),
  };
}

/** The message with which a file is refused. */
export const refusalOf = (...args: Parameters<typeof readFile>): Promise<string> =>
  readFile(...args).then(
    ({ bars }) => `read: ${bars.join("; ")}`,
    (error) => `${error.kind}: ${error.message}`,
  );
