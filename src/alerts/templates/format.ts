/** How figures are written in mails. */

/** `12,096` */
export const count = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 1 });

/** `1 symbol`, `3 symbols` */
export const plural = (value: number, word: string): string => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

/** `2026-03-02 14:02 UTC` */
export const moment = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** `2026-03-02`, or `2026-03-02 to 2026-03-05`; epoch seconds. */
export function days(from: number, to: number): string {
  const [first, last] = [from, to].map((ts) => new Date(ts * 1000).toISOString().slice(0, 10));
  return first === last ? first! : `${first} to ${last}`;
}

/** `45.0s`, `3m 05s`, `2h 10m` */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const pad = (value: number) => String(value).padStart(2, "0");
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  return `${Math.floor(whole / 3_600)}h ${pad(Math.floor((whole % 3_600) / 60))}m`;
}

/** The first few names and how many more there are: `AAPL, MSFT and 3 more`. */
export function names(all: readonly string[], shown = 3): string {
  const distinct = [...new Set(all)];
  const rest = distinct.length - shown;
  return rest > 0 ? `${distinct.slice(0, shown).join(", ")} and ${rest} more` : distinct.join(", ");
}
