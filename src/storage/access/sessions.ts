/** Login sessions of browsers. Only the hash of a cookie is stored, which is of no use for signing in. */

import { eq, isNull, lt } from "drizzle-orm";
import type { Scope } from "../../domain/access.ts";
import type { Database } from "../db.ts";
import { sessions, tokens } from "../schema/access.ts";

export interface SessionRow {
  /** The token that was used to sign in; `null` for the password. */
  readonly token: { readonly id: number; readonly name: string; readonly scope: Scope } | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export async function saveSession(
  db: Database,
  session: { readonly hash: string; readonly tokenId: number | null; readonly expiresAt: number },
): Promise<void> {
  const now = Date.now();
  await db.write([
    db.orm.delete(sessions).where(lt(sessions.expiresAt, now)),
    db.orm.insert(sessions).values({ ...session, createdAt: now }),
  ]);
}

/** The session for the hash of a cookie, including an expired one. */
export async function findSession(db: Database, hash: string): Promise<SessionRow | undefined> {
  const row = await db.orm
    .select({ expiresAt: sessions.expiresAt, tokenId: sessions.tokenId, name: tokens.name, scope: tokens.scope })
    .from(sessions)
    .leftJoin(tokens, eq(tokens.id, sessions.tokenId))
    .where(eq(sessions.hash, hash))
    .get();
  if (row === undefined) return undefined;
  const { expiresAt, tokenId, name, scope } = row;
  if (tokenId === null) return { expiresAt, token: null };
  return name === null || scope === null ? undefined : { expiresAt, token: { id: tokenId, name, scope } };
}

export async function endSession(db: Database, hash: string): Promise<void> {
  await db.orm.delete(sessions).where(eq(sessions.hash, hash)).run();
}

/** Ends every session that was started with the password. */
export async function endPasswordSessions(db: Database): Promise<void> {
  await db.orm.delete(sessions).where(isNull(sessions.tokenId)).run();
}
