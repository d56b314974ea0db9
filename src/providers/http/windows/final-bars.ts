/** When daily bars of US shares stop changing. */

import type { Interval } from "../../../domain/market/interval.ts";
import type { SettingValues } from "../../setting.ts";
import type { Ticker } from "../ticker.ts";
import type { Delay } from "./request-window.ts";

/** Extended trading ends four hours after the close and counts for the day; a quarter of an hour for late reports. */
const AFTER_EXTENDED: Delay = { after: "session", seconds: 4.25 * 3600 };

/** `delay`, but for daily bars of US shares the end of extended trading. */
export const finalAfterExtended =
  (delay: (ticker: Ticker, source: Interval, values: SettingValues) => Delay) =>
  (ticker: Ticker, source: Interval, values: SettingValues): Delay =>
    source === "1d" && ticker.market === "us_equity" ? AFTER_EXTENDED : delay(ticker, source, values);
