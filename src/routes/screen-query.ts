/** The screener's part of an address: `?where=rsi_14<30&sort=-rvol_20`. */

import type { FieldError } from "../domain/errors.ts";
import { type Condition, parseScreen } from "../domain/screen.ts";
import { featureNamed } from "../features/catalog.ts";

export interface ScreenQuery {
  readonly condition: Condition | undefined;
  /** The features it speaks of, the one sorted by included. */
  readonly features: readonly string[];
  readonly sort: { readonly feature: string; readonly descending: boolean } | undefined;
  /** What cannot be read, and where. */
  readonly wrong: FieldError | null;
}

const isFeature = (name: string) => featureNamed(name) !== undefined;

export function screenOf(where: string, sort: string): ScreenQuery {
  const screen = where.trim() === "" ? { condition: undefined, features: [] } : parseScreen(where, isFeature);
  const none = { condition: undefined, features: [], sort: undefined };
  if ("wrong" in screen) {
    return { ...none, wrong: { path: "where", message: `${screen.wrong} (at character ${screen.at + 1})` } };
  }
  const feature = sort.replace(/^-/, "");
  if (feature === "") return { ...screen, sort: undefined, wrong: null };
  if (!isFeature(feature)) {
    return { ...none, wrong: { path: "sort", message: `There is no feature ${JSON.stringify(feature.slice(0, 60))}` } };
  }
  const features = [...new Set([...screen.features, feature])];
  return { ...screen, features, sort: { feature, descending: sort.startsWith("-") }, wrong: null };
}
