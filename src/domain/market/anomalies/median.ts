/** The median of some values, the upper one of two. O(n log n). */
export const median = (values: ArrayLike<number>): number => Float64Array.from(values).sort()[values.length >> 1]!;
