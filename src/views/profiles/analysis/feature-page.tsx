/** @jsxImportSource hono/jsx */
/** One feature of a profile over the last year: its course, histogram, percentile and drift; a page, and a part of the list. */

import type { ReadInterval } from "../../../domain/market/interval.ts";
import {
  type Drift,
  type Histogram,
  isDrifted,
  PSI_CHANGED,
  PSI_MODERATE,
} from "../../../domain/profiles/distribution.ts";
import { BarTime, Crumbs, SyntheticPill } from "../../ui/components.tsx";
import { profileAddress } from "../../ui/dom.ts";
import { formatCount, formatValue, plural } from "../../ui/format.ts";
import { Layout, type PageContext } from "../../ui/layout.tsx";

export interface FeatureReportView {
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly provider: string;
  readonly name: string;
  readonly unit: string;
  readonly formula: string;
  /** The value at the last bar; `null` where undefined. */
  readonly value: number | null;
  /** Epoch seconds. */
  readonly from: number;
  readonly recentFrom: number;
  readonly to: number;
  readonly bars: number;
  readonly every: number;
  readonly recentBars: number;
  readonly isWholeYear: boolean;
  /** Values of the year that are counted. */
  readonly count: number;
  readonly histogram: Histogram | null;
  /** In percent. */
  readonly percentile: number | null;
  readonly drift: Drift | null;
  /** Of each part of the time, oldest first, NaN where undefined. */
  readonly lows: ArrayLike<number>;
  readonly highs: ArrayLike<number>;
}

export const FeaturePage = ({ page, view }: { page: PageContext; view: FeatureReportView }) => (
  <Layout page={page} title={`${view.symbol} ${view.interval} ${view.name}`}>
    <header class="page-head">
      <Crumbs
        trail={[
          ["Profiles", "/profiles"],
          [view.symbol, profileAddress(view.symbol, view.interval)],
        ]}
      />
      <h1>{view.name}</h1>
      <SyntheticPill provider={view.provider} />
      <span class="muted">
        {view.interval} of {view.provider}, {view.unit}
      </span>
    </header>
    <div class="feature-page">
      <p>{view.formula}</p>
      <FeatureReport view={view} />
    </div>
  </Layout>
);

/** The address of a feature's page. */
export const featureAddress = (symbol: string, interval: ReadInterval, name: string) =>
  `/profiles/${encodeURIComponent(symbol)}/features/${name}?interval=${interval}`;

export const FeatureReport = ({ view }: { view: FeatureReportView }) => (
  <div class="feature-report">
    <Course view={view} />
    {view.histogram === null ? null : <Bins view={view} histogram={view.histogram} />}
    <dl>
      <dt>Percentile today</dt>
      <dd class="num">{view.percentile === null ? "not known" : percentileWords(view.percentile)}</dd>
      <dt>Drift (PSI)</dt>
      <dd>{driftWords(view)}</dd>
    </dl>
    <p class="muted">
      The year: {plural(view.bars, "bar")} before the newest {formatCount(view.recentBars)},{" "}
      <BarTime ts={view.from} interval={view.interval} /> to <BarTime ts={view.recentFrom} interval={view.interval} />
      {view.isWholeYear ? "" : ", less than a year"}
      {view.every > 1 ? `, of which one stretch in ${view.every} is counted` : ""}; {plural(view.count, "value")}.{" "}
      <a href={`${profileAddress(view.symbol, view.interval)}&panes=volume,${view.name}`}>Show it in the chart</a>
    </p>
  </div>
);

const percentileWords = (percentile: number) =>
  `${percentile.toFixed(1)}: above ${percentile.toFixed(0)}% of the year's values`;

