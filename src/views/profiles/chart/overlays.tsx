/** @jsxImportSource hono/jsx */
/** The choices of a profile's chart that are in its address: overlays and adjustment. */

import { ADJUSTMENTS, type Adjustment } from "../../../domain/market/corporate-actions.ts";
import type { ReadInterval } from "../../../domain/market/interval.ts";
import { profileAddress } from "../../ui/dom.ts";

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

export interface Overlay {
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
export const DEFAULT_ADJUSTMENT: Adjustment = "splits";

/** What of a chart is in the address of its page. */
interface ChartChoices {
  readonly overlays: readonly OverlayKey[];
  readonly adjust: Adjustment;
}

/** The address of a profile with these overlays and this adjustment. */
export const chartAddress = (symbol: string, interval: ReadInterval, { overlays, adjust }: ChartChoices) =>
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

interface AdjustedChart extends ChartChoices {
  readonly symbol: string;
  readonly interval: ReadInterval;
}

/** Links to the same page with other adjustments. */
export const Adjustments = ({ chart }: { chart: AdjustedChart }) => (
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
