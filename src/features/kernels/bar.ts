/** The intermediates that many features share, one bar or two at a time. */

import { bar, type Series, windowed } from "../define.ts";

export const ts = bar("ts");
export const open = bar("open");
export const high = bar("high");
export const low = bar("low");
export const close = bar("close");
/** The volume, 0 where it is unknown: what is computed from it is not published within its memory of such a bar. */
export const volume = bar("volume");
/** The volume, NaN where it is unknown, for sums that start again and thus lose a NaN by themselves. */
export const volumeOrNaN = bar("volume_or_nan");

/** r = ln(c/c[1]), from the exact difference: ln of a quotient near 1 loses the digits of small returns. */
export const logReturn = windowed("r", [close], {
  delay: 1,
  compute(out, { from, to }, c) {
    for (let t = from; t < to; t++) out[t] = Math.log1p((c[t]! - c[t - 1]!) / c[t - 1]!);
  },
});

/** R = c/c[1] − 1. */
export const simpleReturn = windowed("R", [close], {
  delay: 1,
  compute(out, { from, to }, c) {
    for (let t = from; t < to; t++) out[t] = (c[t]! - c[t - 1]!) / c[t - 1]!;
  },
});

/** g = ln(o/c[1]): the part of r made between two bars. */
export const gapReturn = windowed("g", [open, close], {
  delay: 1,
  compute(out, { from, to }, o, c) {
    for (let t = from; t < to; t++) out[t] = Math.log(o[t]! / c[t - 1]!);
  },
});

/** h − l. */
export const range = windowed("rng", [high, low], {
  compute(out, { from, to }, h, l) {
    for (let t = from; t < to; t++) out[t] = h[t]! - l[t]!;
  },
});

/** TR: the range of the bar, widened to the close before it. */
export const trueRange = windowed("TR", [high, low, close], {
  delay: 1,
  compute(out, { from, to }, h, l, c) {
    let before = c[from - 1]!;
    for (let t = from; t < to; t++) {
      const top = h[t]!;
      const bottom = l[t]!;
      out[t] = before > top ? before - bottom : before < bottom ? top - before : top - bottom;
      before = c[t]!;
    }
  },
});

/** tp = (h + l + c)/3. */
export const typicalPrice = windowed("tp", [high, low, close], {
  compute(out, { from, to }, h, l, c) {
    for (let t = from; t < to; t++) out[t] = (h[t]! + l[t]! + c[t]!) / 3;
  },
});

/** c·v: the money traded, at the closing price. */
export const dollarVolume = windowed("cv", [close, volume], {
  compute(out, { from, to }, c, v) {
    for (let t = from; t < to; t++) out[t] = c[t]! * v[t]!;
  },
});

/** ln x. */
function ln(x: Series): Series {
  return windowed("ln", [x], {
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = Math.log(x[t]!);
    },
  });
}

export const lnOpen = ln(open);
export const lnHigh = ln(high);
export const lnLow = ln(low);
export const lnClose = ln(close);

/** ln(1 + v). */
export const lnVolume = windowed("ln1p", [volume], {
  compute(out, { from, to }, v) {
    for (let t = from; t < to; t++) out[t] = Math.log1p(v[t]!);
  },
});

/** |x|. */
export function abs(x: Series): Series {
  return windowed("abs", [x], {
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = Math.abs(x[t]!);
    },
  });
}

/** x². */
export function square(x: Series): Series {
  return windowed("square", [x], {
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = x[t]! * x[t]!;
    },
  });
}

/** x − x[k]. */
export function difference(x: Series, k = 1): Series {
  return windowed(`diff${k}`, [x], {
    delay: k,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = x[t]! - x[t - k]!;
    },
  });
}

/** x[k]. */
export function lag(x: Series, k: number): Series {
  return windowed(`lag${k}`, [x], {
    delay: k,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = x[t - k]!;
    },
  });
}

/** sign(x), with sign(0) = 0; without branches, of which every other one would be mispredicted. */
function sign(x: Series): Series {
  return windowed("sign", [x], {
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = +(x[t]! > 0) - +(x[t]! < 0);
    },
  });
}

/** x/y; NaN, or an infinity that the engine turns into NaN, where y = 0. */
export function quotient(x: Series, y: Series): Series {
  return windowed("quotient", [x, y], {
    compute(out, { from, to }, x, y) {
      for (let t = from; t < to; t++) out[t] = x[t]! / y[t]!;
    },
  });
}

/** x·y. */
export function product(x: Series, y: Series): Series {
  return windowed("product", [x, y], {
    compute(out, { from, to }, x, y) {
      for (let t = from; t < to; t++) out[t] = x[t]! * y[t]!;
    },
  });
}

/** x − y. */
export function minus(x: Series, y: Series): Series {
  return windowed("minus", [x, y], {
    compute(out, { from, to }, x, y) {
      for (let t = from; t < to; t++) out[t] = x[t]! - y[t]!;
    },
  });
}

export const change = difference(close);
/** |Δc|. */
export const absChange = windowed("abs_change", [close], {
  delay: 1,
  compute(out, { from, to }, c) {
    for (let t = from; t < to; t++) out[t] = Math.abs(c[t]! - c[t - 1]!);
  },
});
export const changeSign = sign(change);