/** Index, class, and what it is held against. */
function driftWords({ drift, count, recentBars }: FeatureReportView) {
  if (drift === null) return `not known: too few values, ${formatCount(count)} of the year, or they never change`;
  const { psi, byChance, usual } = drift;
  const size = psi > PSI_CHANGED ? "changed" : psi > PSI_MODERATE ? "changed a little" : "unchanged";
  const measures = `up to ${byChance.toFixed(2)} by chance${usual === null ? "" : `, up to ${usual.toFixed(2)} in 95% of other stretches of ${formatCount(recentBars)} bars of the year`}`;
  return (
    <>
      <b class="num">{psi.toFixed(2)}</b> {size} by the usual thresholds ({PSI_MODERATE}, {PSI_CHANGED}); {measures}.{" "}
      {usual === null ? (
        "Too few stretches to say whether that is unusual."
      ) : isDrifted(drift) ? (
        <b class="warn-text">Unusual for this feature.</b>
      ) : psi > PSI_CHANGED ? (
        "Not unusual for this feature."
      ) : null}
    </>
  );
}

const WIDTH = 480;
const HEIGHT = 120;

function extentOf(lows: ArrayLike<number>, highs: ArrayLike<number>) {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < lows.length; at++) {
    if (lows[at]! < low) low = lows[at]!;
    if (highs[at]! > high) high = highs[at]!;
  }
  return { low, high };
}

/** The course as a band between the least and the greatest value of each part; a line where they are the same. */
const Course = ({ view: { lows, highs, from, to, recentBars, bars, interval, name } }: { view: FeatureReportView }) => {
  const { low, high } = extentOf(lows, highs);
  if (low > high) return <p class="muted">It has no value in this time.</p>;
  const x = (at: number) => ((at * WIDTH) / Math.max(1, lows.length - 1)).toFixed(1);
  const y = (value: number) => (high > low ? ((high - value) / (high - low)) * HEIGHT : HEIGHT / 2).toFixed(1);
  let path = "";
  for (let at = 0; at < lows.length; ) {
    if (Number.isNaN(lows[at])) {
      at += 1;
      continue;
    }
    let end = at;
    while (end < lows.length && !Number.isNaN(lows[end])) end += 1;
    const upper = Array.from({ length: end - at }, (_, index) => `${x(at + index)} ${y(highs[at + index]!)}`);
    const lower = Array.from({ length: end - at }, (_, index) => `${x(end - 1 - index)} ${y(lows[end - 1 - index]!)}`);
    path += `M${upper.join("L")}L${lower.join("L")}Z`;
    at = end;
  }
  const recent = (WIDTH * bars) / (bars + recentBars);
  return (
    <figure class="course">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name} over the year and the newest ${recentBars} bars: ${formatValue(low)} to ${formatValue(high)}`}
      >
        <rect class="recent" x={recent.toFixed(1)} y={0} width={(WIDTH - recent).toFixed(1)} height={HEIGHT} />
        <path d={path} />
      </svg>
      <figcaption class="num">
        <BarTime ts={from} interval={interval} />
        <span>
          {formatValue(low)} to {formatValue(high)}
        </span>
        <BarTime ts={to} interval={interval} />
      </figcaption>
    </figure>
  );
};

const Bins = ({ view: { value, name }, histogram }: { view: FeatureReportView; histogram: Histogram }) => {
  const { low, high, counts } = histogram;
  const most = Math.max(...counts);
  const width = WIDTH / counts.length;
  const at =
    value === null ? null : high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) * WIDTH : WIDTH / 2;
  return (
    <figure class="histogram">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Histogram of ${name} over the year, ${formatValue(low)} to ${formatValue(high)}; today ${value === null ? "unknown" : formatValue(value)}`}
      >
        {counts.map((count, bin) => {
          const height = (HEIGHT * count) / most;
          return (
            <rect
              x={(bin * width).toFixed(1)}
              y={(HEIGHT - height).toFixed(1)}
              width={(width * 0.9).toFixed(1)}
              height={height.toFixed(1)}
            />
          );
        })}
        {at === null ? null : <path class="today" d={`M${at.toFixed(1)} 0V${HEIGHT}`} />}
      </svg>
      <figcaption class="num">
        <span>{formatValue(low)}</span>
        <span>{value === null ? "no value today" : `today ${formatValue(value)}`}</span>
        <span>{formatValue(high)}</span>
      </figcaption>
    </figure>
  );
};
