/** @jsxImportSource hono/jsx */
/** All profiles: what is known of each symbol and interval. */

import type { Interval } from "../domain/interval.ts";
import { Empty, type Frame, Page } from "./layout.tsx";
import { FeatureHead, Screener, type ScreenView, screenAddress } from "./screener.tsx";
import { BarTime, formatCount, formatValue, Moment, profileAddress } from "./ui.tsx";

export interface ProfileSummary {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  /** Epoch seconds of the first and the last bar; `null` without bars. */
  readonly firstBar: number | null;
  readonly lastBar: number | null;
  readonly bars: number;
  /** Features that have a value, and all there are. */
  readonly known: number;
  readonly features: number;
  readonly complete: boolean;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
}

export interface ProfilesView {
  readonly screen: ScreenView;
  /** One row a profile, with the values of the screen's features. */
  readonly rows: readonly (ProfileSummary & { readonly values: readonly (number | null)[] })[];
  /** The pages before and after this one. */
  readonly pages: { readonly before: string | null; readonly after: string | null };
  /** Profiles whose features an older version of the catalogue computed. */
  readonly outdated: number;
}

export const ProfilesPage = ({
  frame,
  view: { screen, rows, pages, outdated },
}: {
  frame: Frame;
  view: ProfilesView;
}) => (
  <Page frame={frame} title="Profiles">
    <header class="page-head">
      <h1>Profiles</h1>
      <span class="muted num">
        {formatCount(rows.length)}
        {pages.before || pages.after ? " on this page" : ""}
      </span>
      <a href={screenAddress(screen, { format: "csv" })}>CSV</a>
      <a href={screenAddress(screen, { format: "json" })}>JSON</a>
      {outdated > 0 ? (
        <form class="run-controls" method="post" action="/profiles/outdated">
          <button
            type="submit"
            class="button"
            title="Their features were computed by an older version; no calls are needed"
          >
            Reprocess {formatCount(outdated)} outdated
          </button>
        </form>
      ) : null}
    </header>
    <Screener screen={screen} />
    {rows.length === 0 ? (
      <NoProfiles screen={screen} />
    ) : (
      <section class="scroll" tabindex={0} aria-label="Profiles">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Symbol</th>
              <th scope="col">Interval</th>
              <th scope="col">Provider</th>
              <th scope="col">History</th>
              {screen.columns.map((name) => (
                <FeatureHead screen={screen} name={name} />
              ))}
              <th scope="col" class="num">
                Bars
              </th>
              <th scope="col" class="num">
                Features
              </th>
              <th scope="col" class="num">
                First bar
              </th>
              <th scope="col" class="num">
                Last bar
              </th>
              <th scope="col" class="num">
                Updated
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((profile) => (
              <tr>
                <th scope="row">
                  <a href={profileAddress(profile.symbol, profile.interval)}>{profile.symbol}</a>
                </th>
                <td>{profile.interval}</td>
                <td>{profile.provider}</td>
                <td>
                  <Completeness complete={profile.complete} />
                </td>
                {profile.values.map((value) => (
                  <td class="num">{value === null ? "–" : formatValue(value)}</td>
                ))}
                <td class="num">{formatCount(profile.bars)}</td>
                <td class="num">
                  {profile.known}/{profile.features}
                </td>
                <td class="num">
                  {profile.firstBar === null ? "–" : <BarTime ts={profile.firstBar} interval={profile.interval} />}
                </td>
                <td class="num">
                  {profile.lastBar === null ? "–" : <BarTime ts={profile.lastBar} interval={profile.interval} />}
                </td>
                <td class="num">
                  <Moment at={profile.updatedAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    )}
    <p class="more">
      {pages.before ? (
        <a class="button" href={pages.before}>
          Previous
        </a>
      ) : null}
      {pages.after ? (
        <a class="button" href={pages.after}>
          Next
        </a>
      ) : null}
    </p>
  </Page>
);

const NoProfiles = ({ screen }: { screen: ScreenView }) =>
  screen.wrong || screen.where !== "" ? (
    <Empty title={screen.wrong ? "The screen cannot be read" : "No profile matches"}>
      <a href="/profiles">Show all profiles</a>
    </Empty>
  ) : (
    <Empty title="No profile yet">
      A profile is stored at the end of each symbol's run. <a href="/">Start a run</a> and come back.
    </Empty>
  );

/** Whether every batch of the range was answered: a profile can be finished and yet rest on gaps. */
export const Completeness = ({ complete }: { complete: boolean }) => (
  <span class={`pill ${complete ? "pill-complete" : "pill-paused"}`}>
    <svg class="icon" aria-hidden="true">
      <use href={complete ? "#i-complete" : "#i-waiting"} />
    </svg>
    {complete ? "Complete" : "Has gaps"}
  </span>
);
