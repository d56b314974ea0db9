/**
 * Takes pictures of the pages: `bun run screenshots` those in docs/screenshots; with `--all` every page in each theme and
 * size, into tmp/screenshots, which git ignores.
 */

import { mkdir, rm } from "node:fs/promises";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { startMailServer } from "../fakes/smtp.ts";
import { fakeTiingo } from "../fakes/vendors/tiingo.ts";
import { FAKE_KEY } from "../fakes/vendors/vendor.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { PASSWORD } from "../helpers/password.ts";
import { BrowserApp, closeBrowser, live, rowOf, startRun } from "./browser.ts";

const ALL = process.argv.includes("--all");
const FOLDER = new URL(`../../${ALL ? "tmp" : "docs"}/screenshots/`, import.meta.url).pathname;
/** The pictures in the repository. */
const KEPT = new Set([
  "running-desktop-dark",
  "running-desktop-light",
  "running-phone-dark",
  "run-desktop-dark",
  "job-desktop-dark",
  "profile-desktop-dark",
  "profile-desktop-light",
  "profile-phone-light",
  "profiles-desktop-dark",
  "quota-desktop-dark",
  "schedules-desktop-dark",
  "settings-desktop-dark",
]);
const SIZES = {
  desktop: { viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
} as const;
const SYMBOLS = "AAPL MSFT GOOGL AMZN NVDA META TSLA BRK.B JPM V UNH XOM JNJ WMT MA PG HD CVX BTC-USD ETH-USD";

await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
using work = temporaryFolder();
await using mail = await startMailServer();
const tiingo = fakeTiingo();
// A page shows a folder as it was given: the pictures are the same on every machine.
process.chdir(work.path);
const browserApp = await BrowserApp.open({
  BARKEEP_CSV_DIR: "prices",
  BARKEEP_SECRET: "a secret for the pictures",
  DEMO_LATENCY_MS: "90",
  SMTP_URL: mail.url,
  ALERT_TO: "you@example.com",
  TIINGO_BASE_URL: tiingo.url,
  TIINGO_API_KEY: FAKE_KEY,
  TIINGO_PER_HOUR: "8",
});
for (const symbol of SYMBOLS.split(" ")) tiingo.market.known.add(symbol);
const guarded = await BrowserApp.open({ BARKEEP_PASSWORD: PASSWORD });
const charted = (page: Page) => page.locator("#chart[data-ready] .chart-stage[aria-busy=false]").waitFor();
const inState = (page: Page, symbol: string, state: string) =>
  rowOf(page, symbol)
    .and(page.locator(`[data-state="${state}"]`))
    .waitFor({ timeout: 120_000 });

/** Takes the pictures of a page that are kept, lossless, in 256 colours: a quarter smaller, and no visible difference. */
async function takePicture(name: string, path: string, ready?: (page: Page) => Promise<unknown>, from = browserApp) {
  for (const [size, options] of Object.entries(SIZES)) {
    for (const colorScheme of ["dark", "light"] as const) {
      const picture = `${name}-${size}-${colorScheme}`;
      if (!ALL && !KEPT.has(picture)) continue;
      const page = await from.openPage(path, { ...options, colorScheme });
      await ready?.(page);
      const limited = await sharp(await page.screenshot())
        .png({ palette: true, dither: 0, effort: 10 })
        .toBuffer();
      await sharp(limited).webp({ lossless: true, effort: 6 }).toFile(`${FOLDER}${picture}.webp`);
      await page.context().close();
    }
  }
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel("Password or access token").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).waitFor();
}

