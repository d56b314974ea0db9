/** @jsxImportSource hono/jsx */
/** The last hour as small charts with a column per minute: bars, requests, and use of the quotas. */

import type { Child } from "hono/jsx";
import { Moment } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";
import { formatCompact, formatCount } from "../ui/format.ts";

type Minutes = readonly (number | null)[];

/** Lists hold one value per minute, oldest first; the last minute is not over, `null` is not known. */
export interface LastHourView {
  /** Since when bars and quotas are known (epoch milliseconds), if less than an hour ago. */
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

/** The panel on the monitor; empty if nothing happened for an hour. */
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

/** The chart of one count per minute, with its sum over the hour. */
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

/** SVG units: each minute is a column of 3 with a space of 1. */
const STEP = 4;
const HEIGHT = 32;

/** Columns as two paths: the minutes that are over, and the current one, dashed. */
const Columns = (props: { minutes: Minutes; top: number; title: string; detail: string }) => {
  const { minutes, top, title, detail } = props;
  const last = minutes.length - 1;
  return (
    <svg viewBox={`0 0 ${minutes.length * STEP} ${HEIGHT}`} preserveAspectRatio="none" role="img">
      <title>{title}</title>
      <desc>{detail}</desc>
      <path class="ground" d={baselinePath(minutes)} />
      <path class="over" d={minutes.slice(0, last).map(columnPath(top)).join("")} />
      <path class="filling" d={columnPath(top)(minutes[last] ?? null, last)} />
    </svg>
  );
};

/** The column of `value` relative to `top`, at least one unit high; empty for zero. */
const columnPath = (top: number) => (value: number | null, index: number) => {
  if (value === null || value <= 0 || top <= 0) return "";
  const height = Math.max(1, Math.round((value / top) * (HEIGHT - 2)));
  return `M${index * STEP} ${HEIGHT - 1}v${-height}h3v${height}z`;
};

/** The base line of the columns, interrupted at minutes that are not known: they are not zero. */
function baselinePath(minutes: Minutes): string {
  let path = "";
  for (let i = 0; i < minutes.length; i++) {
    if (minutes[i] === null) continue;
    const start = i;
    while (i + 1 < minutes.length && minutes[i + 1] !== null) i += 1;
    path += `M${start * STEP} ${HEIGHT - 0.5}H${(i + 1) * STEP - 1}`;
  }
  return path;
}
