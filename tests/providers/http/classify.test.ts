/** What refusals mean by their words, and no more than the words say. */

import { expect, test } from "bun:test";
import type { PlanScope } from "../../../src/domain/errors.ts";
import { classify, planScopeOf, wordsOf } from "../../../src/providers/http/classify.ts";

/** What an answer without headers is taken for; a text in braces is JSON. */
function taken(status: number, text: string) {
  const json = text.startsWith("{") ? JSON.parse(text) : undefined;
  const { retryAfter: _, ...found } = { retryAfter: 0, ...classify({ status, text, json, headers: new Headers() }) };
  return found;
}
const message = (text: string) => JSON.stringify({ message: text });

test("a quota of a day, an hour or a month is spent only by words of a quota, and not beside one of a minute", () => {
  const day = { kind: "quota_exceeded", period: "day" } as const;
  const rate = { kind: "rate_limited" } as const;
  const answers: readonly (readonly [number, string, object])[] = [
    [429, "You exceeded your daily API requests limit", day],
    [429, "Daily limit reached", day],
    [429, "The limit is 500 calls per day", day],
    [200, message("You have run out of API credits for the day"), day],
    [200, message("You have run over your hourly request allocation"), { ...day, period: "hour" }],
    [402, message("Your monthly quota is used up"), { ...day, period: "month" }],
    [429, "Rate limit exceeded: 5 requests per minute; your plan allows 500 requests per day", rate],
    [429, "Too many requests for the daily bars endpoint, slow down", rate],
    [200, message("You have run over 8 API credits per minute. Upgrade your monthly plan"), rate],
    [200, message("Hourly maintenance exceeded its time"), rate],
    [402, "Payment required: the monthly invoice is unpaid", { kind: "plan" }],
  ];
  for (const [status, text, kind] of answers) expect([text, taken(status, text)]).toEqual([text, kind as never]);
});

test("an address that there is not says nothing of the symbol", () => {
  const elsewhere = [
    "404 page not found",
    message("no Route matched with those values"),
    message("Endpoint not found"),
  ];
  for (const text of elsewhere) expect([text, taken(404, text)]).toEqual([text, { kind: "invalid_response" }]);
  expect(taken(200, message("Endpoint not found"))).toEqual({ kind: "invalid_response" });
  const unknown = [message("Ticker XYZ not found"), message("Not found."), "Ticker Not Found."];
  for (const text of unknown) expect([text, taken(404, text)]).toEqual([text, { kind: "unknown_symbol" }]);
});

test("a key is not refused by too many requests, nor the plan by a missing key", () => {
  expect(taken(403, message("Too many requests from this address"))).toEqual({ kind: "rate_limited" });
  expect(taken(403, message("You are not entitled to this data; upgrade your plan"))).toEqual({ kind: "plan" });
  expect(taken(403, "Access denied due to a missing subscription key")).toEqual({ kind: "auth" });
  expect(taken(400, message("The subscription key is missing"))).toEqual({ kind: "bad_request", tooLarge: false });
});

test("a period that is too long is no quota, whatever it exceeds", () => {
  const long = { kind: "bad_request", tooLarge: true } as const;
  expect(taken(200, message("The maximum period length of 120 days is exceeded"))).toEqual(long);
  expect(taken(200, message("Rate limit exceeded for this date range"))).toEqual({ kind: "rate_limited" });
});

test("what a plan refuses is known only where its refusal says it", () => {
  const scopes: Record<string, PlanScope> = {
    "Your plan does not include intraday data": "interval",
    "Historical minute bars need a higher plan": "interval",
    "Your subscription covers the last 2 years of history": "history",
    "Attempted to request today's data before end of day": "recent",
    "This ticker is not part of your plan": "symbol",
    "Too late: your plan has expired": "other",
    "Your trial is over since today": "other",
    "Your subscription was cancelled; all symbols are refused": "other",
    "Please upgrade within a minute": "other",
    "Your plan does not include options": "other",
  };
  expect(Object.fromEntries(Object.keys(scopes).map((text) => [text, planScopeOf(text)]))).toEqual(scopes);
});

test("the title of an HTML page is read as text, each reference once", () => {
  const titled = (title: string) => wordsOf({ json: undefined, text: `<!DOCTYPE html><title>${title}</title>` });
  expect(titled("Terms &amp; limits")).toBe("Terms & limits");
  expect(titled("&quot;A&#39;s&quot; &#x2014; &lt;b&gt; &amp;amp; &unknown; 1 & 2")).toBe(
    `"A's" \u2014 <b> &amp; &unknown; 1 & 2`,
  );
});
