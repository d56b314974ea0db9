/** The volume by price: where most was traded, and the range around it that holds 70 % (Steidlmayer 1984). Pure. */

import type { BarColumns } from "../market/bars.ts";

/** The share of the volume in the value area, as is usual: about one standard deviation of a normal law. */
const VALUE_AREA = 0.7;

export interface VolumeProfile {
  /** The lowest and the highest price; bins of equal height lie between them. */
  readonly low: number;
  readonly high: number;
  /** Volume of each bin, the lowest prices first. */
  readonly volumes: readonly number[];
  /** The bin with the most volume, and the first and the last one of the value area. */
  readonly control: number;
  readonly area: readonly [from: number, to: number];
  /** Bars whose volume is unknown: they are in no bin. */
  readonly unknown: number;
}

/**
 * Deals out the volume of each bar evenly from its low to its high: what was traded at which price within a bar is not
 * known.
 * @returns `null` if no volume is known, or all is 0
 */
export function volumeProfileOf({ low, high, volume }: BarColumns, bins: number): VolumeProfile | null {
  let [least, greatest, unknown] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let at = 0; at < volume.length; at++) {
    if (Number.isNaN(volume[at])) {
      unknown += 1;
      continue;
    }
    if (!(volume[at]! > 0)) continue;
    if (low[at]! < least) least = low[at]!;
    if (high[at]! > greatest) greatest = high[at]!;
  }
  if (least > greatest) return null;
  const count = greatest > least ? bins : 1;
  const height = (greatest - least) / count;
  const volumes = new Float64Array(count);
  const binOf = (price: number) => Math.min(count - 1, Math.max(0, Math.floor((price - least) / height)));
  for (let at = 0; at < volume.length; at++) {
    if (!(volume[at]! > 0)) continue;
    const [from, to] = count === 1 ? [0, 0] : [binOf(low[at]!), binOf(high[at]!)];
    const span = high[at]! - low[at]!;
    if (from === to || !(span > 0)) {
      volumes[from]! += volume[at]!;
      continue;
    }
    for (let bin = from; bin <= to; bin++) {
      const begin = Math.max(low[at]!, least + bin * height);
      const end = bin === to ? high[at]! : least + (bin + 1) * height;
      volumes[bin]! += (volume[at]! * Math.max(0, end - begin)) / span;
    }
  }
  const control = volumes.indexOf(Math.max(...volumes));
  return { low: least, high: greatest, volumes: [...volumes], control, area: valueArea(volumes, control), unknown };
}

/** From the bin with the most volume outwards, each time the side with more, until 70 % are inside. */
function valueArea(volumes: Float64Array, control: number): readonly [number, number] {
  const wanted = VALUE_AREA * volumes.reduce((sum, volume) => sum + volume, 0);
  let [from, to, inside] = [control, control, volumes[control]!];
  while (inside < wanted && (from > 0 || to < volumes.length - 1)) {
    const below = from > 0 ? volumes[from - 1]! : Number.NEGATIVE_INFINITY;
    const above = to < volumes.length - 1 ? volumes[to + 1]! : Number.NEGATIVE_INFINITY;
    if (above >= below) {
      to += 1;
      inside += above;
    } else {
      from -= 1;
      inside += below;
    }
  }
  return [from, to];
}
