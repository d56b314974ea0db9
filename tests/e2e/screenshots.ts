/** Takes the pictures in docs/screenshots: `bun run screenshots`. */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { live, rowOf, Screen, startRun } from "./screen.ts";

const FOLDER = new URL("../../docs/screenshots/", import.meta.url).pathname;
const SIZES = {
  desktop: { viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
} as const;
const SYMBOLS = "AAPL MSFT GOOGL AMZN NVDA META TSLA BRK.B JPM V UNH XOM JNJ WMT MA PG HD CVX BTC-USD ETH-USD";

await mkdir(FOLDER, { recursive: true });
const work = await mkdtemp(join(tmpdir(), "barkeep-screenshots-"));
process.chdir(work);
const screen = await Screen.open(90, "prices");

/** One picture in each theme and size. */
async function shoot(name: string, path: string, ready: (page: Page) => Promise<unknown>): Promise<void> {
  for (const [size, options] of Object.entries(SIZES)) {
    for (const colorScheme of ["dark", "light"] as const) {
      const page = await screen.visit(path, { ...options, colorScheme });
      await ready(page);
      await page.screenshot({ path: `${FOLDER}${name}-${size}-${colorScheme}.png` });
      await page.context().close();
    }
  }
}

try {
  await shoot("empty", "/", live);

  const page = await screen.visit("/");
  await live(page);
  await startRun(page, SYMBOLS);
  await rowOf(page, "NVDA").and(page.locator('[data-state="complete"]')).waitFor();
  await shoot("running", "/", live);
  const details = await rowOf(page, "JPM").locator(".on-details").getAttribute("href");
  await shoot("symbol", details!, live);
  await page.goto(screen.address);
  await rowOf(page, "ETH-USD").and(page.locator('[data-state="complete"]')).waitFor({ timeout: 120_000 });
  await shoot("finished", "/", live);
  for (const symbol of ["AAPL", "MSFT", "NVDA"]) {
    const bars = await fetch(`${screen.address}/api/bars/${symbol}?format=csv`);
    await Bun.write(`prices/${symbol}.csv`, bars);
  }
  await page.getByLabel("Provider", { exact: true }).selectOption("csv");
  await startRun(page, "AAPL MSFT GOOGL NVDA");
  await page.locator('.run-head[data-state="failed"]').waitFor();
  await shoot("failed", "/", live);
  await shoot("profile", "/profiles/AAPL?interval=1d&overlay=sma_20&overlay=bollinger", async (each) =>
    each.locator("#chart[data-ready] .chart-stage[aria-busy=false]").waitFor(),
  );
  await shoot("features", "/profiles/AAPL?interval=1d#trend", async (each) => {
    await each.locator("#chart[data-ready] .chart-stage[aria-busy=false]").waitFor();
    await each.getByText("psar_002_020", { exact: true }).click();
  });
  await shoot("profiles", "/profiles", async (each) => each.getByRole("heading", { name: "Profiles" }).waitFor());
  await shoot("runs", "/runs", async (each) => each.getByRole("heading", { name: "Runs" }).waitFor());
} finally {
  await screen.close();
  await rm(work, { recursive: true });
}
