/** The error function, of which the normal distribution is made. */

const STEP = 1 / 8;
/** From here on the error function is 1 to the last bit. */
const END = 6;
const ORDER = 13;

/** erf x by its series of positive terms: 2/√π·e^(−x²)·Σ 2ⁿ·x^(2n+1)/(1·3·…·(2n+1)). Slow; for the table. */
function errorSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/**
 * Taylor coefficients about the multiples of STEP. The n-th derivative of erf is (−1)^(n−1)·H(n−1)·2/√π·e^(−x²), with
 * Hermite's polynomials H(n + 1) = 2x·H(n) − 2n·H(n − 1).
 */
function buildTable(): Float64Array {
  const table = new Float64Array((END / STEP + 1) * ORDER);
  for (let node = 0; node * STEP <= END; node++) {
    const x = node * STEP;
    table[node * ORDER] = errorSeries(x);
    let [before, hermite] = [0, 1];
    let scale = (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x);
    for (let n = 1; n < ORDER; n++) {
      scale /= n;
      table[node * ORDER + n] = scale * hermite * (n % 2 === 1 ? 1 : -1);
      [before, hermite] = [hermite, 2 * x * hermite - 2 * (n - 1) * before];
    }
  }
  return table;
}

const TABLE = buildTable();

/** erf x for x ≥ 0, to about 1e-16 of its value; NaN for NaN. */
export function errorFunction(x: number): number {
  if (x >= END) return 1;
  const node = Math.round(x / STEP);
  const d = x - node * STEP;
  const at = node * ORDER;
  let sum = TABLE[at + ORDER - 1]!;
  for (let n = ORDER - 2; n >= 0; n--) sum = sum * d + TABLE[at + n]!;
  return sum;
}
