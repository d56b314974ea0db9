/** Our side: the features behind each label. */

import { sliceBars } from "../../src/domain/market/bars.ts";
import { featureNamed } from "../../src/features/catalog.ts";
import type { FeatureSetup, Series } from "../../src/features/define.ts";
import { close, high, low, volume } from "../../src/features/kernels/bar.ts";
import { correlation } from "../../src/features/kernels/correlation.ts";
import { max, min } from "../../src/features/kernels/extreme.ts";
import { std } from "../../src/features/kernels/moment.ts";
import { slope } from "../../src/features/kernels/regression.ts";
import { emptyCarry, runPlan, Scratch } from "../../src/features/pass.ts";
import { blockLength, planOf } from "../../src/features/plan.ts";
import type { Contender } from "./columns.ts";

/**
 * The functions compared: label and our features, as many as a package gives outputs; or, where the feature divides the
 * function by the price, the function's own series.
 */
const FUNCTIONS: Readonly<Record<string, readonly (string | Series)[]>> = {
  "SMA 20": ["sma_20"],
  "SMA 200": ["sma_200"],
  "EMA 12": ["ema_12"],
  "DEMA 20": ["dema_20"],
  "TEMA 20": ["tema_20"],
  "KAMA 10": ["kama_10"],
  "HMA 20": ["hma_20"],
  "VWMA 20": ["vwma_20"],
  "MACD 12 26 9": ["macd_12_26_9_line", "macd_12_26_9_signal", "macd_12_26_9_hist"],
  "ADX 14": ["adx_14"],
  "Directional index 14": ["plus_di_14", "minus_di_14"],
  "Aroon 25": ["aroon_25_up", "aroon_25_down"],
  "Parabolic SAR": ["psar_002_020"],
  "SuperTrend 10 3": ["supertrend_10_3", "supertrend_10_3_dir"],
  Ichimoku: ["ichimoku_tenkan_9", "ichimoku_kijun_26", "ichimoku_senkou_a", "ichimoku_senkou_b"],
  "Vortex 14": ["vortex_14_plus", "vortex_14_minus"],
  "DPO 20": ["dpo_20"],
  "Mass index 25": ["mass_index_9_25"],
  "RSI 14": ["rsi_14"],
  "Stochastic 14 3 3": ["stoch_14_3_3_k", "stoch_14_3_3_d"],
  "StochRSI 14": ["stochrsi_14_14_3_d"],
  "Williams %R 14": ["willr_14"],
  "CCI 14": ["cci_14"],
  "Ultimate oscillator": ["ultosc_7_14_28"],
  "TSI 25 13": ["tsi_25_13"],
  "Connors RSI": ["crsi_3_2_100"],
  "RVGI 10": ["rvgi_10"],
  "IMI 14": ["imi_14"],
  "ATR 14": ["atr_14"],
  "NATR 14": ["natr_14"],
  "Bollinger 20": ["bb_20_2_upper", "bb_20_2_lower"],
  "Std deviation 60": [std(close, 60)],
  "Ulcer index 14": ["ulcer_index_14"],
  "Chaikin volatility": ["chaikin_vol_10_10"],
  OBV: ["obv"],
  "A/D line": ["ad_line"],
  "A/D oscillator": ["adosc_3_10"],
  "CMF 20": ["cmf_20"],
  "MFI 14": ["mfi_14"],
  PVT: ["pvt"],
  NVI: ["nvi"],
  PVI: ["pvi"],
  "Force index 13": ["force_index_13"],
  "Ease of movement 14": ["eom_14"],
  "PVO 12 26": ["pvo_12_26"],
  "Balance of power": ["kbar_kmid2"],
  "Regression slope 20": [slope(close, 20)],
  "Correlation 20": [correlation(close, volume, 20)],
  "Max 20": [max(high, 20)],
  "Min 20": [min(low, 20)],
};

export const LABELS = Object.keys(FUNCTIONS);

function seriesOf(of: string | Series): Series {
  if (typeof of !== "string") return of;
  const found = featureNamed(of);
  if (!found) throw new Error(`no feature ${of}`);
  return found.series;
}

const SETUP: FeatureSetup = { interval: "1d", market: "us_equity" };

/**
 * The kernels as the engine runs them: block by block, into columns of their own where a target has one. Here those are
 * parts of whole, reused columns; other targets are copied to theirs.
 */
export const ours: Contender = ({ bars }) => {
  const scratch = new Scratch();
  const pass = (of: readonly (string | Series)[]) => {
    const plan = planOf(of.map(seriesOf), { own: true });
    const length = blockLength(plan);
    const columns = of.map(() => new Float64Array(bars.ts.length));
    return () => {
      const carry = emptyCarry(plan, SETUP);
      for (let from = 0; from < bars.ts.length; from += length) {
        const base = Math.max(0, from - plan.margin);
        const to = Math.min(from + length, bars.ts.length);
        const stretch = { bars: sliceBars(bars, base, to), base, from: from - base };
        const own = plan.ownColumns.map((at, target) => (at < 0 ? undefined : columns[target]!.subarray(base, to)));
        const emit = (target: number, column: Float64Array) => {
          if (!own[target]) columns[target]!.set(column.subarray(from - base, to - base), from);
        };
        const steps = runPlan(plan, stretch, carry, SETUP, scratch, emit, own);
        while (!steps.next().done) {}
      }
    };
  };
  return Object.fromEntries(LABELS.map((label) => [label, pass(FUNCTIONS[label]!)]));
};
