/** @jsxImportSource hono/jsx */
/** One profile: its bars, where they came from, and its features by family. */

import type { Child } from "hono/jsx";
import { INTERVALS, type Interval } from "../domain/interval.ts";
import { type Frame, Page } from "./layout.tsx";
import { Completeness, formatBar, type ProfileSummary } from "./profiles.tsx";
import { formatCount, formatDuration, formatValue, Moment, profileAddress } from "./ui.tsx";

export interface ProfileView extends ProfileSummary {
  /** The bar at which the features stand, in the quote currency and the instrument's units. */
  readonly last: {
    readonly open: number;
    readonly high: number;
    readonly low: number;
    readonly close: number;
    readonly volume: number;
  } | null;
  readonly backfill: {
    readonly apiCallsUsed: number;
    readonly fetchDurationSeconds: number;
    readonly batchSizeDays: number;
  };
  /** In the catalogue's order; `null` where there are too few bars or a denominator is zero. */
  readonly families: readonly {
    readonly family: string;
    readonly features: readonly { readonly name: string; readonly value: number | null }[];
  }[];
  /** The intervals in which this symbol has a profile. */
  readonly intervals: readonly Interval[];
}

export const ProfilePage = ({ frame, profile }: { frame: Frame; profile: ProfileView }) => (
  <Page frame={frame} title={`${profile.symbol} ${profile.interval}`}>
    <header class="page-head">
      <p class="crumbs">
        <a href="/profiles">Profiles</a>
      </p>
      <h1>{profile.symbol}</h1>
      <Completeness complete={profile.complete} />
      <nav class="tabs" aria-label="Interval">
        {INTERVALS.filter((interval) => profile.intervals.includes(interval)).map((interval) => (
          <a
            href={profileAddress(profile.symbol, interval)}
            aria-current={interval === profile.interval ? "page" : undefined}
          >
            {interval}
          </a>
        ))}
      </nav>
      <span class="muted">
        {profile.provider}, updated <Moment at={profile.updatedAt} />
      </span>
    </header>
    <h2 class="visually-hidden">Summary</h2>
    <div class="cards">
      <Card title="Last bar">
        {profile.last && profile.lastBar !== null ? (
          <>
            <Row name="Bar">{formatBar(profile.lastBar, profile.interval)}</Row>
            <Row name="Open">{formatValue(profile.last.open)}</Row>
            <Row name="High">{formatValue(profile.last.high)}</Row>
            <Row name="Low">{formatValue(profile.last.low)}</Row>
            <Row name="Close">{formatValue(profile.last.close)}</Row>
            <Row name="Volume">{formatCount(profile.last.volume)}</Row>
          </>
        ) : (
          <Row name="Bars">none</Row>
        )}
      </Card>
      <Card title="History">
        <Row name="Rows">{formatCount(profile.bars)}</Row>
        <Row name="First bar">{profile.firstBar === null ? "–" : formatBar(profile.firstBar, profile.interval)}</Row>
        <Row name="Last bar">{profile.lastBar === null ? "–" : formatBar(profile.lastBar, profile.interval)}</Row>
        <Row name="Complete">{profile.complete ? "yes" : "no"}</Row>
      </Card>
      <Card title="Backfill">
        <Row name="API calls">{formatCount(profile.backfill.apiCallsUsed)}</Row>
        <Row name="Fetching took">{formatDuration(profile.backfill.fetchDurationSeconds, true)}</Row>
        <Row name="Batch size">{`${profile.backfill.batchSizeDays} days`}</Row>
        <Row name="Features">{`${profile.known} of ${profile.features} known`}</Row>
      </Card>
    </div>
    <h2 class="section-title">Features</h2>
    <div class="families">
      {profile.families.map(({ family, features }) => (
        <Card title={familyTitle(family)}>
          {features.map(({ name, value }) => (
            <Row name={<code>{name}</code>}>
              {value === null ? (
                <span class="muted" title="Too few bars, or a zero denominator">
                  –<span class="visually-hidden"> not known</span>
                </span>
              ) : (
                formatValue(value)
              )}
            </Row>
          ))}
        </Card>
      ))}
    </div>
  </Page>
);

/** `moving_average` → `Moving average` */
const familyTitle = (family: string) => family.charAt(0).toUpperCase() + family.slice(1).replaceAll("_", " ");

const Card = ({ title, children }: { title: string; children?: Child }) => (
  <section class="card">
    <h3>{title}</h3>
    <dl>{children}</dl>
  </section>
);

const Row = ({ name, children }: { name: Child; children?: Child }) => (
  <div>
    <dt>{name}</dt>
    <dd class="num">{children}</dd>
  </div>
);
