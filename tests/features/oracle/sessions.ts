/** Bar times of real markets: New York sessions with clock changes, half days and gaps, or around the clock. */

import { DAY, INTERVAL_SECONDS } from "../../../src/domain/market/interval.ts";
import type { Setup } from "./bars.ts";

const OPENING = 9 * 60 + 30;
const [FULL_DAY, HALF_DAY] = [390, 210];

/** Seconds by which New York is behind UTC on a date (epoch seconds of its UTC midnight). */
function behindUtc(date: number): number {
  const noon = new Date((date + 12 * 3600) * 1000);
  const hour = new Intl.DateTimeFormat("en-US", { timeZone: "America/New_York", hour: "numeric", hourCycle: "h23" });
  return (12 - Number(hour.format(noon))) * 3600;
}

/** Every ninth session closes early, so that slots are missing from some days. */
const minutesOpen = (session: number, halfDays: boolean) => (halfDays && session % 9 === 8 ? HALF_DAY : FULL_DAY);

/** The first n bar starts from a date on, epoch seconds. */
export function barTimes(setup: Setup, n: number, from = "2024-02-20", halfDays = false): number[] {
  const start = Date.parse(from) / 1000;
  const step = INTERVAL_SECONDS[setup.interval];
  if (setup.market === "crypto") return Array.from({ length: n }, (_, i) => start + i * step);
  const times: number[] = [];
  for (let date = start, session = 0; times.length < n; date += DAY) {
    const weekend = [0, 6].includes(new Date(date * 1000).getUTCDay());
    if (weekend) continue;
    if (setup.interval === "1d") times.push(date);
    else {
      const open = date + behindUtc(date) + OPENING * 60;
      for (let s = 0; s < minutesOpen(session, halfDays) * 60; s += step) times.push(open + s);
    }
    session++;
  }
  return times.slice(0, n);
}
