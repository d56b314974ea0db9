/** Brings a database to the newest form: its schema by migrations, then in batches what is too much for one of them. */

import { canonicalProvider } from "../domain/defaults.ts";
import { type Database, hasTable, migrateDatabase, type Row, type Statement } from "./db.ts";
import { profileStatements } from "./profiles/profiles.ts";

/** Rows moved in one transaction. */
const BATCH = 250;
/** Milliseconds between two reports. */
const REPORT_MS = 1_000;

/** Takes a line of progress. */
type Report = (line: string) => void;

/** Call it once, before workers open the database. What is interrupted goes on at the next call. */
export async function upgradeDatabase(db: Database, report?: Report): Promise<void> {
  await migrateDatabase(db);
  await moveOldRows(db, report);
}

/**
 * Moves the rows that migrations have left in old tables.
 * @param report is called at the end of each table, and every second while its rows are moved
 */
export async function moveOldRows(db: Database, report: Report = () => {}): Promise<void> {
  for (const table of OLD_TABLES) await moveRows(db, table, report);
}

/** A share class as migration 0014 spells it: BRK.B. */
const oneSpelling = (symbol: Row[number]) => String(symbol).replace(/-([A-Z])$/, ".$1");

interface OldTable {
  readonly name: string;
  /** What its rows are, for reports. */
  readonly what: string;
  readonly columns: string;
  /** What writes a row in its new form. */
  statements(row: Row): readonly Statement[];
}

/**
 * Left by migration 0013: features as JSON text become a list of names and a row of values, and the values for
 * sparklines are no longer stored.
 */
const OLD_TABLES: readonly OldTable[] = [
  {
    name: "old_profiles",
    what: "profiles",
    columns: `symbol, interval, series_id, provider, first_bar, last_bar, last_close, features, catalog_version,
backfill, updated_at`,
    statements: ([oldSymbol, interval, seriesId, provider, firstBar, lastBar, lastClose, ...rest]) => {
      const [features, catalogVersion, backfill, updatedAt] = rest as [string, string, string, number];
      const named = {
        symbol: oneSpelling(oldSymbol),
        interval,
        seriesId,
        provider: canonicalProvider(String(provider)),
      };
      const row = { ...named, firstBar, lastBar, lastClose, catalogVersion, updatedAt };
      const texts = { features: JSON.parse(features), backfill: JSON.parse(backfill) };
      return profileStatements({ ...row, ...texts } as Parameters<typeof profileStatements>[0]);
    },
  },
  {
    name: "old_feature_states",
    what: "feature states",
    columns: "symbol, interval, state",
    statements: ([symbol, ...rest]) => [
      {
        sql: "INSERT OR REPLACE INTO feature_states (symbol, interval, state) VALUES (?, ?, ?)",
        args: [oneSpelling(symbol), ...rest],
      },
    ],
  },
];

/** Moves the rows of an old table, each batch in one transaction, and drops the table when it is empty. */
async function moveRows(db: Database, { name, what, columns, statements }: OldTable, report: Report): Promise<void> {
  if (!(await hasTable(db, name))) return;
  const total = Number((await db.rows(`SELECT count(*) FROM ${name}`, []))[0]![0]);
  let reported = performance.now();
  for (let moved = 0; moved < total; ) {
    const rows = await db.rows(`SELECT rowid, ${columns} FROM ${name} ORDER BY rowid LIMIT ?`, [BATCH]);
    const writes = rows.flatMap(([, ...row]) => statements(row));
    await db.write([...writes, { sql: `DELETE FROM ${name} WHERE rowid <= ?`, args: [rows.at(-1)![0]] }]);
    moved += rows.length;
    if (moved === total || performance.now() - reported >= REPORT_MS) {
      reported = performance.now();
      report(`Upgrading the database: ${moved} of ${total} ${what} moved`);
    }
  }
  await db.write([{ sql: `DROP TABLE ${name}`, args: [] }]);
}
