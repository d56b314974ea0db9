import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BAR_FIELDS, type BarColumns, emptyBars, sliceBars } from "../../../../src/domain/market/bars.ts";
import { parseScreener } from "../../../../src/domain/profiles/screener.ts";
import { FEATURES, featureNamed } from "../../../../src/features/catalog.ts";
import { requestedFeature } from "../../../../src/features/names.ts";
import { LabelStream } from "../../../../src/pipeline/exports/series/label-stream.ts";
import { HORIZONS, LABEL_KINDS, labelNamed } from "../../../../src/pipeline/exports/series/labels.ts";
import { makeHistory, randomFrom } from "../../../features/histories.ts";

const SETUP = { interval: "1d", market: "us_equity" } as const;
const BARS = makeHistory({ seed: 7, length: 700, gaps: 0.05, flat: 0.05, quiet: 0.02, tick: 0.001, price: 40 }, SETUP);
/** Any ranges in percent, undefined for the first bars. */
const NATR = Float64Array.from(BARS.ts, (_, t) => (t < 14 ? Number.NaN : 1 + ((t * 7) % 5)));

const NAMES = [
  ...HORIZONS.flatMap((h) => [`fwd_ret_${h}`, `fwd_logret_${h}`]),
  ...HORIZONS.filter((h) => h >= 5).map((h) => `fwd_vol_${h}`),
  "tb_1_10_10",
  "tb_20_20_20",
  "tb_60_30_15",
  "tb_7_100_1",
];

/** The labels by their definition, from whole columns of plain numbers; `null` where the horizon is not over. */
function oracle(name: string, bars: BarColumns, natr: Float64Array): (number | null)[] {
  const [kind, second, ...rest] = name.split("_");
  const numbers = (kind === "tb" ? [second, ...rest] : rest).map(Number);
  const h = numbers[0]!;
  const c = [...bars.close];
  return c.map((close, t) => {
    if (c[t + h] === undefined) return null;
    const path = c.slice(t, t + h + 1);
    if (second === "ret") return path[h]! / close - 1;
    if (second === "logret") return Math.log(path[h]! / close);
    if (second === "vol") {
      const returns = path.slice(1).map((value, i) => Math.log(value / path[i]!));
      const mean = returns.reduce((a, b) => a + b) / h;
      return Math.sqrt(returns.reduce((sum, r) => sum + (r - mean) * (r - mean), 0) / (h - 1));
    }
    const [, up = 0, down = 0] = numbers;
    if (Number.isNaN(natr[t])) return null;
    const top = close * (1 + ((up / 10) * natr[t]!) / 100);
    const bottom = close * (1 - ((down / 10) * natr[t]!) / 100);
    const touches = Array.from({ length: h }, (_, k) => [bars.high[t + 1 + k]! >= top, bars.low[t + 1 + k]! <= bottom]);
    const first = touches.find(([above, below]) => above || below);
    return first === undefined ? 0 : first[1] ? -1 : 1;
  });
}

/** The labels as an export streams them, in chunks of any size. */
function streamed(names: readonly string[], bars: BarColumns, natr: Float64Array, seed = 1): (number | null)[][] {
  const stream = new LabelStream(
    names.map((name) => labelNamed(name)!),
    0,
  );
  const random = randomFrom(seed);
  const parts: (readonly Float64Array[])[] = [];
  for (let at = 0; at < bars.ts.length; ) {
    const end = Math.min(bars.ts.length, at + 1 + Math.floor(random() * 150));
    parts.push(stream.take({ bars: sliceBars(bars, at, end), columns: [natr.subarray(at, end)] }).columns);
    at = end;
  }
  parts.push(stream.end().columns);
  return names.map((_, k) =>
    parts.flatMap((columns) => Array.from(columns[k]!, (value) => (Number.isNaN(value) ? null : value))),
  );
}

