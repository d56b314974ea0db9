/** Compares the prices of a series with its splits and dividends: lasting jumps, and actions without one. Pure. */

import { isoDate } from "../../time.ts";
import type { CorporateAction } from "../corporate-actions.ts";
import { DAY } from "../interval.ts";
import { median } from "./median.ts";

/** The version of the rules by which bars and actions are judged: series of an earlier one are judged again. */
export const RULES_VERSION = 1;

export const FINDING_KINDS = ["scale_change", "split_without_jump", "split_off_date", "foreign_dividend"] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** Kinds that make a series suspicious; a dividend in another currency only leaves adjusted prices incomplete. */
export const DOUBTS: readonly FindingKind[] = ["scale_change", "split_without_jump", "split_off_date"];

export interface Finding {
  readonly kind: FindingKind;
  /** Midnight UTC of the day, epoch seconds: of the jump, or the ex-date of the action. */
  readonly date: number;
  /** Price after ÷ price before: of the jump, or what the split says; `null` where it is not known. */
  readonly ratio: number | null;
  /** Of a split on another day than its jump: the day of the jump. */
  readonly jumpDate: number | null;
}

export const isDoubt = ({ kind }: Finding) => DOUBTS.includes(kind);

/** A factor as people write it: `4` or `0.01`. */
const factorText = (factor: number) => String(Number(factor.toPrecision(3)));
/** `10 for 1`, `1 for 8` */
const splitText = (ratio: number) => (ratio <= 1 ? `${factorText(1 / ratio)} for 1` : `1 for ${factorText(ratio)}`);

/** A finding in one sentence, with its day. */
export function describeFinding({ kind, date, ratio, jumpDate }: Finding): string {
  const day = isoDate(date);
  switch (kind) {
    case "scale_change":
      return `from ${day} on prices are ${factorText(ratio ?? 1)} times those before, and no split or dividend explains it`;
    case "split_without_jump":
      return `a split of ${splitText(ratio ?? 1)} is listed for ${day}, and prices do not change with it`;
    case "split_off_date":
      return `a split of ${splitText(ratio ?? 1)} is listed for ${day}, and prices change on ${isoDate(jumpDate ?? date)}`;
    case "foreign_dividend":
      return `the dividend of ${day} is in another currency than the prices: prices adjusted for dividends lack it`;
  }
}

/** The bars of a day as one. */
export interface DayPrices {
  /** Midnight UTC, epoch seconds. */
  readonly date: number;
  readonly open: number;
  readonly close: number;
  /** NaN where it is unknown. */
  readonly volume: number;
}

/** Smaller moves are not examined: the smallest common split (3 for 2) less the move of a day. */
const MIN_MOVE = Math.log(1.45);
/** A larger move between two sessions is never a real one. */
const IMPOSSIBLE_MOVE = Math.log(10);
/** A change of scale is at least this many times the median move of a session. */
const TIMES_USUAL = 8;
/** A move with more than this many times the median volume and turnover is taken for a real one. */
const BUSY = 2.5;
/** Sessions on each side for the median move, and before for the median volume. */
const USUAL_SESSIONS = 20;
/** Fewest sessions with a known volume for a median volume. */
const MIN_VOLUMES = 5;
/** Sessions on each side whose median close is the level there. */
const LEVEL_SESSIONS = 10;
/** After more days without a bar than this no jump is a finding; a tenfold one is, up to the longer limit. */
const HOLE_DAYS = 10;
const LONG_HOLE_DAYS = 365;
/** Days between a split and a jump of its size that belong together. */
const PAIR_DAYS = 60;

/**
 * The findings of days with `from` <= date, of ascending `days`. A jump counts if it lasts and is tenfold, or is as large
 * as a split on a volume that is not raised: real moves of that size come with a multiple of the median volume.
 * @param adjustment for which actions the vendor has adjusted the prices already: `none`, `splits` or `all`
 * @param earlier findings of the days before `from`, which may belong to later ones
 */
