/** @jsxImportSource hono/jsx */
/** The completeness of a series: its sessions as a calendar, gaps, revisions, corporate actions, and its repair. */

import { describeFinding, type Finding } from "../../domain/market/anomalies/scale-changes.ts";
import type { ActionKind } from "../../domain/market/corporate-actions.ts";
import { noCalendar } from "../../domain/market/exchanges/exchanges.ts";
import { CONFIRMED_AFTER } from "../../domain/market/holes.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { clockIn, isoDate, isoDates } from "../../domain/time.ts";
import { Moment, SyntheticPill } from "../ui/components.tsx";
import { formatCount, formatValue, plural } from "../ui/format.ts";

/** The states of a session, in the order of the legend. */
const SESSION_STATES = ["complete", "missing", "truncated", "hole", "sparse", "outside", "confirmed"] as const;
export type SessionState = (typeof SESSION_STATES)[number];

export interface QualityView {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  /** The sessions of each year, newest year first; `null` if the market's calendar is not known. */
  readonly years:
    | readonly {
        readonly year: number;
        readonly sessions: readonly { readonly date: number; readonly state: SessionState }[];
      }[]
    | null;
  /** The exchange's time zone, in which the hours of gaps are shown. */
  readonly timeZone: string;
  /** A bar that does not start where its session puts one (epoch seconds); `null` if none was found. */
  readonly offSession: number | null;
  /** The month (`2026-03`) whose gaps alone are listed; `null` for all. */
  readonly month: string | null;
  /** What is not complete, newest first. */
  readonly gaps: readonly ShownGap[];
  readonly revisions: readonly {
    readonly seenAt: number;
    readonly kind: string;
    readonly bars: number;
    readonly first: number;
    readonly last: number;
  }[];
  readonly actions: readonly {
    readonly kind: ActionKind;
    readonly date: number;
    readonly value: number;
    /** Of a dividend that is not applied, because the prices are in another one. */
    readonly currency?: string | null;
    /** Epoch milliseconds. */
    readonly seenAt: number;
  }[];
  /** Whether the provider has any, for prices that it has not adjusted. */
  readonly hasActions: boolean;
  /** What is doubtful about prices and actions, newest first. */
  readonly findings: readonly (Finding & { /** Epoch milliseconds. */ readonly seenAt: number })[];
  readonly sources: readonly { readonly provider: string; readonly bars: number }[];
  /** Other providers that a repair may use. */
  readonly others: readonly { readonly name: string; readonly title: string }[];
}

/** A session that is not complete, or several in a row of which nothing is stored. Times are epoch seconds. */
export interface ShownGap {
  /** Midnight UTC of the first and of the last trading date. */
  readonly date: number;
  readonly until: number;
  readonly sessions: number;
  readonly state: SessionState;
  readonly rows: number;
  /** The stretches without bars: of a missing session its hours; empty for daily bars. */
  readonly holes: readonly (readonly [from: number, to: number])[];
}

const MEANINGS: Readonly<Record<SessionState, string>> = {
  complete: "complete",
  missing: "missing",
  truncated: "begins late or ends early",
  hole: "has holes",
  sparse: "far fewer bars than usual",
  outside: "bars outside the session",
  confirmed: `incomplete, and ${CONFIRMED_AFTER} repairs brought nothing`,
};
/** Lines of a list that are always shown, and the most that can be unfolded. */
const SHOWN = 12;
const MOST = 500;
/** Years that are shown; earlier ones are folded away. */
const VISIBLE_YEARS = 3;
const CELL = 9;
const STEP = 11;

/** `split, 4 for 1`, `split, 1 for 10` */
const splitWords = (value: number) =>
  `split, ${value >= 1 ? `${formatValue(value)} for 1` : `1 for ${formatValue(1 / value)}`}`;

/** `2026-10-14: has holes, 240 bars; nothing from 10:30 to 13:00 EDT`, `2026-03-02 to 2026-03-06: missing, 5 sessions`. */
function gapWords({ date, until, sessions, state, rows, holes }: ShownGap, timeZone: string): string {
  const words = `${isoDates(date, until)}: ${MEANINGS[state]}`;
  if (sessions > 1) return `${words}, ${plural(sessions, "session")}`;
  const bars = rows > 0 ? `, ${plural(rows, "bar")}` : "";
  return holes.length === 0
    ? `${words}${bars}`
    : `${words}${bars}; nothing from ${holes.map((hole) => hoursWords(hole, timeZone)).join(", ")}`;
}

