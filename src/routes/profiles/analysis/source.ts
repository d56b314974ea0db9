/** The stored profile whose bars a page of a symbol is computed from. */

import type { Context } from "hono";
import { Refusal } from "../../../domain/errors.ts";
import { READ_INTERVALS, type ReadInterval, sourceInterval } from "../../../domain/market/interval.ts";
import { parseSymbol } from "../../../domain/market/symbol.ts";
import type { Database } from "../../../storage/db.ts";
import { findProfile, intervalsOf, type StoredProfile } from "../../../storage/profiles/profiles.ts";
import { chosen } from "../../http/page-query.ts";

/** The interval that an address names (`1d`), and the profile it is read from. @throws Refusal if there is none */
export async function sourceOf(
  db: Database,
  c: Context,
): Promise<{ readonly interval: ReadInterval; readonly profile: StoredProfile }> {
  const symbol = parseSymbol(c.req.param("symbol") ?? "");
  if (symbol === null) throw new Refusal("not_found", "That is not a symbol");
  const interval = chosen(c, "interval", READ_INTERVALS) ?? "1d";
  const stored = sourceInterval(interval, await intervalsOf(db, symbol));
  const profile = stored === null ? undefined : await findProfile(db, symbol, stored);
  if (profile !== undefined) return { interval, profile };
  throw new Refusal("not_found", `There are no ${interval} bars of ${symbol}: start a run for it first`);
}
