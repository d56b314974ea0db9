/** How figures are written in mails. */

import { formatExactDuration } from "../../domain/time.ts";

/** `12,096` */
export const count = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 });

/** `1 symbol`, `3 symbols` */
export const plural = (value: number, word: string): string => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

/** `45.0s`, `3m 05s`, `2h 10m`: to the nearest second from a minute on. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  return formatExactDuration(seconds < 60 ? seconds : Math.round(seconds));
}

/** The first few names and how many more there are: `AAPL, MSFT and 3 more`. */
export function names(all: readonly string[], shown = 3): string {
  const distinct = [...new Set(all)];
  const rest = distinct.length - shown;
  return rest > 0 ? `${distinct.slice(0, shown).join(", ")} and ${rest} more` : distinct.join(", ");
}
