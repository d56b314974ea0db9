/** The check that a write still has the right to be made. */

/** The row of the table of settings in which a server says that the database is its own. */
export const LEASE_KEY = "server_lease";

/** One row while the lease has the value `?1`. */
export const HOLDS_LEASE = `SELECT 1 FROM settings WHERE key = '${LEASE_KEY}' AND value = ?1`;

/** Whether a statement changes nothing. A `WITH` may lead to either. */
export const isRead = (sql: string) =>
  /^\s*(SELECT|PRAGMA|EXPLAIN|VALUES|VACUUM INTO)\b/i.test(sql) ||
  (/^\s*WITH\b/i.test(sql) && !/\b(INSERT|UPDATE|DELETE|REPLACE)\b/i.test(sql));

/** The lease that every write checks, and what to do when it is lost. */
export interface Fence {
  readonly lease: string;
  readonly onLost: (() => void) | undefined;
}

/** Another server has taken the database over: nothing may be written any more. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  constructor() {
    super("Another Barkeep has taken over this database: nothing more is written by this one");
  }
}
