/** The alert rules as set on the alerts page; what an earlier release did not store has its default. */

import { eq } from "drizzle-orm";
import { ALERT_KINDS, type AlertRules, DEFAULT_ALERT_RULES } from "../../domain/alerts.ts";
import { auditStatement, changesOf } from "../access/audit.ts";
import type { Database } from "../db.ts";
import { settings } from "../schema/server.ts";

const KEY = "alerts:rules";

export async function readRules(db: Database): Promise<AlertRules> {
  const row = await db.orm.select().from(settings).where(eq(settings.key, KEY)).get();
  if (row === undefined) return DEFAULT_ALERT_RULES;
  const stored: Partial<AlertRules> = JSON.parse(row.value);
  return { ...DEFAULT_ALERT_RULES, ...stored, on: { ...DEFAULT_ALERT_RULES.on, ...stored.on } };
}

/** Stores the rules, with an audit entry for what changed. */
export async function storeRules(db: Database, rules: AlertRules): Promise<void> {
  const row = { key: KEY, value: JSON.stringify(rules), updatedAt: Date.now() };
  const changes = changesOf(describe(await readRules(db)), describe(rules));
  await db.write([
    db.orm.insert(settings).values(row).onConflictDoUpdate({ target: settings.key, set: row }),
    ...(changes ? auditStatement({ action: "alerts.change", subject: "rules", ...changes }) : []),
  ]);
}

/** The rules as the audit shows them. */
const describe = ({ on, quotaPercent, digestMinutes, quiet, summary }: AlertRules) => ({
  mails: ALERT_KINDS.filter((kind) => on[kind]),
  quota_percent: quotaPercent,
  digest_minutes: digestMinutes,
  quiet_hours: quiet === null ? "none" : `${quiet.from} to ${quiet.to} ${quiet.zone}`,
  summary: `${summary.at} ${summary.zone}`,
});
