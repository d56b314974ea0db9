/** @jsxImportSource hono/jsx */
/** What all pages share: the ids of live elements, and how numbers, times and states are written. */

import { createContext, useContext } from "hono/jsx";
import type { Interval } from "../../domain/market/interval.ts";
import type { JobState } from "../../domain/runs/states.ts";
import { isoDate, type MomentStyle, utcSecond, writeMoment, zoneTitle } from "../../domain/time.ts";

/**
 * The zone in which a page writes its moments: `Layout` provides its reader's. What is pushed is the same for everybody
 * and so is written in UTC; `public/app/ui/clock.js` rewrites it.
 */
export const ReaderZone = createContext("UTC");

/** A moment (epoch milliseconds) in the reader's zone; machines read `datetime`, the full second is in the title. */
export const Moment = ({ at, style = "minute" }: { at: number; style?: MomentStyle }) => (
  <time class="num" datetime={new Date(at).toISOString()} data-moment={style} title={utcSecond(at)}>
    {writeMoment(at, useContext(ReaderZone), style)}
  </time>
);

/** The reader's zone, above a column of times that do not repeat it. */
export const ZoneTitle = () => <span data-zone-title>{zoneTitle(useContext(ReaderZone))}</span>;

/** When a bar began, `ts` in epoch seconds: the date of a daily one, which no zone shifts, else the moment. */
export const BarTime = ({ ts, interval }: { ts: number; interval: Interval }) =>
  interval === "1d" ? <time datetime={isoDate(ts)}>{isoDate(ts)}</time> : <Moment at={ts * 1_000} />;

/** The drawing of a state: shape says as much as colour. */
export const STATE_ICONS: Readonly<Record<JobState, string>> = {
  queued: "queued",
  running: "fetch",
  paused: "paused",
  complete: "complete",
  failed: "failed",
  cancelled: "cancelled",
  skipped: "skipped",
};

/** One drawing from the sprite that the layout carries. It never stands alone: words say the same beside it. */
export const Icon = ({ name }: { name: string }) => (
  <svg class={`icon icon-${name}`} aria-hidden="true">
    <use href={`#i-${name}`} />
  </svg>
);

/** How something stands, in a word or two; `look` colours it as that state. */
export const Pill = (props: { look?: string; icon: string; title?: string; children?: unknown }) => (
  <span class={props.look === undefined ? "pill" : `pill pill-${props.look}`} title={props.title}>
    <Icon name={props.icon} />
    {props.children}
  </span>
);

/** The head of a column of check boxes: it selects all rows of the page. */
export const SelectAllHead = () => (
  <th scope="col" class="c-pick">
    <span class="visually-hidden">Select</span>
    <input type="checkbox" data-select-all autocomplete="off" aria-label="Select all on this page" />
  </th>
);
