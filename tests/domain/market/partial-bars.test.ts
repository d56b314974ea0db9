/** Which bars at the edges of a derived history are partial. */

import { expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { Venue } from "../../../src/domain/market/exchanges/exchanges.ts";
import type { ReadInterval } from "../../../src/domain/market/interval.ts";
import { derivedEdges } from "../../../src/domain/market/partial-bars.ts";

const at = (text: string) => Date.parse(text.length > 10 ? `${text}Z` : `${text}T00:00Z`) / 1_000;

const NEITHER = { first: false, last: false };

test.each<[Venue, ReadInterval, ReadInterval, string, string, { first: boolean; last: boolean }]>([
  // 2026-01-05 is a Monday; New York opens at 14:30 and closes at 21:00 UTC.
  ["us_equity", "1d", "1w", "2026-01-05", "2026-01-09", NEITHER],
  ["us_equity", "1d", "1w", "2026-01-06", "2026-01-08", { first: true, last: true }],
  // Monday the 19th is a holiday, Friday the 3rd of April too: the week is whole without them.
  ["us_equity", "1d", "1w", "2026-01-20", "2026-04-02", NEITHER],
  ["us_equity", "1d", "1mo", "2026-01-02", "2026-02-27", NEITHER],
  ["us_equity", "1d", "1mo", "2026-01-05", "2026-02-26", { first: true, last: true }],
  ["us_equity", "1m", "1d", "2026-01-05T14:30", "2026-01-09T20:59", NEITHER],
  ["us_equity", "1m", "1d", "2026-01-05T09:00", "2026-01-09T23:59", NEITHER],
  ["us_equity", "1m", "1d", "2026-01-05T14:31", "2026-01-09T20:58", { first: true, last: true }],
  // After the close a bar belongs to no day: the first day is the next one.
  ["us_equity", "1m", "1d", "2026-01-05T21:05", "2026-01-09T20:59", NEITHER],
  ["us_equity", "1m", "1w", "2026-01-05T21:05", "2026-01-09T20:59", { first: true, last: false }],
  // The last hour of New York is half as long, and a short day ends at 13:00 (18:00 UTC).
  ["us_equity", "1m", "1h", "2026-01-05T14:30", "2026-01-09T20:59", NEITHER],
  ["us_equity", "1m", "1h", "2026-01-05T14:45", "2026-01-09T20:45", { first: true, last: true }],
  ["us_equity", "5m", "4h", "2026-11-27T14:30", "2026-11-27T17:55", NEITHER],
  ["us_equity", "5m", "4h", "2026-11-27T14:30", "2026-11-27T17:50", { first: false, last: true }],
  // Tokyo: 00:00 to 06:30 UTC with a break from 02:30 to 03:30.
  ["XTKS", "1m", "4h", "2026-01-05T00:00", "2026-01-06T02:29", NEITHER],
  ["XTKS", "1m", "4h", "2026-01-05T03:30", "2026-01-06T06:28", { first: false, last: true }],
  ["XTKS", "1m", "1d", "2026-01-05T03:30", "2026-01-06T02:29", { first: true, last: true }],
  // The week of currencies: Sunday 22:00 to Friday 22:00 UTC in winter.
  ["forex", "1m", "1w", "2026-01-04T22:00", "2026-01-09T21:59", NEITHER],
  ["forex", "1m", "1w", "2026-01-04T22:01", "2026-01-09T21:58", { first: true, last: true }],
  ["forex", "1h", "1d", "2026-01-04T22:00", "2026-01-05T21:00", NEITHER],
  ["crypto", "1m", "1w", "2026-01-05", "2026-01-11T23:59", NEITHER],
  ["crypto", "1m", "1d", "2026-01-05T00:01", "2026-01-06T23:58", { first: true, last: true }],
  ["crypto", "1d", "1mo", "2026-01-01", "2026-02-28", NEITHER],
  ["unknown", "1d", "1w", "2026-01-06", "2026-01-10", { first: true, last: true }],
  ["crypto", "1h", "1h", "2026-01-05", "2026-01-06", NEITHER],
])(
  "of %s, bars of %s make bars of %s whole or partial at both ends: %s to %s",
  (venue, source, interval, first, last, partial) => {
    const stored = { first: at(first), last: at(last) };
    expect(derivedEdges({ calendar: CALENDAR, venue, source, interval }, stored).partial).toEqual(partial);
  },
);

test("the edges of a derived history are the starts of its first and last bar", () => {
  const history = { calendar: CALENDAR, venue: "us_equity", source: "1m" } as const;
  const stored = { first: at("2026-01-05T21:05"), last: at("2026-01-09T20:10") };
  expect(derivedEdges({ ...history, interval: "1d" }, stored)).toMatchObject({
    first: at("2026-01-06"),
    last: at("2026-01-09"),
  });
  expect(derivedEdges({ ...history, interval: "1w" }, stored)).toMatchObject({
    first: at("2026-01-05"),
    last: at("2026-01-05"),
  });
});
