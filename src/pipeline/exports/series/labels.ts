/**
 * Labels: numbers that look ahead from a bar, for training models. They are no features: only a panel has them. This
 * file lies above `features/`, `domain/` and `storage/`, so that no profile, feature or screener can import it.
 */

/** How far ahead labels look, in bars. */
export const HORIZONS = [1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 250] as const;
/** A sample deviation of fewer returns says little. */
const MIN_VOLATILITY = 5;
/** The longest horizon and the widest barrier (tenths of an average true range) of a triple barrier. */
const MAX_HORIZON = 250;
const MAX_BARRIER = 100;

/** The columns that labels are computed from: adjacent bars, then the feature `natr_14` of each. */
export interface LabelInput {
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  /** Percent of the close. */
  readonly natr: Float64Array;
}

export interface Label {
  readonly name: string;
  /** Bars after its own that it needs. */
  readonly horizon: number;
  /** Whether it is computed from `natr_14`. */
  readonly needsRange: boolean;
  /** The value at bar `t`, for which bar `t + horizon` exists. */
  at(input: LabelInput, t: number): number;
}

/** A kind of label as it is documented. */
export interface LabelKind {
  readonly form: string;
  readonly formula: string;
  readonly source: string;
  readonly example: string;
}

export const LABEL_KINDS: readonly LabelKind[] = [
  {
    form: "fwd_ret_{h}",
    formula: "c[t+h]/c[t] − 1",
    source: "Campbell, Lo and MacKinlay, The Econometrics of Financial Markets (1997), 1.4",
    example: "fwd_ret_5",
  },
  {
    form: "fwd_logret_{h}",
    formula: "ln(c[t+h]/c[t])",
    source: "Campbell, Lo and MacKinlay, The Econometrics of Financial Markets (1997), 1.4",
    example: "fwd_logret_5",
  },
  {
    form: "fwd_vol_{h}",
    formula: "sample standard deviation (h − 1) of ln(c[i]/c[i−1]), i = t+1 … t+h; h ≥ 5",
    source: "numpy std(ddof=1) of the log returns",
    example: "fwd_vol_20",
  },
  {
    form: "tb_{h}_{u}_{d}",
    formula:
      "+1, −1 or 0: which of c·(1 + u/10·natr_14/100) by the high, c·(1 − d/10·natr_14/100) by the low, or bar t+h comes first; −1 if both in one bar",
    source: "triple barrier: López de Prado, Advances in Financial Machine Learning (2018), 3.4",
    example: "tb_20_20_20",
  },
];

const forwardReturn =
  (h: number): Label["at"] =>
  ({ close }, t) =>
    close[t + h]! / close[t]! - 1;
const forwardLogReturn =
  (h: number): Label["at"] =>
  ({ close }, t) =>
    Math.log(close[t + h]! / close[t]!);

const forwardVolatility =
  (h: number): Label["at"] =>
  ({ close }, t) => {
    const returnAt = (i: number) => Math.log(close[i]! / close[i - 1]!);
    let sum = 0;
    for (let i = t + 1; i <= t + h; i++) sum += returnAt(i);
    const mean = sum / h;
    let squares = 0;
    for (let i = t + 1; i <= t + h; i++) squares += (returnAt(i) - mean) ** 2;
    return Math.sqrt(squares / (h - 1));
  };

const tripleBarrier =
  (h: number, up: number, down: number): Label["at"] =>
  ({ high, low, close, natr }, t) => {
    const range = natr[t]! / 100;
    if (Number.isNaN(range)) return Number.NaN;
    const above = close[t]! * (1 + (up / 10) * range);
    const below = close[t]! * (1 - (down / 10) * range);
    for (let i = t + 1; i <= t + h; i++) {
      if (low[i]! <= below) return -1;
      if (high[i]! >= above) return 1;
    }
    return 0;
  };

const isHorizon = (h: number) => (HORIZONS as readonly number[]).includes(h);

/** The label of that name, or `null` if there is none. */
export function labelNamed(name: string): Label | null {
  const number = "([1-9]\\d{0,2})";
  const forward = new RegExp(`^fwd_(ret|logret|vol)_${number}$`).exec(name);
  if (forward) {
    const [kind, h] = [forward[1], Number(forward[2])];
    if (!isHorizon(h) || (kind === "vol" && h < MIN_VOLATILITY)) return null;
    const at = kind === "ret" ? forwardReturn : kind === "logret" ? forwardLogReturn : forwardVolatility;
    return { name, horizon: h, needsRange: false, at: at(h) };
  }
  const barrier = new RegExp(`^tb_${number}_${number}_${number}$`).exec(name);
  if (!barrier) return null;
  const [h = 0, up = 0, down = 0] = barrier.slice(1).map(Number);
  if (h > MAX_HORIZON || up > MAX_BARRIER || down > MAX_BARRIER) return null;
  return { name, horizon: h, needsRange: true, at: tripleBarrier(h, up, down) };
}

/** The hint for a name that is no label. */
export const LABEL_HINT = `labels are fwd_ret_{h} and fwd_logret_{h} with h of ${HORIZONS.join(", ")}, fwd_vol_{h} from h = ${MIN_VOLATILITY} on, and tb_{h}_{u}_{d} with h up to ${MAX_HORIZON}, u and d up to ${MAX_BARRIER} tenths of an ATR`;

/** One label for the rows before `count`; NaN where its horizon is not over: where the bar after it does not exist. */
export function labelColumn(label: Label, input: LabelInput, count: number): Float64Array {
  const column = new Float64Array(count).fill(Number.NaN);
  const end = Math.min(count, input.close.length - label.horizon);
  for (let t = 0; t < end; t++) {
    const value = label.at(input, t);
    if (Number.isFinite(value)) column[t] = value + 0;
  }
  return column;
}
