// Which bars a profile's chart loads for what is in view: the interval, and a window around the view. Times are epoch
// seconds, ranges half-open.

/** @typedef {{ interval: string, seconds: number }} Level an interval and the nominal length of its bars */
/** @typedef {{ from: number, to: number }} Range */

/**
 * What can be shown.
 * @typedef {object} Extent
 * @property {readonly Level[]} levels finest first
 * @property {number} first start of the first bar at the finest level
 * @property {number} end after the start of the last one
 * @property {number} daySeconds the most seconds of a day that have bars
 * @property {number} weekDays days of a week that have bars: 5 or 7
 */

/** The most bars of a request. */
export const MAX_BARS = 5_000;
/** Bars in view: as many as wanted of a level that is chosen; between the other two a level is kept. */
const WANTED = 500;
const MOST = 1_000;
const LEAST = 60;

const DAY = 86_400;
const YEAR = 365 * DAY;
const MONTH = 30 * DAY;
/** Bars of a month can be 28 days apart. */
const SHORTEST_MONTH = 28 / 30;

/**
 * About how many bars a time has, sessions without a hole assumed.
 * @param {number} span seconds
 * @param {Level} level
 * @param {Extent} extent
 */
export function expectedBars(span, { seconds }, { daySeconds, weekDays }) {
  if (seconds > DAY) return span / seconds;
  return Math.min(span / seconds, (span / DAY) * (weekDays / 7) * Math.ceil(daySeconds / seconds));
}

/**
 * The most bars that a range can have.
 * @param {Range} range
 * @param {Level} level
 * @param {Extent} extent
 */
export function mostBars({ from, to }, { seconds }, { daySeconds, weekDays }) {
  const span = to - from;
  if (seconds > DAY) return Math.ceil(span / (seconds * SHORTEST_MONTH)) + 1;
  const dates = Math.ceil(span / DAY) + 1;
  const sessions = Math.floor(dates / 7) * weekDays + Math.min(weekDays, dates % 7);
  const inSession = seconds === DAY ? 1 : Math.ceil(daySeconds / seconds) + 1;
  return Math.min(Math.ceil(span / seconds) + 1, sessions * inSession);
}

/**
 * The range to load for a view: the view, and as much before and after it; at least a long weekend, so that there are
 * bars beside a view of some hours.
 * @param {Range} view
 * @param {Level} level
 * @param {Extent} extent
 * @returns {Range}
 */
export function windowOf(view, level, extent) {
  const span = view.to - view.from;
  /** @param {number} margin */
  const around = (margin) => ({
    // The bar that holds the first moment begins before it.
    from: Math.max(oldest(level, extent), view.from - margin),
    to: Math.min(extent.end, view.to + margin),
  });
  const wide = around(Math.max(span, 4 * DAY));
  for (const range of [wide, around(span), around(0)]) {
    if (mostBars(range, level, extent) <= MAX_BARS) return range;
  }
  // No level is coarse enough: the newest part.
  const { to } = around(0);
  let from = to - span;
  while (mostBars({ from, to }, level, extent) > MAX_BARS) from += span / 64;
  return { from, to };
}

/**
 * Where the bars of a level can begin.
 * @param {Level} level
 * @param {Extent} extent
 */
export const oldest = ({ seconds }, { first }) => Math.floor(first - 1.1 * seconds);

/**
 * The level to show a view at. The present one is kept while its bars are neither too many nor too few, so that small
 * movements do not change it.
 * @param {Range} view
 * @param {Extent} extent
 * @param {Level | null} [current]
 * @returns {Level}
 */
