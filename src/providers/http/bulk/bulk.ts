/** A vendor's requests that cover many symbols: a whole day, a list of symbols, or all splits of some days. */

import type { BarWindow, BulkAnswer, BulkSource, FetchContext, FetchedBars } from "../../provider.ts";
import { Rows } from "../rows.ts";
import { PlanWindow } from "../windows/plan-window.ts";
import { barsOfWindow, sessionsToRequest, sourceSpan } from "../windows/request-window.ts";
import { partsOf } from "./bulk-parts.ts";
import { PartRequests } from "./bulk-requests.ts";
import { type BulkSpec, type BulkVendor, bulkWindow } from "./bulk-spec.ts";

export const createBulk = (spec: BulkSpec, vendor: BulkVendor): BulkSource => ({
  serves(symbol) {
    const ticker = vendor.tickerOf(symbol);
    return ticker.market === "us_equity" && ticker.exchange === "US" && vendor.refuses(ticker) === null;
  },
  parts: (symbols, span) => partsOf(spec, vendor, symbols, span),
  fetch: async (part, span, context) => new PartRequests(spec, vendor, part, context).fetch(span),
  bars: (window, answers, context) => barsOfAnswers(vendor, window, answers, context),
});

async function barsOfAnswers(
  vendor: BulkVendor,
  window: BarWindow,
  answers: readonly BulkAnswer[],
  context: FetchContext,
): Promise<FetchedBars> {
  const { calendar, historyStart, planYears } = vendor;
  const requestWindow = bulkWindow(vendor, window.symbol, window);
  const sessions = sessionsToRequest(calendar, requestWindow, historyStart);
  const rows = new Rows();
  if (sessions.length === 0) return { bars: rows.columns(), rejected: [] };
  for (const answer of answers) {
    for (const [ts = Number.NaN, open, high, low, close, volume] of answer.rows) {
      // The answers may be of more days than this symbol lacks.
      if (ts < window.from || ts >= window.to) continue;
      rows.add(ts, open, high, low, close, volume);
    }
  }
  const { ticker } = requestWindow;
  const request = { ticker, interval: "1d", asOf: window.asOf, years: planYears } as const;
  const plan = await PlanWindow.read(context.plan, request);
  return {
    bars: barsOfWindow(calendar, requestWindow, rows.columns()),
    rejected: answers.flatMap(({ rejected }) => rejected),
    actions: answers.flatMap(({ actions }) => actions),
    notInPlan: plan.cuts(window, sourceSpan(calendar, requestWindow, sessions)),
  };
}
