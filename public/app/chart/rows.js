// Rows of bars and features for a profile's chart, from /api/bars and /api/features.

/** @import { Range } from "../profiles/zoom.js" */

/** @typedef {{ symbol: string, provider: string | null, adjust: string, interval: string }} Series provider: null for any */
/** @typedef {{ rows: Row[], source: string, provider: string }} Answer source: the stored interval that the bars are built from */
/** @typedef {{ ts: number } & Record<string, number | null>} Row */

/** @param {number} seconds of the epoch */
export const isoTime = (seconds) => `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`;

/**
 * What the server answers, below its base address.
 * @param {string} address
 * @throws {Error} with the server's message when it refuses
 */
export async function ask(address) {
  const response = await fetch(document.documentElement.dataset.base + address);
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const error = new Error(problem.detail ?? `the server answered ${response.status}`);
  // 404 and 422: the same would be refused again.
  throw Object.assign(error, { isRefused: response.status === 404 || response.status === 422 });
}

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
  const query = new URLSearchParams({ interval, adjust, from: isoTime(from), to: isoTime(to) });
  if (provider !== null) query.set("provider", provider);
  if (names) query.set("names", names.join(","));
  const response = await ask(`api/${content}/${encodeURIComponent(symbol)}?${query}`);
  /** @type {{ provider: string, data: ({ timestamp: string } & Record<string, number | null>)[] }} */
  const { data, provider: used } = await response.json();
  const rows = data.map(
    ({ timestamp, ...values }) => /** @type {Row} */ ({ ts: Date.parse(timestamp) / 1_000, ...values }),
  );
  return { rows, source: response.headers.get("x-barkeep-source-interval") ?? interval, provider: used };
}
