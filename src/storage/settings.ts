/** Settings changed in the browser, and small facts that the server stores about itself. */

import { eq, like } from "drizzle-orm";
import type { Database, Write } from "./db.ts";
import { Cipher, newSalt } from "./encryption.ts";
import { settings } from "./schema/server.ts";

/** The settings whose key starts with `prefix`. */
export async function readSettings(db: Database, prefix: string) {
  return db.orm
    .select()
    .from(settings)
    .where(like(settings.key, `${prefix}%`));
}

/** Sets one setting, or deletes it (`null`). */
export async function saveSetting(db: Database, key: string, value: string | null): Promise<void> {
  if (value === null) {
    await db.orm.delete(settings).where(eq(settings.key, key)).run();
    return;
  }
  await db.write([settingStatement(db, key, value)]);
}

/** The statement that sets one setting, for the `Database.write` that changes more. */
export function settingStatement(db: Database, key: string, value: string): Write {
  const row = { key, value, updatedAt: Date.now() };
  return db.orm.insert(settings).values(row).onConflictDoUpdate({ target: settings.key, set: row });
}

const SALT = "seal:salt";

/** The cipher for secrets in this database, with a key derived from `secret`. */
export async function openCipher(db: Database, secret: string): Promise<Cipher> {
  const known = (await readSettings(db, SALT))[0]?.value;
  const salt = known ?? newSalt();
  if (known === undefined) await saveSetting(db, SALT, salt);
  return new Cipher(secret, salt);
}
