/** Splits and dividends by provider and symbol. */

import { and, asc, eq, isNull, sql } from "drizzle-orm";
import { ACTION_KINDS, type ActionKind, type CorporateAction } from "../../domain/market/corporate-actions.ts";
import { prepared } from "../connection/prepared.ts";
import type { Database } from "../db.ts";
import { corporateActions, series } from "../schema/market.ts";
import { MARK_ACTIONS } from "./lake-changes.ts";

const actionsOf = prepared(({ orm }) => {
  const { kind, date, value, currency, seenAt, replacedAt, provider, symbol } = corporateActions;
  return orm
    .select({ kind, date, value, currency: sql<string | null>`nullif(${currency}, '')`, seenAt })
    .from(corporateActions)
    .where(
      and(
        eq(provider, sql.placeholder("provider")),
        eq(symbol, sql.placeholder("symbol")),
        isNull(replacedAt),
        sql`${kind} in (select value from json_each(${sql.placeholder("kinds")}))`,
      ),
    )
    .orderBy(asc(date), asc(kind), asc(value), asc(currency))
    .prepare();
});

/** The actions of a symbol that count, ascending by ex-date; all kinds, or those given. */
export async function listActions(
  db: Database,
  provider: string,
  symbol: string,
  kinds: readonly ActionKind[] = ACTION_KINDS,
): Promise<(CorporateAction & { /** Epoch milliseconds. */ seenAt: number })[]> {
  return actionsOf(db).all({ provider, symbol, kinds: JSON.stringify(kinds) });
}

const PAGE = `SELECT symbol, kind, date, value, currency FROM corporate_actions
WHERE provider = ?1 AND replaced_at IS NULL AND (symbol, kind, date, value, currency) > (?2, ?3, ?4, ?5, ?6)
ORDER BY symbol, kind, date, value, currency LIMIT ?7`;

/** The actions of all symbols of a provider that count, by symbol, kind and date, in pages. */
export async function* actionPages(
  db: Database,
  provider: string,
  pageSize = 5_000,
): AsyncGenerator<(CorporateAction & { readonly symbol: string })[]> {
  let last: unknown[] = ["", "", 0, 0, ""];
  for (;;) {
    const rows = await db.rows(PAGE, [provider, ...last, pageSize] as (string | number)[]);
    if (rows.length === 0) return;
    yield rows.map(([symbol, kind, date, value, currency]) => ({
      symbol: symbol as string,
      kind: kind as ActionKind,
      date: date as number,
      value: value as number,
      currency: currency === "" ? null : (currency as string),
    }));
    last = rows.at(-1) as unknown[];
  }
}

/** Providers, symbols and currencies of the actions that count, in order. */
export async function actionDimensions(
  db: Database,
): Promise<{ readonly provider: string; readonly symbols: string[]; readonly currencies: string[] }[]> {
  const rows = await db.rows(
    "SELECT DISTINCT provider, symbol, currency FROM corporate_actions WHERE replaced_at IS NULL ORDER BY provider, symbol, currency",
    [],
  );
  return [...Map.groupBy(rows as [string, string, string][], ([provider]) => provider)].map(([provider, own]) => ({
    provider,
    symbols: [...new Set(own.map(([, symbol]) => symbol))],
    currencies: [...new Set(own.map(([, , currency]) => currency))].sort(),
  }));
}

const KNOWN = `SELECT kind, date, value, nullif(currency, '') AS currency FROM (
SELECT provider, symbol, kind, date, value, currency, seen_at, replaced_at FROM corporate_actions UNION ALL
SELECT provider, symbol, kind, date, value, currency, seen_at, replaced_at FROM former_actions)
WHERE provider = ?1 AND symbol = ?2 AND seen_at <= ?3 AND (replaced_at IS NULL OR replaced_at > ?3)
AND kind IN (SELECT value FROM json_each(?4)) ORDER BY date, kind, value, currency`;

/** The actions of a symbol that counted at a moment (epoch milliseconds), ascending by ex-date. */
export async function listActionsAt(
  db: Database,
  provider: string,
  symbol: string,
  kinds: readonly ActionKind[],
  at: number,
): Promise<CorporateAction[]> {
  const rows = await db.rows(KNOWN, [provider, symbol, at, JSON.stringify(kinds)]);
  return rows.map(([kind, date, value, currency]) => ({
    kind: kind as ActionKind,
    date: date as number,
    value: value as number,
    currency: currency as string | null,
  }));
}

