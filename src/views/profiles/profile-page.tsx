/** @jsxImportSource hono/jsx */
/** The profile page: chart, facts, actions, completeness, and features by family. */

import type { Child } from "hono/jsx";
import {
  type DerivedInterval,
  INTERVALS,
  type Interval,
  isDated,
  READ_INTERVALS,
  type ReadInterval,
} from "../../domain/market/interval.ts";
import type { PartialBars } from "../../domain/market/partial-bars.ts";
import type { DriftCount } from "../../domain/profiles/distribution.ts";
import { HEALTH_WORDS, type HealthFacts } from "../../domain/profiles/health.ts";
import { formatExactDuration, isoDate } from "../../domain/time.ts";
import { BarTime, Crumbs, Moment, SyntheticPill } from "../ui/components.tsx";
import { type Command, CopyAs } from "../ui/copy-as.tsx";
import { profileAddress } from "../ui/dom.ts";
import { formatCount, formatPrices, formatSigned, plural } from "../ui/format.ts";
import { Allowed } from "../ui/forms/allowed.tsx";
import { Layout, type PageContext } from "../ui/layout.tsx";
import { AnalysisLink } from "./analysis/analysis-page.tsx";
import { Chart } from "./chart/chart.tsx";
import type { ChartView } from "./chart/chart-view.ts";
import { Adjustments, chartAddress } from "./chart/overlays.tsx";
import { Families, type FamilyView } from "./features.tsx";
import { HealthPill } from "./health-badge.tsx";
import type { ProfileSummary } from "./profile-row.tsx";
import { Quality, type QualityView } from "./quality.tsx";

export interface ProfileView extends ProfileSummary {
  readonly firstBar: number;
  readonly lastBar: number;
  /** The bar that the features are computed at: prices in the quote currency, volume in units of the instrument. */
  readonly last: {
    readonly open: number;
    readonly high: number;
    readonly low: number;
    readonly close: number;
    /** NaN where it is unknown. */
    readonly volume: number;
    /** Relative change of the close to the one before; `null` at the first bar. */
    readonly change: number | null;
  } | null;
  /** `null` of derived bars. */
  readonly backfill: {
    readonly apiCallsUsed: number;
    readonly fetchDurationSeconds: number;
    readonly batchSizeDays: number;
  } | null;
  /** The series of bars behind it. */
  readonly series: {
    readonly feed: string;
    readonly adjustment: string;
    readonly sessions: string;
    readonly provisionalFrom: number | null;
    /** What was before it (epoch seconds) was deleted by choice; whether it still is being, or bars changed since. */
    readonly keptFrom: number | null;
    readonly isPruning: boolean;
    readonly changedFrom: number | null;
  } | null;
  /** Rows of the provider that were rejected, by reason, most frequent first. */
  readonly rejected: readonly { readonly reason: string; readonly rows: number }[];
  /** In the catalogue's order. */
  readonly families: readonly FamilyView[];
  /** How many features have drifted; `null` if there are too few bars, `undefined` while it is not computed. */
  readonly drift: DriftCount | null | undefined;
  /** The intervals in which this symbol has a profile, and those that are built from them. */
  readonly intervals: readonly Interval[];
  readonly derivable: readonly DerivedInterval[];
  /** What the bars are built from if this interval is not stored; whether the first and the last one are partial. */
  readonly derived: { readonly source: Interval; readonly partial: PartialBars } | null;
  readonly chart: ChartView;
  /** Of the stored bars: `null` of derived ones. */
  readonly quality: QualityView | null;
  readonly health: HealthFacts | null;
  /** The request for the bars, as text for other tools. */
  readonly commands: readonly Command[];
}

const FORMATS = { csv: "CSV", parquet: "Parquet", json: "JSON" } as const;

export const ProfilePage = ({ page, profile }: { page: PageContext; profile: ProfileView }) => (
  <Layout page={page} title={`${profile.symbol} ${profile.interval}`}>
    <header class="page-head">
      <Crumbs trail={[["Profiles", "/profiles"]]} />
      <h1>{profile.symbol}</h1>
      {profile.health === null ? null : <HealthPill health={profile.health.health} />}
      <SyntheticPill provider={profile.provider} />
      <nav class="tabs" aria-label="Interval">
        <Tabs profile={profile} />
      </nav>
      <Adjustments chart={profile.chart} />
      <span class="muted">
        updated <Moment at={profile.updatedAt} />
      </span>
      {profile.derived === null ? <Actions profile={profile} /> : null}
    </header>
    {profile.derived === null ? null : <DerivedNote profile={profile} source={profile.derived.source} />}
    {profile.series?.keptFrom == null ? null : <KeptNote series={profile.series} from={profile.series.keptFrom} />}
    <div class="profile-top">
      <Chart chart={profile.chart} />
      <aside class="profile-facts" aria-label="Facts">
        <LastBar profile={profile} />
        {profile.health === null ? null : <DataHealth profile={profile} health={profile.health} now={page.now} />}
        <History profile={profile} />
        {profile.backfill === null ? null : <Backfill profile={profile} backfill={profile.backfill} />}
        <Downloads profile={profile} />
      </aside>
    </div>
    <CopyAs commands={profile.commands} heading="h2" />
    {profile.quality === null ? null : <Quality quality={profile.quality} />}
    <AnalysisLink symbol={profile.symbol} interval={profile.interval} />
    <Families {...profile} adjust={profile.chart.adjust} />
  </Layout>
);