/** `10:30 to 13:00 EDT`; the day of a moment that is not that of the first is named. */
function hoursWords([from, to]: readonly [number, number], timeZone: string): string {
  const [start, end] = [clockIn(from * 1_000, timeZone), clockIn(to * 1_000, timeZone)];
  const day = start.date === end.date ? "" : `${end.date} `;
  return `${start.time.slice(0, 5)} to ${day}${end.time.slice(0, 5)} ${end.zone}`;
}

/** `2026-01-02 08:30 GMT` */
function startWords(ts: number, timeZone: string): string {
  const { date, time, zone } = clockIn(ts * 1_000, timeZone);
  return `${date} ${time.slice(0, 5)} ${zone}`;
}

export const Quality = ({ quality }: { quality: QualityView }) => (
  <section class="quality" aria-labelledby="quality-title">
    <header class="quality-head">
      <h2 id="quality-title">Completeness</h2>
      <a href={`/profiles/${encodeURIComponent(quality.symbol)}/compare?interval=${quality.interval}`}>
        Compare providers
      </a>
      <Repair quality={quality} />
    </header>
    {quality.years === null ? (
      <p class="muted">{noCalendar(quality.symbol)}</p>
    ) : (
      <>
        <Legend years={quality.years} />
        <Years years={quality.years} />
      </>
    )}
    {quality.offSession === null ? null : (
      <p class="findings" id="off-session">
        Bars do not start with the session: one is of {startWords(quality.offSession, quality.timeZone)}. Earlier
        releases built the hours of other exchanges from New York's; “Download again and rebuild” stores them by the
        session.
      </p>
    )}
    {quality.findings.length > 0 ? (
      <div class="findings" id="findings">
        <List
          title="Prices and actions that contradict each other"
          empty=""
          lines={quality.findings.map((finding) => (
            <>
              {describeFinding(finding)}{" "}
              <span class="muted">
                found <Moment at={finding.seenAt} />
              </span>
            </>
          ))}
        />
        <p class="muted">
          Compare with another source. If the provider has corrected it, “Download again and rebuild” stores the
          correction.
        </p>
      </div>
    ) : null}
    <div class="quality-lists">
      <List
        title={quality.month === null ? "Gaps" : `Gaps of ${quality.month}`}
        empty="None."
        lines={quality.gaps.map((gap) => <>{gapWords(gap, quality.timeZone)}</>)}
      />
      <List
        title="Revisions"
        empty="No vendor has changed a stored bar."
        lines={quality.revisions.map(({ seenAt, kind, bars, first, last }) => (
          <>
            <Moment at={seenAt} />: {kind}, {plural(bars, "bar")}, {isoDates(first, last)}
          </>
        ))}
      />
      <List
        title="Splits and dividends"
        empty={quality.hasActions ? "None known." : "The provider has none: these prices cannot be adjusted."}
        lines={quality.actions.map(({ kind, date, value, currency, seenAt }) => (
          <>
            {isoDate(date)}: {kind === "split" ? splitWords(value) : `dividend of ${formatValue(value)}`}
            {currency ? ` ${currency}, not applied: the prices are in another currency` : ""}{" "}
            <span class="muted">
              from {quality.provider}, found <Moment at={seenAt} />
            </span>
          </>
        ))}
      />
      {quality.sources.length > 0 ? (
        <List
          title="Filled in by others"
          empty=""
          lines={quality.sources.map(({ provider, bars }) => (
            <>
              {provider}: {plural(bars, "bar")} <SyntheticPill provider={provider} />
            </>
          ))}
        />
      ) : null}
    </div>
  </section>
);

const Repair = ({ quality: { symbol, interval, others } }: { quality: QualityView }) => (
  <form class="run-controls" method="post" action={`/profiles/${encodeURIComponent(symbol)}/renew`}>
    <input type="hidden" name="interval" value={interval} />
    {others.length > 0 ? (
      <label>
        <span class="visually-hidden">Second provider for gaps</span>
        <select name="repair_provider">
          <option value="">own provider only</option>
          {others.map(({ name, title }) => (
            <option value={name}>then {title}</option>
          ))}
        </select>
      </label>
    ) : null}
    <button type="submit" class="button" name="order" value="repair" title="Fetch the gaps, and nothing else">
      Repair gaps
    </button>
    <input type="hidden" name="symbol" value={`${symbol}/${interval}`} />
    <input type="hidden" name="from" value="profile" />
    <button
      type="submit"
      class="button"
      name="order"
      value="rebuild"
      formaction="/profiles/renew"
      title="Fetch everything again; the old bars stay until the new ones are complete"
    >
      Download again and rebuild…
    </button>
  </form>
);

