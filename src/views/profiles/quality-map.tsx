/** @jsxImportSource hono/jsx */
/** The quality page: a row a profile, a cell a month, and the providers' scores. */

import { raw } from "hono/utils/html";
import { INTERVALS, type Interval } from "../../domain/market/interval.ts";
import type { Health } from "../../domain/profiles/health.ts";
import {
  CELL_STATES,
  CELL_WORDS,
  type CellState,
  monthText,
  type ProviderScore,
} from "../../domain/profiles/quality-map.ts";
import { Crumbs, SyntheticPill } from "../ui/components.tsx";
import { profileAddress } from "../ui/dom.ts";
import { formatCount, plural } from "../ui/format.ts";
import { MONTH } from "../ui/forms/form-field.tsx";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { HealthPill } from "./health-badge.tsx";

/** The filter as it stands in the address; empty fields are left out of it. */
type Filter = Readonly<Record<"q" | "interval" | "provider" | "state" | "months" | "to", string>>;

interface QualityMapView {
  /** As numbers, ascending. */
  readonly months: readonly number[];
  readonly rows: readonly {
    readonly symbol: string;
    readonly interval: Interval;
    readonly provider: string;
    readonly health: Health;
    readonly cells: readonly (CellState | null)[];
  }[];
  /** Profiles that match, on all pages. */
  readonly total: number;
  /** Months of this page by state. */
  readonly counts: Readonly<Record<CellState, number>>;
  readonly filter: Filter;
  readonly page: number;
  readonly hasNext: boolean;
  readonly choices: readonly number[];
  readonly scores: readonly ProviderScore[];
}

function address(filter: Filter, more: Partial<Filter> & { page?: string } = {}): string {
  const fields = Object.entries({ ...filter, ...more }).filter(([, value]) => value !== "");
  return fields.length === 0 ? "/quality" : `/quality?${new URLSearchParams(fields)}`;
}

export const QualityMapPage = ({ page, view }: { page: PageContext; view: QualityMapView }) => {
  const { rows, filter, total, scores } = view;
  return (
    <Layout page={page} title="Quality">
      <header class="page-head">
        <Crumbs trail={[["Profiles", "/profiles"]]} />
        <h1>Quality</h1>
        <span class="muted num">{plural(total, "profile")}</span>
        <a href={address(filter).replace("/quality", "/api/quality")}>JSON</a>
      </header>
      <Filters view={view} />
      {rows.length === 0 ? (
        <Empty title="Nothing to show">
          {Object.values(filter).some((field) => field !== "") ? (
            <>
              No profile matches. <a href="/quality">Show all</a>
            </>
          ) : (
            <>
              There are no profiles yet.{" "}
              <span data-changes>
                <a href="/">Start a run</a> first.
              </span>
            </>
          )}
        </Empty>
      ) : (
        <>
          <Counts view={view} />
          <HeatMap view={view} />
          <Pages view={view} />
        </>
      )}
      {scores.length > 0 ? <Scores scores={scores} /> : null}
    </Layout>
  );
};

