/**
 * Writes the table of a Parquet file again with DuckDB's `COPY` and with polars, in a process of its own, and prints what
 * that cost as JSON: only the writing is timed, from a table in memory. Arguments: the file, the folder to write to.
 */

import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import pl from "nodejs-polars";
import { median } from "./report.ts";

interface PeerCost {
  readonly seconds: number;
  readonly bytes: number;
}
export type PeerCosts = Readonly<Record<"DuckDB" | "polars", PeerCost>>;

const ROUNDS = 3;
/** Rows of a row group, as in Barkeep's files. */
const GROUP = 122_880;

const [file, folder] = process.argv.slice(2) as [string, string];

async function cost(path: string, write: () => unknown): Promise<PeerCost> {
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await write();
    seconds.push((performance.now() - start) / 1000);
  }
  return { seconds: median(seconds), bytes: Bun.file(path).size };
}

const connection = await (await DuckDBInstance.create(":memory:")).connect();
await connection.run(`CREATE TABLE rows AS SELECT * FROM read_parquet('${file}')`);
const duck = join(folder, "duckdb.parquet");
const DuckDB = await cost(duck, () =>
  connection.run(`COPY rows TO '${duck}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${GROUP})`),
);
connection.closeSync();
const frame = pl.readParquet(file);
const other = join(folder, "polars.parquet");
const polars = await cost(other, () => frame.writeParquet(other, { compression: "zstd" }));
console.log(JSON.stringify({ DuckDB, polars } satisfies PeerCosts));
