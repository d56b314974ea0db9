/**
 * The bars of a series as they were stored at an earlier moment: those seen by then, with the values they had. Later
 * values are undone by what each change has kept (revisions, provisional bars), later bars by their arrivals.
 */

import { type BarColumns, emptyBars, joinBars, pickBars } from "../../domain/market/bars.ts";
import { DAY } from "../../domain/market/interval.ts";
import type { Database, Row } from "../db.ts";
import { columnsOf } from "./bars.ts";

/** Bars read by one statement. */
const PAGE = 5_000;
/** Days after a moment within which bars may start that were seen by then: the date of a session may begin before its midnight. */
const AHEAD = 3 * DAY;

const SERIES = `SELECT coalesce(s.bars_id, s.id), s.arrivals_since, coalesce(o.bars_id, o.id), o.retired_at
FROM series s LEFT JOIN series o ON o.staging_for = s.id AND o.retired_at IS NOT NULL WHERE s.id = ?1`;
const ARRIVALS = `SELECT from_ts, to_ts, coalesce(first_at, fetched_at), 1 FROM batches
WHERE series_id = ?1 AND status <> 'failed'
UNION ALL SELECT from_ts, to_ts, seen_at, is_window FROM arrivals WHERE series_id = ?1`;

const VALUES = "ts, open, high, low, close, volume";
const RANGE = "series_id = ?1 AND ts >= ?2 AND ts < ?3";
/** What is stored now, and of what was replaced since, the first replacement of each bar: the value at the moment. */
const sources = (order: "ASC" | "DESC") => ({
  now: `SELECT ${VALUES} FROM bars WHERE ${RANGE} ORDER BY ts ${order} LIMIT ?4`,
  revised: `SELECT ${VALUES}, min(seen_at), kind = 'withdrawn' FROM bar_revisions WHERE ${RANGE} AND seen_at > ?5
GROUP BY ts ORDER BY ts ${order} LIMIT ?4`,
  provisional: `SELECT ${VALUES}, min(replaced_at), 0 FROM provisional_bars WHERE ${RANGE} AND replaced_at > ?5
GROUP BY ts ORDER BY ts ${order} LIMIT ?4`,
});
const ASCENDING = sources("ASC");
const DESCENDING = sources("DESC");

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Bars that arrived after the moment (epoch milliseconds). */
interface Late extends Span {
  readonly seenAt: number;
}

/** A value, and until when it was stored (epoch milliseconds). */
interface Value {
  readonly row: Row;
  readonly until: number;
  readonly isLast: boolean;
}

interface Facts {
  readonly barsId: number;
  /** The bars that a rebuild has replaced and not archived yet, and when it did. */
  readonly retired: { readonly barsId: number; readonly at: number } | null;
  /** From when on arrivals are recorded (epoch milliseconds); `null`: always. */
  readonly since: number | null;
  /** Where bars had been seen by the moment. */
  readonly seen: readonly Span[];
  readonly late: readonly Late[];
}

export class KnownBars {
  private constructor(
    private readonly db: Database,
    private readonly seriesId: number,
    /** Epoch milliseconds. */
    private readonly at: number,
    private readonly facts: Facts,
  ) {}

  /** @param at the moment, epoch milliseconds */
  static async open(db: Database, seriesId: number, at: number): Promise<KnownBars> {
    const [[row], arrivals] = await Promise.all([db.rows(SERIES, [seriesId]), db.rows(ARRIVALS, [seriesId])]);
    const [barsId, since, oldId, retiredAt] = row as [number, number | null, number | null, number | null];
    const seen: Span[] = [];
    const late: Late[] = [];
    const began = Math.floor(at / 1_000) + 1;
    for (const [from, to, seenAt, isWindow] of arrivals as number[][]) {
      // Of bars whose arrival was not recorded, those that had begun are taken to have been seen.
      if (seenAt === 0) seen.push({ from: from!, to: Math.min(to!, began) });
      else if (seenAt! <= at) seen.push({ from: from!, to: to! });
      else if (isWindow === 0) late.push({ from: from!, to: to!, seenAt: seenAt! });
    }
    const retired = retiredAt !== null && retiredAt > at ? { barsId: oldId!, at: retiredAt } : null;
    return new KnownBars(db, seriesId, at, { barsId, retired, since, seen: joined(seen), late });
  }

  /** From when on answers are exact, if the moment lies before it (epoch milliseconds). */
  get exactSince(): number | null {
    const { since } = this.facts;
    return since !== null && this.at < since ? since : null;
  }

  /** The bars with `from` <= ts < `to` (epoch seconds) in pages, ascending. */
  async *pages(from: number, to: number): AsyncGenerator<BarColumns> {
    const end = this.#end(to);
    for (let start = from; start < end; ) {
      const page = await this.#page(start, end, PAGE, "ascending");
      if (page.bars.ts.length > 0) yield page.bars;
      start = page.reached;
    }
  }

