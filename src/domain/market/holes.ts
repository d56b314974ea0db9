/** Which stretches without bars are holes in the data, and which are only quiet, by the symbol's own pattern. Pure. */

import { lowerBound } from "./bars.ts";

/** Sessions that a session is compared with, and the fewest that show a pattern by the hour. */
export const BASELINE = 20;
const MIN_BASELINE = 10;
/** The shortest hole, seconds: a halt of five or ten minutes is none. */
const SHORTEST_S = 15 * 60;
/** How unlikely a stretch must be if the symbol merely did not trade, as -ln of the chance; see `holesIn`. */
const EVIDENCE = 12;
/** The same where too few sessions are known to tell busy hours from quiet ones. */
const EVIDENCE_ALONE = 24;
/** The share of sessions without a single absent bar from which on the symbol counts as trading in every bar. */
const ALWAYS = 0.9;
/** A session with less than this share of the usual bars may be sparse. */
const SPARSE = 0.5;
/** By how many spreads (upper through lower quartile) it must lie below the lower quartile. */
const SPREADS = 3;
/** By how many roots of the usual bars it must lack them: few trades a day come and go by chance. */
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
 * Whether a session has far fewer bars than the `others`: less than half of their median, and less than their spread
 * explains. Quiet days of a thinly traded symbol lie within its spread; of a liquid one, all sessions are alike.
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
 * The holes of a session, ascending. `others` are the sessions around it (`BASELINE` at most).
 *
 * A stretch is a hole if it lasts 15 minutes or more, and the symbol has bars in those hours so regularly that it cannot
 * merely not have traded: the lower quartile of the other sessions' bars in the same hours, made smaller on a day that
 * is quiet as a whole, gives the chance that one bar is absent, and all of the stretch by chance must be below e^-12.
 * For a symbol that trades nearly every minute that is any 15 minutes; one with a bar in two minutes needs half an hour
 * or more, one with a few bars a day has no holes.
 *
 * Why so: of real futures minutes thinned to between 2 and 97 % of the minutes, at 1m, 5m, 15m and 1h, this finds 0 to
 * 2 % of the sessions and every half hour taken out of a liquid one. A flat rate takes quiet evenings for holes (the
 * longest stretch would have had up to 40 bars), the median instead of the quartile and days taken as equally busy find
 * five times as many. A single absent hour is too little for the chance; it counts if 9 of 10 sessions lack nothing.
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
  // Busy hours have up to three times the bars of the average one.
  const possible = 3 * quantile(rates, 0.5);
  return stretches.filter((stretch) => {
    const length = stretch.to - stretch.from;
    if (evidence(length, Math.min(length, length * possible), others.length) < EVIDENCE) return false;
    const comparable = others.filter(({ room }) => room >= stretch.to);
    if (comparable.length < MIN_BASELINE) return isHoleAlone(stretch, session, others);
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

/** -ln of the chance that `length` bars are absent, where `usual` of them are there in each of `sessions`. */
function evidence(length: number, usual: number, sessions: number): number {
  // The rule of succession: what was never absent may still be once.
  return length * Math.log((sessions * length + 2) / (sessions * (length - usual) + 1));
}

/** The same by the absent bars of the rest of the session and of the few `others`, without regard to the hour. */
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