try {
  await takePicture("empty", "/", live);
  await takePicture("login", "/login", undefined, guarded);
  const owner = await guarded.openPage("/settings/access");
  await signIn(owner);
  for (const [name, scope] of [
    ["Nightly export", "read"],
    ["Deployment", "operate"],
  ] as const) {
    await owner.request.post(`${guarded.address}/settings/access`, { form: { name, scope } });
  }
  await takePicture("access", "/settings/access", signIn, guarded);

  const page = await browserApp.openPage("/companies");
  await page.getByRole("button", { name: "Fetch" }).click();
  await page.getByText("fetched", { exact: false }).first().waitFor();
  await takePicture("companies", "/companies?q=in&pick=AAPL&pick=MSFT");

  await page.goto(browserApp.address);
  await live(page);
  await startRun(page, SYMBOLS);
  await inState(page, "NVDA", "complete");
  const atWork = page
    .locator('.queue tr[data-state="running"]')
    .filter({ hasText: /Batch 1\d/ })
    .first();
  const details = await atWork.locator("th a").getAttribute("href");
  // No requests of the run are answered until its pictures are taken.
  browserApp.gate.close();
  await takePicture("running", "/", live);
  await takePicture("job", details!, live);
  browserApp.gate.release();
  await page.goto(browserApp.address);
  await inState(page, "ETH-USD", "complete");
  await takePicture("finished", "/", live);

  await page.getByLabel("Provider", { exact: true }).selectOption("tiingo");
  await startRun(page, SYMBOLS.replace(/ BTC.*/, ""));
  await page.locator(".queue tr[data-held]").first().waitFor({ timeout: 60_000 });
  await takePicture("quota", "/", live);
  await page.goto(browserApp.address);
  const held = browserApp.app.hub.runs().find(({ provider }) => provider === "tiingo")!;
  await browserApp.app.runs.actOnRun(held.id, "cancel");
  await browserApp.waitForRun(held.id);

  for (const symbol of ["AAPL", "MSFT", "NVDA"]) {
    const bars = await fetch(`${browserApp.address}/api/bars/${symbol}?format=csv`);
    await Bun.write(`prices/${symbol}.csv`, bars);
  }
  await page.getByLabel("Provider", { exact: true }).selectOption("files");
  await startRun(page, "AAPL MSFT GOOGL NVDA");
  await page.locator('.run-head[data-state="failed"]').waitFor();
  await takePicture("failed", "/", live);
  const run = await page.locator(".run-head h2 a").first().getAttribute("href");
  await takePicture("run", run!);
  await takePicture("runs", "/runs");

  await takePicture("profiles", "/profiles?where=rsi_14+<+60+and+sma_20+>+sma_50&sort=-rsi_14");
  await takePicture("panel", "/panel?symbols=AAPL,MSFT&include=ohlcv&feature=rsi_14&label=fwd_ret_5");
  await takePicture("profile", "/profiles/AAPL?interval=1d&overlay=sma_20&overlay=bollinger", charted);
  await takePicture("analysis", "/profiles/AAPL/analysis?interval=1d");
  await takePicture("feature", "/profiles/AAPL/features/rsi_14?interval=1d");
  await takePicture("derived", "/profiles/AAPL?interval=1w", charted);
  await takePicture("compared", "/profiles/AAPL?interval=1d&compare=MSFT,NVDA&panes=volume,rsi", charted);
  await takePicture("quality", "/quality");
  await takePicture("features", "/profiles/AAPL?interval=1d#trend", async (each) => {
    await charted(each);
    await each.locator("summary").filter({ hasText: "psar_002_020" }).click();
    await each.locator(".feature-report").first().waitFor();
  });

  await page.goto(`${browserApp.address}/schedules`);
  await page.locator(".schedule").first().getByRole("button", { name: "Run now" }).click();
  await page.locator(".run-head[data-state=complete]").waitFor({ timeout: 60_000 });
  await takePicture("schedules", "/schedules");
  const mornings = { name: "By seven", symbols: ["AAPL", "MSFT", "BTC-USD", "SOL-USD"], by_time: "07:00" };
  await browserApp.app.promises.save(null, mornings);
  await takePicture("promises", "/promises");
  await mail.arrived(1);
  await page.goto(`${browserApp.address}/alerts`);
  await page.getByRole("button", { name: "Send a test mail" }).click();
  await mail.arrived(2);
  await takePicture("alerts", "/alerts");
  await takePicture("settings", "/settings");
  await takePicture("hosts", "/hosts");
  await takePicture("storage", "/storage?sort=-bars");
  await takePicture("audit", "/audit");
} finally {
  await Promise.all([browserApp.close(), guarded.close(), tiingo.close()]);
  await closeBrowser();
}
