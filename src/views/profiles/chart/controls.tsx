/** @jsxImportSource hono/jsx */
/** Compared symbols, panes, marks and keys of a profile's chart, for `public/app/profiles/controls.js`. */

import { familyTitle } from "../../ui/format.ts";
import type { ChartView } from "./chart-view.ts";

/** Value in the address, label. */
const INDICATORS = [
  ["volume", "Volume"],
  ["rsi", "RSI 14"],
  ["macd", "MACD 12 26 9"],
  ["stochastic", "Stochastic 14 3 3"],
  ["atr", "ATR 14"],
] as const;

/** Value in the address, letter on the chart, label. */
const MARKS = [
  ["split", "S", "Splits"],
  ["dividend", "D", "Dividends"],
  ["revision", "R", "Revisions"],
  ["gap", "G", "Gaps"],
  ["refused", "×", "Refused bars"],
  ["sessions", "", "Sessions"],
] as const;

const KEYS = [
  ["← →", "Values of the bar before or after"],
  ["Shift ← →", "Move"],
  ["PgUp PgDn", "Move by a view"],
  ["Home End", "First, last bars"],
  ["+ −", "Zoom"],
  ["l", "Logarithmic scale"],
  ["p", "Percent scale"],
  ["g", "Go to a date"],
  ["c", "Compare a symbol"],
  ["i", "Add a pane"],
  ["d", "Table of the bars in view"],
  ["Esc", "No crosshair"],
  ["?", "These keys"],
] as const;

export const ChartControls = ({ chart: { features, symbol } }: { chart: ChartView }) => (
  <div class="chart-tools chart-controls">
    <form data-compare>
      <label>
        <span>Compare</span>
        <input
          type="text"
          list="chart-symbols"
          placeholder="MSFT"
          maxlength={30}
          size={8}
          autocomplete="off"
          autocapitalize="characters"
          aria-label={`Symbol to compare with ${symbol}`}
        />
      </label>
      <datalist id="chart-symbols" />
    </form>
    <ul class="chips" data-compared hidden aria-label="Compared symbols" />
    <div class="chart-field">
      <span aria-hidden="true">Pane</span>
      <select data-pane aria-label="Add a pane">
        <option value="">Add…</option>
        <optgroup label="Indicators">
          {INDICATORS.map(([value, title]) => (
            <option value={value}>{title}</option>
          ))}
        </optgroup>
        {features.map(({ family, names }) => (
          <optgroup label={familyTitle(family)}>
            {names.map((name) => (
              <option>{name}</option>
            ))}
          </optgroup>
        ))}
      </select>
    </div>
    <ul class="chips" data-panes hidden aria-label="Panes" />
    <details class="chart-menu">
      <summary>Marks</summary>
      <fieldset>
        <legend class="visually-hidden">Marks on the chart</legend>
        {MARKS.map(([kind, letter, title]) => (
          <label>
            <input type="checkbox" name="mark" value={kind} checked />
            <b class={`mark mark-${kind}`} aria-hidden="true">
              {letter}
            </b>
            {title}
          </label>
        ))}
      </fieldset>
    </details>
    <details class="chart-menu" data-keys>
      <summary>Keys</summary>
      <dl>
        {KEYS.map(([key, does]) => (
          <div>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </details>
    <p role="status" data-said />
  </div>
);
