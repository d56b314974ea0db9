/** @jsxImportSource hono/jsx */
/** `/profiles/:symbol/bars`: the stored bars of a profile as pages of a table. */

import { Hono } from "hono";
import { Refusal } from "../../../domain/errors.ts";
import { emptyBars } from "../../../domain/market/bars.ts";
import { INTERVALS } from "../../../domain/market/interval.ts";
import { parseSymbol } from "../../../domain/market/symbol.ts";
import { adjusterOf } from "../../../pipeline/stored-prices.ts";
import { readBars, readLastBars } from "../../../storage/market/bars.ts";
import { findProfile } from "../../../storage/profiles/profiles.ts";
import { type BarRow, BarsPage } from "../../../views/profiles/chart/bars-page.tsx";
import { compressed } from "../../compression.ts";
import { chosen, rangeIn } from "../../http/page-query.ts";
import type { Services } from "../../services.ts";
import { adjustmentOf } from "./chart-view.ts";

/** Bars of a page: a year of days. */
const PAGE = 250;

export const barPages = ({ db }: Pick<Services, "db">) =>
  new Hono().get("/profiles/:symbol/bars", compressed, async (c) => {
    const symbol = parseSymbol(c.req.param("symbol") ?? "");
    const interval = chosen(c, "interval", INTERVALS) ?? "1d";
    const profile = symbol === null ? undefined : await findProfile(db, symbol, interval);
    if (symbol === null || profile === undefined) {
      throw new Refusal("not_found", `There is no ${interval} profile of this symbol: start a run for it first`);
    }
    const { seriesId, provider } = profile;
    const adjust = adjustmentOf(c);
    const adjusted = await adjusterOf(db, seriesId, adjust);
    const { from, to = Number.MAX_SAFE_INTEGER } = rangeIn(c);
    const raw =
      from === undefined ? await readLastBars(db, seriesId, to, PAGE) : await readBars(db, seriesId, from, to, PAGE);
    const length = raw.ts.length;
    // The bar before the first: for its change, and to know whether there is one.
    const before = length === 0 ? emptyBars() : await readLastBars(db, seriesId, raw.ts[0]!, 1);
    const after =
      length === 0 ? emptyBars() : await readBars(db, seriesId, raw.ts[length - 1]! + 1, Number.MAX_SAFE_INTEGER, 1);
    const { ts, open, high, low, close, volume } = adjusted(raw);
    const first = adjusted(before).close[0] ?? Number.NaN;
    const bars = [...ts].map((each, at): BarRow => {
      const previous = at > 0 ? close[at - 1]! : first;
      return {
        ts: each,
        open: open[at]!,
        high: high[at]!,
        low: low[at]!,
        close: close[at]!,
        volume: volume[at]!,
        change: previous > 0 ? close[at]! / previous - 1 : null,
      };
    });
    const view = {
      symbol,
      interval,
      provider,
      adjust,
      bars,
      hasOlder: before.ts.length > 0,
      hasNewer: after.ts.length > 0,
    };
    return c.html(<BarsPage page={c.var.page} view={view} />);
  });
