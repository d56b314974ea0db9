/** What the chart of a profile shows. */

import type { Adjustment } from "../../../domain/market/corporate-actions.ts";
import type { ReadInterval } from "../../../domain/market/interval.ts";
import type { OverlayKey } from "./overlays.tsx";

export interface ChartView {
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly provider: string;
  /** Epoch seconds of the first and the last bar. */
  readonly firstBar: number;
  readonly lastBar: number;
  /** The intervals it can show, finest first: that of the page and longer ones. */
  readonly levels: readonly ReadInterval[];
  /** The most seconds of a day and days of a week that have bars. */
  readonly daySeconds: number;
  readonly weekDays: 5 | 7;
  readonly overlays: readonly OverlayKey[];
  /** Which corporate actions are applied to the drawn prices. */
  readonly adjust: Adjustment;
  /** Features by family, in the catalogue's order: each can have a pane. */
  readonly features: readonly { readonly family: string; readonly names: readonly string[] }[];
  /** Whether the bars are stored, so that the page has a table of them. */
  readonly isStored: boolean;
  /** Address of the chart script. */
  readonly script: string;
}
