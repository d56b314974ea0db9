/** @jsxImportSource hono/jsx */
/** The features of a profile by family: value, unit, sparkline; folded away, formula and source. */

import type { Adjustment } from "../../domain/market/corporate-actions.ts";
import { familyTitle, formatValue, plural } from "../ui/format.ts";
import { Spark } from "../ui/sparkline.tsx";

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
}

export interface FamilyView {
  readonly family: string;
  readonly features: readonly FeatureView[];
}

/** The features of the profile. They are computed from bars adjusted for splits, whatever the chart shows. */
export const Families = ({ families, adjust }: { families: readonly FamilyView[]; adjust: Adjustment }) => (
  <>
    <div class="families-head">
      <h2>Features</h2>
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
        <ul>
          {features.map((feature) => (
            <Feature feature={feature} />
          ))}
        </ul>
      </section>
    ))}
  </>
);

const Feature = ({ feature: { name, value, unit, formula, source, since, recent } }: { feature: FeatureView }) => (
  <li>
    <details>
      <summary title={formula}>
        <code>{name}</code>
        {recent === null ? <span /> : <Spark values={recent} />}
        {value === null ? (
          <b class="num muted">
            –<span class="visually-hidden"> not known: too few bars, or a zero denominator</span>
          </b>
        ) : (
          <b class="num">{formatValue(value)}</b>
        )}
        <small>{unit}</small>
      </summary>
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
