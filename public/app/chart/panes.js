// The panes of a chart: what each shows, and how the choice is written into the page's address.

/**
 * A line of a pane: the feature it shows, the number of its colour, and how it is drawn.
 * @typedef {{ name: string, colour: number, style: "line" | "columns" }} PaneLine
 */
/**
 * What a pane shows. `range`: the values that are always in view; `guides`: values with a line across.
 * @typedef {{ key: string, title: string, lines: readonly PaneLine[], range: readonly [number, number] | null, guides: readonly number[] }} PaneKind
 */

/** The most panes besides that of the prices. */
export const MOST_PANES = 6;
const VOLUME = "volume";

/** @type {Readonly<Record<string, Omit<PaneKind, "key">>>} */
const PRESETS = {
  [VOLUME]: { title: "Volume", lines: [], range: null, guides: [] },
  rsi: {
    title: "RSI 14",
    lines: [{ name: "rsi_14", colour: 0, style: "line" }],
    range: [0, 100],
    guides: [30, 70],
  },
  macd: {
    title: "MACD 12 26 9",
    lines: [
      { name: "macd_12_26_9_hist", colour: 2, style: "columns" },
      { name: "macd_12_26_9_line", colour: 0, style: "line" },
      { name: "macd_12_26_9_signal", colour: 1, style: "line" },
    ],
    range: null,
    guides: [0],
  },
  stochastic: {
    title: "Stochastic 14 3 3",
    lines: [
      { name: "stoch_14_3_3_k", colour: 0, style: "line" },
      { name: "stoch_14_3_3_d", colour: 1, style: "line" },
    ],
    range: [0, 100],
    guides: [20, 80],
  },
  atr: { title: "ATR 14", lines: [{ name: "atr_14", colour: 0, style: "line" }], range: null, guides: [] },
};

/**
 * The pane of a key: a preset, or the feature of that name.
 * @param {string} key
 * @param {ReadonlySet<string>} features names of all features
 * @returns {PaneKind | null} null if there is neither
 */
export function paneOf(key, features) {
  const preset = Object.hasOwn(PRESETS, key) ? PRESETS[key] : undefined;
  if (preset !== undefined) return { key, ...preset };
  if (!features.has(key)) return null;
  return { key, title: key, lines: [{ name: key, colour: 0, style: "line" }], range: null, guides: [] };
}

/**
 * The panes that an address asks for, each once; without a choice that of the volume.
 * @param {URLSearchParams} query
 * @param {ReadonlySet<string>} features
 * @returns {PaneKind[]}
 */
export function panesOf(query, features) {
  const keys = query.has("panes") ? (query.get("panes") ?? "").split(",") : [VOLUME];
  return [...new Set(keys)].flatMap((key) => paneOf(key, features) ?? []).slice(0, MOST_PANES);
}

/**
 * Writes a choice of panes into an address.
 * @param {URLSearchParams} query
 * @param {readonly { key: string }[]} panes
 */
export function writePanes(query, panes) {
  const keys = panes.map(({ key }) => key);
  if (keys.join() === VOLUME) query.delete("panes");
  else query.set("panes", keys.join(",") || "none");
}

/** The most symbols beside that of the page. */
export const MOST_COMPARED = 4;

/**
 * The symbols that an address compares with that of the page.
 * @param {URLSearchParams} query
 * @param {string} own
 * @returns {string[]}
 */
export function comparedOf(query, own) {
  const symbols = (query.get("compare") ?? "").split(",").map((symbol) => symbol.trim().toUpperCase());
  const valid = symbols.filter((symbol) => /^[A-Z0-9][A-Z0-9.@-]{0,29}$/.test(symbol) && symbol !== own);
  return [...new Set(valid)].slice(0, MOST_COMPARED);
}

/**
 * @param {URLSearchParams} query
 * @param {readonly string[]} symbols
 */
export function writeCompared(query, symbols) {
  if (symbols.length === 0) query.delete("compare");
  else query.set("compare", symbols.join(","));
}
