/** @jsxImportSource hono/jsx */
/** What all pages share: the ids of live elements, and how numbers, times and states are written. */

import { createContext, useContext } from "hono/jsx";
import type { Interval } from "../domain/market/interval.ts";
import type { JobState } from "../domain/runs/states.ts";
import { type MomentStyle, writeMoment, zoneTitle } from "../domain/time.ts";

/** Every DOM id that code refers to, in one place: the page draws it, the push aims at it. */
export const dom = {
  main: "main",
  stream: "stream",
  freshness: "freshness",
  clock: "clock",
  zones: "zones",
  searchLink: "search-link",
  palette: "palette",
  paletteList: "palette-list",
  paletteResults: "palette-results",
  announcer: "announcer",
  notices: "notices",
  question: "question",
  runForm: "run-form",
  quota: "quota",
  activity: "activity",
  runs: "runs",
  runList: "run-list",
  logLines: "log-lines",
  jobDetails: "job-details",
  section: (runId: string) => `section-${runId}`,
  runHead: (runId: string) => `run-${runId}`,
  bulk: (runId: string) => `bulk-${runId}`,
  pager: (runId: string) => `pager-${runId}`,
  jobs: (runId: string) => `jobs-${runId}`,
  job: (runId: string, symbol: string) => `job-${runId}-${symbol}`,
  jobMenu: "job-menu",
} as const;

const integers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** `12,096` */
export const formatCount = (value: number): string => integers.format(value);

/** `812`, `12.1K`, `3.4M` */
export const formatCompact = (value: number): string => (value < 1_000 ? formatCount(value) : compact.format(value));

/** `1 symbol`, `3 symbols`; `many` for words that take no `s`. */
export const plural = (count: number, word: string, many = `${word}s`): string =>
  `${formatCount(count)} ${count === 1 ? word : many}`;

/**
 * Seconds as a person reads them: `7.4s`, `45s`, `3m 05s`, `2h 10m`. With `exact`, one decimal below a minute.
 * `public/app/clock.js` ticks running clocks in the same words.
 */
export function formatDuration(seconds: number, exact = false): string {
  if (seconds < (exact ? 59.95 : 60)) return exact ? `${seconds.toFixed(1)}s` : `${Math.floor(seconds)}s`;
  const whole = Math.floor(exact ? seconds + 0.05 : seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3_600)}h ${pad(Math.floor((whole % 3_600) / 60))}m`;
}

/** What is left, as coarse as it is known: `under 10s`, `about 40s`, `about 4m`, `about 2h 10m`. */
export function formatEta(seconds: number): string {
  if (seconds < 10) return "under 10s";
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${minutes}m`;
  const tens = Math.round(minutes / 10) * 10;
  return `about ${Math.floor(tens / 60)}h ${pad(tens % 60)}m`;
}

/** A feature or price: six significant digits, no needless zeros, an exponent only where digits would not fit. */
export function formatValue(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e12 || size < 1e-6) return value.toExponential(4);
  if (size >= 1e5) return new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 }).format(value);
  return String(Number(value.toPrecision(6)));
}

const pad = (value: number) => String(value).padStart(2, "0");

/**
 * The zone in which a page writes its moments: `Page` provides its reader's. What is pushed is the same for everybody
 * and so is written in UTC; `public/app/clock.js` writes it anew.
 */
export const ReaderZone = createContext("UTC");

/** `2026-03-02 14:02:11 UTC` */
export const utcSecond = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Whole seconds from now to a moment (epoch milliseconds); `public/app/clock.js` counts them down. */
export const secondsUntil = (at: number): number => Math.max(0, Math.ceil((at - Date.now()) / 1_000));

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
  interval === "1d" ? (
    <time datetime={new Date(ts * 1_000).toISOString().slice(0, 10)}>
      {new Date(ts * 1_000).toISOString().slice(0, 10)}
    </time>
  ) : (
    <Moment at={ts * 1_000} />
  );

/** Where one symbol of a run is shown. */
export const jobAddress = (runId: string, symbol: string) =>
  `/runs/${encodeURIComponent(runId)}/jobs/${encodeURIComponent(symbol)}`;

/** Where a profile is shown. */
export const profileAddress = (symbol: string, interval: string) =>
  `/profiles/${encodeURIComponent(symbol)}?interval=${interval}`;

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
