import { expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { BadMessage, decode, encode } from "../../../src/pipeline/remote/codec.ts";

const column = fc.oneof(fc.float64Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }));
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.string(),
    column,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.integer()), tie("tree")), { maxLength: 3 })
      .map((pairs) => new Map(pairs)),
    fc.array(tie("tree"), { maxLength: 3 }).map((values) => new Set(values.filter((each) => typeof each !== "object"))),
    fc.dictionary(fc.constantFrom("a", "$", "__proto__", "columns", "toString"), tie("tree"), { maxKeys: 4 }),
  ),
}));

/** The value with lists of numbers in place of columns, of which those with NaN are not compared as equal. */
function listed(value: unknown): unknown {
  if (value instanceof Float64Array || value instanceof Uint8Array) return [value.constructor.name, ...value];
  if (Array.isArray(value)) return value.map(listed);
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [key, listed(each)]));
  if (value === null || typeof value !== "object" || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, listed(each)]));
}

test("property: a message is read as it was written, with its columns, its unusual numbers and its keys", () => {
  fc.assert(
    fc.property(tree, (value) => {
      expect(listed(decode(encode(value)))).toEqual(listed(value));
    }),
    { numRuns: 300 },
  );
});

test("columns of a message that are the same are sent once, and long ones are compressed", () => {
  const ts = Float64Array.from({ length: 10_000 }, (_, at) => at * 60);
  const bytes = encode({ a: ts, b: ts.subarray(0), c: [ts] });
  expect(bytes.length).toBeLessThan(ts.byteLength);
  expect(decode(bytes)).toEqual({ a: ts, b: ts, c: [ts] });
});

test("property: bytes that are no message are refused, whichever of them are changed, cut off or added", () => {
  const message = encode({ a: Float64Array.of(1, 2, 3), text: "abc", list: [1, null, { b: Number.NaN }] });
  const isRefused = (bytes: Uint8Array) => {
    try {
      decode(bytes);
      return false;
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      return true;
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), isRefused));
  fc.assert(fc.property(fc.nat(message.length - 1), (length) => isRefused(message.subarray(0, length))));
  fc.assert(
    fc.property(fc.nat(message.length - 1), fc.nat(255), (at, value) => {
      // A changed number or letter may still be a message; it is never anything but read or refused.
      isRefused(message.with(at, value));
    }),
    { numRuns: 500 },
  );
  expect(isRefused(new Uint8Array([...message, 0, 0, 0, 0, 0, 0, 0, 0]))).toBe(true);
  const nested = (depth: number) => encode(JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`));
  expect([isRefused(nested(20)), isRefused(nested(100))]).toEqual([false, true]);
});

test("a short message that would become too long is refused before it is read", () => {
  const frame = zstdCompressSync(new Uint8Array(1024 * 1024));
  const bomb = Buffer.concat(Array.from({ length: 129 }, () => frame));
  expect(bomb.length).toBeLessThan(100_000);
  expect(() => decode(new Uint8Array([1, ...bomb]))).toThrow(BadMessage);
});

test("a message longer than it may be is refused before it is read, compressed or not", () => {
  const short = encode({ text: "x".repeat(300) });
  const long = encode({ text: "x".repeat(5_000) });
  expect(long.length).toBeLessThan(short.length);
  expect(decode(short, 1_000)).toEqual(decode(short));
  expect(() => decode(short, 100)).toThrow(BadMessage);
  expect(() => decode(long, 1_000)).toThrow(BadMessage);
});