const Filters = ({ view: { filter, scores, choices } }: { view: QualityMapView }) => (
  <search>
    <form method="get" action="/quality" class="filter-row">
      <div class="field screen-symbol">
        <label for="quality-q">Symbol</label>
        <input id="quality-q" name="q" value={filter.q} maxlength={24} placeholder="all" autocomplete="off" />
      </div>
      <Choice
        name="interval"
        title="Interval"
        chosen={filter.interval}
        choices={INTERVALS.map((each) => [each, each])}
      />
      <Choice
        name="provider"
        title="Provider"
        chosen={filter.provider}
        choices={scores.map(({ provider }) => [provider, provider])}
      />
      <Choice
        name="state"
        title="Has a month that is"
        chosen={filter.state}
        choices={CELL_STATES.map((state) => [state, CELL_WORDS[state][0]])}
      />
      <div class="field">
        <label for="quality-months">Months</label>
        <select id="quality-months" name="months">
          {choices.map((count) => (
            <option value={String(count)} selected={String(count) === (filter.months || "24") || undefined}>
              {count}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="quality-to">Until</label>
        <input id="quality-to" name="to" {...MONTH} value={filter.to} />
      </div>
      <button type="submit" class="button">
        Filter
      </button>
    </form>
  </search>
);

const Choice = (props: {
  name: string;
  title: string;
  chosen: string;
  choices: readonly (readonly [value: string, title: string])[];
}) => (
  <div class="field">
    <label for={`quality-${props.name}`}>{props.title}</label>
    <select id={`quality-${props.name}`} name={props.name}>
      <option value="">All</option>
      {props.choices.map(([value, title]) => (
        <option value={value} selected={value === props.chosen || undefined}>
          {title}
        </option>
      ))}
    </select>
  </div>
);

/** The legend, with the months of this page in each state; a state leads to the profiles that have it. */
const Counts = ({ view: { counts, filter } }: { view: QualityMapView }) => (
  <ul class="quality-legend map-legend" aria-label="Months on this page">
    {CELL_STATES.filter((state) => counts[state] > 0 || state === "complete").map((state) => (
      <li>
        <a href={address(filter, { state })} title={CELL_WORDS[state][1]}>
          <span class={`month month-${state}`} aria-hidden="true">
            {SIGNS[state]}
          </span>
          {formatCount(counts[state])} {CELL_WORDS[state][0].toLowerCase()}
        </a>
      </li>
    ))}
  </ul>
);

/** States differ in sign as well as in colour. */
const SIGNS: Readonly<Record<CellState, string>> = {
  complete: "",
  no_calendar: "?",
  unchecked: "·",
  revised: "~",
  stale: "…",
  not_in_plan: "/",
  holes: "−",
  suspicious: "!",
};

const HeatMap = ({ view: { months, rows } }: { view: QualityMapView }) => {
  const texts = months.map(monthText);
  return (
    <section class="scroll" tabindex={0} aria-label="Quality by month">
      <table class="list quality-map">
        <thead>
          <tr>
            <th scope="col">Symbol</th>
            <th scope="col">Interval</th>
            <th scope="col" class="c-wide">
              Provider
            </th>
            <th scope="col" class="c-wide">
              Health
            </th>
            {months.map((month) => (
              <th scope="col" class="c-month" title={monthText(month)}>
                <span class="visually-hidden">{monthText(month)}</span>
                <span aria-hidden="true">
                  {month % 12 === 0 ? `’${monthText(month).slice(2, 4)}` : MONTHS[month % 12]}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ symbol, interval, provider, health, cells }) => (
            <tr>
              <th scope="row">
                <a href={profileAddress(symbol, interval)}>{symbol}</a>
              </th>
              <td>{interval}</td>
              <td class="c-wide">
                {provider} <SyntheticPill provider={provider} />
              </td>
              <td class="c-wide">
                <HealthPill health={health} />
              </td>
              {cellsHtml(cells, texts, profileAddress(symbol, interval), symbol)}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
};

/** The cells of a row: a page has thousands, and so they are a plain template where other views are JSX. */
function cellsHtml(cells: readonly (CellState | null)[], months: readonly string[], address: string, symbol: string) {
  const [href, name] = [Bun.escapeHTML(`${address}&month=`), Bun.escapeHTML(symbol)];
  let markup = "";
  for (let at = 0; at < cells.length; at++) {
    const state = cells[at]!;
    const month = months[at]!;
    markup +=
      state === null
        ? '<td class="c-month"></td>'
        : `<td class="c-month"><a class="month month-${state}" href="${href}${month}#quality-title"` +
          ` title="${name} ${month}: ${TITLES[state]}" aria-label="${name} ${month}: ${CELL_WORDS[state][0]}">` +
          `${SIGNS[state]}</a></td>`;
  }
  return raw(markup);
}

const TITLES = Object.fromEntries(
  CELL_STATES.map((state) => [state, Bun.escapeHTML(CELL_WORDS[state][1])]),
) as Readonly<Record<CellState, string>>;

const MONTHS = "JFMAMJJASOND";

const Pages = ({ view: { page, hasNext, filter } }: { view: QualityMapView }) =>
  page > 1 || hasNext ? (
    <p class="more">
      {page > 1 ? (
        <a class="button" rel="prev" href={address(filter, page > 2 ? { page: String(page - 1) } : {})}>
          Previous
        </a>
      ) : null}
      {hasNext ? (
        <a class="button" rel="next" href={address(filter, { page: String(page + 1) })}>
          Next
        </a>
      ) : null}
    </p>
  ) : null;

const Scores = ({ scores }: Pick<QualityMapView, "scores">) => (
  <section class="scroll" tabindex={0} aria-labelledby="scores-title">
    <h2 id="scores-title" class="map-title">
      Providers
    </h2>
    <table class="list">
      <thead>
        <tr>
          <th scope="col">Provider</th>
          {SCORES.map(([title, meaning]) => (
            <th scope="col" class="num" title={meaning}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {scores.map((score) => (
          <tr>
            <th scope="row">
              {score.provider} <SyntheticPill provider={score.provider} />
            </th>
            {SCORES.map(([, , value]) => (
              <td class="num">{formatCount(score[value])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const SCORES = [
  ["Series", "Symbols and intervals of which bars are stored", "series"],
  ["Holes", "Sessions that are missing, cut short or have holes", "holes"],
  ["Confirmed", "Such sessions of which three repairs brought nothing", "confirmed"],
  ["Revised bars", "Bars that it changed after they were stored", "revisions"],
  ["Refused rows", "Rows of its answers or files that are no bars", "refused"],
  ["Late series", "Profiles that lack a session that closed a day ago or more", "late"],
  ["Late days", "The days by which these are late, together", "lateDays"],
] as const;
