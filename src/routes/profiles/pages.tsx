/** @jsxImportSource hono/jsx */
/** The page of one profile, and its deletion after a confirmation. */

import { type Context, Hono } from "hono";
import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { venueOfSeries, zoneOf } from "../../domain/market/exchanges/exchanges.ts";
import { derivedIntervals, isInterval } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { healthClock } from "../../domain/profiles/health.ts";
import { parseMonth } from "../../domain/profiles/quality-map.ts";
import { recentValues } from "../../pipeline/recent-values.ts";
import { adjusterOf } from "../../pipeline/stored-prices.ts";
import { countRejected, readLastBars } from "../../storage/market/bars.ts";
import { findSeries } from "../../storage/market/series.ts";
import { countDuplicates, findHealth } from "../../storage/profiles/health.ts";
import { deleteProfile, findProfile, intervalsOf } from "../../storage/profiles/profiles.ts";
import { DeleteProfilePage } from "../../views/profiles/delete-page.tsx";
import { ProfilePage } from "../../views/profiles/profile-page.tsx";
import { copyAs } from "../../views/ui/copy-as.tsx";
import { compressed } from "../compression.ts";
import { monthIn } from "../http/page-query.ts";
import { serverAddress } from "../http/server-address.ts";
import type { Services } from "../services.ts";
import { adjustmentOf, chartView } from "./chart/chart-view.ts";
import { derivedPage } from "./derived.tsx";
import { qualityReader } from "./quality.tsx";
import { driftOf, familiesOf, summaryOf } from "./summary.ts";

/** Of which the last and the one before are shown. */
const SHOWN_BARS = 2;

export function profilePageRoutes(
  services: Pick<Services, "calendar" | "config" | "db" | "derived" | "provider" | "reports" | "settings">,
) {
  const { db, calendar, config } = services;
  const readQuality = qualityReader(services);
  const pages = new Hono();
  pages.use("/profiles/*", compressed);

  /** The profile of an address; without an interval, the symbol's first. @throws Refusal if there is none */
  const find = async (c: Context, asked: unknown) => {
    const symbol = parseSymbol(c.req.param("symbol") ?? "");
    if (symbol === null) throw new Refusal("not_found", "That is not a symbol");
    const intervals = await intervalsOf(db, symbol);
    const interval = String(asked ?? intervals[0] ?? RUN_DEFAULTS.interval);
    const profile = isInterval(interval) ? await findProfile(db, symbol, interval) : undefined;
    if (profile !== undefined) return { profile, intervals };
    throw new Refusal(
      "not_found",
      `There is no ${interval.slice(0, 8)} profile of ${symbol}: start a run for it first`,
    );
  };

  pages.get("/profiles/:symbol", async (c) => {
    const page = await derivedPage(services, c);
    return page ?? storedPage(c);
  });

  const storedPage = async (c: Context) => {
    const { profile, intervals } = await find(c, c.req.query("interval"));
    const { symbol, interval, seriesId, firstBar, lastBar, backfill } = profile;
    const adjust = adjustmentOf(c);
    const [raw, adjusted, series, rejected, quality, health, duplicates, recent, drifts] = await Promise.all([
      readLastBars(db, seriesId, lastBar + 1, SHOWN_BARS),
      adjusterOf(db, seriesId, adjust),
      findSeries(db, symbol, interval),
      countRejected(db, seriesId),
      readQuality(profile, monthIn(c, "month", parseMonth) ?? null),
      findHealth(db, profile, healthClock(calendar, Date.now())),
      countDuplicates(db, seriesId),
      recentValues(db, profile),
      driftOf(services.reports, profile, interval),
    ]);
    const { provider } = profile;
    // Without a series nothing is known of the sessions.
    const sessions = series?.sessions ?? "continuous";
    const chart = await chartView(db, c, { symbol, interval, provider, firstBar, lastBar, sessions });
    const bars = adjusted(raw);
    const at = bars.ts.length - 1;
    const { open, high, low, close, volume } = bars;
    const view = {
      ...summaryOf({ ...profile, bars: backfill.history_rows }),
      firstBar,
      lastBar,
      intervals,
      derivable: derivedIntervals(intervals),
      derived: null,
      last:
        at < 0
          ? null
          : {
              open: open[at]!,
              high: high[at]!,
              low: low[at]!,
              close: close[at]!,
              volume: volume[at]!,
              change: at > 0 ? close[at]! / close[at - 1]! - 1 : null,
            },
      backfill: {
        apiCallsUsed: backfill.api_calls_used,
        fetchDurationSeconds: backfill.fetch_duration_seconds,
        batchSizeDays: backfill.batch_size_days,
      },
      series: series ?? null,
      rejected,
      quality,
      health: { ...health, duplicates },
      families: familiesOf(
        (_, name) => profile.features[name] ?? null,
        (at) => recent?.[at] ?? null,
        drifts.driftAt,
      ),
      drift: drifts.drift,
      chart,
      commands: copyAs({
        server: serverAddress(config, c),
        path: `/api/bars/${encodeURIComponent(symbol)}`,
        query: new URLSearchParams({ interval, adjust }),
        hasLogin: c.get("guarded"),
        file: `${symbol.replace("@", "_")}-${interval}-bars`,
      }),
    };
    const venue = venueOfSeries({ symbol, provider: profile.provider, sessions: series?.sessions ?? "regular" });
    // Here the exchange's time is that of this exchange; on other pages it is New York's.
    const page = c.var.page.zone === "exchange" ? { ...c.var.page, timeZone: zoneOf(venue) } : c.var.page;
    return c.html(<ProfilePage page={page} profile={view} />);
  };

  pages.get("/profiles/:symbol/delete", async (c) => {
    const { profile } = await find(c, c.req.query("interval"));
    const { symbol, interval, updatedAt, backfill } = profile;
    const deletion = { symbol, interval, updatedAt, bars: backfill.history_rows, features: backfill.feature_count };
    return c.html(<DeleteProfilePage page={c.var.page} deletion={deletion} />);
  });

  pages.post("/profiles/:symbol/delete", async (c) => {
    const body = await c.req.parseBody();
    const { profile } = await find(c, body.interval ?? "");
    if (body.updated_at !== String(profile.updatedAt)) {
      throw new Refusal("conflict", `The profile of ${profile.symbol} has changed since: look at it again first`);
    }
    await deleteProfile(db, profile.symbol, profile.interval);
    return c.redirect("/profiles", 303);
  });

  return pages;
}
