// The data of a profile's chart, from /api/bars and /api/features.

/**
 * @import { LineData, UTCTimestamp, WhitespaceData } from "lightweight-charts"
 * @import { Range } from "./zoom.js"
 */

/** @typedef {{ symbol: string, provider: string, adjust: string, interval: string }} Series */
/** @typedef {{ rows: Row[], source: string }} Answer source: the stored interval that the bars are built from */
/** @typedef {{ ts: UTCTimestamp } & Record<string, number | null>} Row */
/** @typedef {{ time: UTCTimestamp, open: number, high: number, low: number, close: number, volume: number | null }} Bar volume: null if unknown */
/** @typedef {LineData<UTCTimestamp> | WhitespaceData<UTCTimestamp>} Point of a line, or a gap in it */

/**
 * The rows of bars, or of the features in `names`, of one provider: series of several are never mixed.
 * @param {"bars" | "features"} content
 * @param {Series} series
 * @param {Range} range
 * @param {string[]} [names]
 * @returns {Promise<Answer>}
 * @throws {Error} with the server's message when it refuses
 */
export async function readRows(content, { symbol, interval, provider, adjust }, { from, to }, names) {
  const query = new URLSearchParams({ interval, provider, adjust, from: isoTime(from), to: isoTime(to) });
  if (names) query.set("names", names.join(","));
  const response = await fetch(
    `${document.documentElement.dataset.base}api/${content}/${encodeURIComponent(symbol)}?${query}`,
  );
  if (response.ok) {
    /** @type {{ data: ({ timestamp: string } & Record<string, number | null>)[] }} */
    const { data } = await response.json();
    const rows = data.map(
      ({ timestamp, ...values }) => /** @type {Row} */ ({ ts: Date.parse(timestamp) / 1_000, ...values }),
    );
    return { rows, source: response.headers.get("x-barkeep-source-interval") ?? interval };
  }
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? `the server answered ${response.status}`);
}

/** @param {number} seconds of the epoch */
const isoTime = (seconds) => `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`;

/**
 * @param {readonly Row[]} rows of bars
 * @returns {Bar[]}
 */
export const barsOf = (rows) => rows.map(({ ts, ...prices }) => /** @type {Bar} */ ({ time: ts, ...prices }));

/**
 * @param {readonly Row[]} rows of features
 * @param {string} name of the feature
 * @returns {Point[]}
 */
export const pointsOf = (rows, name) =>
  rows.map(({ ts: time, [name]: value }) => (value == null ? { time } : { time, value }));
