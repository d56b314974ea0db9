/** Settings changed on the screen, and the small facts the server keeps about itself. */

import { eq, like } from "drizzle-orm";
import type { Database } from "./db.ts";
import { Cipher, newSalt } from "./encryption.ts";
import { settings } from "./schema/server.ts";

/** The settings whose key begins with `prefix`. */
export async function readSettings(db: Database, prefix: string) {
  return db.orm
    .select()
    .from(settings)
    .where(like(settings.key, `${prefix}%`));
}

/** Sets one setting, or forgets it (`null`). */
export async function saveSetting(db: Database, key: string, value: string | null): Promise<void> {
  if (value === null) {
    await db.orm.delete(settings).where(eq(settings.key, key)).run();
    return;
  }
  const row = { key, value, updatedAt: Date.now() };
  await db.orm.insert(settings).values(row).onConflictDoUpdate({ target: settings.key, set: row }).run();
}

const SALT = "seal:salt";

/** What seals secrets in this database under `secret`. */
export async function openCipher(db: Database, secret: string): Promise<Cipher> {
  const known = (await readSettings(db, SALT))[0]?.value;
  const salt = known ?? newSalt();
  if (known === undefined) await saveSetting(db, SALT, salt);
  return new Cipher(secret, salt);
}