export function findScaleChanges(
  days: readonly DayPrices[],
  actions: readonly CorporateAction[],
  adjustment: string,
  from = Number.NEGATIVE_INFINITY,
  earlier: readonly Finding[] = [],
): Finding[] {
  const found: Finding[] = [...earlier];
  const applied = actions.filter(
    ({ kind, currency }) => !currency && adjustment !== "all" && (kind === "dividend" || adjustment === "none"),
  );
  const foreign = actions.filter(({ currency }) => currency);
  const byDay = byTradingDay(days, applied);
  const foreignDays = byTradingDay(days, foreign);
  for (let at = 1; at < days.length; at++) {
    if (days[at]!.date < from) continue;
    const own = byDay.get(at) ?? [];
    const split = own.filter(({ kind }) => kind === "split").reduce((all, { value }) => all * value, 1);
    const cash = own.filter(({ kind }) => kind === "dividend").reduce((all, { value }) => all + value, 0);
    const move = new Move(days, at);
    const paid = cash > 0 && cash < move.before ? Math.log(1 - cash / move.before) : 0;
    const expected = paid - Math.log(split);
    if (Math.abs(Math.log(split)) >= MIN_MOVE && move.isUnchanged(paid, Math.log(split))) {
      found.push({
        kind: "split_without_jump",
        date: own.find(({ kind }) => kind === "split")!.date,
        ratio: 1 / split,
        jumpDate: null,
      });
      continue;
    }
    const ratio = move.scaleChange(expected, foreignDays.has(at));
    if (ratio !== null) found.push({ kind: "scale_change", date: days[at]!.date, ratio, jumpDate: null });
  }
  if (days.length === 0) return found;
  const unapplied = adjustment === "all" ? [] : foreign;
  for (const { date } of unapplied)
    if (
      date >= Math.max(from, days[0]!.date) &&
      date <= days.at(-1)!.date &&
      !found.some((each) => each.kind === "foreign_dividend" && each.date === date)
    )
      found.push({ kind: "foreign_dividend", date, ratio: null, jumpDate: null });
  const hasSplit = (at: number) => byDay.get(at)?.some(({ kind }) => kind === "split") === true;
  return pairFindings(found, days, hasSplit);
}

/** The ranges of days (places, both included) whose volumes decide whether moves are real; ascending. */
export function volumesNeeded(days: readonly DayPrices[]): { readonly first: number; readonly last: number }[] {
  const ranges: { first: number; last: number }[] = [];
  for (let at = 1; at < days.length; at++) {
    const { gap, total } = new Move(days, at);
    if (Math.abs(gap) < MIN_MOVE && Math.abs(total) < IMPOSSIBLE_MOVE) continue;
    const first = Math.max(0, at - USUAL_SESSIONS);
    const before = ranges.at(-1);
    if (before && first <= before.last) before.last = at;
    else ranges.push({ first, last: at });
  }
  return ranges;
}

/**
 * A split without a jump and a jump of its size near it are one finding. The jump may also be a move that was taken for
 * a real one because of its volume, unless another split explains it.
 */
function pairFindings(
  findings: readonly Finding[],
  days: readonly DayPrices[],
  hasSplit: (at: number) => boolean,
): Finding[] {
  const left = new Set(findings);
  for (const split of findings) {
    if (split.kind !== "split_without_jump" || split.ratio === null) continue;
    const size = Math.log(split.ratio);
    const isNear = (date: number) => Math.abs(date - split.date) <= PAIR_DAYS * DAY;
    const fits = (move: number) => Math.abs(move - size) <= Math.max(0.1, 0.2 * Math.abs(size));
    const jump = [...left].find(
      ({ kind, date, ratio }) => kind === "scale_change" && ratio !== null && isNear(date) && fits(Math.log(ratio)),
    );
    const at = jump
      ? -1
      : days.findIndex(
          ({ date }, index) => index > 0 && isNear(date) && !hasSplit(index) && new Move(days, index).stays(size, fits),
        );
    if (!jump && at < 0) continue;
    left.delete(split);
    if (jump) left.delete(jump);
    left.add({ ...split, kind: "split_off_date", jumpDate: jump?.date ?? days[at]!.date });
  }
  return [...left].sort((a, b) => a.date - b.date);
}

/** The actions by the place of the first day on or after their date; those before the second day change nothing. */
function byTradingDay(days: readonly DayPrices[], actions: readonly CorporateAction[]): Map<number, CorporateAction[]> {
  const places = actions.map((action) => [days.findIndex(({ date }) => date >= action.date), action] as const);
  const inside = places.filter(([at]) => at > 0);
  return new Map(
    [...Map.groupBy(inside, ([at]) => at)].map(([at, entries]) => [at, entries.map(([, action]) => action)]),
  );
}

