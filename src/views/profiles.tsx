/** @jsxImportSource hono/jsx */
/** All profiles: what is known of each symbol and interval. */

import type { Interval } from "../domain/interval.ts";
import { Empty, type Frame, Page } from "./layout.tsx";
import { formatCount, Moment, profileAddress } from "./ui.tsx";

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

/** The day of a bar, or its minute for intervals below a day. */
export function formatBar(ts: number, interval: Interval): string {
  const text = new Date(ts * 1_000).toISOString();
  return interval === "1d" ? text.slice(0, 10) : `${text.slice(0, 16).replace("T", " ")} UTC`;
}

export const ProfilesPage = ({ frame, profiles }: { frame: Frame; profiles: readonly ProfileSummary[] }) => (
  <Page frame={frame} title="Profiles">
    <header class="page-head">
      <h1>Profiles</h1>
      <span class="muted num">{formatCount(profiles.length)}</span>
    </header>
    {profiles.length === 0 ? (
      <Empty title="No profile yet">
        A profile is stored at the end of each symbol's run. <a href="/">Start a run</a> and come back.
      </Empty>
    ) : (
      <section class="scroll" tabindex={0} aria-label="Profiles">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Symbol</th>
              <th scope="col">Interval</th>
              <th scope="col">Provider</th>
              <th scope="col">History</th>
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
            {profiles.map((profile) => (
              <tr>
                <th scope="row">
                  <a href={profileAddress(profile.symbol, profile.interval)}>{profile.symbol}</a>
                </th>
                <td>{profile.interval}</td>
                <td>{profile.provider}</td>
                <td>
                  <Completeness complete={profile.complete} />
                </td>
                <td class="num">{formatCount(profile.bars)}</td>
                <td class="num">
                  {profile.known}/{profile.features}
                </td>
                <td class="num">{profile.firstBar === null ? "–" : formatBar(profile.firstBar, profile.interval)}</td>
                <td class="num">{profile.lastBar === null ? "–" : formatBar(profile.lastBar, profile.interval)}</td>
                <td class="num">
                  <Moment at={profile.updatedAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    )}
  </Page>
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
