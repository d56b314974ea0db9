/** The forms of a table, as their readers see them. */

import { tableFromIPC } from "apache-arrow";
import { readParquet } from "../../helpers/tables.ts";

export type Row = Record<string, number | string | null>;

const FORMAT_READERS = {
  async json(response: Response): Promise<Row[]> {
    return ((await response.json()) as { data: Row[] }).data;
  },
  async ndjson(response: Response): Promise<Row[]> {
    const lines = (await response.text()).split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Row);
  },
  async csv(response: Response): Promise<Row[]> {
    const [head, ...lines] = (await response.text()).trimEnd().split("\n");
    const names = head!.split(",");
    const cellOf = (name: string, text: string) =>
      name === "symbol" || name === "timestamp" ? text : text === "" ? null : Number(text);
    return lines.map((line) =>
      Object.fromEntries(line.split(",").map((text, k) => [names[k]!, cellOf(names[k]!, text)])),
    );
  },
  async parquet(response: Response): Promise<Row[]> {
    const rows = await readParquet(await response.arrayBuffer());
    return rows.map((row) => ({ ...row, timestamp: isoOf(row.timestamp as Date) }) as Row);
  },
  async arrow(response: Response): Promise<Row[]> {
    const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
    return table.toArray().map((row) => {
      const values = row.toJSON() as Row;
      return { ...values, timestamp: isoOf(new Date(Number(values.timestamp))) };
    });
  },
};

const isoOf = (date: Date) => `${date.toISOString().slice(0, -5)}Z`;

export type Format = keyof typeof FORMAT_READERS;
export const FORMATS = Object.keys(FORMAT_READERS) as Format[];

/** The rows of an answer with status 200. */
export async function readTable(response: Response, format: Format): Promise<Row[]> {
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return FORMAT_READERS[format](response);
}

/**
 * Columns of a Parquet file as polars reads them by its address, times as epoch milliseconds. In a process of its own:
 * here it would hold a thread that the server needs for its answer.
 */
export async function polarsRows(url: string, columns: readonly string[]): Promise<unknown[][]> {
  const script = `import pl from "nodejs-polars";
const columns = ${JSON.stringify(columns)};
const frame = await pl.scanParquet(${JSON.stringify(url)}).select(...columns).collect();
const valueOf = (value) => (value instanceof Date ? value.getTime() : value);
console.log(JSON.stringify(frame.toRecords().map((row) => columns.map((name) => valueOf(row[name])))));`;
  const child = Bun.spawn([process.execPath, "-e", script], { cwd: `${import.meta.dir}/../../..`, stderr: "inherit" });
  return JSON.parse(await child.stdout.text()) as unknown[][];
}
