/**
 * The cost of the feature engine: all features over 200,000 one-minute bars as a matrix, the first time (with the
 * compilation of the kernels) and when warm; the profile of as many bars; an update of one day on 500,000 stored bars;
 * and each family by itself, its intermediates included. Run in a process of its own: `bun bench/features.ts`.
 */

import { sliceBars } from "../src/domain/market/bars.ts";
import { FEATURE_COUNT, FEATURES, type Feature } from "../src/features/catalog.ts";
import { FAMILIES, type FeatureSetup } from "../src/features/define.ts";
import { featureBlocks, LOOKBACK_BARS, resumeFrom } from "../src/features/engine.ts";
import { plainHistory, runEngineer } from "../tests/features/histories.ts";
import { report } from "./support/report.ts";

/** Milliseconds that the first pass over all features and an update of one day may take. */
const [FIRST_TARGET_MS, UPDATE_TARGET_MS] = [450, 2];
const BARS = 200_000;
const STORED = 500_000;
const DAY = 390;
const SETUP: FeatureSetup = { interval: "1m", market: "us_equity" };

const all = plainHistory(STORED + DAY, SETUP);
const bars = sliceBars(all, 0, BARS);

/** Milliseconds that `run` takes. */
function time(run: () => void): number {
  const start = Bun.nanoseconds();
  run();
  return (Bun.nanoseconds() - start) / 1e6;
}

const best = (times: number, run: () => void) => Math.min(...Array.from({ length: times }, () => time(run)));

/** Reads a block at a time, as the report on features does. */
function matrix(features: readonly Feature[]): void {
  let rows = 0;
  for (const block of featureBlocks([bars], SETUP, features, { reuse: true })) rows += block.ts.length;
  if (rows !== BARS) throw new Error(`${rows} rows instead of ${BARS}`);
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MB`;
const perValue = (milliseconds: number, features: number) => (milliseconds * 1e6) / BARS / features;
const line = (what: string, value: string, note: string) =>
  console.log(`${what.padEnd(52)} ${value.padStart(10)}  ${note}`);
const milliseconds = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;

const before = process.memoryUsage.rss();
const cold = time(() => matrix(FEATURES));
const peak = process.resourceUsage().maxRSS * (process.platform === "darwin" ? 1 : 1024);
const warm = best(5, () => matrix(FEATURES));
const note = (value: number) => `${perValue(value, FEATURE_COUNT).toFixed(1)} ns per bar and feature`;
line(`matrix, ${FEATURE_COUNT} × ${BARS} bars, first time`, milliseconds(cold), note(cold));
line("the same, warm", milliseconds(warm), note(warm));
line("peak memory above bars and program", megabytes(peak - before), `${megabytes(peak)} in all`);

const profile = best(5, () => runEngineer(bars, SETUP));
line(`profile of ${BARS} bars, full pass`, milliseconds(profile), "last values, tails and state");

const stored = runEngineer(sliceBars(all, 0, STORED), SETUP);
const recent = sliceBars(all, STORED - LOOKBACK_BARS, STORED + DAY);
const update = best(10, () => {
  const resume = resumeFrom(stored.state, recent, SETUP);
  if ("refused" in resume) throw new Error(resume.refused);
  runEngineer(recent, SETUP, resume);
});
line(`update of ${DAY} bars on ${STORED} stored`, milliseconds(update), `state of ${stored.state.length} bytes`);

console.log("\nfamily           features  ns per bar and feature, warm");
for (const family of FAMILIES) {
  const features = FEATURES.filter((feature) => feature.family === family);
  const value = perValue(
    best(3, () => matrix(features)),
    features.length,
  );
  console.log(`${family.padEnd(16)} ${String(features.length).padStart(8)}  ${value.toFixed(1).padStart(6)}`);
}

const answer = (question: string, measured: number, target: number) => ({
  question,
  measured: milliseconds(measured),
  target: `≤ ${target} ms`,
  missed: measured > target,
});
report([
  answer(`${FEATURE_COUNT} features of ${BARS} bars, first time`, cold, FIRST_TARGET_MS),
  answer(`update of ${DAY} bars on ${STORED} stored`, update, UPDATE_TARGET_MS),
]);
