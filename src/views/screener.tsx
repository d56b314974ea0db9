/** @jsxImportSource hono/jsx */
/** The screener above the profiles: a plain form whose text is in the address. */

import { COMPARISONS } from "../domain/screen.ts";

export interface ScreenView {
  /** As typed. */
  readonly where: string;
  /** A feature, with `-` before it for descending; empty for the order of symbols. */
  readonly sort: string;
  /** What cannot be read, in a sentence. */
  readonly wrong: string | null;
  /** The features that are shown beside each profile. */
  readonly columns: readonly string[];
  /** Every feature there is, to choose from. */
  readonly names: readonly string[];
}

export const Screener = ({ screen }: { screen: ScreenView }) => (
  <search>
    <form method="get" action="/profiles" class="screener">
      <div class="field screen-where">
        <label for="where">Screen</label>
        <input
          id="where"
          name="where"
          type="search"
          value={screen.where}
          maxlength={1000}
          placeholder="rsi_14 < 30 and rvol_20 > 2"
          autocomplete="off"
          spellcheck={false}
          data-shortcut="/"
          aria-invalid={screen.wrong ? "true" : undefined}
          aria-describedby={screen.wrong ? "where-error" : "where-hint"}
        />
        {screen.wrong ? (
          <p id="where-error" class="error" role="alert">
            {screen.wrong}
          </p>
        ) : (
          <p id="where-hint" class="hint">
            Features and numbers, compared with {COMPARISONS.join(" ")}; and, or, not and parentheses
          </p>
        )}
      </div>
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
      <div class="field">
        <label for="sort">Sort by</label>
        <input
          id="sort"
          name="sort"
          list="feature-names"
          value={screen.sort}
          placeholder="symbol"
          autocomplete="off"
          spellcheck={false}
        />
      </div>
      <button type="submit" class="button primary">
        Screen
      </button>
      <datalist id="feature-names">
        {screen.names.map((name) => (
          <option value={name} />
        ))}
      </datalist>
    </form>
  </search>
);

/** The head of a feature's column: a link that sorts by it, highest first, and turns the order round. */
export const FeatureHead = ({ screen, name }: { screen: ScreenView; name: string }) => {
  const down = screen.sort === `-${name}`;
  const sorted = down ? "descending" : screen.sort === name ? "ascending" : undefined;
  return (
    <th scope="col" class="num" aria-sort={sorted}>
      <a href={screenAddress({ ...screen, sort: down ? name : `-${name}` })}>
        {name}
        {sorted ? <span aria-hidden="true">{down ? " ↓" : " ↑"}</span> : null}
      </a>
    </th>
  );
};

/** The address of a screen, with something more. */
export function screenAddress({ where, sort }: ScreenView, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ ...(where !== "" && { where }), ...(sort !== "" && { sort }), ...more });
  return query.size > 0 ? `/profiles?${query}` : "/profiles";
}
