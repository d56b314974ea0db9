/** Pearson correlation over a sliding window of pairs, by blocks about anchors as in moment.ts. */

import { type Series, windowed } from "../define.ts";

/** Least share of Σ d² that Σ (d − mean)² may be without too many digits having cancelled. */
const CANCELLED = 1e-3;

const sumX = new Float64Array(1024);
const sumY = new Float64Array(1024);
const sumXX = new Float64Array(1024);
const sumYY = new Float64Array(1024);
const sumXY = new Float64Array(1024);

/** The correlation of the n pairs up to position t, computed from these alone. */
function correlationAt(x: Float64Array, y: Float64Array, t: number, n: number): number {
  const [anchorX, anchorY] = [x[t]!, y[t]!];
  let [meanX, meanY] = [0, 0];
  for (let i = t - n + 1; i < t; i++) {
    meanX += x[i]! - anchorX;
    meanY += y[i]! - anchorY;
  }
  meanX /= n;
  meanY /= n;
  let [xx, yy, xy, restX, restY] = [0, 0, 0, 0, 0];
  for (let i = t - n + 1; i <= t; i++) {
    const dx = x[i]! - anchorX - meanX;
    const dy = y[i]! - anchorY - meanY;
    restX += dx;
    restY += dy;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return (xy - (restX * restY) / n) / Math.sqrt((xx - (restX * restX) / n) * (yy - (restY * restY) / n));
}

/** corr_n(x, y); NaN where one of them does not vary. */
export function correlation(x: Series, y: Series, n: number): Series {
  return windowed(`corr${n}`, [x, y], {
    delay: n - 1,
    reach: n,
    compute(out, { from, to, origin }, x, y) {
      let t = from;
      while (t < to) {
        const block = t - ((t - origin) % n);
        const before = block > origin ? block - 1 : block;
        const anchorX = x[before]!;
        const anchorY = y[before]!;
        let a = 0;
        let b = 0;
        let aa = 0;
        let bb = 0;
        let ab = 0;
        sumX[n] = sumY[n] = sumXX[n] = sumYY[n] = sumXY[n] = 0;
        for (let i = n - 1; i > t - block; i--) {
          const dx = x[block - n + i]! - anchorX;
          const dy = y[block - n + i]! - anchorY;
          sumX[i] = a += dx;
          sumY[i] = b += dy;
          sumXX[i] = aa += dx * dx;
          sumYY[i] = bb += dy * dy;
          sumXY[i] = ab += dx * dy;
        }
        a = b = aa = bb = ab = 0;
        const end = Math.min(block + n, to);
        for (let i = block; i < end; i++) {
          const dx = x[i]! - anchorX;
          const dy = y[i]! - anchorY;
          a += dx;
          b += dy;
          aa += dx * dx;
          bb += dy * dy;
          ab += dx * dy;
          if (i < t) continue;
          const older = i - block + 1;
          const sx = sumX[older]! + a;
          const sy = sumY[older]! + b;
          const sxx = sumXX[older]! + aa;
          const syy = sumYY[older]! + bb;
          const xx = sxx - (sx * sx) / n;
          const yy = syy - (sy * sy) / n;
          out[i] =
            xx > CANCELLED * sxx && yy > CANCELLED * syy
              ? (sumXY[older]! + ab - (sx * sy) / n) / Math.sqrt(xx * yy)
              : correlationAt(x, y, i, n);
        }
        t = end;
      }
    },
  });
}