export function levelFor(view, extent, current = null) {
  const span = view.to - view.from;
  const finest = extent.levels[0];
  /** @param {Level} level @param {number} most */
  const fits = (level, most) =>
    expectedBars(span, level, extent) <= most && mostBars(windowOf(view, level, extent), level, extent) <= MAX_BARS;
  if (current !== null && fits(current, MOST)) {
    if (current === finest || expectedBars(span, current, extent) >= LEAST) return current;
  }
  return (
    extent.levels.find((level) => fits(level, WANTED)) ?? /** @type {Level} */ (extent.levels[extent.levels.length - 1])
  );
}

/**
 * The view a page opens with: its own bars if a month of them fits the view, otherwise the last year.
 * @param {Extent} extent
 * @returns {Range}
 */
export function openingView(extent) {
  const { first, end, levels } = extent;
  const month = expectedBars(MONTH, /** @type {Level} */ (levels[0]), extent);
  const span = month > WANTED ? YEAR : Math.min(YEAR, (MONTH * WANTED * 0.9) / month);
  return { from: Math.max(first, end - span), to: end };
}

/**
 * Whether more must be loaded: the view is near an end of the loaded range behind which there can be bars.
 * @param {Range} view
 * @param {Range} loaded
 * @param {Level} level
 * @param {Extent} extent
 */
export function isNearEdge(view, loaded, level, extent) {
  const near = (view.to - view.from) * 0.3;
  return (
    (loaded.from > oldest(level, extent) && view.from - near < loaded.from) ||
    (loaded.to < extent.end && view.to + near > loaded.to)
  );
}

/**
 * The moment at a place of the time axis, on which bar `i` is at `i`; beyond the bars by their average distance.
 * @param {ArrayLike<number>} times of the bars, not empty
 * @param {number} place
 * @param {number} seconds distance of bars where there is only one
 */
export function timeAt(times, place, seconds) {
  const last = times.length - 1;
  const low = Math.min(Math.max(Math.floor(place), 0), Math.max(0, last - 1));
  const at = Number(times[low]);
  if (place >= 0 && place <= last && last > 0) {
    return at + (place - low) * (Number(times[low + 1]) - at);
  }
  const start = Number(times[0]);
  const final = Number(times[last]);
  const step = last > 0 ? (final - start) / last : seconds;
  return place < 0 ? start + place * step : final + (place - last) * step;
}

/**
 * The place of a moment on the time axis: the inverse of `timeAt`.
 * @param {ArrayLike<number>} times of the bars, not empty
 * @param {number} time
 * @param {number} seconds
 */
export function placeAt(times, time, seconds) {
  const last = times.length - 1;
  const start = Number(times[0]);
  const final = Number(times[last]);
  const step = last > 0 ? (final - start) / last : seconds;
  if (time <= start) return (time - start) / step;
  if (time >= final) return last + (time - final) / step;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (Number(times[middle]) <= time) low = middle;
    else high = middle;
  }
  const at = Number(times[low]);
  return low + (time - at) / (Number(times[high]) - at);
}

/**
 * The part of the time between the first bar and the end of the last that is in view at these places of the axis.
 * @param {ArrayLike<number>} times
 * @param {Range} places
 * @param {Level} level
 * @param {Extent} extent
 * @returns {Range}
 */
export function viewAt(times, places, { seconds }, { first, end }) {
  const to = Math.min(end, Math.max(first + seconds, timeAt(times, places.to, seconds) + seconds));
  const from = Math.max(first, timeAt(times, places.from, seconds));
  return { from: Math.min(from, to - Math.min(seconds, to - first)), to };
}

/** Places left free after the last bar. */
export const FREE_PLACES = 3;

/**
 * The places of the axis that show a view: the inverse of `viewAt`.
 * @param {ArrayLike<number>} times
 * @param {Range} view
 * @param {Level} level
 * @param {Extent} extent
 * @returns {Range}
 */
export function placesOf(times, view, { seconds }, { end }) {
  const to = view.to >= end ? times.length - 1 + FREE_PLACES : placeAt(times, view.to - seconds, seconds);
  return { from: Math.min(placeAt(times, view.from, seconds), to - 1), to };
}
