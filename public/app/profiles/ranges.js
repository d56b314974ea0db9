// The ranges of a profile's chart: those of its buttons, and the one in the page's address. Times are epoch seconds.

/** @import { Extent, Range } from "./zoom.js" */

const DAY = 86_400;

/**
 * The view of a button: back from the last bar, by the calendar of UTC for months and years.
 * @param {string} name
 * @param {Extent} extent
 * @returns {Range | null} null if there is no such button
 */
export function viewOfRange(name, { first, end, weekDays }) {
  /** @param {number} months */
  const monthsBack = (months) => {
    const last = new Date((end - 1) * 1_000);
    const date = last.getUTCDate();
    last.setUTCMonth(last.getUTCMonth() - months);
    // The 31st of a shorter month is taken as its last day.
    if (last.getUTCDate() !== date) last.setUTCDate(0);
    return last.getTime() / 1_000;
  };
  /** @type {Readonly<Record<string, () => number>>} */
  const starts = {
    "1d": () => end - DAY,
    // Five sessions are a week where there is a weekend.
    "5d": () => end - (weekDays === 5 ? 7 : 5) * DAY,
    "1m": () => monthsBack(1),
    "6m": () => monthsBack(6),
    ytd: () => Date.UTC(new Date((end - 1) * 1_000).getUTCFullYear(), 0) / 1_000,
    "1y": () => monthsBack(12),
    "5y": () => monthsBack(60),
    all: () => first,
  };
  const start = Object.hasOwn(starts, name) ? starts[name] : undefined;
  return start === undefined ? null : { from: Math.max(first, start()), to: end };
}

/**
 * A view as long as the present one with a moment in its middle, within the bars.
 * @param {number} moment
 * @param {Range} view
 * @param {Extent} extent
 * @returns {Range}
 */
export function viewAround(moment, view, { first, end }) {
  const span = Math.min(view.to - view.from, end - first);
  const from = Math.min(Math.max(first, moment - span / 2), end - span);
  return { from, to: from + span };
}

/**
 * The view that an address asks for.
 * @param {URLSearchParams} query
 * @param {Extent} extent
 * @returns {Range | null} null if it asks for none that has bars
 */
export function viewOfAddress(query, extent) {
  const named = viewOfRange(query.get("range") ?? "", extent);
  if (named !== null) return named;
  const from = Math.max(extent.first, Date.parse(query.get("from") ?? "") / 1_000);
  const to = Math.min(extent.end, Date.parse(query.get("to") ?? "") / 1_000);
  return from < to ? { from, to } : null;
}

/**
 * Writes a view into an address, to the minute and not shorter than it is.
 * @param {URLSearchParams} query
 * @param {Range} view
 */
export function writeView(query, { from, to }) {
  /** @param {number} minutes */
  const text = (minutes) => `${new Date(minutes * 60_000).toISOString().slice(0, 16)}Z`;
  query.delete("range");
  query.set("from", text(Math.floor(from / 60)));
  query.set("to", text(Math.ceil(to / 60)));
}
