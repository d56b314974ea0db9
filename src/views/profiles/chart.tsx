/** @jsxImportSource hono/jsx */
/** The chart of a profile: its container, and the overlays that `public/app/chart.js` draws over the bars. */

import { isSynthetic } from "../../domain/defaults.ts";
import { ADJUSTMENTS, type Adjustment } from "../../domain/market/corporate-actions.ts";
import type { ReadInterval } from "../../domain/market/interval.ts";
import { BarTime, SyntheticPill } from "../ui/components.tsx";
import { profileAddress } from "../ui/dom.ts";

/**
 * What can be drawn over the bars: lines on the price scale, each the feature of that name. `dots` have no line;
 * `sides` are coloured by whether they lie below or above the price.
 */
export const OVERLAYS = [
  { key: "sma_20", title: "SMA 20", lines: ["sma_20"] },
  { key: "sma_50", title: "SMA 50", lines: ["sma_50"] },
  { key: "sma_200", title: "SMA 200", lines: ["sma_200"] },
  { key: "ema_12", title: "EMA 12", lines: ["ema_12"] },
  { key: "ema_26", title: "EMA 26", lines: ["ema_26"] },
  { key: "kama_10", title: "KAMA 10", lines: ["kama_10"] },
  { key: "hma_20", title: "HMA 20", lines: ["hma_20"] },
  { key: "vwma_20", title: "VWMA 20", lines: ["vwma_20"] },
  { key: "bollinger", title: "Bollinger", lines: ["bb_20_2_upper", "bb_20_2_lower"] },
  {
    key: "ichimoku",
    title: "Ichimoku",
    lines: ["ichimoku_tenkan_9", "ichimoku_kijun_26", "ichimoku_senkou_a", "ichimoku_senkou_b"],
  },
  { key: "supertrend", title: "SuperTrend", lines: ["supertrend_10_3"], style: "sides" },
  { key: "psar", title: "PSAR", lines: ["psar_002_020"], style: "dots" },
] as const satisfies readonly Overlay[];

interface Overlay {
  /** Its value in the query. */
  readonly key: string;
  readonly title: string;
  /** Names of features. */
  readonly lines: readonly string[];
  readonly style?: "dots" | "sides";
}

export type OverlayKey = (typeof OVERLAYS)[number]["key"];

/** The overlays among `keys`, in the order of `OVERLAYS`; unknown keys are ignored. */
export const chosenOverlays = (keys: readonly string[]): OverlayKey[] =>
  OVERLAYS.map(({ key }) => key).filter((key) => keys.includes(key));

/** The default adjustment, left out of addresses. */
const DEFAULT_ADJUSTMENT: Adjustment = "splits";

/** The address of a profile with these overlays and this adjustment. */
export const chartAddress = (
  symbol: string,
  interval: ReadInterval,
  { overlays, adjust }: Pick<ChartView, "overlays" | "adjust">,
) =>
  [
    profileAddress(symbol, interval),
    ...(adjust === DEFAULT_ADJUSTMENT ? [] : [`adjust=${adjust}`]),
    ...overlays.map((key) => `overlay=${key}`),
  ].join("&");

const ADJUSTMENT_TITLES: Readonly<Record<Adjustment, readonly [title: string, meaning: string]>> = {
  none: ["Raw", "As stored: no split or dividend is applied"],
  splits: ["Splits", "Prices before a split are made comparable with today's"],
  all: ["Splits and dividends", "Prices before a split or dividend are made comparable with today's"],
};

/** Links to the same page with other adjustments. */
export const Adjustments = ({ chart }: { chart: ChartView }) => (
  <nav class="tabs adjustments" aria-label="Prices adjusted for">
    <span class="muted" aria-hidden="true">
      Prices
    </span>
    {ADJUSTMENTS.map((adjust) => (
      <a
        href={chartAddress(chart.symbol, chart.interval, { ...chart, adjust })}
        title={ADJUSTMENT_TITLES[adjust][1]}
        aria-current={adjust === chart.adjust ? "true" : undefined}
      >
        {ADJUSTMENT_TITLES[adjust][0]}
      </a>
    ))}
  </nav>
);

export interface ChartView {
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly provider: string;
  /** Epoch seconds of the first and the last bar. */
  readonly firstBar: number;
  readonly lastBar: number;
  /** Epoch seconds at which the chart begins; older bars are fetched when it is moved back. */
  readonly from: number;
  readonly overlays: readonly OverlayKey[];
  /** Which corporate actions are applied to the drawn prices. */
  readonly adjust: Adjustment;
  /** Addresses of the chart script and of its library. */
  readonly script: string;
  readonly library: string;
}

export const Chart = ({ chart }: { chart: ChartView }) => {
  const { symbol, interval, provider, firstBar, lastBar, from, overlays, adjust, script, library } = chart;
  return (
    <section
      class="chart"
      id="chart"
      aria-labelledby="chart-title"
      data-symbol={symbol}
      data-interval={interval}
      data-adjust={adjust}
      data-first={String(firstBar)}
      data-from={String(from)}
      data-to={String(lastBar + 1)}
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
            drawn in UTC. Drag or press ← → to move, + − to zoom, End for the last bar.
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
