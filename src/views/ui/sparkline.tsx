/** @jsxImportSource hono/jsx */
/** Sparklines: the last values of a feature as a line. */

import { formatValue } from "./format.ts";

/** Height of a sparkline in the steps that values are rounded to; its width is one step per value. */
const HEIGHT = 20;

/**
 * The line through `values` as SVG path data: x is the index, y from 0 (highest value) to `height` (lowest), rounded.
 * NaN is a gap, a single value between gaps a dot; empty if no value is defined. Relative steps, merged where the slope
 * is equal, keep 100 values at about 350 characters.
 */
export function sparkPath(values: ArrayLike<number>, height = HEIGHT): string {
  const { low, high } = extent(values);
  if (low > high) return "";
  const levelOf = (value: number) => (high === low ? height / 2 : Math.round(((high - value) / (high - low)) * height));
  let path = "";
  for (let x = 0; x < values.length; x++) {
    if (Number.isNaN(values[x])) continue;
    let y = levelOf(values[x]!);
    path += `M${x} ${y}`;
    const start = x;
    let steps = "";
    let [dx, slope] = [0, 0];
    const flush = () => {
      if (dx > 0) steps += `${steps ? " " : ""}${dx}${slope < 0 ? "" : " "}${dx * slope}`;
    };
    while (x + 1 < values.length && !Number.isNaN(values[x + 1])) {
      x += 1;
      const next = levelOf(values[x]!);
      if (next - y !== slope || dx === 0) {
        flush();
        [dx, slope] = [0, next - y];
      }
      dx += 1;
      y = next;
    }
    flush();
    path += x === start ? "h0" : `l${steps}`;
  }
  return path;
}

function extent(values: ArrayLike<number>): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < low) low = values[i]!;
    if (values[i]! > high) high = values[i]!;
  }
  return { low, high };
}

/** The sparkline of `values`; an empty SVG of the same size if none is defined. */
export const Spark = ({ values }: { values: ArrayLike<number> }) => {
  const path = sparkPath(values);
  if (path === "") return <svg class="spark" aria-hidden="true" />;
  const { low, high } = extent(values);
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${values.length - 1} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`last ${values.length} values: ${formatValue(low)} to ${formatValue(high)}`}
    >
      <path d={path} />
    </svg>
  );
};
