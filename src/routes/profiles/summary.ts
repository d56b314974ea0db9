/** What lists and pages show of a profile: its summary, and its features by family. */

import type { ReadInterval } from "../../domain/market/interval.ts";
import { isDrifted } from "../../domain/profiles/distribution.ts";
import { FEATURE_COUNT, FEATURES, type Feature } from "../../features/catalog.ts";
import { JUDGED } from "../../features/judged.ts";
import { countDrift, type Reports } from "../../pipeline/analysis/reports.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import type { StoredProfile } from "../../storage/profiles/profiles.ts";
import type { FamilyView } from "../../views/profiles/features.tsx";
import type { ProfileView } from "../../views/profiles/profile-page.tsx";
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

/** How long a page waits for the report on its features, milliseconds: that of days takes less. */
const REPORT_MS = 150;

/** What the page says of drift, as far as it is computed. */
export async function driftOf(
  reports: Reports,
  profile: StoredProfile,
  interval: ReadInterval,
): Promise<{ readonly drift: ProfileView["drift"]; readonly driftAt: (at: number) => number | null }> {
  const report = await reports.featuresWithin(profile, interval, REPORT_MS);
  return {
    drift: report === null ? undefined : countDrift(report, JUDGED),
    driftAt: (at) => {
      const drift = report?.features[at]?.drift ?? null;
      return drift !== null && isDrifted(drift) ? drift.psi : null;
    },
  };
}

/** Each function gives something of a feature by its place in the catalogue: value, last values, drift. */
export const familiesOf = (
  featureAt: (at: number, name: string) => number | null,
  recentOf: (at: number) => Float64Array | null,
  driftAt: (at: number) => number | null,
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
      drifted: driftAt(feature.number - 1),
    })),
  }));

const sinceOf = ({ warmup }: Feature) => (typeof warmup === "number" ? `bar ${warmup + 1}` : `the ${warmup}`);
