/** @jsxImportSource hono/jsx */
/** Small components of all pages: times, icons and pills. */

import { createContext, useContext } from "hono/jsx";
import { isSynthetic } from "../../domain/defaults.ts";
import { isDated, type ReadInterval } from "../../domain/market/interval.ts";
import type { JobState } from "../../domain/runs/states.ts";
import {
  formatDuration,
  isoDate,
  isoSecond,
  type MomentStyle,
  utcSecond,
  writeMoment,
  zoneTitle,
} from "../../domain/time.ts";
import { plural } from "./format.ts";

/**
 * The time zone of a page: `Layout` provides the reader's. Live updates are the same for all readers and so are in UTC;
 * `public/app/ui/clock.js` rewrites them.
 */
export const ReaderZone = createContext("UTC");

/** A time (epoch milliseconds) in the reader's zone; the full second is in the title. */
export const Moment = ({ at, style = "minute" }: { at: number; style?: MomentStyle }) => (
  <time class="num" datetime={new Date(at).toISOString()} data-moment={style} title={utcSecond(at)}>
    {writeMoment(at, useContext(ReaderZone), style)}
  </time>
);

/** The moment of a log line, of which a page has many: to the second, and without a title, as its zone is above. */
export const LogMoment = ({ at }: { at: number }) => (
  <time class="num" datetime={isoSecond(Math.floor(at / 1_000))} data-moment="bare">
    {writeMoment(at, useContext(ReaderZone), "bare")}
  </time>
);

/** The name of the reader's zone, above times that do not repeat it. */
export const ZoneTitle = () => <span data-zone-title>{zoneTitle(useContext(ReaderZone))}</span>;

/** The head of a column of times in the style `column`: it names their zone. */
export const TimeHead = ({ title, class: name }: { title: string; class?: string }) => (
  <th scope="col" class={name}>
    <Zoned title={title} />
  </th>
);

/** The title of a column of times, with their zone. */
export const Zoned = ({ title }: { title: string }) => (
  <>
    {title} (<ZoneTitle />)
  </>
);

/** A date (epoch seconds of its midnight UTC), the same in every zone. */
export const Day = ({ ts }: { ts: number }) => <time datetime={isoDate(ts)}>{isoDate(ts)}</time>;

/** The start of a bar (`ts` in epoch seconds): the date of a bar of days in every zone, otherwise the time. */
export const BarTime = ({ ts, interval }: { ts: number; interval: ReadInterval }) =>
  isDated(interval) ? <Day ts={ts} /> : <Moment at={ts * 1_000} />;

/** The icon of a state: its shape shows as much as its colour. */
export const STATE_ICONS: Readonly<Record<JobState, string>> = {
  queued: "queued",
  running: "fetch",
  paused: "paused",
  complete: "complete",
  failed: "failed",
  cancelled: "cancelled",
  skipped: "skipped",
};

/** One icon from the sprite in the layout. It is decorative: the text beside it has the same meaning. */
export const Icon = ({ name }: { name: string }) => (
  <svg class={`icon icon-${name}`} aria-hidden="true">
    <use href={`#i-${name}`} />
  </svg>
);

/** A state in a word or two; `look` is the state that colours it. */
export const Pill = (props: { look?: string; icon: string; title?: string; children?: unknown }) => (
  <span class={props.look === undefined ? "pill" : `pill pill-${props.look}`} title={props.title}>
    <Icon name={props.icon} />
    {props.children}
  </span>
);

/** Beside what is shown of a provider whose bars are made up; nothing for the others. */
export const SyntheticPill = ({ provider }: { provider: string }) =>
  isSynthetic(provider) ? (
    <Pill look="paused" icon="synthetic" title="Made-up bars of the demo provider: no prices of any market">
      Synthetic
    </Pill>
  ) : null;

/** The heads of columns by their titles: those of texts, then those of numbers, which are aligned to the end. */
export const ColumnHeads = ({ texts, numbers = [] }: { texts: readonly string[]; numbers?: readonly string[] }) => (
  <tr>
    {texts.map((title) => (
      <th scope="col">{title}</th>
    ))}
    {numbers.map((title) => (
      <th scope="col" class="num">
        {title}
      </th>
    ))}
  </tr>
);

/** The head of a column of check boxes: it selects all rows of the page. */
export const SelectAllHead = () => (
  <th scope="col" class="c-pick">
    <span class="visually-hidden">Select</span>
    <input type="checkbox" data-select-all autocomplete="off" aria-label="Select all on this page" />
  </th>
);

const DAY_MS = 86_400_000;

/** The time left; the browser counts down what is less than a day away. */
export const Until = ({ at, now }: { at: number; now: number }) =>
  at - now >= DAY_MS ? (
    <>in {plural(Math.round((at - now) / DAY_MS), "day")}</>
  ) : (
    <>
      in <span data-until={String(at)}>{formatDuration(Math.max(0, (at - now) / 1_000))}</span>
    </>
  );

/** The way down to a page: titles and addresses, the first one a place of the navigation. */
export const Crumbs = ({ trail }: { trail: readonly (readonly [title: string, href: string])[] }) => (
  <>
    {trail.map(([title, href]) => (
      <p class="crumbs">
        <a href={href}>{title}</a>
      </p>
    ))}
  </>
);
