/** @jsxImportSource hono/jsx */
/** The gauges of a provider's limits, and which runs used them. Icon and text repeat what colour shows. */

import { formatDuration, isoMillisecond } from "../../domain/time.ts";
import { Icon, Moment } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";
import { formatCount, plural } from "../ui/format.ts";

interface GaugeView {
  readonly period: "minute" | "hour" | "day" | "month";
  readonly counts: "requests" | "units";
  readonly used: number;
  readonly limit: number;
  /** Epoch seconds of the reset; `null` for the minute, which slides. */
  readonly resetsAt: number | null;
}

export interface QuotaView {
  readonly provider: string;
  readonly title: string;
  readonly gauges: readonly GaugeView[];
  /** Epoch seconds until which no request may be sent, and why. */
  readonly hold: { readonly until: number; readonly reason: string } | null;
  /** Requests queued in the limiter. */
  readonly waiting: number;
  /** Who used units today, most first; `address` of the run. */
  readonly spenders: readonly { readonly title: string; readonly address: string | null; readonly units: number }[];
  /** Requests sent in the last minute and since midnight UTC. */
  readonly requests: { readonly minute: number; readonly today: number };
}

type Level = "fine" | "high" | "low" | "spent";

/** From 70 % of the limit on "high", from 90 % a warning. */
function levelOf({ used, limit }: Pick<GaugeView, "used" | "limit">): Level {
  const share = limit > 0 ? used / limit : 1;
  return share >= 1 ? "spent" : share >= 0.9 ? "low" : share >= 0.7 ? "high" : "fine";
}

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  fine: "",
  high: "high",
  low: "nearly used up",
  spent: "used up",
};
const LEVEL_ICONS: Readonly<Record<Level, string>> = {
  fine: "complete",
  high: "queued",
  low: "waiting",
  spent: "failed",
};
const PERIOD_WORDS = { minute: "Last minute", hour: "This hour", day: "Today", month: "This month" } as const;

/** The quotas of the providers in use, on the monitor; empty if there are none. */
export const QuotaPanel = ({ quotas, now }: { quotas: readonly QuotaView[]; now: number }) => (
  <section id={dom.quota} class="quota" aria-label="Quota of the providers in use">
    {quotas.map((quota) => (
      <div class="quota-provider">
        <h2>{quota.title}</h2>
        <QuotaGauges quota={quota} now={now} />
      </div>
    ))}
  </section>
);

/** What the provider counts; where it counts both, a request costs a number of units. */
const unitOf = ({ gauges }: QuotaView) => (gauges.some(({ counts }) => counts === "units") ? "unit" : "request");

/** Every limit of a provider; `now` in epoch milliseconds. */
export const QuotaGauges = ({ quota, now }: { quota: QuotaView; now: number }) => (
  <div class="gauges">
    {quota.hold ? (
      <p class="quota-hold">
        <Icon name="paused" />
        <span>
          Held: {quota.hold.reason}; requests continue in <Countdown until={quota.hold.until} now={now} />
        </span>
      </p>
    ) : null}
    {quota.gauges.length === 0 ? (
      <p class="muted">
        No limit; {plural(quota.requests.minute, "request")} in the last minute, {formatCount(quota.requests.today)}{" "}
        today
      </p>
    ) : (
      <ul>
        {quota.gauges.map((gauge) => (
          <Gauge gauge={gauge} title={quota.title} now={now} />
        ))}
      </ul>
    )}
    {quota.waiting > 0 ? <p class="muted">{plural(quota.waiting, "request")} queued</p> : null}
    {quota.spenders.length > 0 ? (
      <p class="spenders muted">
        Today by{" "}
        {quota.spenders.slice(0, 3).map(({ title, address, units }, index) => (
          <>
            {index > 0 ? ", " : ""}
            {address ? <a href={address}>{title}</a> : title} <span class="num">({plural(units, unitOf(quota))})</span>
          </>
        ))}
      </p>
    ) : null}
  </div>
);

const Gauge = ({ gauge, title, now }: { gauge: GaugeView; title: string; now: number }) => {
  const { period, counts, used, limit, resetsAt } = gauge;
  const level = levelOf(gauge);
  return (
    <li class="gauge" data-level={level}>
      <span class="gauge-name">
        <Icon name={LEVEL_ICONS[level]} />
        {PERIOD_WORDS[period]}
      </span>
      <progress
        max={String(limit)}
        value={String(Math.min(used, limit))}
        aria-label={`${title}, ${PERIOD_WORDS[period].toLowerCase()}`}
      />
      <span class="gauge-words">
        <b class="num">{formatCount(used)}</b> of <span class="num">{formatCount(limit)}</span> {counts}
        {LEVEL_WORDS[level] ? <b class="gauge-level">, {LEVEL_WORDS[level]}</b> : null}
        <span class="muted">
          {resetsAt === null ? (
            "; each comes back after a minute"
          ) : (
            <>
              ; resets in <Countdown until={resetsAt} now={now} /> (
              <Moment at={resetsAt * 1_000} style={period === "month" ? "minute" : "clock"} />)
            </>
          )}
        </span>
      </span>
    </li>
  );
};

/** Time left, which `public/app/ui/clock.js` counts down; `until` in epoch seconds. */
const Countdown = ({ until, now }: { until: number; now: number }) => (
  <time class="num" datetime={isoMillisecond(until)} data-until={until * 1_000}>
    {formatDuration(Math.max(0, until - Math.floor(now / 1_000)))}
  </time>
);
