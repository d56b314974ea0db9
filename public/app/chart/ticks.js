// The labels of a chart's axes: round values of a price scale, and beginnings of hours, days, months or years.

const DAY = 86_400;

/**
 * The smallest step of 1, 2, 2.5 or 5 times a power of ten that is at least `least`.
 * @param {number} least above 0
 */
export function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  // The rounding of a division must not push a round step to the next one.
  const factor = [1, 2, 2.5, 5].find((each) => each * power >= least * (1 - 1e-9));
  return (factor ?? 10) * power;
}

/**
 * Round values within a range, at most `most` of them.
 * @param {number} low
 * @param {number} high
 * @param {number} most at least 2
 * @returns {number[]}
 */
export function linearTicks(low, high, most) {
  if (!(high > low) || !Number.isFinite(high - low)) return Number.isFinite(low) && low === high ? [low] : [];
  const step = roundStep((high - low) / most);
  const ticks = [];
  // A range far from 0 may be too short for its step to change a value.
  for (let at = Math.ceil(low / step), left = most + 1; at * step <= high && left > 0; at++, left--) {
    ticks.push(at * step);
  }
  return ticks;
}

/**
 * Round values of a logarithmic scale: 1, 2 and 5 times powers of ten, or as on a linear one if the range is short.
 * @param {number} low above 0
 * @param {number} high
 * @param {number} most
 * @returns {number[]}
 */
export function logTicks(low, high, most) {
  if (!(low > 0 && high > low)) return linearTicks(low, high, most);
  if (high / low < 10) return linearTicks(low, high, most);
  const powers = Math.log10(high / low);
  const factors = powers * 3 <= most ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil((powers * factors.length) / most));
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += every) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= low && value <= high) ticks.push(value);
    }
  }
  return ticks;
}

/**
 * Decimals that tell apart values which differ by `step`.
 * @param {number} step
 */
export const decimalsOf = (step) => {
  if (!(step > 0)) return 2;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  // A step of 2.5 needs one more.
  const isWhole = Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6;
  return Math.min(10, digits + (isWhole ? 0 : 1));
};

/** Beginnings of units of time, coarsest first: a bar begins the coarsest one that it is not in together with the one before. */
const UNITS = /** @type {const} */ (["year", "month", "week", "day", "hour", "half", "quarter", "five", "minute"]);
/** @typedef {typeof UNITS[number]} Unit half: of an hour; five: minutes */

/** Seconds of the units that all have the same length; a week begins on Monday, the epoch on a Thursday. */
const LENGTHS = /** @type {const} */ ([
  ["week", 7 * DAY, 3 * DAY],
  ["day", DAY, 0],
  ["hour", 3_600, 0],
  ["half", 1_800, 0],
  ["quarter", 900, 0],
  ["five", 300, 0],
]);

/**
 * The coarsest unit that begins between a bar and the next.
 * @param {number} before epoch seconds
 * @param {number} time
 * @returns {Unit}
 */
function unitBetween(before, time) {
  const [a, b] = [new Date(before * 1_000), new Date(time * 1_000)];
  if (a.getUTCFullYear() !== b.getUTCFullYear()) return "year";
  if (a.getUTCMonth() !== b.getUTCMonth()) return "month";
  for (const [unit, length, shift] of LENGTHS) {
    if (Math.floor((before + shift) / length) !== Math.floor((time + shift) / length)) return unit;
  }
  return "minute";
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * @param {number} time
 * @param {Unit} unit
 */
function textOf(time, unit) {
  const date = new Date(time * 1_000);
  if (unit === "year") return String(date.getUTCFullYear());
  if (unit === "month") return MONTHS[date.getUTCMonth()] ?? "";
  return unit === "week" || unit === "day" ? String(date.getUTCDate()) : date.toISOString().slice(11, 16);
}

/** @typedef {{ at: number, text: string, isMajor: boolean }} TimeTick the place of a bar, and what is written there */

/**
 * Labels of the bars from `from` to `to` (places of the axis), the coarsest units first, at least `distance` places apart.
 * @param {ArrayLike<number>} times of all bars, ascending epoch seconds
 * @param {number} from
 * @param {number} to
 * @param {number} distance
 * @returns {TimeTick[]} ascending
 */
export function timeTicks(times, from, to, distance) {
  const first = Math.max(0, Math.ceil(from));
  const last = Math.min(times.length - 1, Math.floor(to));
  /** @type {Map<Unit, number[]>} */
  const byUnit = new Map(UNITS.map((unit) => [unit, []]));
  for (let at = first; at <= last; at++) {
    const unit = at === 0 ? "minute" : unitBetween(Number(times[at - 1]), Number(times[at]));
    byUnit.get(unit)?.push(at);
  }
  /** @type {TimeTick[]} */
  const ticks = [];
  for (const unit of UNITS) {
    const taken = ticks.map(({ at }) => at).sort((a, b) => a - b);
    let next = 0;
    let previous = Number.NEGATIVE_INFINITY;
    for (const at of byUnit.get(unit) ?? []) {
      while (next < taken.length && Number(taken[next]) < at) previous = Math.max(previous, Number(taken[next++]));
      if (at - previous < distance || Number(taken[next] ?? Number.POSITIVE_INFINITY) - at < distance) continue;
      ticks.push({ at, text: textOf(Number(times[at]), unit), isMajor: unit === "year" || unit === "month" });
      previous = at;
    }
  }
  return ticks.sort((a, b) => a.at - b.at);
}
