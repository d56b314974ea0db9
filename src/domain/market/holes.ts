/** Separates holes in the data from intervals without trades, by the bars of the symbol's other sessions. Pure. */

import { lowerBound } from "./bars.ts";

/** What can be wrong with a session; of several, the worst is stored. `hole`: a stretch inside it has no bars. */
export const GAP_KINDS = ["missing", "truncated", "hole", "sparse", "outside"] as const;

export type GapKind = (typeof GAP_KINDS)[number];

/** The kinds that say that bars are missing: they count in the health, and a repair asks for them. */
export const MISSING_KINDS = ["missing", "truncated", "hole", "sparse"] as const satisfies readonly GapKind[];

/** After this many repairs in a row that brought nothing, the vendor is taken to have no data for a gap. */
export const CONFIRMED_AFTER = 3;

/** The version of the rules by which sessions are compared; stored with a series that was compared by them. */
export const GAP_RULES = 2;

/** Whether a kind of gap says that bars are missing. */
export const isMissing = (kind: GapKind): boolean => MISSING_KINDS.includes(kind as (typeof MISSING_KINDS)[number]);

/** Sessions that a session is compared with, and the fewest for a baseline by time of day. */
export const BASELINE = 20;
const MIN_BASELINE = 10;
/** The shortest hole, seconds: trading halts of five or ten minutes are not reported. */
const SHORTEST_S = 15 * 60;
/**
 * Significance threshold, as -ln of the probability that a stretch without bars has no trades. Measured on real futures
 * minutes thinned to 2 to 97 %, at 1m to 1h: 0 to 2 % of the sessions are false positives, and every half hour removed from
 * a liquid one is found. One absent 1h bar counts only if 9 of 10 sessions lack none.
 */
const EVIDENCE = 12;
/** The threshold with too few sessions for a baseline by time of day. */
const EVIDENCE_ALONE = 24;
/** If at least this share of the other sessions lacks no bar, a bar is expected at every place. */
const ALWAYS = 0.9;
/** A session with less than this share of the median number of bars may be sparse. */
const SPARSE = 0.5;
/** Exponent of lower ÷ upper quartile, by which the lower quartile is multiplied for the limit of a sparse session. */
const SPREADS = 3;
/** Standard deviations of a Poisson count (the root of the expected bars) by which a sparse session must be lower. */
const ROOTS = 4;

/** The bars of one session, by their places in it: 0 is the bar that starts at the open. */
export interface SessionBars {
  /** How many bars its hours have room for. */
  readonly room: number;
  readonly rows: number;
  /** The places that have a bar, ascending; `null` if all have one. */
  readonly places: ArrayLike<number> | null;
}

/** Places without a bar: `from` (inclusive) to `to` (exclusive). */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The fewest absent bars of `step` seconds that can be a hole. */
export const shortestHole = (step: number): number => Math.max(1, Math.ceil(SHORTEST_S / step));

/**
 * Whether a session has far fewer bars than the `others`: less than half of their median, and fewer than the quartiles
 * of the others and a Poisson count of that mean make likely.
 */
export function isSparse(session: SessionBars, others: readonly SessionBars[]): boolean {
  if (others.length < MIN_BASELINE) return false;
  const rates = others.map(({ rows, room }) => rows / room).sort((a, b) => a - b);
  const rate = session.rows / session.room;
  const [lower, upper] = [quantile(rates, 0.25), quantile(rates, 0.75)];
  const usual = quantile(rates, 0.5) * session.room;
  return (
    rate < SPARSE * quantile(rates, 0.5) &&
    rate < lower * (lower / upper) ** SPREADS &&
    usual - session.rows > ROOTS * Math.sqrt(usual)
  );
}

/**
 * The holes of a session, ascending; `others` are the sessions around it (`BASELINE` at most). A stretch is one if it lasts
 * 15 minutes or more and the probability that it has no trades is below e^-12, with bars taken as independent.
 */
export function holesIn(session: SessionBars, others: readonly SessionBars[], step: number): Stretch[] {
  const least = shortestHole(step);
  if (session.places === null || session.room - session.rows < least) return [];
  const stretches = quietStretches(session, least);
  if (stretches.length === 0) return [];
  if (others.length < MIN_BASELINE) return stretches.filter((stretch) => isHoleAlone(stretch, session, others));
  const full = others.filter(({ rows, room }) => rows >= room).length;
  if (full >= ALWAYS * others.length) return stretches;
  const rates = others.map(({ rows, room }) => rows / room).sort((a, b) => a - b);
  const isQuiet = !isSparse(session, others);
  // The busiest hours have up to three times the bars of the average hour.
  const possible = 3 * quantile(rates, 0.5);
  return stretches.filter((stretch) => {
    const length = stretch.to - stretch.from;
    if (evidence(length, Math.min(length, length * possible), others.length) < EVIDENCE) return false;
    const comparable = others.filter(({ room }) => room >= stretch.to);
    if (comparable.length < MIN_BASELINE) return isHoleAlone(stretch, session, others);
    // By the hours of the stretch: with one rate for all, quiet evenings are false positives. The lower quartile and the
    // day's activity: with the median, or without scaling by day, there are five times as many.
    const counts = comparable.map((other) => countIn(other, stretch));
    const outside = median(comparable.map((other, at) => other.rows - counts[at]!));
    const activity = isQuiet && outside > 0 ? Math.min(1, session.rows / outside) : 1;
    const usual = quantile(
      counts.sort((a, b) => a - b),
      0.25,
    );
    return evidence(length, usual * activity, comparable.length) >= EVIDENCE;
  });
}

/** -ln of the probability that `length` bars are absent, if `usual` of them are expected by each of `sessions`. */
function evidence(length: number, usual: number, sessions: number): number {
  // Laplace's rule of succession: the probability of an absence never seen is not zero.
  return length * Math.log((sessions * length + 2) / (sessions * (length - usual) + 1));
}

/** The same test with the share of absent bars in the rest of the session and the few `others`, at any time of day. */
function isHoleAlone({ from, to }: Stretch, session: SessionBars, others: readonly SessionBars[]): boolean {
  const length = to - from;
  let room = session.room - length;
  let absent = session.room - session.rows - length;
  for (const other of others) {
    room += other.room;
    absent += Math.max(0, other.room - other.rows);
  }
  return length * Math.log((room + 2) / (Math.max(0, absent) + 1)) >= EVIDENCE_ALONE;
}

/** The stretches of at least `least` places without a bar. */
function quietStretches({ places, room }: SessionBars, least: number): Stretch[] {
  const found: Stretch[] = [];
  let next = 0;
  for (let at = 0; at <= places!.length; at++) {
    const place = at < places!.length ? places![at]! : room;
    if (place - next >= least) found.push({ from: next, to: place });
    next = place + 1;
  }
  return found;
}

/** How many bars a session has in a stretch. */
function countIn({ places }: SessionBars, { from, to }: Stretch): number {
  return places === null ? to - from : Math.min(to - from, lowerBound(places, to) - lowerBound(places, from));
}

const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
const median = (values: readonly number[]) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/** At most `limit` stretches: those that lie closest together are joined. */
export function joinNearest(stretches: readonly Stretch[], limit: number): Stretch[] {
  const joined = [...stretches];
  while (joined.length > limit) {
    let nearest = 1;
    for (let at = 2; at < joined.length; at++) {
      const apart = (index: number) => joined[index]!.from - joined[index - 1]!.to;
      if (apart(at) < apart(nearest)) nearest = at;
    }
    joined.splice(nearest - 1, 2, { from: joined[nearest - 1]!.from, to: joined[nearest]!.to });
  }
  return joined;
}
