/**
 * Numbers as ASCII text, written straight into bytes: the shortest decimal that reads back as the same double, exactly
 * what `String(value)` gives, several times as fast and without a string per value.
 *
 * A value of the common range times a power of ten up to 10^22 (both exact doubles) is the exact sum of two doubles
 * `product + error`. Its 17 digits and the interval that rounds to the same double follow in exact arithmetic.
 */

/** The most bytes that one value takes. */
export const NUMBER_BYTES = 25;

/** Powers of ten that are exact doubles. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** The upper and the lower half of each power's significand, so that products of halves are exact. */
const POWERS_HIGH = POWERS.map(upperHalf);
const POWERS_LOW = POWERS.map((power, k) => power - POWERS_HIGH[k]!);

/** The range of the fast path; below it the products are no longer exact, from 10^16 on they have no 17th digit. */
const MIN_SIZE = 1e-5;
const MIN_EXPONENT = -5;
const LIMIT = 1e16;
/** Where each power of ten of the range begins. */
const DECADES = Float64Array.from({ length: 16 - MIN_EXPONENT + 1 }, (_, k) => Number(`1e${k + MIN_EXPONENT}`));
/** Half the distance between two doubles of [2^e, 2^(e + 1)), for e from -17 (that of `MIN_SIZE`) to 53. */
const MIN_BINARY = -17;
const HALF_STEPS = Float64Array.from({ length: 53 - MIN_BINARY + 1 }, (_, k) => 2 ** (k + MIN_BINARY - 53));

/** The four digits of 0 to 9999 as ASCII, the first in the lowest byte. */
const FOURS = Int32Array.from({ length: 10_000 }, (_, k) => {
  const [a, b, c, d] = [Math.floor(k / 1000), Math.floor(k / 100) % 10, Math.floor(k / 10) % 10, k % 10];
  return 0x30303030 + a + (b << 8) + (c << 16) + (d << 24);
});
const [ZERO, MINUS, POINT] = [48, 45, 46];

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** Writes `value` at `at`, where `NUMBER_BYTES` must be free, and returns where it ends. */
export function writeNumber(out: Uint8Array, at: number, value: number): number {
  if (value === (value | 0)) return writeInteger(out, at, value);
  const size = Math.abs(value);
  // `!` also takes NaN to the slow path.
  if (!(size >= MIN_SIZE && size < LIMIT)) return writeText(out, at, String(value));
  double[0] = size;
  const low = words[0]!;
  const high = words[1]!;
  // Below a power of two the doubles lie closer together: the interval is not symmetric.
  if (low === 0 && (high & 0xf_ffff) === 0) return writeText(out, at, String(value));

  const binary = (high >>> 20) - 1023;
  // log10(2) as a fraction; where it is one too small, the next decade decides.
  let decimal = (binary * 1233) >> 12;
  if (size >= DECADES[decimal + 1 - MIN_EXPONENT]!) decimal++;
  const k = 16 - decimal;

  // Dekker's product: size * 10^k = product + error, exactly, with 10^16 <= product < 10^17.
  const power = POWERS[k]!;
  const product = size * power;
  const sizeHigh = upperHalf(size);
  const sizeLow = size - sizeHigh;
  const powerHigh = POWERS_HIGH[k]!;
  const powerLow = POWERS_LOW[k]!;
  const error = sizeHigh * powerHigh - product + sizeHigh * powerLow + sizeLow * powerHigh + sizeLow * powerLow;

  // The same as head * 10^8 + tail + fraction. Carries are masks: branches on digits would be mispredicted.
  const whole = Math.floor(error);
  const fraction = error - whole;
  const quotient = (product / 1e8) | 0;
  const rest = (product - quotient * 1e8 + whole) | 0;
  const borrow = rest >> 31;
  const head = quotient + borrow;
  const tail = rest + (borrow & 1e8);

  // What lies nearer than half a step reads back as the same double; at half a step only if its last bit is even.
  const reach = HALF_STEPS[binary - MIN_BINARY]! * power;
  const inclusive = (low & 1) === 0;
  const hundreds = (((tail + 50) / 100) | 0) * 100;
  const toHundreds = Math.abs(hundreds - tail - fraction);
  const tens = (((tail + 5) / 10) | 0) * 10;
  const toTens = Math.abs(tens - tail - fraction);
  let nearest = tens;
  if (toHundreds < reach || (toHundreds === reach && inclusive)) nearest = hundreds;
  else if (toTens === 5 || fraction === 0.5) return writeText(out, at, String(value));
  else if (toTens > reach || (toTens === reach && !inclusive)) nearest = tail + ((fraction + 0.5) | 0);
  const carry = (99_999_999 - nearest) >> 31;
  return writeDecimal(out, value < 0 ? writeMinus(out, at) : at, head - carry, nearest + (carry & -1e8), decimal);
}

/** Writes an integer of at most 2^31 in size, in decimal. */
function writeInteger(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  let start = at;
  if (value < 0) {
    start = writeMinus(out, at);
    rest = -value;
  }
  let end = start + 1;
  for (let bound = 10; bound <= rest; bound *= 10) end++;
  for (let i = end - 1; i >= start; i--) {
    const next = (rest / 10) | 0;
    out[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}

/** Writes head * 10^8 + tail, 17 digits, with `decimal + 1` of them before the point, and no zeros at the end. */
function writeDecimal(out: Uint8Array, at: number, head: number, tail: number, decimal: number): number {
  let start = at;
  if (decimal < 0) {
    out[start++] = ZERO;
    out[start++] = POINT;
    for (let zeros = -1; zeros > decimal; zeros--) out[start++] = ZERO;
  } else start++;
  const first = (head / 1e8) | 0;
  out[start] = ZERO + first;
  writeEight(out, start + 1, head - first * 1e8);
  let end = start + 9;
  // Of most prices the last eight digits are zeros.
  if (tail !== 0 || decimal >= 8) {
    writeEight(out, end, tail);
    end += 8;
  }
  if (decimal >= 0) {
    // The digits before the point move to its left.
    for (let i = at; i <= at + decimal; i++) out[i] = out[i + 1]!;
    out[start + decimal] = POINT;
  }
  while (out[end - 1] === ZERO) end--;
  return out[end - 1] === POINT ? end - 1 : end;
}

function writeEight(out: Uint8Array, at: number, value: number): void {
  const upper = (value / 1e4) | 0;
  writeFour(out, at, upper);
  writeFour(out, at + 4, value - upper * 1e4);
}

function writeFour(out: Uint8Array, at: number, value: number): void {
  const digits = FOURS[value]!;
  out[at] = digits;
  out[at + 1] = digits >> 8;
  out[at + 2] = digits >> 16;
  out[at + 3] = digits >> 24;
}

function writeMinus(out: Uint8Array, at: number): number {
  out[at] = MINUS;
  return at + 1;
}

/** Writes text that is all ASCII. */
export function writeText(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Veltkamp's split: the upper 26 bits of the significand. */
function upperHalf(value: number): number {
  const scaled = value * 134_217_729;
  return scaled - (scaled - value);
}
