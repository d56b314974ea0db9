/** Login sessions of browsers. Only the hash of a cookie is stored, which is of no use for signing in. */

import { desc, eq, isNull, lt, or, sql } from "drizzle-orm";
import type { Scope } from "../../domain/access.ts";
import { Refusal } from "../../domain/errors.ts";
import type { Database } from "../db.ts";
import { sessions, tokens } from "../schema/access.ts";
import { auditStatement } from "./audit.ts";

/** How long a browser stays signed in, milliseconds. */
export const SESSION_MS = 14 * 86_400_000;
/** A session without a request for this long is over, milliseconds. */
const IDLE_MS = 3 * 86_400_000;

export interface SessionRow {
  /** The token that was used to sign in; `null` for the password. */
  readonly token: { readonly id: number; readonly name: string; readonly scope: Scope } | null;
  /** When it ends, used or not, epoch milliseconds. */
  readonly expiresAt: number;
  /** Its last recorded request, epoch milliseconds. */
  readonly usedAt: number;
}

/** Sessions from before the last request was recorded begin with their login. */
const usedAt = sql<number>`max(${sessions.lastUsedAt}, ${sessions.createdAt})`;

export async function saveSession(
  db: Database,
  session: {
    readonly hash: string;
    readonly tokenId: number | null;
    readonly expiresAt: number;
    readonly address: string;
    readonly agent: string;
  },
): Promise<void> {
  const now = Date.now();
  await db.write([db.orm.insert(sessions).values({ ...session, createdAt: now, lastUsedAt: now })]);
}

/** Deletes the sessions that were over at `now`: of a clock that can be relied on, since that cannot be undone. */
export async function deleteOldSessions(db: Database, now: number): Promise<void> {
  await db.write([db.orm.delete(sessions).where(or(lt(sessions.expiresAt, now), lt(usedAt, now - IDLE_MS)))]);
}

/** The session for the hash of a cookie, if it is not over. */
export async function findSession(db: Database, hash: string, now: number): Promise<SessionRow | undefined> {
  const row = await db.orm
    .select({
      expiresAt: sessions.expiresAt,
      usedAt,
      tokenId: sessions.tokenId,
      name: tokens.name,
      scope: tokens.scope,
      tokenExpiresAt: tokens.expiresAt,
    })
    .from(sessions)
    .leftJoin(tokens, eq(tokens.id, sessions.tokenId))
    .where(eq(sessions.hash, hash))
    .get();
  if (row === undefined) return undefined;
  const { tokenId, name, scope, usedAt: used } = row;
  const expiresAt = Math.min(row.expiresAt, row.tokenExpiresAt ?? Number.POSITIVE_INFINITY);
  if (expiresAt <= now || used + IDLE_MS <= now) return undefined;
  if (tokenId === null) return { expiresAt, usedAt: used, token: null };
  return name === null || scope === null ? undefined : { expiresAt, usedAt: used, token: { id: tokenId, name, scope } };
}

/** The sessions that are open at `now`, the last used first. */
export async function listSessions(db: Database, now: number) {
  const { hash, address, agent, createdAt, expiresAt } = sessions;
  const rows = await db.orm
    .select({ hash, address, agent, createdAt, expiresAt, usedAt, token: tokens.name })
    .from(sessions)
    .leftJoin(tokens, eq(tokens.id, sessions.tokenId))
    .orderBy(desc(usedAt));
  return rows.filter((row) => row.expiresAt > now && row.usedAt + IDLE_MS > now);
}

export async function touchSession(db: Database, hash: string, at: number): Promise<void> {
  const set = { lastUsedAt: at, createdAt: sql`min(${sessions.createdAt}, ${at})` };
  await db.orm.update(sessions).set(set).where(eq(sessions.hash, hash)).run();
}

export async function endSession(db: Database, hash: string): Promise<void> {
  await db.orm.delete(sessions).where(eq(sessions.hash, hash)).run();
}

/**
 * Ends a session that an admin has chosen.
 * @throws Refusal if it is over already
 */
export async function endChosenSession(db: Database, hash: string): Promise<void> {
  const row = await db.orm.select().from(sessions).where(eq(sessions.hash, hash)).get();
  if (row === undefined) throw new Refusal("not_found", "There is no such session: it is over already");
  await db.write([
    db.orm.delete(sessions).where(eq(sessions.hash, hash)),
    ...auditStatement({ action: "session.end", subject: row.address || "a session", before: { agent: row.agent } }),
  ]);
}

/** Ends every session. */
export async function endAllSessions(db: Database): Promise<void> {
  await db.write([db.orm.delete(sessions), ...auditStatement({ action: "session.end_all", subject: "every session" })]);
}

/** Ends every session that was started with the password. */
export async function endPasswordSessions(db: Database): Promise<void> {
  await db.orm.delete(sessions).where(isNull(sessions.tokenId)).run();
}