function expectClose(name: string, values: readonly (number | null)[], wanted: readonly (number | null)[]) {
  expect([name, values.length]).toEqual([name, wanted.length]);
  const at = values.findIndex((value, t) => {
    const other = wanted[t]!;
    return value === null || other === null
      ? value !== other
      : Math.abs(value - other) > 1e-12 * Math.max(1, Math.abs(other));
  });
  expect([name, at, values[at], wanted[at]]).toEqual([name, -1, undefined, undefined]);
}

describe("labels", () => {
  test("labels equal their definition on every bar, and are null where their horizon is not over", () => {
    const columns = streamed(NAMES, BARS, NATR);
    for (const [k, name] of NAMES.entries()) expectClose(name, columns[k]!, oracle(name, BARS, NATR));
    const barrier = new Set(columns[NAMES.indexOf("tb_20_20_20")]);
    expect([...barrier].sort()).toEqual([-1, 0, 1, null]);
  });

  test("labels look ahead: every one changes with bars after its own, up to its horizon and no further", () => {
    const t = 300;
    for (const name of NAMES) {
      const { horizon } = labelNamed(name)!;
      const valueWith = (from: number, to: number, factor: number) => {
        const changed = emptyBars(BARS.ts.length);
        for (const field of BAR_FIELDS) changed[field].set(BARS[field]);
        for (let i = from; i < to; i++)
          for (const field of ["open", "high", "low", "close"] as const) changed[field][i]! *= factor ** (i - from + 1);
        return streamed([name], changed, NATR)[0]![t];
      };
      const values = [1, 1.5, 0.5].map((factor) => valueWith(t + 1, t + 1 + horizon, factor));
      expect([name, new Set(values).size > 1]).toEqual([name, true]);
      expect([name, valueWith(t + horizon + 1, BARS.ts.length, 1.5)]).toEqual([name, values[0]!]);
    }
  });

  test("a triple barrier that both sides of one bar touch is -1", () => {
    const bars = emptyBars(3);
    bars.close.fill(100);
    bars.high.set([100, 120, 100]);
    bars.low.set([100, 80, 100]);
    const value = (name: string) => streamed([name], bars, Float64Array.of(5, 5, 5))[0];
    expect(value("tb_1_20_20")).toEqual([-1, 0, null]);
    expect(value("tb_1_10_60")).toEqual([1, 0, null]);
  });

  test("names of labels have the horizons of the contract and no others", () => {
    for (const name of [
      "fwd_ret_4",
      "fwd_ret_0",
      "fwd_vol_3",
      "fwd_ret_01",
      "tb_251_1_1",
      "tb_20_0_20",
      "tb_20_20",
      "rsi_14",
    ])
      expect([name, labelNamed(name)]).toEqual([name, null]);
    for (const { example, formula, source } of LABEL_KINDS) {
      expect(labelNamed(example)!.name).toBe(example);
      expect(formula.length * source.length).toBeGreaterThan(0);
    }
  });
});

describe("labels are no features", () => {
  test("no label has the name of a feature, nor can the screener or a request for features name one", () => {
    for (const name of NAMES) {
      expect([name, featureNamed(name), requestedFeature(name)]).toEqual([name, undefined, null]);
      const screener = parseScreener(`${name} > 0`, (feature) => featureNamed(feature) !== undefined);
      expect("error" in screener).toBe(true);
    }
    expect(FEATURES.filter(({ name }) => labelNamed(name) !== null)).toEqual([]);
  });

  test("only exports and the routes that describe them import labels", () => {
    const source = join(import.meta.dir, "../../../../src");
    const importing = readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.tsx?$/.test(file))
      .filter((file) => /from ".*\/labels?(-stream)?\.ts"/.test(readFileSync(join(source, file), "utf8")))
      .filter((file) => !file.startsWith("pipeline/exports/") && !file.startsWith("routes/exports/"));
    expect(importing).toEqual([]);
  });
});
