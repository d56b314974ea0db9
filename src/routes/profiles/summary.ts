/** What lists and pages show of a profile: its summary, and its features by family. */

import type { ReadInterval } from "../../domain/market/interval.ts";
import { FEATURE_COUNT, FEATURES, type Feature } from "../../features/catalog.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import type { FamilyView } from "../../views/profiles/features.tsx";
import type { ProfileSummary } from "../../views/profiles/profile-row.tsx";

type Summarized = Pick<
  ProfileEntry<ReadInterval>,
  "symbol" | "interval" | "provider" | "firstBar" | "lastBar" | "bars" | "knownFeatures" | "updatedAt"
>;

/** The summary of a profile for lists and page heads. */
export const summaryOf = (profile: Summarized): ProfileSummary => ({
  symbol: profile.symbol,
  interval: profile.interval,
  provider: profile.provider,
  firstBar: profile.firstBar,
  lastBar: profile.lastBar,
  bars: profile.bars,
  known: profile.knownFeatures,
  features: FEATURE_COUNT,
  updatedAt: profile.updatedAt,
});

/** @param featureAt and `recentOf` give the value and the last values of a feature by its place in the catalogue */
export const familiesOf = (
  featureAt: (at: number, name: string) => number | null,
  recentOf: (at: number) => Float64Array | null,
): FamilyView[] =>
  [...Map.groupBy(FEATURES, ({ family }) => family)].map(([family, features]) => ({
    family,
    features: features.map((feature) => ({
      name: feature.name,
      value: featureAt(feature.number - 1, feature.name),
      unit: feature.unit,
      formula: feature.formula,
      source: feature.source,
      since: sinceOf(feature),
      recent: recentOf(feature.number - 1),
    })),
  }));

const sinceOf = ({ warmup }: Feature) => (typeof warmup === "number" ? `bar ${warmup + 1}` : `the ${warmup}`);
