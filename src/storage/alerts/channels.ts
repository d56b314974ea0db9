/** The channels that get alerts besides mail. Their addresses and secrets are stored sealed. */

import { eq } from "drizzle-orm";
import { auditStatement, changesOf } from "../access/audit.ts";
import { byName, writeNamed } from "../connection/unique-names.ts";
import type { Database } from "../db.ts";
import { channels } from "../schema/alerts.ts";

export type ChannelRow = typeof channels.$inferSelect;

/** All channels by name. */
export async function listChannels(db: Database): Promise<ChannelRow[]> {
  return (await db.orm.select().from(channels)).sort(byName);
}

/** What the audit keeps of a channel: neither its address nor its secrets. */
const shown = ({ name, kind, host, enabled, rules }: ChannelRow) => ({ name, kind, host, enabled, rules });

/** @throws Refusal if another channel has the name */
export async function storeChannel(db: Database, row: ChannelRow, before: ChannelRow | undefined): Promise<void> {
  const changes = before === undefined ? { after: shown(row) } : changesOf(shown(before), shown(row));
  const action = before === undefined ? "channel.create" : "channel.change";
  await writeNamed(db, { table: "channels", name: row.name, id: row.id }, () =>
    db.write([
      db.orm.insert(channels).values(row).onConflictDoUpdate({ target: channels.id, set: row }),
      ...(changes ? auditStatement({ action, subject: row.name, ...changes }) : []),
    ]),
  );
}

/** Deletes a channel with its messages. */
export async function deleteChannel(db: Database, row: ChannelRow): Promise<void> {
  await db.write([
    db.orm.delete(channels).where(eq(channels.id, row.id)),
    ...auditStatement({ action: "channel.delete", subject: row.name, before: shown(row) }),
  ]);
}
