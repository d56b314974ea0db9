// What a chart has loaded: bars around the view, the features of overlays and panes, other symbols, and marks. A window is
// replaced as a whole, so that bars of different lengths are never side by side.

import { isNearEdge, levelFor, oldest, windowOf } from "../profiles/zoom.js";
import { barsOf, closesAsOf, valuesAt } from "./bars.js";
import { bandsOf, placeMarks, readMarks } from "./marks.js";
import { readRows } from "./rows.js";

/**
 * @import { Extent, Level, Range } from "../profiles/zoom.js"
 * @import { Bars } from "./bars.js"
 * @import { PlacedMark } from "./marks.js"
 * @import { Band } from "./paint.js"
 * @import { Row } from "./rows.js"
 */

/** @typedef {{ closes: Float64Array, provider: string, fault: string | null, isRefused: boolean }} Other another symbol; why it has no bars */
/**
 * @typedef {object} Loaded
 * @property {Level} level
 * @property {Range} range
 * @property {string} source the stored interval that the bars are built from
 * @property {Bars} bars
 * @property {Map<string, Float64Array>} features
 * @property {Map<string, Other>} others
 * @property {{ marks: PlacedMark[], bands: Band[], fault: string | null } | null} events null until they are loaded
 */

const DAY = 86_400;
/** Another symbol's last close is drawn for as long as a weekend with a holiday, or for three bars. */
const OLDEST_CLOSE = 4 * DAY;

/**
 * @param {object} page
 * @param {string} page.symbol
 * @param {string} page.provider
 * @param {string} page.adjust
 * @param {string} page.interval
 * @param {Extent} page.extent
 */
export function createLoader({ symbol, provider, adjust, interval, extent }) {
  /** @type {Loaded | null} */
  let loaded = null;
  /** The level that is kept if it suits the view. @type {Level | null} */
  let kept = null;

  /** @param {Level} level */
  const seriesAt = (level) => ({ symbol, provider, adjust, interval: level.interval });

  /**
   * The rows around a view. A hole in the bars is crossed in steps, because the time axis has no place for it.
   * @param {Level} level
   * @param {Range} view
   * @param {string[]} names
   */
  async function readWindow(level, view, names) {
    /** @param {Range} range */
    const read = async (range) => {
      const [bars, features] = await Promise.all([
        readRows("bars", seriesAt(level), range),
        names.length > 0 ? readRows("features", seriesAt(level), range, names) : { rows: [] },
      ]);
      return { bars: bars.rows, features: features.rows, source: bars.source };
    };
    const range = windowOf(view, level, extent);
    let { bars, features, source } = await read(range);
    const step = Math.max(range.to - range.from, DAY);
    while (range.from > oldest(level, extent) && !bars.some(({ ts }) => ts < view.from)) {
      const from = Math.max(oldest(level, extent), range.from - step);
      const before = await read({ from, to: range.from });
      range.from = from;
      bars = [...before.bars, ...bars];
      features = [...before.features, ...features];
    }
    while (range.to < extent.end && !bars.some(({ ts }) => ts >= view.to)) {
      const to = Math.min(extent.end, range.to + step);
      const after = await read({ from: range.to, to });
      range.to = to;
      bars = [...bars, ...after.bars];
      features = [...features, ...after.features];
    }
    return { range, bars: barsOf(bars), features, source };
  }

  /**
   * @param {Loaded} target
   * @param {readonly string[]} names
   * @param {readonly Row[]} rows
   */
  const keep = (target, names, rows) => {
    for (const name of names) target.features.set(name, valuesAt(target.bars.time, rows, name));
  };

  /**
   * Loads what of the wishes is missing. Symbols or marks that cannot be loaded leave the chart as it is, and say why.
   * @param {{ features: readonly string[], others: readonly string[] }} wishes
   */
  async function complete({ features, others }) {
    const target = loaded;
    if (target === null) return;
    const { level, range, bars } = target;
    const names = features.filter((name) => !target.features.has(name));
    const symbols = others.filter((each) => !target.others.has(each));
    /** @param {string} other */
    const compare = async (other) => {
      try {
        const answer = await readRows("bars", { ...seriesAt(level), symbol: other, provider: null }, range);
        const closes = closesAsOf(bars.time, answer.rows, Math.max(OLDEST_CLOSE, 3 * level.seconds));
        const fault = closes.some(Number.isFinite) ? null : "no bars in this time";
        target.others.set(other, { closes, provider: answer.provider, fault, isRefused: false });
      } catch (error) {
        const { message: fault, isRefused = false } = /** @type {Error & { isRefused?: boolean }} */ (error);
        const closes = new Float64Array(bars.time.length).fill(Number.NaN);
        target.others.set(other, { closes, provider: "", fault, isRefused });
      }
    };
    const mark = async () => {
      if (target.events !== null) return;
      try {
        const { marks, sessions, more } = await readMarks(symbol, level.interval, interval, range);
        target.events = {
          marks: placeMarks(marks, bars.time, level.seconds),
          bands: bandsOf(sessions, bars.time),
          fault: more ? "more marks than can be shown: zoom in" : null,
        };
      } catch (error) {
        target.events = { marks: [], bands: [], fault: /** @type {Error} */ (error).message };
      }
    };
    const read = async () => {
      if (names.length === 0) return;
      keep(target, names, (await readRows("features", seriesAt(level), range, names)).rows);
    };
    await Promise.all([read(), mark(), ...symbols.map(compare)]);
  }

  return {
    get: () => loaded,
    forgetLevel: () => {
      kept = null;
    },
    /**
     * Loads the bars that a view needs, with some features.
     * @param {Range} view
     * @param {readonly string[]} names
     * @param {boolean} isWanted whether the view was asked for, and not reached by moving
     * @returns {Promise<Loaded | null>} to be used; null if the loaded bars are enough
     */
    async load(view, names, isWanted) {
      const level = levelFor(view, extent, kept);
      const shown = { from: Math.max(view.from, windowOf(view, level, extent).from), to: view.to };
      // Where no more bars fit into a window, a view of all of them is always near its edge.
      const window = windowOf(shown, level, extent);
      const isSame =
        loaded !== null &&
        Math.max(Math.abs(window.from - loaded.range.from), Math.abs(window.to - loaded.range.to)) <= level.seconds;
      const isOther = loaded === null || level !== loaded.level || isWanted;
      if (loaded !== null && !isOther && (isSame || !isNearEdge(shown, loaded.range, level, extent))) return null;
      const { range, bars, features, source } = await readWindow(level, shown, [...names]);
      /** @type {Loaded} */
      const next = { level, range, source, bars, features: new Map(), others: new Map(), events: null };
      keep(next, names, features);
      return next;
    },
    /**
     * Replaces what is loaded.
     * @param {Loaded} next
     */
    use(next) {
      kept = next.level;
      loaded = next;
    },
    complete,
  };
}
