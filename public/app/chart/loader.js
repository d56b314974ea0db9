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
 * @import { Band } from "./drawing/paint.js"
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
 * The profile whose chart it is.
 * @typedef {object} Page
 * @property {string} symbol
 * @property {string} provider
 * @property {string} adjust
 * @property {string} interval
 * @property {Extent} extent
 */

export class Loader {
  #page;
  /** @type {Loaded | null} */
  #loaded = null;
  /** The level that is kept if it suits the view. @type {Level | null} */
  #kept = null;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
  }

  get loaded() {
    return this.#loaded;
  }

  forgetLevel() {
    this.#kept = null;
  }

  /**
   * Loads the bars that a view needs, with some features.
   * @param {Range} view
   * @param {readonly string[]} names
   * @param {boolean} isWanted whether the view was asked for, and not reached by moving
   * @returns {Promise<Loaded | null>} to be used; null if the loaded bars are enough
   */
  async load(view, names, isWanted) {
    const { extent } = this.#page;
    const loaded = this.#loaded;
    const level = levelFor(view, extent, this.#kept);
    const shown = { from: Math.max(view.from, windowOf(view, level, extent).from), to: view.to };
    // Where no more bars fit into a window, a view of all of them is always near its edge.
    const window = windowOf(shown, level, extent);
    const isSame =
      loaded !== null &&
      Math.max(Math.abs(window.from - loaded.range.from), Math.abs(window.to - loaded.range.to)) <= level.seconds;
    const isOther = loaded === null || level !== loaded.level || isWanted;
    if (loaded !== null && !isOther && (isSame || !isNearEdge(shown, loaded.range, level, extent))) return null;
    const { range, bars, features, source } = await this.#readWindow(level, shown, [...names]);
    const columns = featuresOf(bars, names, features);
    return { level, range, source, bars, features: columns, others: new Map(), events: null };
  }

  /**
   * Replaces what is loaded.
   * @param {Loaded} next
   */
  use(next) {
    this.#kept = next.level;
    this.#loaded = next;
  }

  /**
   * Loads what of the wishes is missing. Symbols or marks that cannot be loaded leave the chart as it is, and say why.
   * @param {{ features: readonly string[], others: readonly string[] }} wishes
   */
  async complete({ features, others }) {
    const target = this.#loaded;
    if (target === null) return;
    await Promise.all([
      this.#readFeatures(
        target,
        features.filter((name) => !target.features.has(name)),
      ),
      this.#readEvents(target),
      ...others.filter((other) => !target.others.has(other)).map((other) => this.#readOther(target, other)),
    ]);
  }

  /** @param {Level} level */
  #seriesAt(level) {
    const { symbol, provider, adjust } = this.#page;
    return { symbol, provider, adjust, interval: level.interval };
  }

  /**
   * The rows around a view. A hole in the bars is crossed in steps, because the time axis has no place for it.
   * @param {Level} level
   * @param {Range} view
   * @param {string[]} names
   */
  async #readWindow(level, view, names) {
    const { extent } = this.#page;
    const series = this.#seriesAt(level);
    /** @param {Range} range */
    const read = async (range) => {
      const [bars, features] = await Promise.all([
        readRows("bars", series, range),
        names.length > 0 ? readRows("features", series, range, names) : { rows: [] },
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
   */
  async #readFeatures({ level, range, bars, features }, names) {
    if (names.length === 0) return;
    const { rows } = await readRows("features", this.#seriesAt(level), range, [...names]);
    for (const [name, values] of featuresOf(bars, names, rows)) features.set(name, values);
  }

  /**
   * @param {Loaded} target
   * @param {string} other
   */
  async #readOther({ level, range, bars, others }, other) {
    try {
      const answer = await readRows("bars", { ...this.#seriesAt(level), symbol: other, provider: null }, range);
      const closes = closesAsOf(bars.time, answer.rows, Math.max(OLDEST_CLOSE, 3 * level.seconds));
      const fault = closes.some(Number.isFinite) ? null : "no bars in this time";
      others.set(other, { closes, provider: answer.provider, fault, isRefused: false });
    } catch (error) {
      const { message: fault, isRefused = false } = /** @type {Error & { isRefused?: boolean }} */ (error);
      const closes = new Float64Array(bars.time.length).fill(Number.NaN);
      others.set(other, { closes, provider: "", fault, isRefused });
    }
  }

  /** @param {Loaded} target */
  async #readEvents(target) {
    if (target.events !== null) return;
    const { symbol, interval } = this.#page;
    const { level, range, bars } = target;
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
  }
}

/**
 * The values of features by name, one for each bar.
 * @param {Bars} bars
 * @param {readonly string[]} names
 * @param {readonly Row[]} rows
 */
const featuresOf = (bars, names, rows) => new Map(names.map((name) => [name, valuesAt(bars.time, rows, name)]));
