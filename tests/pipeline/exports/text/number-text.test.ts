import { expect, test } from "bun:test";
import fc from "fast-check";
import { NUMBER_BYTES, writeNumber } from "../../../../src/pipeline/exports/text/number-text.ts";
import { numberOf } from "../../../../src/pipeline/exports/text/text-pieces.ts";

const out = new Uint8Array(3 + NUMBER_BYTES);

function textOf(value: number): string {
  out.fill(0xff);
  const end = writeNumber(out, 3, value);
  expect(end - 3).toBeLessThanOrEqual(NUMBER_BYTES);
  return new TextDecoder().decode(out.subarray(3, end));
}

const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);

/** The double `steps` after `value`. */
function neighbour(value: number, steps: number): number {
  double[0] = value;
  bits[0]! += BigInt(steps);
  return double[0];
}

const same = (value: number) => expect(textOf(value)).toBe(String(value));

test("a number's text is String(value) for special values and the edges of the fast path", () => {
  const values = [0, 1, 0.1, 0.3, 299.42, 1e-5, 1e16, 1e21, 1e-7, 2 ** 31, 2 ** 53, 5e9, 123_456_789_012, 0.5, 100.25];
  values.push(5e-324, Number.MAX_VALUE, Number.POSITIVE_INFINITY, 9_999_999_999_999_998, 1.7976931348623155e308);
  same(Number.NaN);
  for (const value of values) {
    same(value);
    same(-value);
  }
});

test("a number's text is String(value) around every power of two and ten", () => {
  const powers = [
    ...Array.from({ length: 80 }, (_, k) => 2 ** (k - 22)),
    ...Array.from({ length: 25 }, (_, k) => 10 ** (k - 7)),
  ];
  for (const power of powers) for (let steps = -20; steps <= 20; steps++) same(neighbour(power, steps));
});

test("a number's text is String(value) for any double", () => {
  fc.assert(fc.property(fc.double(), same), { numRuns: 5_000 });
  const usual = fc.double({ min: 1e-5, max: 1e16, noNaN: true });
  fc.assert(
    fc.property(usual, fc.boolean(), (value, negative) => same(negative ? -value : value)),
    {
      numRuns: 20_000,
    },
  );
});

test("a number's text is String(value) for decimals of few digits and their neighbours", () => {
  const digits = fc.integer({ min: -(10 ** 9), max: 10 ** 9 });
  const decimals = fc.integer({ min: 0, max: 12 });
  const near = fc.integer({ min: -3, max: 3 });
  const check = (value: number, places: number, steps: number) => same(neighbour(value / 10 ** places, steps));
  fc.assert(fc.property(digits, decimals, near, check), { numRuns: 20_000 });
});

test("a number's text is String(value) for halves, quarters and eighths of large integers", () => {
  const integer = fc.integer({ min: 0, max: 2 ** 53 - 1 });
  fc.assert(
    fc.property(integer, fc.integer({ min: 0, max: 6 }), (value, power) => same(value / 2 ** power)),
    { numRuns: 20_000 },
  );
});

test("a float32 is written with the fewest digits that read back as it, whatever its size", () => {
  const shortest = numberOf("float32");
  /** By trying: the rounding of text is that of the language. */
  const tried = (value: number) => {
    const wanted = Math.fround(value);
    if (Number.isInteger(wanted)) return wanted;
    for (let digits = 1; digits < 9; digits++) {
      const candidate = Number(wanted.toPrecision(digits));
      if (Math.fround(candidate) === wanted) return candidate;
    }
    return Number(wanted.toPrecision(9));
  };
  expect([0.1, 99.88, 16_777_217, -0.3, 1e-7, 0].map(shortest)).toEqual([...[0.1, 99.88, 16_777_216, -0.3, 1e-7, 0]]);
  const bits = new DataView(new ArrayBuffer(4));
  const wrong: number[] = [];
  for (let step = 0; step < 200_000; step++) {
    // All exponents, with digits spread over the 32 bits.
    bits.setUint32(0, (step * 2_654_435_761) >>> 0);
    for (const value of [bits.getFloat32(0), (step % 100_000) / 100, (step - 100_000) / 7 ** (step % 9)]) {
      if (Number.isFinite(value) && shortest(value) !== tried(value)) wrong.push(value);
    }
  }
  for (let exponent = -20; exponent < 25; exponent++) {
    for (const digits of [1, 1.5, 2.5, 9.9999995, 9.99999, 1.0000005]) {
      const value = digits * 10 ** exponent;
      if (shortest(value) !== tried(value)) wrong.push(value);
    }
  }
  expect(wrong).toEqual([]);
});
