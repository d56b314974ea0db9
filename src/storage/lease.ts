/** One server at a time works on a database: it holds a lease that it renews, and another waits for its end. */

import { eq } from "drizzle-orm";
import type { Database } from "./db.ts";
import { settings } from "./schema.ts";

const KEY = "server_lease";
const RENEW_MS = 5_000;
/** A lease not renewed for so long is void. */
const EXPIRES_MS = 15_000;

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
 * Takes the lease and keeps it until the returned function is called.
 * @throws Error if another living server has it
 */
export async function takeLease(db: Database, host: string): Promise<() => Promise<void>> {
  const me: Holder = { id: Bun.randomUUIDv7(), pid: process.pid, host };
  const row = await db.orm.select().from(settings).where(eq(settings.key, KEY)).get();
  if (row && Date.now() - row.updatedAt < EXPIRES_MS) {
    const holder: Holder = JSON.parse(row.value);
    const dead = holder.host === host && (holder.pid === process.pid || !isAlive(holder.pid));
    if (!dead) {
      throw new Error(
        `Another Barkeep (process ${holder.pid} on ${holder.host}) works on this database. ` +
          "Stop it first, or set BARKEEP_DB_URL to another file.",
      );
    }
  }
  const write = () => {
    const value = { key: KEY, value: JSON.stringify(me), updatedAt: Date.now() };
    return db.orm.insert(settings).values(value).onConflictDoUpdate({ target: settings.key, set: value }).run();
  };
  await write();
  const timer = setInterval(() => void write().catch(() => {}), RENEW_MS);
  return async () => {
    clearInterval(timer);
    await db.orm.delete(settings).where(eq(settings.key, KEY)).run();
  };
}
