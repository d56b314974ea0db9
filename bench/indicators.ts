/**
 * How fast are our kernels beside the indicator packages of npm? Nanoseconds per bar, all in one run: the kernels as our
 * engine runs them, and every package on the same bars in the shape it likes best. The ratio is that of the fastest
 * package to ours. TA-Lib's bare WebAssembly stands apart: no JavaScript program can use it without copying (talib-web.ts).
 * `bun bench/indicators.ts [part of a label]`
 */

import { type Columns, type Contender, randomWalk } from "./indicators/columns.ts";
import { fastTechnicalIndicators } from "./indicators/fast-technical-indicators.ts";
import { indicatorTs } from "./indicators/indicatorts.ts";
import { ixjb94 } from "./indicators/ixjb94.ts";
import { LABELS, ours } from "./indicators/ours.ts";
import { talibWeb } from "./indicators/talib-web.ts";
import { technicalIndicators } from "./indicators/technicalindicators.ts";
import { tradingSignals } from "./indicators/trading-signals.ts";

const BARS = 100_000;
/** Each contender has two turns per function, of so many milliseconds; the first passes warm up the compiler. */
const TURN = 80;
const ENOUGH = 100;
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

/** The best pass of a turn, ns per bar: the least disturbed by whatever else the machine does. */
function best(pass: () => unknown): number {
  let [fastest, spent] = [Number.POSITIVE_INFINITY, 0];
  for (let round = 0; round < ENOUGH && spent < TURN; round++) {
    const ms = timed(pass);
    spent += ms;
    fastest = Math.min(fastest, ms);
  }
  return (fastest * 1e6) / BARS;
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

/** ns per bar of every contender that has the function. */
function measured(label: string): Map<string, number> {
  const passes = Object.entries(passesFor(label, columns));
  const figures = new Map<string, number>();
  for (const [name, pass] of [...passes, ...passes]) {
    figures.set(name, Math.min(best(pass), figures.get(name) ?? Number.POSITIVE_INFINITY));
  }
  return figures;
}

const wanted = (process.argv[2] ?? "").toLowerCase();
const rows = LABELS.filter((label) => label.toLowerCase().includes(wanted)).map((label) => {
  const figures = measured(label);
  const own = figures.get("ours")!;
  const packages = [...figures].filter(([name]) => name !== "ours" && name !== BARE);
  const [rival, fastest] = packages.toSorted((a, b) => a[1] - b[1])[0] ?? ["no other", Number.NaN];
  return { label, figures, rival, ratio: fastest / own, bareRatio: (figures.get(BARE) ?? Number.NaN) / own };
});

const cell = (value: number | undefined) => value?.toFixed(1) ?? "";
console.log(`Indicators: ns per bar, ${BARS.toLocaleString("en")} bars, best pass`);
console.table(
  Object.fromEntries(
    rows.map(({ label, figures, rival, ratio }) => [
      label,
      {
        ...Object.fromEntries(Object.keys(CONTENDERS).map((name) => [name, cell(figures.get(name))])),
        ratio: Number.isNaN(ratio) ? "" : `${ratio.toFixed(2)} (${rival})`,
      },
    ]),
  ),
);

const names = (slow: typeof rows) => slow.map(({ label }) => label).join(", ") || "none";
console.log(`Slower than a package: ${names(rows.filter(({ ratio }) => ratio < 1))}`);
console.log(`Slower than TA-Lib's bare WebAssembly: ${names(rows.filter(({ bareRatio }) => bareRatio < 1))}`);
