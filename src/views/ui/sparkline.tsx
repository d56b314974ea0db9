/** @jsxImportSource hono/jsx */
/** Sparklines: the last values of a feature as one light line. */

import { formatValue } from "./format.ts";

/** Height of a sparkline in the steps to which its values are rounded; the width is one step a value. */
const HEIGHT = 20;

/**
 * The line through `values` as SVG path data: x is the index, y is 0 (highest value) to `height` (lowest), in whole
 * numbers. Undefined values (NaN) are gaps; a value alone between gaps is a dot. Relative steps, and steps in the same
 * direction made one, keep 100 values at about 350 characters. Empty if no value is defined.
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

/** The sparkline of `values`; an empty drawing of the same size where none is defined. */
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
