/** @jsxImportSource hono/jsx */
/** The analysis of a profile's bars: statistics, seasonality and volume by price; a page, and a section of the profile's. */

import type { ReadInterval } from "../../../domain/market/interval.ts";
import type { Seasonality } from "../../../domain/profiles/seasonality.ts";
import type { SeriesStatistics } from "../../../domain/profiles/statistics.ts";
import type { VolumeProfile } from "../../../domain/profiles/volume-profile.ts";
import { BarTime, Crumbs, SyntheticPill } from "../../ui/components.tsx";
import { dom, profileAddress } from "../../ui/dom.ts";
import { plural } from "../../ui/format.ts";
import { Layout, type PageContext } from "../../ui/layout.tsx";
import { HeatMap } from "./heat-map.tsx";
import { Statistics } from "./statistics.tsx";
import { VolumeByPrice } from "./volume-by-price.tsx";

/** Value in the address, title, and days back from the last bar. */
export const ANALYSIS_RANGES = [
  ["all", "All bars", Number.POSITIVE_INFINITY],
  ["5y", "5 years", 1_826],
  ["1y", "1 year", 365],
  ["6m", "6 months", 182],
  ["1m", "1 month", 30],
] as const;

export type AnalysisRange = (typeof ANALYSIS_RANGES)[number][0];

export interface AnalysisView {
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly provider: string;
  readonly range: AnalysisRange;
  /** `null` without bars in the range. */
  readonly report: {
    /** Epoch seconds. */
    readonly from: number;
    readonly to: number;
    readonly bars: number;
    readonly unit: "day" | "week" | "month";
    readonly perYear: number;
    readonly statistics: SeriesStatistics;
    readonly timeZone: string;
    readonly hourly: Seasonality | null;
    readonly monthly: Seasonality | null;
    readonly cutMonths: number;
    readonly volume: VolumeProfile | null;
  } | null;
}

export const AnalysisPage = ({ page, view }: { page: PageContext; view: AnalysisView }) => (
  <Layout page={page} title={`${view.symbol} ${view.interval} analysis`}>
    <header class="page-head">
      <Crumbs
        trail={[
          ["Profiles", "/profiles"],
          [view.symbol, profileAddress(view.symbol, view.interval)],
        ]}
      />
      <h1>Analysis</h1>
      <SyntheticPill provider={view.provider} />
      <span class="muted">
        {view.interval} of {view.provider}
      </span>
    </header>
    <AnalysisSection view={view} />
  </Layout>
);

const analysisAddress = (symbol: string, interval: ReadInterval, range: AnalysisRange = "all") =>
  `/profiles/${encodeURIComponent(symbol)}/analysis?interval=${interval}${range === "all" ? "" : `&range=${range}`}`;

/** On the page of a profile: a link, replaced by the analysis when it comes into view. */
export const AnalysisLink = ({ symbol, interval }: Pick<AnalysisView, "symbol" | "interval">) => (
  <section
    id={dom.analysis}
    class="analysis"
    aria-labelledby="analysis-title"
    hx-get={analysisAddress(symbol, interval)}
    hx-trigger="intersect once"
    hx-swap="outerHTML"
  >
    <div class="analysis-head">
      <h2 id="analysis-title">Analysis</h2>
      <a href={analysisAddress(symbol, interval)}>Statistics, seasonality and volume by price</a>
    </div>
  </section>
);

export const AnalysisSection = ({ view }: { view: AnalysisView }) => {
  const { symbol, interval, range, report } = view;
  return (
    <section id={dom.analysis} class="analysis" aria-labelledby="analysis-title">
      <div class="analysis-head">
        <h2 id="analysis-title">Analysis</h2>
        <nav class="tabs" aria-label="Time of the analysis">
          {ANALYSIS_RANGES.map(([value, title]) => (
            <a
              href={analysisAddress(symbol, interval, value)}
              hx-get={analysisAddress(symbol, interval, value)}
              hx-target={`#${dom.analysis}`}
              hx-swap="outerHTML"
              aria-current={value === range ? "true" : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        {report === null ? null : (
          <span class="muted num">
            {plural(report.bars, "bar")}, <BarTime ts={report.from} interval={interval} /> to{" "}
            <BarTime ts={report.to} interval={interval} />, prices adjusted for splits
          </span>
        )}
      </div>
      {report === null ? (
        <p class="analysis-note">There are no bars in this time.</p>
      ) : (
        <div class="analysis-cards">
          <Statistics
            statistics={report.statistics}
            unit={report.unit}
            perYear={report.perYear}
            isBuilt={report.bars > report.statistics.closes}
            interval={interval}
          />
          {report.volume === null ? (
            <section class="analysis-card">
              <h3>Volume by price</h3>
              <p class="muted">No volume is known.</p>
            </section>
          ) : (
            <VolumeByPrice profile={report.volume} />
          )}
          {report.hourly === null ? null : (
            <HeatMap
              title="Seasonality by hour and weekday"
              seasonality={report.hourly}
              rowTitle={(hour) => `${String(hour).padStart(2, "0")}:00`}
              columnTitle={(day) => WEEKDAYS[day - 1]!}
              corner="Hour"
              note={`Mean of ln(last close ÷ first open) of each hour on the clock of ${report.timeZone}, in hundredths of a percent; a bar counts in the hour in which it begins, and the way from one session to the next in none. Hours with fewer than ten returns are muted.`}
              scale={10_000}
              decimals={1}
              unit="bp"
            />
          )}
          {report.monthly === null ? null : (
            <HeatMap
              title="Returns by month and year"
              seasonality={report.monthly}
              rowTitle={String}
              columnTitle={(month) => MONTHS[month - 1]!}
              corner="Year"
              note={`Last close of the month ÷ last close of the month before − 1, in percent; the month of the last bar may still be going on. A month after one without bars has none.${report.cutMonths === 0 ? "" : ` ${plural(report.cutMonths, "month")} whose last bars are missing, and what follows on ${report.cutMonths === 1 ? "it" : "them"}, left out.`} Below: the mean of each month.`}
              scale={100}
              decimals={1}
              unit="%"
              isSingle
            />
          )}
          {report.unit === "week" ? (
            <p class="muted">Months are not computed from weekly bars: a week can lie in two.</p>
          ) : null}
        </div>
      )}
    </section>
  );
};

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
