/** Refusals in words that no adapter knows by itself: whether the key, the plan or the region is meant. */

import { describe, expect, test } from "bun:test";
import { PROVIDERS } from "../../../src/providers/registry.ts";
import { providerOn } from "../../fakes/providers.ts";
import type { FakeVendor } from "../../fakes/vendors/vendor.ts";
import { recordingContext } from "../fetch-context.ts";

const at = (date: string) => Date.parse(`${date}T00:00:00Z`) / 1000;

/** How each vendor's adapter takes an answer: kinds by vendor, and the first message. */
async function taken(status: number, body: unknown) {
  let sent = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch() {
      sent += 1;
      return typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status });
    },
  });
  const fake = { url: `http://127.0.0.1:${server.port}`, key: "k" } as FakeVendor;
  const errors = [];
  const requests = new Set<number>();
  for (const { name, declaration } of PROVIDERS) {
    if (declaration === undefined) continue;
    const symbol = declaration.pairs ? "BTC-USDT" : "AAPL";
    const window = {
      symbol,
      interval: "1d",
      from: at("2026-11-02"),
      to: at("2026-11-24"),
      asOf: at("2026-11-26"),
    } as const;
    const before = sent;
    errors.push(
      await providerOn(fake, name)
        .fetchBars(window, recordingContext())
        .catch((error) => error),
    );
    requests.add(sent - before);
  }
  await server.stop(true);
  return {
    kinds: [...new Set(errors.map(({ kind }) => kind))],
    messages: errors.map(({ message }) => message as string),
    /** How many requests each of them has sent. */
    requests: [...requests],
  };
}

describe("a refusal by plan", () => {
  test.each([
    [403, { code: 403, status: "error", message: "/time_series is available exclusively with ultra plans" }],
    [403, { code: 403, status: "error", message: "The 1min interval is available exclusively starting with Pro" }],
    [403, { detail: "You do not have permission to access this ticker" }],
    [404, { message: "This symbol is available starting with the Grow plan. Consider upgrading" }],
    [423, { message: "Only EOD data allowed for free users." }],
    [200, { Information: "Please subscribe to any of the premium plans" }],
    [200, { code: 403, status: "error", message: "The 1min interval is available exclusively starting with Pro" }],
  ] as const)("%d %p concerns the plan at every vendor, and not the key", async (status, body) => {
    expect((await taken(status, body)).kinds).toEqual(["plan"]);
  });

  test("a ticker that is called PLAN is no plan", async () => {
    expect(
      (await taken(404, { detail: "Error: Ticker 'PLAN' not found", message: "PLAN was not found" })).kinds,
    ).toEqual(["unknown_symbol"]);
  });
});

test("a region is refused in words that do not blame the key", async () => {
  const { kinds, messages } = await taken(451, "");
  expect(kinds).toEqual(["auth"]);
  for (const message of messages) {
    expect(message).toContain("not offered from this region (HTTP 451)");
    expect(message).not.toContain("_API_KEY");
  }
});

test("an answer of another shape is told in the vendor's own words after three tries, where it has some", async () => {
  const { messages, requests } = await taken(200, { message: "the moon is full" });
  for (const message of messages) expect(message).toContain("unexpected answer: the moon is full");
  expect(requests).toEqual([3]);
});

test("an answer that ends as it should and is not JSON is not called cut off", async () => {
  const { kinds, messages } = await taken(200, '[{"close":undefined}]');
  expect(kinds).toEqual(["invalid_response"]);
  for (const message of messages) expect(message).toEndWith("HTTP 200: the answer is not JSON");
});

test("an error whose parts are no texts is taken by its status and not for a broken connection", async () => {
  const odd = { message: { toString: 1 }, errors: { a: [{ toString: null }, 7], b: null } };
  const { kinds, messages, requests } = await taken(404, odd);
  expect([kinds, requests]).toEqual([["unknown_symbol"], [1]]);
  for (const message of messages) expect(message).not.toContain("cut off");
  const { messages: told } = await taken(404, { errors: { a: [{ toString: null }, "no such thing"] } });
  for (const message of told) expect(message).toContain("no such thing");
});
