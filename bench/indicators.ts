/**
 * Our kernels compared with indicator packages of npm, in nanoseconds per bar: the median of passes that alternate
 * between all contenders in one run, on the same bars. Each writes whole columns of values: ours and TA-Lib's bare
 * WebAssembly (talib-web.ts) into memory of their own, the packages into the arrays they return. A ratio is the other's
 * time divided by ours: above 1 ours is faster. `bun bench/indicators.ts [part of a label]`
 */

import { type Columns, type Contender, randomWalk } from "./indicators/columns.ts";
import { fastTechnicalIndicators } from "./indicators/fast-technical-indicators.ts";
import { indicatorTs } from "./indicators/indicatorts.ts";
import { ixjb94 } from "./indicators/ixjb94.ts";
import { LABELS, ours } from "./indicators/ours.ts";
import { talibWeb } from "./indicators/talib-web.ts";
import { technicalIndicators } from "./indicators/technicalindicators.ts";
import { tradingSignals } from "./indicators/trading-signals.ts";
import { type BenchResult, median, report } from "./support/report.ts";

const BARS = 100_000;
/** Passes that warm up the compiler, and passes that are measured; slow packages stop after this many milliseconds. */
const [WARM_UP, COUNTED] = [100, 101];
const ENOUGH = 250;
const BARE = "TA-Lib wasm";

const CONTENDERS: Readonly<Record<string, Contender>> = {
  ours,
  [BARE]: talibWeb,
  "@ixjb94": ixjb94,
  indicatorts: indicatorTs,
  "fast-ti": fastTechnicalIndicators,
  "trading-signals": tradingSignals,
  "technicalind.": technicalIndicators,
};

/** One pass, ms. */
function timed(pass: () => unknown): number {
  const start = Bun.nanoseconds();
  pass();
  return (Bun.nanoseconds() - start) / 1e6;
}

/** The passes of all contenders for one function. */
function passesFor(label: string, columns: Columns): Record<string, () => unknown> {
  const entries = Object.entries(CONTENDERS).flatMap(([name, contender]) => {
    const pass = contender(columns)[label];
    return pass ? [[name, pass] as const] : [];
  });
  return Object.fromEntries(entries);
}

const columns = randomWalk(BARS);

/** ns per bar of each pass, the passes taking turns. */
function race(passes: readonly (readonly [string, () => unknown])[], enough: number): Map<string, number> {
  const times = passes.map((): number[] => []);
  const spent = passes.map(() => 0);
  for (let round = 0; round < WARM_UP + COUNTED; round++) {
    passes.forEach(([, pass], index) => {
      if (spent[index]! > enough) return;
      const ms = timed(pass);
      spent[index]! += ms;
      times[index]!.push((ms * 1e6) / BARS);
    });
  }
  // For a slow contender only the later half counts, for the others all passes after the warm-up.
  const counted = times.map((all) => all.slice(Math.min(WARM_UP, Math.floor(all.length / 2))));
  return new Map(passes.map(([name], index) => [name, median(counted[index]!)]));
}

/** Ours against TA-Lib alone, whose passes are as short; then each package, whose garbage would disturb both. */
function measured(label: string): Map<string, number> {
  const passes = Object.entries(passesFor(label, columns));
  const bare = ([name]: readonly [string, unknown]) => name === "ours" || name === BARE;
  const kernels = race(passes.filter(bare), Number.POSITIVE_INFINITY);
  const packages = race(
    passes.filter((entry) => !bare(entry)),
    ENOUGH,
  );
  return new Map([...kernels, ...packages]);
}

const filter = (process.argv[2] ?? "").toLowerCase();
const rows = LABELS.filter((label) => label.toLowerCase().includes(filter)).map((label) => {
  const figures = measured(label);
  const own = figures.get("ours")!;
  const packages = [...figures].filter(([name]) => name !== "ours" && name !== BARE);
  const [rival, fastest] = packages.toSorted((a, b) => a[1] - b[1])[0] ?? ["no other", Number.NaN];
  return { label, figures, rival, ratio: fastest / own, bareRatio: (figures.get(BARE) ?? Number.NaN) / own };
});

const cell = (value: number | undefined) => value?.toFixed(1) ?? "";
const ratioCell = (value: number) => (Number.isNaN(value) ? "" : value.toFixed(2));
console.log(`Indicators: ns per bar, ${BARS.toLocaleString("en")} bars, median; limit: both ratios above 1`);
console.table(
  Object.fromEntries(
    rows.map(({ label, figures, rival, ratio, bareRatio }) => [
      label,
      {
        ...Object.fromEntries(Object.keys(CONTENDERS).map((name) => [name, cell(figures.get(name))])),
        "wasm/ours": ratioCell(bareRatio),
        "package/ours": Number.isNaN(ratio) ? "" : `${ratio.toFixed(2)} (${rival})`,
      },
    ]),
  ),
);

/** One answer: how many of the functions that both have are faster, and which are not. */
function answer(other: string, ratioOf: (row: (typeof rows)[number]) => number): BenchResult {
  const shared = rows.filter((row) => !Number.isNaN(ratioOf(row)));
  const slower = shared.filter((row) => ratioOf(row) < 1);
  return {
    question: `functions faster than ${other}`,
    measured: `${shared.length - slower.length} of ${shared.length}`,
    comparedWith: slower.map((row) => `${row.label} ${ratioOf(row).toFixed(2)}`).join(", ") || "none slower",
    target: "all",
    missed: slower.length > 0,
  };
}
report([
  answer("TA-Lib's bare WebAssembly", ({ bareRatio }) => bareRatio),
  answer("the fastest package", ({ ratio }) => ratio),
]);
