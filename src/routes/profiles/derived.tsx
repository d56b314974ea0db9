/** @jsxImportSource hono/jsx */
/** The page of a symbol at an interval that is not stored: bars and features derived from those of a shorter one. */

import type { Context } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { venueOfSeries, zoneOf } from "../../domain/market/exchanges/exchanges.ts";
import { derivedIntervals, isReadInterval } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { FEATURE_COUNT } from "../../features/catalog.ts";
import { TAIL } from "../../features/engine.ts";
import { readSeries } from "../../storage/market/series.ts";
import { findProfile, intervalsOf } from "../../storage/profiles/profiles.ts";
import { ProfilePage } from "../../views/profiles/profile-page.tsx";
import { copyAs } from "../../views/ui/copy-as.tsx";
import { serverAddress } from "../http/server-address.ts";
import type { Services } from "../services.ts";
import { chartView } from "./chart/chart-view.ts";
import { driftOf, familiesOf } from "./summary.ts";

/**
 * The page, if the address asks for an interval that is not stored and can be derived; otherwise `null`.
 * @throws Refusal if it takes too long
 */
export async function derivedPage(
  { db, config, derived, reports }: Pick<Services, "config" | "db" | "derived" | "reports">,
  c: Context,
): Promise<Response | null> {
  const symbol = parseSymbol(c.req.param("symbol") ?? "");
  const interval = c.req.query("interval");
  if (symbol === null || !isReadInterval(interval)) return null;
  const intervals = await intervalsOf(db, symbol);
  const derivable = derivedIntervals(intervals);
  const source = derivable.find((each) => each.interval === interval)?.source;
  if (source === undefined) return null;
  const stored = await findProfile(db, symbol, source);
  if (stored === undefined) return null;
  const found = await derived.find(stored, interval);
  if (found === null)
    throw new Refusal("not_found", `There are no ${source} bars of ${symbol} to derive ${interval} from`);

  const drifts = await driftOf(reports, stored, interval);
  const { firstBar, lastBar, bars, last, partial, values, tails } = found;
  const series = await readSeries(db, stored.seriesId);
  const at = last.ts.length - 1;
  const { provider, updatedAt } = stored;
  const chart = await chartView(db, c, { symbol, interval, provider, firstBar, lastBar, sessions: series.sessions });
  const view = {
    symbol,
    interval,
    provider,
    updatedAt,
    firstBar,
    lastBar,
    bars,
    known: values.reduce((count, value) => (Number.isNaN(value) ? count : count + 1), 0),
    features: FEATURE_COUNT,
    intervals,
    derivable,
    derived: { source, partial },
    last: {
      open: last.open[at]!,
      high: last.high[at]!,
      low: last.low[at]!,
      close: last.close[at]!,
      volume: last.volume[at]!,
      change: at > 0 ? last.close[at]! / last.close[at - 1]! - 1 : null,
    },
    backfill: null,
    series,
    rejected: [],
    quality: null,
    health: null,
    families: familiesOf(
      (place) => (Number.isNaN(values[place]) ? null : values[place]!),
      (place) => padded(tails[place]!),
      drifts.driftAt,
    ),
    drift: drifts.drift,
    chart,
    commands: copyAs({
      server: serverAddress(config, c),
      path: `/api/bars/${encodeURIComponent(symbol)}`,
      query: new URLSearchParams({ interval, adjust: chart.adjust }),
      hasLogin: c.get("guarded"),
      file: `${symbol.replace("@", "_")}-${interval}-bars`,
    }),
  };
  const zone = zoneOf(venueOfSeries({ symbol, provider, sessions: series.sessions }));
  const page = c.var.page.zone === "exchange" ? { ...c.var.page, timeZone: zone } : c.var.page;
  return c.html(<ProfilePage page={page} profile={view} />);
}

/** Sparklines of all features have the same width. */
function padded(tail: Float64Array): Float64Array {
  const values = new Float64Array(TAIL).fill(Number.NaN);
  values.set(tail, TAIL - tail.length);
  return values;
}
