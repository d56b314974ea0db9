// What happened to the bars of a chart: splits, dividends, revisions, gaps and refused bars, and the sessions they belong
// to. All from one address of the page, and placed on the axis here. Times are epoch seconds.

import { lowerBound } from "./bars.js";
import { ask, isoTime } from "./rows.js";

/**
 * @import { Band, MarkStyle } from "./drawing/paint.js"
 * @import { Range } from "../profiles/zoom.js"
 */

/** @typedef {{ kind: string, from: number, to: number, text: string }} Mark from its first bar to its last, or one moment */
/** @typedef {{ marks: Mark[], sessions: [open: number, close: number][], more: boolean }} MarksAnswer */
/** @typedef {{ style: MarkStyle, from: number, to: number, text: string }} PlacedMark places of the axis */

/** @type {Readonly<Record<string, MarkStyle>>} */
const MARK_STYLES = {
  split: { kind: "split", letter: "S", colour: "accent" },
  dividend: { kind: "dividend", letter: "D", colour: "good" },
  revision: { kind: "revision", letter: "R", colour: "warn" },
  gap: { kind: "gap", letter: "G", colour: "warn" },
  refused: { kind: "refused", letter: "×", colour: "bad" },
};

/**
 * @param {string} symbol
 * @param {string} interval of the bars that are shown
 * @param {string} page interval of the page
 * @param {Range} range
 * @returns {Promise<MarksAnswer>}
 */
export async function readMarks(symbol, interval, page, { from, to }) {
  const query = new URLSearchParams({ interval: page, level: interval, from: isoTime(from), to: isoTime(to) });
  return (await ask(`profiles/${encodeURIComponent(symbol)}/chart/marks?${query}`)).json();
}

/**
 * Places marks on the axis: on the bar that holds their moment, or between two bars if there is none.
 * @param {readonly Mark[]} marks
 * @param {Float64Array} times of the bars
 * @param {number} seconds nominal length of a bar
 * @returns {PlacedMark[]} without those outside of the bars
 */
export function placeMarks(marks, times, seconds) {
  if (times.length === 0) return [];
  /** @param {number} time */
  const placeOf = (time) => {
    const next = lowerBound(times, time);
    if (times[next] === time) return next;
    const before = next - 1;
    if (before >= 0 && time < Number(times[before]) + seconds) return before;
    return next - 0.5;
  };
  return marks.flatMap(({ kind, from, to, text }) => {
    const style = MARK_STYLES[kind];
    const [first, last] = [placeOf(from), placeOf(to)];
    if (style === undefined || last < 0 || first > times.length - 1) return [];
    return [{ style, from: Math.max(0, first), to: Math.min(times.length - 1, last), text }];
  });
}

/**
 * The marks at a bar: on it, or in the gap before it.
 * @param {readonly PlacedMark[]} marks
 * @param {number} at
 */
export const marksAt = (marks, at) => marks.filter(({ from, to }) => from <= at && Math.ceil(to) >= at);

/**
 * Every other session, and bars outside of all sessions.
 * @param {readonly (readonly [open: number, close: number])[]} sessions ascending
 * @param {Float64Array} times
 * @returns {Band[]}
 */
export function bandsOf(sessions, times) {
  /** @type {Band[]} */
  const bands = [];
  if (sessions.length === 0) return bands;
  let session = 0;
  let group = Number.NaN;
  for (let at = 0; at < times.length; at++) {
    const time = Number(times[at]);
    while (session < sessions.length && Number(sessions[session]?.[1]) <= time) session++;
    const isClosed = !(time >= Number(sessions[session]?.[0]));
    const own = isClosed ? -1 - session : session;
    const last = bands.at(-1);
    if (own === group) {
      if (last && (isClosed || session % 2 === 1)) last.to = at + 0.5;
    } else if (isClosed || session % 2 === 1) bands.push({ from: at - 0.5, to: at + 0.5, isClosed });
    group = own;
  }
  return bands;
}
