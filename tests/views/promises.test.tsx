/** @jsxImportSource hono/jsx */
/** Fragments of the promises page. */

import { expect, test } from "bun:test";
import { BurnDown, type PromiseStatusView } from "../../src/views/promises/promise-status.tsx";

/** When a session ended: a Friday. */
const CLOSE = Date.UTC(2026, 10, 27, 18);

function endsOf(deadline: number): string[] {
  const status: PromiseStatusView = {
    ...{ deadline, state: "will_be_missed", reasons: [], total: 2, fresh: 0, missing: 2, unknown: 0 },
    ...{ gaps: { open: 0, confirmed: 0 }, symbols: ["AAPL", "MSFT"], from: CLOSE, at: CLOSE + 3_600_000 },
    burnDown: [{ at: CLOSE, missing: 2 }],
  };
  const html = String(<BurnDown status={status} name="Mornings" />);
  return [...html.matchAll(/<time [^>]*>([^<]+)</g)].map(([, text]) => text!);
}

test("the ends of a burn-down have dates where the hour alone would not say of which day it is", () => {
  expect(endsOf(Date.UTC(2026, 10, 28, 12))).toEqual(["18:00 UTC", "12:00 UTC"]);
  expect(endsOf(Date.UTC(2026, 10, 28, 18))).toEqual(["2026-11-27 18:00 UTC", "2026-11-28 18:00 UTC"]);
  expect(endsOf(Date.UTC(2026, 10, 30, 12))).toEqual(["2026-11-27 18:00 UTC", "2026-11-30 12:00 UTC"]);
});
