/**
 * The last n values in order, in a sorted array: the value that leaves is found by binary search, the values between its
 * place and that of the new one are moved by one. For a few hundred values this is faster than any tree. The search has
 * no branch on a comparison, which would be mispredicted every other time.
 */

/** First index of sorted `window` whose value is ≥ `value`. */
export function lowerIndex(window: Float64Array, value: number): number {
  let low = 0;
  for (let length = window.length; length > 1; ) {
    const half = length >>> 1;
    low += half & -(window[low + half - 1]! < value);
    length -= half;
  }
  return low + +(window[low]! < value);
}

/** Fills `window` with the values of x before position `end`, in order. */
export function fillWindow(window: Float64Array, x: Float64Array, end: number): void {
  window.set(x.subarray(end - window.length, end));
  window.sort();
}

/**
 * Replaces `leaving`, a value of the sorted `window`, by `coming`; gives the place of the latter. Both are searched in
 * one loop: neither waits for the other.
 */
export function replaceInWindow(window: Float64Array, leaving: number, coming: number): number {
  let out = 0;
  let into = 0;
  for (let length = window.length; length > 1; ) {
    const half = length >>> 1;
    out += half & -(window[out + half - 1]! < leaving);
    into += half & -(window[into + half - 1]! < coming);
    length -= half;
  }
  out += +(window[out]! < leaving);
  into += +(window[into]! < coming);
  if (into > out) {
    into--;
    window.copyWithin(out, out + 1, into + 1);
  } else window.copyWithin(into + 1, into, out);
  window[into] = coming;
  return into;
}

/** The value at `place`, counted from 0, of a sorted window: that of the quantile p is at p·(n − 1). */
export function valueAt(window: Float64Array, place: number): number {
  const below = Math.floor(place);
  return between(window[below]!, window[below + 1]!, place - below);
}

/** Linear interpolation; `above` is not read at a `part` of 0. */
export const between = (below: number, above: number, part: number): number =>
  part > 0 ? below + part * (above - below) : below;