  /** The last `count` bars before `to` (epoch seconds), ascending. */
  async last(to: number, count: number): Promise<BarColumns> {
    let found = emptyBars();
    let size = count + 1;
    for (let end = this.#end(to); found.ts.length < count && end > Number.MIN_SAFE_INTEGER; ) {
      const page = await this.#page(Number.MIN_SAFE_INTEGER, end, size, "descending");
      found = joinBars(page.bars, found);
      end = page.reached;
      size = Math.min(PAGE, 8 * size);
    }
    const first = Math.max(0, found.ts.length - count);
    return pickBars(
      found,
      Array.from({ length: found.ts.length - first }, (_, at) => first + at),
    );
  }

  /** The starts (epoch seconds) of the first and the last bar with `from` <= ts < `to`; `null` if there is none. */
  async edges(from: number, to: number): Promise<{ readonly first: number; readonly last: number } | null> {
    const last = (await this.last(to, 1)).ts[0];
    if (last === undefined || last < from) return null;
    let size = 1;
    for (let start = from; start <= last; size = Math.min(PAGE, 8 * size)) {
      const page = await this.#page(start, last + 1, size, "ascending");
      const [first] = page.bars.ts;
      if (first !== undefined) return { first, last };
      start = page.reached;
    }
    return null;
  }

  #end(to: number): number {
    return Math.min(to, Math.floor(this.at / 1_000) + AHEAD);
  }

  /** Some of the bars of a range from its start or, descending, from its end; `reached` is where the rest begins or ends. */
  async #page(
    from: number,
    to: number,
    size: number,
    order: "ascending" | "descending",
  ): Promise<{ readonly bars: BarColumns; readonly reached: number }> {
    const { barsId, retired } = this.facts;
    const isAscending = order === "ascending";
    const queries = isAscending ? ASCENDING : DESCENDING;
    const range = [from, to, size];
    const stored = [
      this.db.rows(queries.now, [barsId, ...range]),
      this.db.rows(queries.revised, [this.seriesId, ...range, this.at]),
      this.db.rows(queries.provisional, [this.seriesId, ...range, this.at]),
      retired === null ? Promise.resolve([]) : this.db.rows(queries.now, [retired.barsId, ...range]),
    ];
    const lists = await Promise.all(stored);
    // A full list ends before its range does.
    let reached = isAscending ? to : Number.MIN_SAFE_INTEGER;
    for (const rows of lists) {
      if (rows.length < size) continue;
      const last = rows[rows.length - 1]![0] as number;
      reached = isAscending ? Math.min(reached, last + 1) : Math.max(reached, last);
    }
    const values = new Map<number, Value>();
    for (const [place, rows] of lists.entries()) {
      for (const row of rows) {
        const ts = row[0] as number;
        if (isAscending ? ts >= reached : ts < reached) continue;
        const value = storedValue(place, row, retired?.at);
        const other = values.get(ts);
        if (other === undefined || value.until < other.until || isBefore(place, value, other)) values.set(ts, value);
      }
    }
    const [low, high] = isAscending ? [from, reached] : [reached, to];
    const late = this.facts.late.filter((span) => span.from < high && span.to > low);
    const known = [...values].filter(([ts, value]) => this.#isSeen(ts, value, late)).sort(([a], [b]) => a - b);
    return { bars: columnsOf(known.map(([, { row }]) => row)), reached };
  }

  /** Whether a bar whose value was stored until some time had arrived by the moment. */
  #isSeen(ts: number, { until, isLast }: Value, late: readonly Late[]): boolean {
    if (!covers(this.facts.seen, ts)) return false;
    // A bar that was removed and came back at once is not the one that was removed.
    return !late.some(
      ({ from, to, seenAt }) => from <= ts && ts < to && (seenAt < until || (seenAt === until && !isLast)),
    );
  }
}

/** Whether a value was replaced before another one in the same millisecond: one that was not final, before one that was. */
const isBefore = (place: number, { until }: Value, other: Value) => place === 2 && until === other.until;

/** The value in a row of the sources, in their order. */
function storedValue(place: number, row: Row, retiredAt = Number.POSITIVE_INFINITY): Value {
  if (place === 0) return { row, until: Number.POSITIVE_INFINITY, isLast: false };
  if (place === 3) return { row, until: retiredAt, isLast: false };
  return { row, until: row[6] as number, isLast: row[7] === 1 };
}

/** Spans as few as possible, ascending. */
function joined(spans: readonly Span[]): Span[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = found[found.length - 1];
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}

/** Whether one of the spans, which ascend and do not touch, has `ts`. */
function covers(spans: readonly Span[], ts: number): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.to <= ts) low = middle + 1;
    else high = middle;
  }
  return low < spans.length && spans[low]!.from <= ts;
}