/** The move of prices into one day; moves are logarithms of ratios. */
class Move {
  readonly before: number;
  readonly gap: number;
  readonly total: number;

  constructor(
    private readonly days: readonly DayPrices[],
    private readonly at: number,
  ) {
    this.before = days[at - 1]!.close;
    this.gap = Math.log(days[at]!.open / this.before);
    this.total = Math.log(days[at]!.close / this.before);
  }

  /** Whether prices go on as if a split of `size` were not one; `paid` is the move that dividends explain. */
  isUnchanged(paid: number, size: number): boolean {
    const isSmall = (move: number) => Math.abs(move - paid) <= Math.abs(size) / 3;
    return isSmall(this.gap) && Math.abs(this.#level() - paid) < Math.abs(size) / 2;
  }

  /** Whether a move of about `size` lies between the sessions, and the level changes with it. */
  stays(size: number, fits: (move: number) => boolean): boolean {
    return fits(this.gap) && Math.abs(this.#level() - size) <= Math.abs(size) / 2;
  }

  /** The ratio of a change of scale that `expected` does not explain, or `null`. */
  scaleChange(expected: number, hasForeign: boolean): number | null {
    const gap = this.gap - expected;
    const total = this.total - expected;
    // Scales change between sessions; inside one only an impossible move counts.
    const move = Math.abs(gap) >= MIN_MOVE ? gap : total;
    if (Math.abs(move) < (move === gap ? MIN_MOVE : IMPOSSIBLE_MOVE)) return null;
    const isTenfold = Math.abs(move) >= IMPOSSIBLE_MOVE;
    const hole = (this.days[this.at]!.date - this.days[this.at - 1]!.date) / DAY;
    if (hole > (isTenfold ? LONG_HOLE_DAYS : HOLE_DAYS)) return null;
    if (Math.abs(this.#level() - expected - move) > Math.abs(move) / 2) return null;
    const ratio = Math.exp(move === gap ? this.gap : this.total);
    if (isTenfold) return move === gap || this.#isQuiet(move) ? ratio : null;
    // The size of a payment in another currency is not known.
    if (hasForeign && move < 0) return null;
    return Math.abs(move) >= TIMES_USUAL * this.#usualMove() && this.#isQuiet(move) ? ratio : null;
  }

  /** The move of the level: the median close from here on against that before. */
  #level(): number {
    const closes = (start: number, end: number) => this.days.slice(Math.max(0, start), end).map(({ close }) => close);
    return Math.log(
      median(closes(this.at, this.at + LEVEL_SESSIONS)) / median(closes(this.at - LEVEL_SESSIONS, this.at)),
    );
  }

  #usualMove(): number {
    const moves: number[] = [];
    const end = Math.min(this.days.length, this.at + USUAL_SESSIONS + 1);
    for (let at = Math.max(1, this.at - USUAL_SESSIONS); at < end; at++)
      if (at !== this.at) moves.push(Math.abs(Math.log(this.days[at]!.close / this.days[at - 1]!.close)));
    return moves.length === 0 ? 0 : median(moves);
  }

  /** Whether the session's volume is not raised; if volumes are unknown, whether the move has the size of a split. */
  #isQuiet(move: number): boolean {
    const traded = this.days.slice(Math.max(0, this.at - USUAL_SESSIONS), this.at).filter(({ volume }) => volume > 0);
    const { close, volume } = this.days[this.at]!;
    if (traded.length < MIN_VOLUMES || !(volume > 0)) return isSplitLike(move, Math.max(0.03, 1.5 * this.#usualMove()));
    const times = volume / median(traded.map((day) => day.volume));
    const turnover = (volume * close) / median(traded.map((day) => day.volume * day.close));
    return Math.min(times, turnover) <= BUSY;
  }
}

/** Whether a move is that of a split of n for 1, 3 for 2 or 5 for 2, or of a reverse one. */
function isSplitLike(move: number, tolerance: number): boolean {
  const factor = Math.exp(Math.abs(move));
  return [1.5, 2.5, Math.round(factor)].some((split) => split > 1 && Math.abs(Math.log(factor / split)) <= tolerance);
}
