/** The catalogue of all features. Progress totals, the API, the docs page and the tests read it. */

import { FAMILIES, type Family, type FeatureEntry } from "./define.ts";
import { distribution } from "./families/distribution.ts";
import { kbar } from "./families/kbar.ts";
import { microstructure } from "./families/microstructure.ts";
import { momentum } from "./families/momentum.ts";
import { movingAverage } from "./families/moving-average.ts";
import { regime } from "./families/regime.ts";
import { returns } from "./families/return.ts";
import { risk } from "./families/risk.ts";
import { rollingFamily } from "./families/rolling.ts";
import { time } from "./families/time.ts";
import { trend } from "./families/trend.ts";
import { volatility } from "./families/volatility.ts";
import { volumeFamily } from "./families/volume.ts";

/** A feature with its position in the catalogue. */
export interface Feature extends FeatureEntry {
  /** 1-based position: `Feature {number}/{FEATURE_COUNT}`. */
  readonly number: number;
  readonly family: Family;
}

const families: Readonly<Record<Family, readonly FeatureEntry[]>> = {
  moving_average: movingAverage,
  trend,
  momentum,
  volatility,
  volume: volumeFamily,
  kbar,
  rolling: rollingFamily,
  return: returns,
  distribution,
  risk,
  microstructure,
  regime,
  time,
};

/** All features, in the order in which they are computed and shown. */
export const FEATURES: readonly Feature[] = FAMILIES.flatMap((family) =>
  families[family].map((entry) => ({ ...entry, family })),
).map((entry, index) => ({ ...entry, number: index + 1 }));

export const FEATURE_COUNT = FEATURES.length;

const byName = new Map(FEATURES.map((feature) => [feature.name, feature]));

/** The feature of that name, or `undefined`. */
export function featureNamed(name: string): Feature | undefined {
  return byName.get(name);
}