const Legend = ({ years }: { years: NonNullable<QualityView["years"]> }) => {
  const sessions = years.flatMap((year) => year.sessions);
  return (
    <ul class="quality-legend">
      {SESSION_STATES.map((state) => [state, sessions.filter((each) => each.state === state).length] as const)
        .filter(([state, count]) => count > 0 || state === "complete")
        .map(([state, count]) => (
          <li>
            <svg class={`session session-${state}`} width={CELL} height={CELL} aria-hidden="true">
              <path d={cell(state, 0, 0)} />
            </svg>
            {formatCount(count)} {MEANINGS[state]}
          </li>
        ))}
    </ul>
  );
};

const Years = ({ years }: { years: NonNullable<QualityView["years"]> }) => (
  <>
    {years.slice(0, VISIBLE_YEARS).map((year) => (
      <Year {...year} />
    ))}
    {years.length > VISIBLE_YEARS ? (
      <details>
        <summary>{plural(years.length - VISIBLE_YEARS, "earlier year")}</summary>
        {years.slice(VISIBLE_YEARS).map((year) => (
          <Year {...year} />
        ))}
      </details>
    ) : null}
  </>
);

/** A year as one SVG: weeks from left to right, weekdays from top to bottom, one path per state. */
const Year = ({ year, sessions }: NonNullable<QualityView["years"]>[number]) => {
  const offset = (new Date(Date.UTC(year, 0, 1)).getUTCDay() + 6) % 7;
  const place = (date: number) => Math.round((date - Date.UTC(year, 0, 1) / 1000) / 86_400) + offset;
  const incomplete = sessions.filter(({ state }) => state !== "complete").length;
  const label = `${year}: ${plural(sessions.length, "session")}, ${incomplete === 0 ? "all complete" : `${incomplete} not complete`}`;
  return (
    <figure class="quality-year">
      <figcaption>{year}</figcaption>
      <svg viewBox={`0 0 ${54 * STEP} ${7 * STEP}`} width={54 * STEP} height={7 * STEP} role="img" aria-label={label}>
        {SESSION_STATES.map((state) => {
          const path = sessions
            .filter((each) => each.state === state)
            .map(({ date }) => cell(state, Math.floor(place(date) / 7) * STEP, (place(date) % 7) * STEP))
            .join("");
          return path === "" ? null : (
            <g class={`session session-${state}`}>
              <path d={path} />
            </g>
          );
        })}
      </svg>
    </figure>
  );
};

/** States differ in shape as well as in colour. */
function cell(state: SessionState, x: number, y: number): string {
  switch (state) {
    case "complete":
      return `M${x} ${y}h${CELL}v${CELL}h-${CELL}z`;
    case "missing":
      return `M${x} ${y}h${CELL}v${CELL}h-${CELL}zM${x + 2} ${y + 2}v${CELL - 4}h${CELL - 4}v-${CELL - 4}z`;
    case "truncated":
      return `M${x} ${y}h${CELL}l-${CELL} ${CELL}z`;
    case "hole":
      return `M${x} ${y}h${CELL}v3h-${CELL}zM${x} ${y + 6}h${CELL}v3h-${CELL}z`;
    case "sparse":
      return `M${x} ${y + 5}h${CELL}v4h-${CELL}z`;
    case "outside":
      return `M${x + 4.5} ${y}l4.5 4.5l-4.5 4.5l-4.5 -4.5z`;
    case "confirmed":
      return `M${x + 3} ${y + 3}h3v3h-3z`;
  }
}

const List = ({ title, lines, empty }: { title: string; lines: readonly unknown[]; empty: string }) => (
  <section>
    <h3>{title}</h3>
    {lines.length === 0 ? (
      <p class="muted">{empty}</p>
    ) : (
      <ul class="num">
        {lines.slice(0, SHOWN).map((line) => (
          <li>{line as string}</li>
        ))}
        {lines.length > SHOWN ? (
          <li>
            <details>
              <summary class="muted">and {formatCount(lines.length - SHOWN)} more</summary>
              <ul>
                {lines.slice(SHOWN, MOST).map((line) => (
                  <li>{line as string}</li>
                ))}
                {lines.length > MOST ? <li class="muted">The rest is too long for a page.</li> : null}
              </ul>
            </details>
          </li>
        ) : null}
      </ul>
    )}
  </section>
);
