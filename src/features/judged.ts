/** The features by which a profile is judged. */

import { FEATURES } from "./catalog.ts";

/**
 * In catalogue order, whether a feature is held against its year to judge a profile: not those of price and volume
 * themselves, which follow every trend, nor those of the calendar, which follow the season.
 */
export const JUDGED = FEATURES.map(
  ({ unit, family }) => family !== "time" && !/^(price|volume|money|index|squared price|log volume)/.test(unit),
);
