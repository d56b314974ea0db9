/** The lists of feature names, by their ids: they never change, so that each is read once per database. */

import type { Database } from "../db.ts";

export interface FeatureList {
  readonly names: readonly string[];
  /** Where each feature is among the values. */
  readonly places: ReadonlyMap<string, number>;
}

const known = new WeakMap<Database, Map<number, FeatureList>>();

/** A function from the ids in `ids` to their lists. */
export async function readFeatureLists(db: Database, ids: Iterable<number>): Promise<(id: number) => FeatureList> {
  const lists = known.get(db) ?? new Map<number, FeatureList>();
  known.set(db, lists);
  for (const id of ids) {
    if (lists.has(id)) continue;
    const [row] = await db.rows("SELECT names FROM feature_lists WHERE id = ?", [id]);
    const names: string[] = JSON.parse(row![0] as string);
    lists.set(id, { names, places: new Map(names.map((name, at) => [name, at])) });
  }
  return (id) => lists.get(id)!;
}
