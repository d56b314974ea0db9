/** @jsxImportSource hono/jsx */
/** The chart of a profile: its container, and the overlays that `public/app/chart.js` draws over the bars. */

import { isSynthetic } from "../../../domain/defaults.ts";
import { READ_SECONDS } from "../../../domain/market/interval.ts";
import { BarTime, SyntheticPill } from "../../ui/components.tsx";
import type { ChartView } from "./chart-view.ts";
import { ChartControls } from "./controls.tsx";
import { DEFAULT_ADJUSTMENT, OVERLAYS, type Overlay } from "./overlays.tsx";
import { ChartToolbar } from "./toolbar.tsx";

export const Chart = ({ chart }: { chart: ChartView }) => {
  const { symbol, interval, provider, firstBar, lastBar, overlays, adjust, script } = chart;
  return (
    <section
      class="chart"
      id="chart"
      aria-labelledby="chart-title"
      data-symbol={symbol}
      data-interval={interval}
      data-provider={provider}
      data-adjust={adjust}
      data-levels={chart.levels.map((level) => `${level}=${READ_SECONDS[level]}`).join(" ")}
      data-first={String(firstBar)}
      data-end={String(lastBar + 1)}
      data-day-seconds={String(chart.daySeconds)}
      data-week-days={String(chart.weekDays)}
    >
      <h2 id="chart-title" class="visually-hidden">
        Chart
      </h2>
      <form class="overlays" method="get" aria-label="Overlays">
        <input type="hidden" name="interval" value={interval} />
        {adjust === DEFAULT_ADJUSTMENT ? null : <input type="hidden" name="adjust" value={adjust} />}
        {OVERLAYS.map((overlay: Overlay) => (
          <label>
            <input
              type="checkbox"
              name="overlay"
              value={overlay.key}
              data-style={overlay.style ?? "line"}
              checked={overlays.some((key) => key === overlay.key)}
            />
            {overlay.lines.map((line) => (
              <i class={`swatch line-${line}`} data-line={line} />
            ))}
            {overlay.title}
          </label>
        ))}
      </form>
      <figure>
        <ChartToolbar chart={chart} />
        <ChartControls chart={chart} />
        <p class="chart-readout num" />
        <p class="visually-hidden" aria-live="polite" data-spoken />
        <div
          class="chart-stage"
          role="application"
          aria-label={`Candlestick chart of ${symbol}${isSynthetic(provider) ? ", synthetic bars" : ""}`}
          aria-describedby="chart-help"
          tabindex={0}
        >
          <div class="chart-canvas" aria-hidden="true" />
          <p class="chart-note" role="status">
            <noscript>
              The chart is drawn with JavaScript. The same numbers are in the{" "}
              {chart.isStored ? (
                <>
                  <a href={`/profiles/${encodeURIComponent(symbol)}/bars?interval=${interval}`}>table of bars</a>, which
                  has a drawing of its closes, and in the{" "}
                </>
              ) : null}
              downloads of this page.
            </noscript>
          </p>
        </div>
        <details class="chart-table" data-table>
          <summary>Bars in view as a table</summary>
          <section class="scroll" tabindex={0} aria-label="Bars in view">
            <div />
          </section>
        </details>
        <figcaption>
          <SyntheticPill provider={provider} />
          <span id="chart-help">
            <BarTime ts={firstBar} interval={interval} /> to <BarTime ts={lastBar} interval={interval} />; the chart is
            drawn in UTC. Drag to move, Ctrl and the wheel to zoom, ← → for the values of a bar, ? for all keys; the
            length of its bars follows the zoom.
          </span>
          {chart.isStored ? (
            <a href={`/profiles/${encodeURIComponent(symbol)}/bars?interval=${interval}`}>All bars as a table</a>
          ) : null}
        </figcaption>
      </figure>
      <script type="module" src={script} />
    </section>
  );
};
