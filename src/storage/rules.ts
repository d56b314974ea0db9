/** The alert rules as they were chosen on the screen; those of a release that knew fewer are filled up. */

import { eq } from "drizzle-orm";
import { type AlertRules, DEFAULT_ALERT_RULES } from "../domain/alerts.ts";
import type { Database } from "./db.ts";
import { settings } from "./schema.ts";

const KEY = "alerts:rules";

export async function readRules(db: Database): Promise<AlertRules> {
  const row = await db.orm.select().from(settings).where(eq(settings.key, KEY)).get();
  if (row === undefined) return DEFAULT_ALERT_RULES;
  const stored: Partial<AlertRules> = JSON.parse(row.value);
  return { ...DEFAULT_ALERT_RULES, ...stored, on: { ...DEFAULT_ALERT_RULES.on, ...stored.on } };
}

export async function storeRules(db: Database, rules: AlertRules): Promise<void> {
  const row = { key: KEY, value: JSON.stringify(rules), updatedAt: Date.now() };
  await db.orm.insert(settings).values(row).onConflictDoUpdate({ target: settings.key, set: row }).run();
}
