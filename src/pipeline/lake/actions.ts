/** Splits and dividends of the lake: a file a provider, or several of one with very many symbols. */

import { version } from "../../../package.json";
import { ACTION_KINDS } from "../../domain/market/corporate-actions.ts";
import { chunks, type Database } from "../../storage/db.ts";
import { actionDimensions, actionPages } from "../../storage/market/corporate-actions.ts";
import { encodeParquet } from "../exports/parquet/encode-parquet.ts";
import type { TableBlock, TableHead } from "../exports/table-block.ts";
import { isoOf, type LakeFile } from "./manifest.ts";
import type { LakeStorage, StagedFile } from "./storage.ts";

/** The most symbols of a file: rows have the place of their symbol in 16 bits. */
const FILE_SYMBOLS = 65_536;

interface ActionTable {
  readonly provider: string;
  readonly head: TableHead;
  blocks(): AsyncGenerator<TableBlock>;
  /** What the manifest says of the rows, when all blocks were read. */
  facts(): Pick<LakeFile, "rows" | "min_timestamp" | "max_timestamp" | "content_sha256">;
}

/** The actions that count, a table a provider and `fileSymbols` symbols. */
export async function actionTables(db: Database, fileSymbols = FILE_SYMBOLS): Promise<ActionTable[]> {
  const tables = (await actionDimensions(db)).flatMap(({ symbols, ...provider }) =>
    [...chunks(symbols, fileSymbols)].map((part) => ({ ...provider, symbols: part })),
  );
  return tables.map(({ provider, symbols, currencies }) => {
    const hash = new Bun.CryptoHasher("sha256");
    let [rows, first, last] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const placeOf = new Map(symbols.map((symbol, place) => [symbol, place]));
    const blocks = async function* (): AsyncGenerator<TableBlock> {
      for await (const page of actionPages(db, provider)) {
        // One that came after the lists were read: the change is recorded, and all is written again.
        const known = page.filter(({ symbol, currency }) => placeOf.has(symbol) && currencies.includes(currency ?? ""));
        for (const { symbol, kind, date, value, currency } of known) {
          hash.update(`${JSON.stringify([symbol, kind, date, value, currency])}\n`);
          first = Math.min(first, date);
          last = Math.max(last, date);
        }
        rows += known.length;
        yield {
          ts: Float64Array.from(known, ({ date }) => date),
          columns: [Float64Array.from(known, ({ value }) => value)],
          symbols: Uint16Array.from(known, ({ symbol }) => placeOf.get(symbol)!),
          texts: [
            Uint16Array.from(known, ({ kind }) => ACTION_KINDS.indexOf(kind)),
            Uint16Array.from(known, ({ currency }) => currencies.indexOf(currency ?? "")),
          ],
        };
      }
    };
    return {
      provider,
      head: {
        names: ["value"],
        symbols,
        dtype: "float64",
        timeName: "date",
        texts: [
          { name: "kind", values: ACTION_KINDS },
          { name: "currency", values: currencies },
        ],
        metadata: { "barkeep.version": version, "barkeep.provider": provider },
      },
      blocks,
      facts: () => ({
        rows,
        min_timestamp: isoOf(first),
        max_timestamp: isoOf(last),
        content_sha256: hash.digest("hex"),
      }),
    };
  });
}

export type StagedActions = ReturnType<ActionTable["facts"]> & {
  readonly provider: string;
  readonly staged: StagedFile;
};

/** Writes all of them to files without a place. */
export async function stageActions(db: Database, lake: LakeStorage, fileSymbols?: number): Promise<StagedActions[]> {
  const all: StagedActions[] = [];
  for (const { provider, head, blocks, facts } of await actionTables(db, fileSymbols)) {
    const staged = await lake.stage(encodeParquet(head, blocks()));
    all.push({ provider, staged, ...facts() });
  }
  return all;
}
