/** @jsxImportSource hono/jsx */
/** The last hour in small columns, one a minute: bars, requests, and how full the quotas were. */

import type { Child } from "hono/jsx";
import { Moment } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";
import { formatCompact, formatCount } from "../ui/format.ts";

type Minutes = readonly (number | null)[];

/** All lists are of minutes, oldest first; the last one still fills, `null` is a minute of which nothing is known. */
export interface LastHourView {
  /** From when on bars and quotas are known (epoch milliseconds), where that is less than an hour ago. */
  readonly since: number | null;
  readonly bars: Minutes;
  readonly requests: Minutes;
  readonly quotas: readonly {
    readonly title: string;
    /** Share used of the fullest limit, 0..1. */
    readonly levels: Minutes;
    readonly period: "minute" | "hour" | "day" | "month";
    readonly counts: "requests" | "units";
    readonly limit: number;
  }[];
}

/** The panel on the monitor; it takes no room while nothing was done for an hour. */
export const LastHourPanel = ({ view }: { view: LastHourView | null }) => (
  <section id={dom.activity} class="activity" aria-label="The last hour">
    {view === null ? null : (
      <>
        <Throughput name="Bars" minutes={view.bars} since={view.since} />
        <Throughput name="Requests" minutes={view.requests} since={null} />
        {view.quotas.map(({ title, levels, period, counts, limit }) => {
          const now = percent(levels.at(-1) ?? levels.at(-2) ?? 0);
          const words = `of ${formatCount(limit)} ${counts} per ${period}`;
          const peak = percent(Math.max(...levels.map(known)));
          return (
            <Figure name={`${title} quota`} value={now} words={words}>
              <Columns
                minutes={levels}
                top={1}
                title={`${title}: quota used, minute by minute`}
                detail={`Now ${now} ${words}; peak ${peak} in the last hour.`}
              />
            </Figure>
          );
        })}
      </>
    )}
  </section>
);

const known = (value: number | null) => value ?? 0;
const percent = (share: number) => `${Math.round(share * 100)}%`;

/** What was done in each minute; the figure is the sum, which unlike a minute's does not jump about. */
const Throughput = ({ name, minutes, since }: { name: string; minutes: Minutes; since: number | null }) => {
  const counts = minutes.map(known);
  const peak = formatCompact(Math.max(...counts));
  const sum = formatCompact(counts.reduce((total, count) => total + count, 0));
  const span = since === null ? "in the last hour" : ["since ", <Moment at={since} style="clock" />];
  return (
    <Figure name={name} value={sum} words={[span, `, peak ${peak}/min`]}>
      <Columns
        minutes={minutes}
        top={Math.max(...counts)}
        title={`${name} per minute, over the last hour`}
        detail={`${sum} in all, peak ${peak}/min.`}
      />
    </Figure>
  );
};

const Figure = (props: { name: string; value: string; words: Child; children?: Child }) => (
  <figure>
    <figcaption>
      {props.name} <b class="num">{props.value}</b> <span class="muted">{props.words}</span>
    </figcaption>
    {props.children}
  </figure>
);

/** Units of the drawing: each minute is a column of 3 with 1 between. */
const STEP = 4;
const HEIGHT = 32;

/** Columns as two paths: the minutes that are over, and the one that still fills, dashed. */
const Columns = (props: { minutes: Minutes; top: number; title: string; detail: string }) => {
  const { minutes, top, title, detail } = props;
  const last = minutes.length - 1;
  return (
    <svg viewBox={`0 0 ${minutes.length * STEP} ${HEIGHT}`} preserveAspectRatio="none" role="img">
      <title>{title}</title>
      <desc>{detail}</desc>
      <path class="ground" d={groundPath(minutes)} />
      <path class="over" d={minutes.slice(0, last).map(columnPath(top)).join("")} />
      <path class="filling" d={columnPath(top)(minutes[last] ?? null, last)} />
    </svg>
  );
};

/** A column of the height that `value` is of `top`, at least one unit; none for nothing. */
const columnPath = (top: number) => (value: number | null, index: number) => {
  if (value === null || value <= 0 || top <= 0) return "";
  const height = Math.max(1, Math.round((value / top) * (HEIGHT - 2)));
  return `M${index * STEP} ${HEIGHT - 1}v${-height}h3v${height}z`;
};

/** The line that columns stand on, as far as something is known: a minute without it is a gap, not a zero. */
function groundPath(minutes: Minutes): string {
  let path = "";
  for (let i = 0; i < minutes.length; i++) {
    if (minutes[i] === null) continue;
    const start = i;
    while (i + 1 < minutes.length && minutes[i + 1] !== null) i += 1;
    path += `M${start * STEP} ${HEIGHT - 0.5}H${(i + 1) * STEP - 1}`;
  }
  return path;
}
