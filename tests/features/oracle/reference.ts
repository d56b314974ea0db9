/** The oracle: every feature of the catalogue by its plain formula, O(bars × window), sharing no code with the engine. */

import type { BarColumns } from "../../../src/domain/market/bars.ts";
import { barsOf, type Series, type Setup } from "./bars.ts";
import { distribution } from "./distribution.ts";
import { kbar } from "./kbar.ts";
import { microstructure } from "./microstructure.ts";
import { momentum } from "./momentum.ts";
import { movingAverage } from "./moving-average.ts";
import { regime } from "./regime.ts";
import { returns } from "./return.ts";
import { risk } from "./risk.ts";
import { rollingOperators } from "./rolling.ts";
import { time } from "./time.ts";
import { trend } from "./trend.ts";
import { volatility } from "./volatility.ts";
import { volume } from "./volume.ts";

/** The families in the catalogue's order. */
const FAMILIES = {
  moving_average: movingAverage,
  trend,
  momentum,
  volatility,
  volume,
  kbar,
  rolling: rollingOperators,
  return: returns,
  distribution,
  risk,
  microstructure,
  regime,
  time,
};
export type FamilyName = keyof typeof FAMILIES;

/** The features by name, in the catalogue's order: one value per bar, NaN where undefined. */
export function reference(
  columns: BarColumns,
  setup: Setup,
  families: readonly FamilyName[] = Object.keys(FAMILIES) as FamilyName[],
): Map<string, Series> {
  const bars = barsOf(columns, setup);
  return new Map(families.flatMap((family) => Object.entries(FAMILIES[family](bars))));
}
