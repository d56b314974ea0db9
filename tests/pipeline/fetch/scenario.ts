/** Vendors, runs and checks for the tests of the fetch stage. */

import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { newEvents } from "../../../src/storage/alerts/outbox.ts";
import { listFindings } from "../../../src/storage/market/quality/findings.ts";
import { dailyRow, MemoryVendor } from "../../fakes/memory-vendor.ts";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";

/** The New York sessions of a year. */
export const SESSIONS = CALENDAR.sessionsBetween(
  "us_equity",
  Date.UTC(2024, 0, 2) / 1000,
  Date.UTC(2024, 11, 31) / 1000,
);
/** The evening of session `n`. */
export const evening = (n: number) => SESSIONS[n]!.close + 3_600;

/** A vendor that has the first `sessions` of the year. */
export function vendorWith(sessions: number, traits?: MemoryVendor["traits"], name?: string): MemoryVendor {
  const vendor = new MemoryVendor(name, traits);
  vendor.put(...SESSIONS.slice(0, sessions).map(({ date }) => dailyRow(date)));
  return vendor;
}

export const features = async (pipeline: Pipeline) => (await pipeline.profile())!.features;

/** The findings without the times at which they were found. */
export const findingsOf = async ({ db, series }: Pipeline, vendor: MemoryVendor) =>
  (await listFindings(db, await series(vendor))).map(({ seenAt: _, ...finding }) => finding);

/** Bars, features and findings after one clean full run on what the vendor has now. */
export async function cleanRun(vendor: MemoryVendor, asOf: number, setup?: Parameters<typeof startPipeline>[0]) {
  using fresh = await startPipeline(setup);
  await fresh.run(vendor, { asOf });
  return {
    bars: await fresh.stored(vendor),
    features: await features(fresh),
    findings: await findingsOf(fresh, vendor),
  };
}

/** Fails unless all features agree to nine digits. */
export function expectClose(actual: Readonly<Record<string, number | null>>, expected: typeof actual) {
  for (const [name, value] of Object.entries(expected)) {
    const mine = actual[name] ?? null;
    const near =
      value === null ? mine === null : mine !== null && Math.abs(mine - value) <= 1e-9 * Math.max(1, Math.abs(value));
    if (!near) throw new Error(`${name}: ${mine} instead of ${value}`);
  }
}

/** The number of bars under each id; a rebuild has new and old ones under different ids. */
export async function storedBars({ db }: Pipeline): Promise<unknown[]> {
  return (await db.rows("SELECT count(*) FROM bars GROUP BY series_id ORDER BY 1", [])).map(([rows]) => rows);
}

/** The recorded alert events, with the days as indexes of sessions. */
export async function alerts({ db }: Pipeline) {
  const place = (ts: number) => SESSIONS.findIndex(({ date }) => date === ts);
  return (await newEvents(db, 100)).map(({ event }) => {
    if (event.kind === "revision_found") {
      const { kind, what, bars, from, to } = event;
      return { kind, what, bars, days: [place(from), place(to)] };
    }
    if (event.kind === "gap_found") {
      const { kind, missing, from, to } = event;
      return { kind, missing, days: [place(from), place(to)] };
    }
    return event;
  });
}
