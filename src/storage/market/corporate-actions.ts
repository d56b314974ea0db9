/** Splits and dividends by provider and symbol. */

import { and, asc, eq, sql } from "drizzle-orm";
import { ACTION_KINDS, type ActionKind, type CorporateAction } from "../../domain/market/corporate-actions.ts";
import { prepared } from "../connection/prepared.ts";
import type { Database } from "../db.ts";
import { corporateActions, series } from "../schema/market.ts";

const actionsOf = prepared(({ orm }) => {
  const { kind, date, value, currency, seenAt, provider, symbol } = corporateActions;
  return orm
    .select({ kind, date, value, currency, seenAt })
    .from(corporateActions)
    .where(
      and(
        eq(provider, sql.placeholder("provider")),
        eq(symbol, sql.placeholder("symbol")),
        sql`${kind} in (select value from json_each(${sql.placeholder("kinds")}))`,
      ),
    )
    .orderBy(asc(date), asc(kind))
    .prepare();
});

/** The known actions of a symbol, ascending by ex-date; all kinds, or those given. */
export async function listActions(
  db: Database,
  provider: string,
  symbol: string,
  kinds: readonly ActionKind[] = ACTION_KINDS,
): Promise<(CorporateAction & { /** Epoch milliseconds. */ seenAt: number })[]> {
  return actionsOf(db).all({ provider, symbol, kinds: JSON.stringify(kinds) });
}

/**
 * Inserts or updates `actions`; a split marks everything computed from the symbol's series as out of date. With
 * `asked`, also records that run `runId` has requested the actions of series `seriesId`.
 */
export async function storeActions(
  db: Database,
  { provider, symbol, actions }: { provider: string; symbol: string; actions: readonly CorporateAction[] },
  asked?: { seriesId: number; runId: string },
): Promise<void> {
  const seenAt = Date.now();
  const { kind, date } = corporateActions;
  await db.write([
    ...actions.map((action) =>
      db.orm
        .insert(corporateActions)
        .values({ provider, symbol, seenAt, ...action })
        .onConflictDoUpdate({
          target: [corporateActions.provider, corporateActions.symbol, kind, date],
          set: { value: action.value, currency: action.currency ?? null, seenAt },
        }),
    ),
    ...(actions.some((action) => action.kind === "split")
      ? [
          db.orm
            .update(series)
            .set({ changedFrom: 0 })
            .where(and(eq(series.provider, provider), eq(series.symbol, symbol))),
        ]
      : []),
    ...(asked ? [db.orm.update(series).set({ actionsRun: asked.runId }).where(eq(series.id, asked.seriesId))] : []),
  ]);
}
