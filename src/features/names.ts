/** Names of features as they are requested: `rsi_14`, or `rsi_14@1h` for that of longer bars. */

import { isReadInterval, type ReadInterval } from "../domain/market/interval.ts";
import { type Feature, featureNamed } from "./catalog.ts";

export interface RequestedFeature {
  readonly name: string;
  readonly feature: Feature;
  /** The interval of the longer bars; `null` for the bars of the table. */
  readonly interval: ReadInterval | null;
}

/** The feature that `name` stands for, or `null` if there is none. */
export function requestedFeature(name: string): RequestedFeature | null {
  const [base = "", interval, ...rest] = name.split("@");
  const feature = featureNamed(base);
  if (feature === undefined || rest.length > 0) return null;
  if (interval === undefined) return { name, feature, interval: null };
  return isReadInterval(interval) ? { name, feature, interval } : null;
}
