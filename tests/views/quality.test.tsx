/** @jsxImportSource hono/jsx */
/** The completeness of a profile, as it is shown. */

import { expect, test } from "bun:test";
import { Quality, type ShownGap } from "../../src/views/profiles/quality.tsx";

const at = (text: string) => Date.parse(text) / 1000;

test("gaps are shown with the times that are missing, on the exchange's clock, and sessions in a row as one line", () => {
  const gap = (shown: Partial<ShownGap>): ShownGap => ({
    date: at("2026-10-14"),
    until: at("2026-10-14"),
    sessions: 1,
    state: "hole",
    rows: 240,
    holes: [],
    ...shown,
  });
  const gaps = [
    gap({ holes: [[at("2026-10-14T14:30Z"), at("2026-10-14T17:00Z")]] }),
    gap({ date: at("2026-03-02"), until: at("2026-03-06"), sessions: 5, state: "missing", rows: 0 }),
    gap({ rows: 0, state: "missing", holes: [[at("2026-10-14T21:00Z"), at("2026-10-15T21:00Z")]] }),
    gap({ state: "sparse", rows: 26 }),
  ];
  const base = {
    symbol: "AAPL",
    interval: "1m",
    provider: "demo",
    years: [],
    timeZone: "America/New_York",
    month: null,
    offSession: null,
    hasActions: true,
  } as const;
  const lists = { revisions: [], findings: [], actions: [], sources: [], others: [] };
  const html = String(<Quality quality={{ ...base, ...lists, gaps }} />);
  expect([...html.matchAll(/<li>(2026[^<]*)</g)].map(([, line]) => line)).toEqual([
    "2026-10-14: has holes, 240 bars; nothing from 10:30 to 13:00 EDT",
    "2026-03-02 to 2026-03-06: missing, 5 sessions",
    "2026-10-14: missing; nothing from 17:00 to 2026-10-15 17:00 EDT",
    "2026-10-14: far fewer bars than usual, 26 bars",
  ]);
});
