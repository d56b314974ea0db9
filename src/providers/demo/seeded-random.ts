/**
 * Repeatable pseudo-random numbers: each is a function of its coordinates alone. Only integer arithmetic,
 * division and square roots are used, which IEEE 754 rounds the same way on every machine and in every engine.
 */

/** A 32-bit seed of a text (FNV-1a). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** 32 well-mixed bits of a seed and two coordinates (the finalizer of MurmurHash3, once per coordinate). */
export function bits(seed: number, a: number, b: number): number {
  return bitsAt(place(seed, a), b);
}

/** What the numbers of a seed and a first coordinate share, for `bitsAt` and the others that end in `At`. */
export function place(seed: number, a: number): number {
  return mix(seed ^ Math.imul(a, 0x9e3779b1));
}

const bitsAt = (at: number, b: number): number => mix(at ^ Math.imul(b + 1, 0x85ebca77)) >>> 0;

function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** A number in [0, 1). */
export function uniform(seed: number, a: number, b: number): number {
  return uniformAt(place(seed, a), b);
}

export function uniformAt(at: number, b: number): number {
  return bitsAt(at, b) / 0x1_0000_0000;
}

/** Roughly a standard normal number within ±3.5: the sum of four uniform ones, two of 16 bits from each hash. */
export function normal(seed: number, a: number, b: number): number {
  return normalAt(place(seed, a), place(otherSeed(seed), a), b);
}

/** The seed of the second hash of a normal number. */
export const otherSeed = (seed: number): number => seed ^ 0x5bd1e995;

/** @param other the place of `otherSeed(seed)` at the same coordinate */
export function normalAt(at: number, other: number, b: number): number {
  const first = bitsAt(at, b);
  const second = bitsAt(other, b);
  const sum = (first & 0xffff) + (first >>> 16) + (second & 0xffff) + (second >>> 16);
  return (sum / 0xffff - 2) * Math.sqrt(3);
}

/** `x * x`, because engines may round `x ** 2` differently. */
export function square(x: number): number {
  return x * x;
}