/** Stored intervals, and with a mark those that are built from them. */
const Tabs = ({ profile }: { profile: ProfileView }) => (
  <>
    {READ_INTERVALS.map((interval) => {
      const built = profile.derivable.find((each) => each.interval === interval);
      if (built === undefined && !INTERVALS.some((each) => each === interval && profile.intervals.includes(each)))
        return null;
      return (
        <a
          href={chartAddress(profile.symbol, interval, profile.chart)}
          aria-current={interval === profile.interval ? "page" : undefined}
          class={built && "derived"}
          title={built && `Not stored: derived from ${built.source}`}
        >
          {interval}
          {built ? <span class="visually-hidden"> derived</span> : null}
        </a>
      );
    })}
  </>
);

const DerivedNote = ({ profile: { symbol, interval }, source }: { profile: ProfileView; source: Interval }) => (
  <p class="derived-note" role="note">
    {interval} is not stored: bars, features and chart are derived from the stored{" "}
    <a href={profileAddress(symbol, source)}>{source} bars</a>, whose page shows their completeness.
    {interval === "1d" && source !== "1d"
      ? " A day's close is that of its last regular bar, not of the closing auction."
      : null}
  </p>
);

const KeptNote = ({ series, from }: { series: NonNullable<ProfileView["series"]>; from: number }) => (
  <p class="derived-note" role="note">
    The history begins on {isoDate(from)} by choice: earlier bars {series.isPruning ? "are being" : "were"} deleted on
    the <a href="/storage">storage page</a> and are fetched again only by a full run that names an earlier day.
    {series.changedFrom === null
      ? null
      : " The features that are stored were computed before bars changed: they are outdated until they are computed again."}
  </p>
);

/** Recomputing features is a run like any other, so it is started with the fields of the run form. */
const Actions = ({ profile: { symbol, interval, provider } }: { profile: ProfileView }) => (
  <div class="run-controls">
    <form method="post" action="/runs">
      <input type="hidden" name="symbols" value={symbol} />
      <input type="hidden" name="mode" value="reprocess" />
      <input type="hidden" name="interval" value={interval} />
      <input type="hidden" name="provider" value={provider} />
      <button type="submit" class="button" title="Compute the features again from the stored bars">
        Recompute features
      </button>
    </form>
    <Allowed method="GET" address={`/profiles/${encodeURIComponent(symbol)}/delete`}>
      <a class="button" href={`/profiles/${encodeURIComponent(symbol)}/delete?interval=${interval}`}>
        Delete…
      </a>
    </Allowed>
  </div>
);

const LastBar = ({ profile: { last, lastBar, interval, series, derived } }: { profile: ProfileView }) => {
  const [open, high, low, close] = last === null ? [] : formatPrices([last.open, last.high, last.low, last.close]);
  return (
    <Facts title="Last bar">
      {last === null ? (
        <Fact name="Bars">none</Fact>
      ) : (
        <>
          <Fact name="Bar">
            <BarTime ts={lastBar} interval={interval} />
          </Fact>
          {derived?.partial.last ? <Fact name="Partial">stored bars end before its end</Fact> : null}
          {series?.provisionalFrom == null || series.provisionalFrom > lastBar ? null : (
            <Fact name="Provisional">may still change</Fact>
          )}
          <Fact name="Close">
            <b>{close}</b>
            {last.change === null ? null : <Change change={last.change} />}
          </Fact>
          <Fact name="Open">{open}</Fact>
          <Fact name="High">{high}</Fact>
          <Fact name="Low">{low}</Fact>
          <Fact name="Volume">{Number.isNaN(last.volume) ? "unknown" : formatCount(last.volume)}</Fact>
        </>
      )}
    </Facts>
  );
};

interface HealthProps {
  readonly profile: ProfileView;
  readonly health: HealthFacts;
  readonly now: number;
}

