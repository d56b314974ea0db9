/** Queries that are built once per database, and whose rows are read without drizzle: it takes longer than a small query. */

import { Column, is, Placeholder, SQL } from "drizzle-orm";
import type { Database, Row } from "./database.ts";

/** A select that drizzle has prepared. */
interface DrizzleQuery<Found> {
  getQuery(): { readonly sql: string; readonly params: readonly unknown[] };
  all(values?: Record<string, unknown>): Promise<Found[]>;
}

/** A query whose placeholders are filled with `values`, by their names. */
interface PreparedQuery<Found> {
  all(values?: Readonly<Record<string, unknown>>): Promise<Found[]>;
  get(values?: Readonly<Record<string, unknown>>): Promise<Found | undefined>;
}

type Decode = (value: unknown) => unknown;

/** What drizzle knows of a column of the answer, which its types do not show. */
interface SelectedField {
  readonly path: readonly string[];
  readonly field: unknown;
}

/** @param build makes the query of one table's columns with `sql.placeholder` for what changes, and ends with `prepare()` */
export function prepared<Found>(build: (db: Database) => DrizzleQuery<Found>): (db: Database) => PreparedQuery<Found> {
  const built = new WeakMap<Database, PreparedQuery<Found>>();
  return (db) => built.getOrInsertComputed(db, () => compiled(db, build(db)));
}

function compiled<Found>(db: Database, query: DrizzleQuery<Found>): PreparedQuery<Found> {
  const { sql, params } = query.getQuery();
  const { fields } = query as unknown as { readonly fields: readonly SelectedField[] };
  const names = fields.map(({ path }) => {
    if (path.length !== 1) throw new Error(`a prepared query selects columns, not ${path.join(".")}`);
    return path[0]!;
  });
  const decoders = fields.map(({ field }) => decoderOf(field));
  const read = (row: Row): Found => {
    const found: Record<string, unknown> = {};
    for (let at = 0; at < names.length; at++) {
      const value = row[at];
      const decode = decoders[at];
      found[names[at]!] = value === null || decode === null || decode === undefined ? value : decode(value);
    }
    return found as Found;
  };
  const placeholders = params.map((param) => (is(param, Placeholder) ? param.name : null));
  const rows = (values: Readonly<Record<string, unknown>>) =>
    db.rows(
      sql,
      placeholders.map((name, at) => (name === null ? params[at] : values[name])),
    );
  return {
    all: async (values = {}) => (await rows(values)).map(read),
    async get(values = {}) {
      const [row] = await rows(values);
      return row === undefined ? undefined : read(row);
    },
  };
}

/** How the values of a column are turned into those of the program; `null` if they are the same. */
function decoderOf(field: unknown): Decode | null {
  if (is(field, Column)) {
    return field.mapFromDriverValue === Column.prototype.mapFromDriverValue
      ? null
      : (value) => field.mapFromDriverValue(value);
  }
  const text = is(field, SQL.Aliased) ? field.sql : field;
  if (!is(text, SQL)) throw new Error("a prepared query selects columns and expressions");
  const { decoder } = text as unknown as { readonly decoder: { mapFromDriverValue: Decode } };
  return (value) => decoder.mapFromDriverValue(value);
}