/** Keeps when actions counted that were replaced, before they count again. */
const KEEP_FORMER = `INSERT OR IGNORE INTO former_actions
(provider, symbol, kind, date, value, currency, seen_at, replaced_at)
SELECT provider, symbol, kind, date, value, currency, seen_at, replaced_at FROM corporate_actions
WHERE provider = ?1 AND symbol = ?2 AND replaced_at IS NOT NULL
AND EXISTS (SELECT 1 FROM json_each(?3) j WHERE j.value ->> 0 = kind AND j.value ->> 1 = date
AND j.value ->> 2 = corporate_actions.value AND j.value ->> 3 = currency)`;

const keysOf = (actions: readonly CorporateAction[]) => `[${actions.map(keyOf).join(",")}]`;

interface ActionChange {
  readonly provider: string;
  readonly symbol: string;
  readonly actions: readonly CorporateAction[];
  readonly replaced: readonly CorporateAction[];
}

const keyOf = ({ kind, date, value, currency }: CorporateAction) => JSON.stringify([kind, date, value, currency ?? ""]);

/**
 * The one moment of a change (epoch milliseconds): now, or just after what is recorded of the actions that it concerns,
 * where the clock was set back since. Those that are replaced thus never count together with those in their place.
 */
async function momentOf(db: Database, { provider, symbol, actions, replaced }: ActionChange): Promise<number> {
  const now = Date.now();
  if (actions.length + replaced.length === 0) return now;
  const [coming, going] = [new Set(actions.map(keyOf)), new Set(replaced.map(keyOf))];
  const rows = await db.orm
    .select()
    .from(corporateActions)
    .where(and(eq(corporateActions.provider, provider), eq(corporateActions.symbol, symbol)));
  const moments = rows.map((row) => {
    if (row.replacedAt === null) return going.has(keyOf(row)) ? row.seenAt + 1 : 0;
    return coming.has(keyOf(row)) ? row.replacedAt : 0;
  });
  return moments.reduce((last, moment) => Math.max(last, moment), now);
}

/**
 * Stores `actions` and no longer counts those `replaced`; a split marks everything computed from the symbol's series as
 * out of date. With `requested`, also records that run `runId` has requested the actions of series `seriesId`.
 */
export async function storeActions(
  db: Database,
  change: ActionChange,
  requested?: { seriesId: number; runId: string },
): Promise<void> {
  const { provider, symbol, actions, replaced } = change;
  const now = await momentOf(db, change);
  const { kind, date, value, currency } = corporateActions;
  const ofSymbol = and(eq(corporateActions.provider, provider), eq(corporateActions.symbol, symbol));
  await db.write([
    ...(actions.length + replaced.length === 0 ? [] : [MARK_ACTIONS]),
    ...replaced.map((old) =>
      db.orm
        .update(corporateActions)
        .set({ replacedAt: sql`max(${now}, ${corporateActions.seenAt} + 1)` })
        .where(
          and(
            isNull(corporateActions.replacedAt),
            ofSymbol,
            eq(kind, old.kind),
            eq(date, old.date),
            eq(value, old.value),
            eq(currency, old.currency ?? ""),
          ),
        ),
    ),
    ...(actions.length === 0 ? [] : [{ sql: KEEP_FORMER, args: [provider, symbol, keysOf(actions)] }]),
    ...actions.map((action) =>
      db.orm
        .insert(corporateActions)
        .values({ provider, symbol, seenAt: now, ...action, currency: action.currency ?? "" })
        .onConflictDoUpdate({
          target: [corporateActions.provider, corporateActions.symbol, kind, date, value, currency],
          // Two series of a symbol may list an action at the same time: it was seen by the first.
          set: {
            seenAt: sql`case when ${corporateActions.replacedAt} is null then ${corporateActions.seenAt}
              else max(${now}, ${corporateActions.replacedAt}) end`,
            replacedAt: null,
          },
        }),
    ),
    ...([...actions, ...replaced].some((action) => action.kind === "split")
      ? [
          db.orm
            .update(series)
            .set({ changedFrom: 0 })
            .where(and(eq(series.provider, provider), eq(series.symbol, symbol))),
        ]
      : []),
    ...(requested
      ? [db.orm.update(series).set({ actionsRun: requested.runId }).where(eq(series.id, requested.seriesId))]
      : []),
  ]);
}