const DataHealth = ({ profile: { lastBar, interval }, health, now }: HealthProps) => (
  <Facts title="Data health" note={health.health === "ok" ? undefined : HEALTH_WORDS[health.health][1]}>
    <Fact name="Gaps">{health.gaps === 0 ? "none" : formatCount(health.gaps)}</Fact>
    {health.outside > 0 ? <Fact name="Days outside sessions">{formatCount(health.outside)}</Fact> : null}
    {health.doubts > 0 ? (
      <Fact name="Doubtful prices">
        <a href="#findings">{formatCount(health.doubts)}</a>
      </Fact>
    ) : null}
    <Fact name="Duplicates">{health.duplicates === 0 ? "none" : `${formatCount(health.duplicates)} rejected`}</Fact>
    <Fact name="Last bar">{ageOf(lastBar, interval, now)}</Fact>
    {health.revisedAt === null ? null : (
      <Fact name="Revised">
        <Moment at={health.revisedAt} />
      </Fact>
    )}
    {health.suspectAt === null ? null : (
      <Fact name="Suspicious">
        <Moment at={health.suspectAt} />
      </Fact>
    )}
  </Facts>
);

/** `5 hours ago`, `3 days ago`, `today`: from the start of the bar (epoch seconds) to `now` (epoch milliseconds). */
function ageOf(ts: number, interval: ReadInterval, now: number): string {
  const hours = Math.max(0, Math.floor((now / 1000 - ts) / 3_600));
  if (!isDated(interval) && hours < 48) return `${plural(hours, "hour")} ago`;
  return hours < 24 ? "today" : `${plural(Math.floor(hours / 24), "day")} ago`;
}

const Change = ({ change }: { change: number }) => (
  <span class={change < 0 ? "fall" : "rise"}> {formatSigned(change * 100, 2)}%</span>
);

const VENDOR_ADJUSTMENTS: Readonly<Record<string, string>> = { none: "no", splits: "splits", all: "all" };

const History = ({ profile }: { profile: ProfileView }) => {
  const { bars, firstBar, lastBar, interval, provider, series, rejected, derived } = profile;
  const rejectedRows = rejected.reduce((sum, { rows }) => sum + rows, 0);
  return (
    <Facts title="History">
      <Fact name="Bars">{formatCount(bars)}</Fact>
      <Fact name="From">
        <BarTime ts={firstBar} interval={interval} />
      </Fact>
      {derived?.partial.first ? <Fact name="First bar">partial: stored bars begin after its beginning</Fact> : null}
      <Fact name="To">
        <BarTime ts={lastBar} interval={interval} />
      </Fact>
      <Fact name="Provider">{provider}</Fact>
      {series === null ? null : (
        <>
          <Fact name="Feed">{series.feed}</Fact>
          <Fact name="Adjusted by vendor">{VENDOR_ADJUSTMENTS[series.adjustment] ?? series.adjustment}</Fact>
          <Fact name="Sessions">{series.sessions}</Fact>
        </>
      )}
      {rejectedRows === 0 ? null : (
        <Fact name="Rejected">
          <details class="rejected">
            <summary>{plural(rejectedRows, "row")}</summary>
            <ul>
              {rejected.map(({ reason, rows }) => (
                <li>
                  {formatCount(rows)} × {reason}
                </li>
              ))}
            </ul>
          </details>
        </Fact>
      )}
    </Facts>
  );
};

interface BackfillProps {
  readonly profile: ProfileView;
  readonly backfill: NonNullable<ProfileView["backfill"]>;
}

const Backfill = ({ profile: { known, features }, backfill }: BackfillProps) => (
  <Facts title="Backfill">
    <Fact name="API calls">{formatCount(backfill.apiCallsUsed)}</Fact>
    <Fact name="Provider time">{formatExactDuration(backfill.fetchDurationSeconds)}</Fact>
    <Fact name="Batch size">{plural(backfill.batchSizeDays, "day")}</Fact>
    <Fact name="Features">{`${known} of ${features} known`}</Fact>
  </Facts>
);

const Downloads = ({ profile: { symbol, interval, chart } }: { profile: ProfileView }) => (
  <section>
    <h2>Downloads</h2>
    {(["bars", "features"] as const).map((content) => (
      <p class="downloads">
        <span>{content === "bars" ? "Bars" : "Features"}</span>
        {Object.entries(FORMATS).map(([format, title]) => (
          <a
            class="button"
            href={`/api/${content}/${encodeURIComponent(symbol)}?interval=${interval}&format=${format}&adjust=${chart.adjust}`}
            download={`${symbol.replace("@", "_")}-${interval}-${content}.${format}`}
            aria-label={`${content} as ${title}`}
          >
            {title}
          </a>
        ))}
      </p>
    ))}
  </section>
);

const Facts = ({ title, note, children }: { title: string; note?: string | undefined; children?: Child }) => (
  <section>
    <h2>{title}</h2>
    {note ? <p class="muted">{note.charAt(0).toUpperCase() + note.slice(1)}.</p> : null}
    <dl>{children}</dl>
  </section>
);

const Fact = ({ name, children }: { name: string; children?: Child }) => (
  <div>
    <dt>{name}</dt>
    <dd class="num">{children}</dd>
  </div>
);
