/** `/profiles/:symbol/chart/marks`: what happened to the bars that a chart shows, and the sessions they belong to. */

import { type Context, Hono } from "hono";
import { Refusal } from "../../../domain/errors.ts";
import type { Calendar } from "../../../domain/market/calendar.ts";
import type { CorporateAction } from "../../../domain/market/corporate-actions.ts";
import { type Venue, venueOfSeries } from "../../../domain/market/exchanges/exchanges.ts";
import { DAY, isDated, READ_INTERVALS, type ReadInterval, sourceInterval } from "../../../domain/market/interval.ts";
import { parseSymbol } from "../../../domain/market/symbol.ts";
import { isoDate } from "../../../domain/time.ts";
import type { Database } from "../../../storage/db.ts";
import { listActions } from "../../../storage/market/corporate-actions.ts";
import { listGaps, type StoredGap } from "../../../storage/market/quality/gaps.ts";
import { refusedRows } from "../../../storage/market/quality/refused-rows.ts";
import { type RevisedRange, revisionsBetween } from "../../../storage/market/revisions.ts";
import { findSeries } from "../../../storage/market/series.ts";
import { intervalsOf } from "../../../storage/profiles/profiles.ts";
import { formatCount, formatValue } from "../../../views/ui/format.ts";
import { compressed } from "../../compression.ts";
import { chosen, rangeIn } from "../../http/page-query.ts";
import type { Services } from "../../services.ts";

/** The most marks of a kind, and the most days whose sessions are sent. */
const MOST_MARKS = 500;
const MOST_DAYS = 1_500;

interface Mark {
  readonly kind: "split" | "dividend" | "revision" | "gap" | "refused";
  /** Epoch seconds: the first and the last moment that it concerns. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

interface ChartMarks {
  /** Ascending by `from`. */
  readonly marks: readonly Mark[];
  /** Opens and closes, ascending, epoch seconds; none for bars of a day or more, and around the clock. */
  readonly sessions: readonly (readonly [open: number, close: number])[];
  /** Whether there are more than these. */
  readonly more: boolean;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

export function chartMarkRoutes({ calendar, db }: Pick<Services, "calendar" | "db">) {
  return new Hono().get("/profiles/:symbol/chart/marks", compressed, async (c: Context) => {
    const symbol = parseSymbol(c.req.param("symbol") ?? "");
    if (symbol === null) throw new Refusal("not_found", "That is not a symbol");
    const page = chosen(c, "interval", READ_INTERVALS) ?? "1d";
    const level = chosen(c, "level", READ_INTERVALS) ?? page;
    const stored = sourceInterval(page, await intervalsOf(db, symbol));
    const series = stored === null ? undefined : await findSeries(db, symbol, stored);
    if (series === undefined) throw new Refusal("not_found", `There are no ${page} bars of ${symbol}`);
    const { from = 0, to = Math.floor(Date.now() / 1_000) } = rangeIn(c);
    const venue = venueOfSeries(series);
    const marks = await readMarks(db, { ...series, seriesId: series.id, venue, calendar }, level, { from, to });
    return c.json(marks);
  });
}

interface MarkedSeries {
  readonly symbol: string;
  readonly provider: string;
  readonly seriesId: number;
  readonly venue: Venue;
  readonly calendar: Calendar;
}

async function readMarks(db: Database, series: MarkedSeries, level: ReadInterval, range: Range): Promise<ChartMarks> {
  const { symbol, provider, seriesId, venue, calendar } = series;
  const [actions, gaps, revised, refused] = await Promise.all([
    listActions(db, provider, symbol),
    listGaps(db, seriesId),
    revisionsBetween(db, seriesId, range.from, range.to),
    refusedRows(db, seriesId, range, MOST_MARKS),
  ]);
  /** The moment of a trading date on the axis: shorter bars of it begin at its open. */
  const startOf = (date: number) => (isDated(level) ? date : (calendar.sessionOn(venue, date)?.open ?? date));
  const kinds: readonly (readonly Mark[])[] = [
    actions.map((action) => at(action.kind, startOf(action.date), actionWords(action))),
    gaps.map((gap) => at("gap", gap.hours === null ? startOf(gap.date) : gapStart(gap, level), gapWords(gap))),
    revised.ranges.map((range) => ({
      kind: "revision",
      from: range.first,
      to: range.last,
      text: revisionWords(range),
    })),
    refused.rows.map(({ ts, reason }) => at("refused", ts, `refused: ${reason}`)),
  ];
  const shown = kinds.map((marks) => marks.filter(({ from, to }) => to >= range.from && from < range.to));
  return {
    marks: shown.flatMap((marks) => marks.slice(0, MOST_MARKS)).sort((a, b) => a.from - b.from),
    sessions: isDated(level) || venue === "crypto" || venue === "unknown" ? [] : sessionsOf(calendar, venue, range),
    more: revised.more || refused.more || shown.some(({ length }) => length > MOST_MARKS),
  };
}

const at = (kind: Mark["kind"], ts: number, text: string): Mark => ({ kind, from: ts, to: ts, text });

const sessionsOf = (calendar: Calendar, venue: Venue, { from, to }: Range) =>
  calendar
    .sessionsBetween(venue, Math.max(from - DAY, to - MOST_DAYS * DAY), to + DAY)
    .map(({ open, close }) => [open, close] as const);

/** The first missing moment of a gap; of bars of a day or more its date. */
const gapStart = ({ date, rows, hours, holes }: StoredGap, level: ReadInterval): number =>
  isDated(level) ? date : rows === 0 ? hours![0] : (holes[0]?.[0] ?? hours![0]);

const actionWords = ({ kind, date, value, currency }: CorporateAction): string =>
  kind === "split"
    ? `${isoDate(date)}: split ${formatValue(value)} for 1`
    : `${isoDate(date)}: dividend ${formatValue(value)}${currency === null ? "" : ` ${currency}, not applied`}`;

const GAP_WORDS: Readonly<Record<StoredGap["kind"], string>> = {
  missing: "no bars",
  truncated: "ends early or begins late",
  hole: "has a stretch without bars",
  sparse: "has fewer bars than usual",
  outside: "bars on a day without a session",
};

const gapWords = ({ date, kind, rows }: StoredGap): string =>
  `${isoDate(date)}: ${GAP_WORDS[kind]}${rows === 0 ? "" : `, ${formatCount(rows)} stored`}`;

const revisionWords = ({ kind, seenAt, bars }: RevisedRange): string =>
  `${bars === 1 ? "bar" : `${formatCount(bars)} bars`} revised (${kind}), seen ${isoDate(seenAt / 1_000)}`;
