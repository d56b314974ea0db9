/** The lease that lets one server at a time use a database: its holder renews it, another server waits for its end. */

import { and, eq, sql } from "drizzle-orm";
import type { Database } from "./db.ts";
import { settings } from "./schema/server.ts";

const KEY = "server_lease";
const RENEW_MS = 5_000;
/** A lease that was not renewed for this long has expired. */
const EXPIRES_MS = 15_000;

/** How often the lease of another machine is checked again. */
const POLL_MS = 250;
const ADVICE = "Stop it first, or set BARKEEP_DB_URL to another file.";

interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/**
 * Takes the lease and holds it until the returned function is called. Whether a process on another machine is alive
 * cannot be checked from here, so its lease is waited for: if the holder is gone, it expires.
 * @throws Error if another running server has it
 */
export async function takeLease(db: Database, host: string): Promise<() => Promise<void>> {
  const me = JSON.stringify({ id: Bun.randomUUIDv7(), pid: process.pid, host } satisfies Holder);
  const seen = await voidLease(db, host);
  // Only if the lease is still the one that was read: of two servers that start together, one gets it.
  const taken = await db.orm
    .insert(settings)
    .values({ key: KEY, value: me, updatedAt: Date.now() })
    .onConflictDoUpdate({
      target: settings.key,
      set: { value: me, updatedAt: Date.now() },
      setWhere: seen === undefined ? sql`false` : eq(settings.value, seen),
    })
    .returning();
  if (taken.length === 0) throw new Error(`Another Barkeep has just started on this database. ${ADVICE}`);
  const mine = and(eq(settings.key, KEY), eq(settings.value, me));
  const renew = () => db.orm.update(settings).set({ updatedAt: Date.now() }).where(mine).run();
  const timer = setInterval(() => void renew().catch(() => {}), RENEW_MS);
  return async () => {
    clearInterval(timer);
    await db.orm.delete(settings).where(mine).run();
  };
}

/** Waits until the lease may be taken over, and returns it; `undefined` if there is none. */
async function voidLease(db: Database, host: string): Promise<string | undefined> {
  let first: number | undefined;
  for (;;) {
    const row = await db.orm.select().from(settings).where(eq(settings.key, KEY)).get();
    if (row === undefined || Date.now() - row.updatedAt >= EXPIRES_MS) return row?.value;
    const holder: Holder = JSON.parse(row.value);
    if (holder.host === host && (holder.pid === process.pid || !isAlive(holder.pid))) return row.value;
    first ??= row.updatedAt;
    if (holder.host === host || row.updatedAt !== first) {
      throw new Error(`Another Barkeep (process ${holder.pid} on ${holder.host}) works on this database. ${ADVICE}`);
    }
    await Bun.sleep(POLL_MS);
  }
}
