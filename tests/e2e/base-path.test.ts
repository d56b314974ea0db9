/** A browser behind a proxy that serves Barkeep below a path and strips it: everything works, and nothing leaves the path. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { BrowserApp, rowOf, startRun } from "./browser.ts";

const BASE = "/barkeep";
let browserApp: BrowserApp;
let proxy: Bun.Server<undefined>;
/** Paths that were asked for outside of the base. */
const outside: string[] = [];
/** How the answers of the server are compressed. */
const encodings = new Set<string | null>();

beforeAll(async () => {
  browserApp = await BrowserApp.open({ BARKEEP_URL: `http://localhost${BASE}` }, { compresses: true });
  proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (!pathname.startsWith(`${BASE}/`)) {
        outside.push(pathname);
        return new Response("There is nothing outside", { status: 404 });
      }
      const { method, headers, body, signal } = request;
      const address = browserApp.address + pathname.slice(BASE.length) + search;
      const answer = await fetch(address, { method, headers, body, signal, redirect: "manual", decompress: false });
      encodings.add(answer.headers.get("Content-Encoding"));
      return answer;
    },
  });
});
afterAll(async () => {
  await browserApp.close();
  await proxy.stop(true);
});

test("a browser below a path starts a run, sees it live, opens its profile and chart, and searches", async () => {
  const page = await browserApp.usePage("/healthz");
  const address = `http://127.0.0.1:${proxy.port}${BASE}`;
  await page.goto(`${address}/`);
  await page.locator('#freshness[data-state="live"]').waitFor();
  await startRun(page, "AAPL");
  await rowOf(page, "AAPL").and(page.locator('[data-state="complete"]')).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("aapl");
  await page.locator(".palette a", { hasText: "AAPL" }).first().waitFor();
  await page.keyboard.press("Escape");

  await page.goto(`${address}/profiles/AAPL?interval=1d`);
  await page.locator("#chart[data-ready] .chart-stage[aria-busy=false]").waitFor();
  await page.getByRole("button", { name: "Dark theme" }).click();
  await page.locator("html[data-theme=dark]").waitFor();
  expect(page.url()).toBe(`${address}/profiles/AAPL?interval=1d`);
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await page.waitForURL(`${address}/runs`);
  const cookies = await page.context().cookies(`${address}/`);
  expect(cookies.map(({ path }) => path).filter((path) => path !== `${BASE}/`)).toEqual([]);
  expect(outside).toEqual([]);
  // Events as they are, pages in Brotli, the chart's bars in gzip: the browser has read all of them.
  expect(encodings).toEqual(new Set([null, "br", "gzip"]));
  expect(browserApp.consoleErrors).toEqual([]);
}, 60_000);
