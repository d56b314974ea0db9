/** @jsxImportSource hono/jsx */
/** The chart of a profile: its container, and the overlays that `public/app/chart.js` draws over the bars. */

import { isSynthetic } from "../../../domain/defaults.ts";
import { READ_SECONDS } from "../../../domain/market/interval.ts";
import { BarTime, SyntheticPill } from "../../ui/components.tsx";
import type { ChartView } from "./chart-view.ts";
import { DEFAULT_ADJUSTMENT, OVERLAYS, type Overlay } from "./overlays.tsx";
import { ChartToolbar } from "./toolbar.tsx";

export const Chart = ({ chart }: { chart: ChartView }) => {
  const { symbol, interval, provider, firstBar, lastBar, overlays, adjust, script, library } = chart;
  return (
    <section
      class="chart"
      id="chart"
      aria-labelledby="chart-title"
      data-symbol={symbol}
      data-provider={provider}
      data-adjust={adjust}
      data-levels={chart.levels.map((level) => `${level}=${READ_SECONDS[level]}`).join(" ")}
      data-first={String(firstBar)}
      data-end={String(lastBar + 1)}
      data-day-seconds={String(chart.daySeconds)}
      data-week-days={String(chart.weekDays)}
      data-library={library}
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
        <p class="chart-readout num" />
        <div
          class="chart-stage"
          role="application"
          aria-label={`Candlestick chart of ${symbol}${isSynthetic(provider) ? ", synthetic bars" : ""}`}
          aria-describedby="chart-help"
          tabindex={0}
        >
          <div class="chart-canvas" aria-hidden="true" />
          <p class="chart-note" role="status">
            <noscript>The chart is drawn with JavaScript. The same numbers are in the downloads of this page.</noscript>
          </p>
        </div>
        <figcaption>
          <SyntheticPill provider={provider} />
          <span id="chart-help">
            <BarTime ts={firstBar} interval={interval} /> to <BarTime ts={lastBar} interval={interval} />; the chart is
            drawn in UTC. Drag or press ← → to move, + − to zoom, End for the last bar; the length of its bars follows
            the zoom.
          </span>
          <span>
            Drawn with{" "}
            <a href="https://www.tradingview.com/" rel="noreferrer">
              TradingView
            </a>{" "}
            Lightweight Charts™, © TradingView, Inc.
          </span>
        </figcaption>
      </figure>
      <link rel="modulepreload" href={library} />
      <script type="module" src={script} />
    </section>
  );
};
