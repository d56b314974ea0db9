/** @jsxImportSource hono/jsx */
/** The completeness of a profile's series, and the runs that improve it. */

import { Hono } from "hono";
import { isSynthetic } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { knownDays, type Session } from "../../domain/market/calendar.ts";
import { areSessionsKnown, isExchange, venueOfSeries, zoneOf } from "../../domain/market/exchanges/exchanges.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { findOffSession } from "../../domain/market/resample.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { monthOf, monthText } from "../../domain/profiles/quality-map.ts";
import { readyProviders } from "../../providers/registry.ts";
import { renewalRequests, reprocessOutdated } from "../../scheduler/runs/renew.ts";
import { listActions } from "../../storage/market/corporate-actions.ts";
import { listFindings } from "../../storage/market/quality/findings.ts";
import { listGaps, type StoredGap } from "../../storage/market/quality/gaps.ts";
import { listRevisions, listSources } from "../../storage/market/revisions.ts";
import { readSeries } from "../../storage/market/series.ts";
import { outermostStarts } from "../../storage/market/session-bars.ts";
import { findProfile, type StoredProfile } from "../../storage/profiles/profiles.ts";
import type { QualityView, SessionState, ShownGap } from "../../views/profiles/quality.tsx";
import { requireKnownFields } from "../form-errors.ts";
import type { Services } from "../services.ts";
import { RENEWAL_FIELDS } from "./renew.tsx";

/** What starts at once from the page of a profile. */
const PROFILE_RENEWALS = ["repair", "rebuild"] as const;

/** Revisions that are shown. */
const REVISIONS = 50;

type QualityServices = Pick<Services, "calendar" | "db" | "provider" | "settings">;

/** Bars at each end of a series of hours whose starts are compared with the sessions. */
const STARTS = 200;

/** Reads the data of the section: small tables, and of the bars a few starts only. */
export function qualityReader({
  db,
  calendar,
  provider: providerNamed,
  settings,
}: QualityServices): (profile: StoredProfile, month: number | null) => Promise<QualityView> {
  return async ({ symbol, interval, seriesId, provider, firstBar, lastBar }, month) => {
    const [series, known, revisions, actions, findings, sources] = await Promise.all([
      readSeries(db, seriesId),
      listGaps(db, seriesId),
      listRevisions(db, seriesId, REVISIONS),
      listActions(db, provider, symbol),
      listFindings(db, seriesId),
      listSources(db, seriesId),
    ]);
    const states = new Map(known.map((gap) => [gap.date, stateOf(gap)]));
    const venue = venueOfSeries({ symbol, provider, sessions: series.sessions });
    const covered = knownDays(venue);
    const starts = interval === "1h" && isExchange(venue) ? await outermostStarts(db, seriesId, STARTS) : [];
    const sessions = calendar
      .sessionsBetween(venue, Math.floor(firstBar / DAY) * DAY, lastBar + 1)
      .filter(({ date }) => date >= covered.from && date < covered.to);
    const years = Map.groupBy(sessions, ({ date }) => new Date(date * 1000).getUTCFullYear());
    return {
      symbol,
      interval,
      provider,
      timeZone: zoneOf(venue),
      offSession:
        findOffSession(
          calendar,
          venue,
          interval,
          starts.filter((ts) => ts >= covered.from && ts < covered.to),
        ) ?? null,
      month: month === null ? null : monthText(month),
      gaps: shownGaps(
        known.filter(({ date }) => month === null || monthOf(date) === month),
        sessions,
      ),
      revisions,
      sources,
      findings,
      actions: actions.reverse(),
      hasActions: !(
        series.adjustment === "none" &&
        venue !== "crypto" &&
        venue !== "forex" &&
        providerNamed(provider)?.withoutActions
      ),
      years: !areSessionsKnown({ symbol, provider, sessions: series.sessions }, interval)
        ? null
        : [...years].reverse().map(([year, all]) => ({
            year,
            sessions: all.map(({ date }) => ({ date, state: states.get(date) ?? "complete" })),
          })),
      others: readyProviders(settings.values).filter(({ name }) => name !== provider && !isSynthetic(name)),
    };
  };
}

const stateOf = ({ kind, confirmed }: StoredGap): SessionState => (confirmed ? "confirmed" : kind);

/** The gaps of a series as they are listed, newest first: neighbouring sessions without any bar are one. */
function shownGaps(known: readonly StoredGap[], sessions: readonly Session[]): ShownGap[] {
  const places = new Map(sessions.map(({ date }, at) => [date, at]));
  const shown: ShownGap[] = [];
  for (const gap of known) {
    const { date, rows, hours, holes } = gap;
    const state = stateOf(gap);
    const later = shown.at(-1);
    const isNext = places.get(date)! + 1 === places.get(later?.date ?? Number.NaN);
    if (later && rows === 0 && later.rows === 0 && later.state === state && isNext) {
      shown[shown.length - 1] = { ...later, date, sessions: later.sessions + 1, holes: [] };
    } else {
      const nothing = rows === 0 && hours !== null ? [hours] : holes;
      shown.push({ date, until: date, sessions: 1, state, rows, holes: nothing });
    }
  }
  return shown;
}

export function profileQualityRoutes({ db, runs, profiles }: Pick<Services, "db" | "profiles" | "runs">) {
  const routes = new Hono();

  routes.post("/profiles/:symbol/renew", async (c) => {
    const sent = await c.req.parseBody();
    requireKnownFields(sent, RENEWAL_FIELDS);
    const { interval, order, repair_provider } = sent;
    const symbol = parseSymbol(c.req.param("symbol"));
    const profile = symbol === null ? undefined : await findProfile(db, symbol, String(interval) as Interval);
    if (profile === undefined) throw new Refusal("not_found", "There is no such profile: start a run for it first");
    const renewal = PROFILE_RENEWALS.find((each) => each === order);
    if (renewal === undefined)
      throw new Refusal("invalid", `There is no such renewal of a profile; there are ${PROFILE_RENEWALS.join(", ")}`);
    const repairProvider = renewal === "repair" && repair_provider ? String(repair_provider) : undefined;
    for (const request of renewalRequests([profile], renewal, Date.now() / 1000)) {
      await runs.start({ ...request, repairProvider });
    }
    return c.redirect("/", 303);
  });

  routes.post("/profiles/outdated", async (c) => {
    const started = await reprocessOutdated(db, runs, profiles);
    return c.redirect(started.length > 0 ? "/" : "/profiles", 303);
  });

  return routes;
}
