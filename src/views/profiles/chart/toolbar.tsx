/** @jsxImportSource hono/jsx */
/** The buttons above a profile's chart, for `public/app/profiles/toolbar.js`: range, date and scale. */

import { DAY, READ_SECONDS } from "../../../domain/market/interval.ts";
import { isoDate } from "../../../domain/time.ts";
import { DATE } from "../../ui/forms/form-field.tsx";
import type { ChartView } from "./chart-view.ts";

/** Value in the address, label, what it is read as, and days at least. */
const RANGES = [
  ["1d", "1D", "Last day", 1],
  ["5d", "5D", "Last 5 days", 5],
  ["1m", "1M", "Last month", 28],
  ["6m", "6M", "Last 6 months", 181],
  ["ytd", "YTD", "This year to date", 181],
  ["1y", "1Y", "Last year", 365],
  ["5y", "5Y", "Last 5 years", 1_826],
  ["all", "All", "All bars", Number.POSITIVE_INFINITY],
] as const;

const SCALES = [
  ["log", "Log", "Logarithmic scale"],
  ["percent", "%", "Change in percent from the first bar in view"],
] as const;

export const ChartToolbar = ({ chart: { interval, firstBar, lastBar } }: { chart: ChartView }) => (
  <div class="chart-tools">
    <fieldset>
      <legend class="visually-hidden">Range</legend>
      {RANGES.filter(([, , , days]) => days * DAY > READ_SECONDS[interval]).map(([range, label, title]) => (
        <button type="button" data-range={range} title={title} aria-pressed="false">
          {label}
        </button>
      ))}
    </fieldset>
    <label>
      <span>Go to</span>
      <input {...DATE} data-date placeholder={isoDate(lastBar)} title={`${isoDate(firstBar)} to ${isoDate(lastBar)}`} />
    </label>
    <fieldset>
      <legend class="visually-hidden">Scale</legend>
      {SCALES.map(([scale, label, title]) => (
        <button type="button" data-scale={scale} title={title} aria-pressed="false">
          {label}
        </button>
      ))}
    </fieldset>
    <p class="chart-level" role="status" />
  </div>
);
