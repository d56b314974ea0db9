/** API tokens, stored as hashes. */

import { eq } from "drizzle-orm";
import type { Scope } from "../../domain/access.ts";
import { Refusal } from "../../domain/errors.ts";
import { byName, writeNamed } from "../connection/unique-names.ts";
import type { Database } from "../db.ts";
import { sessions, tokens } from "../schema/access.ts";
import { auditStatement } from "./audit.ts";

export interface TokenRow {
  readonly id: number;
  readonly name: string;
  readonly scope: Scope;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** `null` for one that does not expire. */
  readonly expiresAt: number | null;
}

/** All tokens by name. */
export async function listTokens(db: Database): Promise<TokenRow[]> {
  const { id, name, scope, createdAt, lastUsedAt, expiresAt } = tokens;
  const rows = await db.orm.select({ id, name, scope, createdAt, lastUsedAt, expiresAt }).from(tokens);
  return rows.sort(byName);
}

/** @throws Refusal if another token has the name */
export async function saveToken(
  db: Database,
  token: { readonly name: string; readonly scope: Scope; readonly hash: string; readonly expiresAt: number | null },
): Promise<void> {
  const { name, scope, expiresAt } = token;
  const expires = expiresAt === null ? "never" : new Date(expiresAt).toISOString();
  await writeNamed(db, { table: "tokens", name }, () =>
    db.write([
      db.orm.insert(tokens).values({ ...token, createdAt: Date.now() }),
      ...auditStatement({ action: "token.create", subject: name, after: { scope, expires } }),
    ]),
  );
}

/** The token with this hash, if it has not expired. */
export async function findToken(db: Database, hash: string, now: number): Promise<TokenRow | undefined> {
  const token = await db.orm.select().from(tokens).where(eq(tokens.hash, hash)).get();
  return token && (token.expiresAt ?? Number.POSITIVE_INFINITY) > now ? token : undefined;
}

export async function touchToken(db: Database, id: number, at: number): Promise<void> {
  await db.orm.update(tokens).set({ lastUsedAt: at }).where(eq(tokens.id, id)).run();
}

/**
 * Revokes a token and ends every session that was started with it.
 * @throws Refusal if there is no such token
 */
export async function revokeToken(db: Database, id: number): Promise<void> {
  const row = await db.orm.select().from(tokens).where(eq(tokens.id, id)).get();
  if (row === undefined) throw new Refusal("not_found", "There is no such token");
  await db.write([
    db.orm.delete(sessions).where(eq(sessions.tokenId, id)),
    db.orm.delete(tokens).where(eq(tokens.id, id)),
    ...auditStatement({ action: "token.revoke", subject: row.name, before: { scope: row.scope } }),
  ]);
}
