/** Names that people give: unique in their table whatever their case, and listed in alphabetical order. */

import { Refusal } from "../../domain/errors.ts";
import type { Database } from "./database.ts";
import { isUniqueViolation } from "./trouble.ts";

/** Equal for names that differ only in case; upper case comes first, so that ς and σ, ß and SS are the same. */
export const nameKey = (name: string): string => name.toUpperCase().toLowerCase().normalize("NFC");

const collator = new Intl.Collator("en", { numeric: true });

/** Sorts by name, as a reader expects it: `Äpfel` before `Birnen`. */
export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  collator.compare(a.name, b.name);

/** A row with a name that no other row of its table has, in whatever case. */
interface NamedRow {
  readonly table: "watchlists" | "schedules" | "promises" | "tokens" | "channels";
  readonly name: string;
  /** The row that gets the name, if it is not a new one. */
  readonly id?: number | string;
}

/** The last write of a name to each database: of two at once, the second must see the name of the first. */
const namings = new WeakMap<Database, Promise<unknown>>();

/**
 * Writes a row that has a unique name. SQLite compares only ASCII letters without case, so its index does not suffice.
 * @throws Refusal at `name` if there is already one with this name
 */
export function writeNamed<T>(db: Database, row: NamedRow, write: () => Promise<T>): Promise<T> {
  const written = (namings.get(db) ?? Promise.resolve()).then(async () => {
    if (await isTaken(db, row)) throw taken(row);
    return write().catch((error) => {
      throw isUniqueViolation(error) ? taken(row) : error;
    });
  });
  namings.set(
    db,
    written.catch(() => {}),
  );
  return written;
}

async function isTaken(db: Database, { table, name, id }: NamedRow): Promise<boolean> {
  const rows = await db.rows(`SELECT id, name FROM ${table}`, []);
  // A row keeps its own name even where an earlier version has stored another one that differs in case.
  if (rows.some(([each, stored]) => each === id && stored === name)) return false;
  return rows.some(([each, stored]) => each !== id && nameKey(String(stored)) === nameKey(name));
}

function taken({ table, name }: NamedRow): Refusal {
  const message = `There is already a ${table.slice(0, -1)} named ${name}`;
  return new Refusal("conflict", message, [{ path: "name", message }]);
}
