/** @jsxImportSource hono/jsx */
/** What is to be expected of the next deadline of a promise: in a word, in numbers, why, and as a burn-down. */

import type { BurnDownStep } from "../../domain/promises/burn-down.ts";
import type { Reason } from "../../domain/promises/forecast.ts";
import type { ForecastState, FreshnessCounts } from "../../domain/promises/promise.ts";
import { utcMinute } from "../../domain/time.ts";
import { Moment, Pill } from "../ui/components.tsx";
import { formatCount, plural } from "../ui/format.ts";

export interface PromiseStatusView extends FreshnessCounts {
  readonly state: ForecastState;
  /** The worst first. */
  readonly reasons: readonly Reason[];
  /** Epoch milliseconds; `null` if none is near. */
  readonly deadline: number | null;
  readonly gaps: { readonly open: number; readonly confirmed: number };
  /** The first of the missing symbols. */
  readonly symbols: readonly string[];
  /** When the sessions that are needed end, epoch milliseconds, and how many symbols were missing since. */
  readonly from: number;
  readonly burnDown: readonly BurnDownStep[];
  readonly at: number;
}

const FORECAST_WORDS: Readonly<Record<ForecastState, readonly [title: string, look: string, icon: string]>> = {
  fresh: ["All fresh", "complete", "complete"],
  on_track: ["On track", "running", "fetch"],
  unknown: ["Not known", "paused", "queued"],
  at_risk: ["At risk", "paused", "waiting"],
  will_be_missed: ["Will be missed", "failed", "failed"],
};

export const ForecastPill = ({ state }: { state: ForecastState }) => {
  const [title, look, icon] = FORECAST_WORDS[state];
  return (
    <Pill look={look} icon={icon}>
      {title}
    </Pill>
  );
};

/** `42 of 50 fresh, 8 missing, 3 gaps` */
export function countsText({ total, fresh, missing, unknown, gaps }: PromiseStatusView): string {
  const found = gaps.open + gaps.confirmed;
  return [
    `${formatCount(fresh)} of ${formatCount(total)} fresh`,
    ...(missing > 0 ? [`${formatCount(missing)} missing`] : []),
    ...(unknown > 0 ? [`${formatCount(unknown)} not known`] : []),
    ...(found > 0 ? [plural(found, "gap")] : []),
  ].join(", ");
}

/** Reasons that are shown; more are counted. */
const SHOWN_REASONS = 4;

/** The numbers, and what brings the missing symbols or endangers the deadline. */
export const StatusDetails = ({ status, now }: { status: PromiseStatusView; now: number }) => (
  <div class="promise-status">
    <p>{countsText(status)}</p>
    {status.from > now && status.missing > 0 ? (
      <p class="muted">
        The session that is needed ends <Moment at={status.from} />.
      </p>
    ) : null}
    {status.total === 0 ? <p class="muted">It is about no symbol.</p> : null}
    <Reasons reasons={status.reasons} />
    {status.missing > 0 && status.from <= now ? (
      <p class="muted promise-symbols">Missing: {namedSymbols(status)}</p>
    ) : null}
  </div>
);

/** `8 symbols: no run is planned before the deadline` */
export const reasonText = ({ symbols, text }: Reason): string =>
  symbols > 0 ? `${plural(symbols, "symbol")}: ${text}` : text;

const Reasons = ({ reasons }: { reasons: readonly Reason[] }) =>
  reasons.length === 0 ? null : (
    <ul class="promise-reasons">
      {reasons.slice(0, SHOWN_REASONS).map((reason) => (
        <li class={`reason-${reason.state}`}>{reasonText(reason)}</li>
      ))}
      {reasons.length > SHOWN_REASONS ? <li>{plural(reasons.length - SHOWN_REASONS, "more reason")}</li> : null}
    </ul>
  );

/** Symbols that are named; more are counted. */
const NAMED = 8;

function namedSymbols({ symbols, missing }: Pick<PromiseStatusView, "symbols" | "missing">): string {
  const named = symbols.slice(0, NAMED);
  const more = missing - named.length;
  return more > 0 ? `${named.join(", ")} and ${formatCount(more)} more` : named.join(", ");
}

const WIDTH = 240;
const HEIGHT = 44;
const DAY_MS = 86_400_000;

/** How many symbols were missing from the end of the session on, and how long it is until the deadline. */
export const BurnDown = ({ status, name }: { status: PromiseStatusView; name: string }) => {
  const { burnDown, deadline, total, unknown, missing, at } = status;
  const first = burnDown[0];
  if (first === undefined || deadline === null || deadline <= first.at) return null;
  const most = Math.max(1, total - unknown);
  const x = (time: number) => ((WIDTH - 2) * (Math.min(time, deadline) - first.at)) / (deadline - first.at) + 1;
  const y = (count: number) => 2 + (HEIGHT - 4) * (1 - count / most);
  const place = (value: number) => value.toFixed(1);
  const steps = burnDown.slice(1).map((step) => `H${place(x(step.at))}V${place(y(step.missing))}`);
  const line = `M${place(x(first.at))} ${place(y(first.missing))}${steps.join("")}H${place(x(at))}`;
  const bottom = place(HEIGHT - 2);
  // Times without dates say which days they are of only if less than a day is between them.
  const style = deadline - first.at < DAY_MS ? "clock" : "minute";
  const words = `${name}: ${formatCount(missing)} of ${plural(total, "symbol")} missing at ${utcMinute(at)}, ${formatCount(first.missing)} at ${utcMinute(first.at)}; the deadline is at the right edge`;
  return (
    <div class={`burn-down burn-down-${status.state}`}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        width={WIDTH}
        height={HEIGHT}
        preserveAspectRatio="none"
        role="img"
        aria-label={words}
      >
        <path class="burn-down-ground" d={`M1 ${bottom}H${WIDTH - 1}M${WIDTH - 1} 2V${bottom}`} />
        <path class="burn-down-area" d={`${line}V${bottom}H1z`} />
        <path class="burn-down-line" d={line} />
      </svg>
      <p class="muted" aria-hidden="true">
        <Moment at={first.at} style={style} />
        <Moment at={deadline} style={style} />
      </p>
    </div>
  );
};
