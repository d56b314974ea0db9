/** Queries whose text is built once per database: building it takes longer than running a small query. */

import type { Database } from "./database.ts";

/** @param build makes the query with `sql.placeholder` for what changes, and ends with `prepare()` */
export function prepared<Query>(build: (db: Database) => Query): (db: Database) => Query {
  const built = new WeakMap<Database, Query>();
  return (db) => {
    let query = built.get(db);
    if (query === undefined) {
      query = build(db);
      built.set(db, query);
    }
    return query;
  };
}
