/** How pages write numbers and remaining times. */

import { INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { clockIn } from "../../domain/time.ts";

const INTERVAL_TITLES: Readonly<Record<Interval, string>> = {
  "1m": "1 minute",
  "5m": "5 minutes",
  "15m": "15 minutes",
  "1h": "1 hour",
  "1d": "1 day",
};

/** The stored intervals with their titles, for a field of a form. */
export const INTERVAL_OPTIONS = INTERVALS.map((interval) => [interval, INTERVAL_TITLES[interval]] as const);

const integers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** `12,096` */
export const formatCount = (value: number): string => integers.format(value);

/** `812`, `12.1K`, `3.4M` */
export const formatCompact = (value: number): string => (value < 1_000 ? formatCount(value) : compact.format(value));

/** `1 symbol`, `3 symbols`; `many` for an irregular plural. */
export const plural = (count: number, word: string, many = `${word}s`): string =>
  `${formatCount(count)} ${count === 1 ? word : many}`;

/** Remaining seconds, coarsely: `under 10s`, `about 40s`, `about 4m`, `about 2h 10m`. */
export function formatEta(seconds: number): string {
  if (seconds < 10) return "under 10s";
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${minutes}m`;
  const tens = Math.round(minutes / 10) * 10;
  return `about ${Math.floor(tens / 60)}h ${pad(tens % 60)}m`;
}

/** A feature or price: six significant digits without trailing zeros; very large and small ones with an exponent. */
export function formatValue(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e12 || size < 1e-6) return value.toExponential(4);
  if (size >= 1e5) return new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 }).format(value);
  return String(Number(value.toPrecision(6)));
}

/** `+1.04`, `−0.30`, and `0.00` for what is zero in so many digits, on whichever side of it. */
export function formatSigned(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}

/** Prices that stand together: all with as many decimals as the one that has most. */
export function formatPrices(prices: readonly number[]): string[] {
  const texts = prices.map(formatValue);
  if (texts.some((text) => /[e,]/.test(text))) return texts;
  const decimals = Math.max(...texts.map((text) => text.split(".")[1]?.length ?? 0));
  return prices.map((price) => price.toFixed(decimals));
}

/** `Mon 2026-03-09 18:30 EDT`; with the second where it is not the first of its minute. */
export function inZone(at: number, timeZone: string): string {
  const { weekday, date, time, zone } = clockIn(at, timeZone);
  return `${weekday} ${date} ${time.replace(/:00$/, "")} ${zone}`;
}

const pad = (value: number) => String(value).padStart(2, "0");

/** Whole seconds from now until `at` (epoch milliseconds); `public/app/ui/clock.js` counts them down. */
export const secondsUntil = (at: number): number => Math.max(0, Math.ceil((at - Date.now()) / 1_000));

/** The title of a family of features: `moving_average` is `Moving average`. */
export const familyTitle = (family: string): string =>
  family === "kbar" ? "Candlestick shape" : family.charAt(0).toUpperCase() + family.slice(1).replaceAll("_", " ");

/** Bytes in decimal units: `32 kB`, `0.6 MB`, `46.1 MB`, `1.2 GB`. */
export function sizeText(bytes: number): string {
  if (bytes < 100_000) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
