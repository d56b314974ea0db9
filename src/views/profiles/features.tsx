/** @jsxImportSource hono/jsx */
/** The features of a profile by family: value, unit, sparkline; folded away, formula and source. */

import type { Adjustment } from "../../domain/market/corporate-actions.ts";
import type { ReadInterval } from "../../domain/market/interval.ts";
import type { DriftCount } from "../../domain/profiles/distribution.ts";
import { profileAddress } from "../ui/dom.ts";
import { familyTitle, formatValue, plural } from "../ui/format.ts";
import { Spark } from "../ui/sparkline.tsx";
import { featureAddress } from "./analysis/feature-page.tsx";

interface FeatureView {
  readonly name: string;
  /** `null` if there are too few bars or a denominator is zero. */
  readonly value: number | null;
  /** Unit or range. */
  readonly unit: string;
  readonly formula: string;
  readonly source: string;
  /** When it has its first value, in words, e.g. `bar 14`. */
  readonly since: string;
  /** The last values, oldest first, NaN where undefined; `null` if they are not known. */
  readonly recent: ArrayLike<number> | null;
  /** The index of a feature that has drifted against its year; otherwise `null`. */
  readonly drifted: number | null;
}

export interface FamilyView {
  readonly family: string;
  readonly features: readonly FeatureView[];
}

interface FamiliesProps {
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly families: readonly FamilyView[];
  readonly adjust: Adjustment;
  /** Of the features that are judged; `null` if there are too few bars, `undefined` while it is not computed. */
  readonly drift: DriftCount | null | undefined;
}

/** The features of the profile. They are computed from bars adjusted for splits, whatever the chart shows. */
export const Families = ({ symbol, interval, families, adjust, drift }: FamiliesProps) => (
  <>
    <div class="families-head">
      <h2>Features</h2>
      <span class="muted num">
        {drift === undefined ? (
          <>
            drift is being computed: <a href={profileAddress(symbol, interval)}>show again</a>
          </>
        ) : drift === null ? (
          "too few bars to compare with a year"
        ) : (
          <span title={DRIFT_WORDS}>
            {drift.drifted} of {drift.of} differ unusually from their year
          </span>
        )}
      </span>
      {adjust === "splits" ? null : <span class="muted">of prices adjusted for splits, as stored</span>}
      <nav aria-label="Families">
        {families.map(({ family }) => (
          <a href={`#${family}`}>{familyTitle(family)}</a>
        ))}
      </nav>
    </div>
    {families.map(({ family, features }) => (
      <section class="family" id={family} aria-labelledby={`${family}-title`}>
        <header>
          <h3 id={`${family}-title`}>{familyTitle(family)}</h3>
          <span class="muted num">{plural(features.length, "feature")}</span>
        </header>
        <ul class="folds">
          {features.map((feature) => (
            <Feature feature={feature} address={featureAddress(symbol, interval, feature.name)} />
          ))}
        </ul>
      </section>
    ))}
  </>
);

/** What the amber mark of a feature says. */
const DRIFT_WORDS =
  "The newest 60 bars against the year before: a population stability index above 0.2, above what chance explains, and above that of 95% of other stretches of the year. Features of price and volume themselves and of the calendar are not counted.";

const Feature = ({ feature, address }: { feature: FeatureView; address: string }) => {
  const { name, value, unit, formula, source, since, recent, drifted } = feature;
  return (
    <li>
      <details hx-get={address} hx-trigger="toggle once" hx-target="find div" hx-swap="innerHTML">
        <summary title={formula}>
          <code>
            <span>
              {name.split("_").map((part, at) =>
                at === 0 ? (
                  part
                ) : (
                  <>
                    _<wbr />
                    {part}
                  </>
                ),
              )}
            </span>
            {drifted === null ? null : (
              <b class="drift" title={`Drift ${drifted.toFixed(2)}: unusual for this feature`}>
                drift
              </b>
            )}
          </code>
          {recent === null ? <span /> : <Spark values={recent} />}
          {value === null ? (
            <b class="num muted">
              –<span class="visually-hidden"> not known: too few bars, or a zero denominator</span>
            </b>
          ) : (
            <b class="num">{formatValue(value)}</b>
          )}
          {/* What stands after it explains it, and is in the list below. */}
          <small title={unit}>{unit.split(",", 1)}</small>
        </summary>
        <div>
          <a href={address}>Its year: chart, histogram, percentile and drift</a>
        </div>
        <dl>
          <dt>Formula</dt>
          <dd>{formula}</dd>
          <dt>Source</dt>
          <dd>{source}</dd>
          <dt>Unit</dt>
          <dd>{unit}</dd>
          <dt>Known from</dt>
          <dd>{since}</dd>
        </dl>
      </details>
    </li>
  );
};
