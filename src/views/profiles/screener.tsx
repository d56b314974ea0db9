/** @jsxImportSource hono/jsx */
/** The screener above the profiles: a plain GET form. */

import type { Child } from "hono/jsx";
import { READ_INTERVALS } from "../../domain/market/interval.ts";
import { HEALTH_WORDS, HEALTHS } from "../../domain/profiles/health.ts";
import { COMPARISONS, SCREEN_FACTS } from "../../domain/profiles/screener.ts";

export interface ScreenerView {
  /** As typed. */
  readonly where: string;
  /** A feature or column, with `-` before it for descending; empty to sort by symbol. */
  readonly sort: string;
  /** Part of a symbol, an interval, and healths separated by commas; empty for all. */
  readonly q: string;
  readonly interval: string;
  readonly health: string;
  /** Why it cannot be parsed, in a sentence. */
  readonly error: string | null;
  /** The features and ranks shown as columns. */
  readonly columns: readonly string[];
  /** The names of all features. */
  readonly names: readonly string[];
}

/** Whether the list is filtered. */
export const isFiltered = ({ where, q, interval, health }: ScreenerView) =>
  [where, q, interval, health].some((part) => part !== "");

export const Screener = ({ screener }: { screener: ScreenerView }) => (
  <search>
    <form method="get" action="/profiles" class="screener">
      <div class="field screen-where">
        <label for="where">Screen</label>
        <input
          id="where"
          name="where"
          type="search"
          value={screener.where}
          maxlength={1000}
          placeholder="rsi_14 < 30 and rvol_20 > 2"
          autocomplete="off"
          spellcheck={false}
          list="where-names"
          data-complete="feature-names"
          data-shortcut="/"
          aria-invalid={screener.error ? "true" : undefined}
          aria-describedby={screener.error ? "where-error" : "where-hint"}
        />
        <datalist id="where-names" />
        {screener.error ? (
          <p id="where-error" class="error" role="alert">
            {screener.error}
          </p>
        ) : null}
      </div>
      {screener.error ? null : (
        <p id="where-hint" class="hint screen-hint">
          Features, their ranks (<code>rank(rsi_14)</code> from 0 to 1) and numbers, compared with{" "}
          <code>{COMPARISONS.join(" ")}</code>; facts of companies ({SCREEN_FACTS.slice(0, 6).join(", ")} …:{" "}
          <code>sector = "Real Estate"</code>, <code>listed_on &lt; 2010-01-01</code>); the largest of the interval:{" "}
          <code>top(dollar_volume_20, 100)</code>; <code>and</code>, <code>or</code>, <code>not</code> and parentheses
        </p>
      )}
      <fieldset class="screen-more">
        <legend>Add a condition</legend>
        <input name="feature" list="feature-names" aria-label="Feature" placeholder="Feature" autocomplete="off" />
        <select name="sign" aria-label="Comparison">
          {COMPARISONS.map((sign) => (
            <option>{sign}</option>
          ))}
        </select>
        <input
          name="than"
          list="feature-names"
          aria-label="Number or feature"
          placeholder="Number"
          autocomplete="off"
        />
      </fieldset>
      <div class="field screen-symbol">
        <label for="screen-q">Symbol</label>
        <input id="screen-q" name="q" value={screener.q} maxlength={24} placeholder="all" autocomplete="off" />
      </div>
      <div class="field">
        <label for="screen-interval">Interval</label>
        <select id="screen-interval" name="interval">
          <option value="">All</option>
          {READ_INTERVALS.map((interval) => (
            <option selected={interval === screener.interval || undefined}>{interval}</option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="screen-health">Health</label>
        <select id="screen-health" name="health">
          {HEALTH_CHOICES.map(([value, title]) => (
            <option value={value} selected={value === screener.health || undefined}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <div class="field screen-sort">
        <label for="sort">Sort by</label>
        <input
          id="sort"
          name="sort"
          list="feature-names"
          value={screener.sort}
          placeholder="symbol"
          autocomplete="off"
          spellcheck={false}
        />
      </div>
      <button type="submit" class="button primary">
        Run screen
      </button>
      <datalist id="feature-names">
        {screener.names.map((name) => (
          <option value={name} />
        ))}
      </datalist>
    </form>
  </search>
);

const HEALTH_CHOICES: readonly (readonly [value: string, title: string])[] = [
  ["", "All"],
  [HEALTHS.filter((health) => health !== "ok").join(","), "Not OK"],
  ...HEALTHS.map((health) => [health, HEALTH_WORDS[health][0]] as const),
];

/** The head of a column: a link that sorts by it, highest first, then lowest first. */
export const SortHead = (props: { screener: ScreenerView; name: string; num?: boolean; children: Child }) => {
  const { screener, name, num } = props;
  const down = screener.sort === `-${name}`;
  const sorted = down ? "descending" : screener.sort === name ? "ascending" : undefined;
  return (
    <th scope="col" class={num ? "num" : undefined} aria-sort={sorted}>
      <a href={screenerAddress({ ...screener, sort: down ? name : `-${name}` })}>
        {props.children}
        {sorted ? <span aria-hidden="true">{down ? " ↓" : " ↑"}</span> : null}
      </a>
    </th>
  );
};

/** The address of a screen, with more parameters. */
export const screenerAddress = (screener: ScreenerView, more: Readonly<Record<string, string>> = {}): string =>
  withQuery("/profiles", screener, more);

/** The address that renews the profiles of a screen. */
export const renewAddress = (screener: ScreenerView): string => withQuery("/profiles/renew", screener, {});

/** The fields of a screen that are set, as parameters of the page and of the API. */
export const screenerFields = (screener: ScreenerView): [name: string, value: string][] =>
  (["where", "q", "interval", "health", "sort"] as const).flatMap((name) =>
    screener[name] === "" ? [] : [[name, screener[name]] as [string, string]],
  );

function withQuery(path: string, screener: ScreenerView, more: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams([...screenerFields(screener), ...Object.entries(more)]);
  return query.size > 0 ? `${path}?${query}` : path;
}
