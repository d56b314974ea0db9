/** Axe on every kind of page, in both themes, and what it does not look at: widths, zones, motion. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { BATCH_STATES } from "../../../src/domain/runs/coverage.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { PASSWORD } from "../../helpers/password.ts";
import { addAxe, BrowserApp, live, rowOf, startRun } from "../browser.ts";
import { CONTRASTS, LEAN, WITHOUT_REPETITION, ZONELESS } from "./page-checks.ts";

setDefaultTimeout(60_000);

const prices = temporaryFolder();
let browserApp: BrowserApp;
/** One page for all tests. */
let page: Page;
beforeAll(async () => {
  browserApp = await BrowserApp.open({
    BARKEEP_PASSWORD: PASSWORD,
    BARKEEP_SECRET: "the secret of this test",
    // No server listens there: the mail waits.
    SMTP_URL: "smtp://127.0.0.1:9",
    ALERT_TO: "you@example.com",
    BARKEEP_CSV_DIR: prices.path,
  });
  page = await browserApp.openPage("/healthz", { reducedMotion: "reduce" });
  await page.goto(`${browserApp.address}/login`);
});
afterAll(async () => {
  expect(browserApp.consoleErrors).toEqual([]);
  await browserApp.close();
  prices[Symbol.dispose]();
});

const told = ({ violations }: Pick<AxeResults, "violations">): string[] =>
  violations.flatMap(({ id, nodes }) => nodes.map((node) => `${page.url()} ${id}: ${node.html.slice(0, 160)}`));

/** The rules that the page breaks, or a part of it, with the elements that break them; not `without` those judged apart. */
async function violations(root = "html", without = ["color-contrast"]): Promise<string[]> {
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  const options = { ...LEAN, resultTypes: ["violations"], rules };
  return told(await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(root)}, ${JSON.stringify(options)})`));
}

/** The combinations of colours and sizes on the pages so far. */
const judgedContrasts = new Set<string>();
/** How often axe was asked for each; those of which it says nothing are given up after some. */
const triedContrasts = new Map<string, number>();
const MOST_TRIES = 4;

async function contrastFaults(): Promise<string[]> {
  type Contrasts = Pick<AxeResults, "violations"> & Record<"judged" | "tried", readonly string[]>;
  const found = await page.evaluate<Contrasts>(`(${CONTRASTS})(${JSON.stringify([...judgedContrasts])})`);
  for (const key of found.judged) judgedContrasts.add(key);
  // What axe cannot see, as below a picture, it rarely sees on the next page.
  for (const key of found.tried) {
    const count = (triedContrasts.get(key) ?? 0) + 1;
    triedContrasts.set(key, count);
    if (count === MOST_TRIES) judgedContrasts.add(key);
  }
  return told(found);
}

/** Shapes of the header, its links, the help and what else is around the content of the pages so far. */
const judgedParts = new Set<string>();

/** Attributes whose values rules judge, and those that styles name. */
const valued = new Set(["role", "type", "scope", "tabindex", "lang", "autocomplete", "class"]);
const styles = new URL("../../../public/css/", import.meta.url).pathname;
for await (const file of new Bun.Glob("**/*.css").scan({ cwd: styles, absolute: true }))
  for (const [, name] of (await Bun.file(file).text()).matchAll(/\[([-\w]+)/g)) valued.add(name!);

/** Removes from the page what was judged already; returns the faults that depend on it. */
async function simplify(): Promise<string[]> {
  const known = [judgedParts, valued].map((each) => JSON.stringify([...each])).join(", ");
  type Simplified = { readonly found: readonly string[]; readonly parts: readonly string[] };
  const { found, parts } = await page.evaluate<Simplified>(`(${WITHOUT_REPETITION})(${known})`);
  for (const key of parts) judgedParts.add(key);
  return found.map((text) => `${page.url()} ${text}`);
}

/** Sizes in CSS pixels: a phone, and a window of 1440 by 900 at a zoom of 200 %. */
const PHONE = { width: 390, height: 844 };
const ZOOMED = { width: 720, height: 450 };
const DESKTOP = { width: 1440, height: 900 };

/**
 * What is wrong with the page as it is now: width, a head that leaves no room, motion, times without a zone, rules,
 * contrasts. What repeats is removed from the page.
 */
async function faults(): Promise<string[]> {
  const found: string[] = [];
  for (const size of [PHONE, ZOOMED]) {
    await page.setViewportSize(size);
    const [width, head, moving] = await page.evaluate<[number, number, number]>(`[
      document.documentElement.scrollWidth,
      document.querySelector("header.top").offsetHeight,
      document.getAnimations().length,
    ]`);
    if (width > size.width) found.push(`${page.url()} is ${width} px wide on ${size.width}`);
    if (head > size.height / 3) found.push(`${page.url()} has a head of ${head} px on ${size.height}`);
    if (moving > 0) found.push(`${page.url()} moves`);
  }
  await page.setViewportSize(DESKTOP);
  found.push(...(await page.evaluate<string[]>(ZONELESS)).map((text) => `${page.url()} names no zone: ${text}`));
  await addAxe(page);
  found.push(...(await simplify()));
  found.push(...(await violations("html", ["color-contrast", "scrollable-region-focusable"])));
  found.push(...(await contrastFaults()));
  // Only colours differ between the themes.
  await page.emulateMedia({ colorScheme: "dark" });
  found.push(...(await contrastFaults()));
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

async function faultsOf(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    await page.goto(browserApp.address + path);
    found.push(...(await faults()));
  }
  return found;
}

const post = (path: string, data: object) => page.request.post(browserApp.address + path, { data });

/** Starts a run; its id. */
async function postRun(body: object): Promise<string> {
  const { run } = await (await post("/api/runs", body)).json();
  return run.id;
}

test("axe finds nothing on the login, nor on pages that have nothing to show", async () => {
  const found = await faults();
  await page.getByLabel("Password or access token").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${browserApp.address}/`);
  found.push(...(await faults()));
  found.push(...(await faultsOf(["/companies", "/files", "/profiles", "/runs", "/alerts"])));
  expect(found).toEqual([]);
});

/** As long as the name of a run may be. */
const LONG_NAME = "Nightly download of everything that the research desk keeps, from 2020 to today".padEnd(80, "!");

/** A run whose symbols are at work and wait. */
let many: string;

test("axe finds nothing on the monitor while symbols fail, work and wait", async () => {
  await post("/companies/fetch", {});
  await page.goto(browserApp.address);
  await live(page);
  await page.getByLabel("Provider", { exact: true }).selectOption("files");
  await startRun(page, "VERYLONGNAME.WITH-SUFFIX");
  await page.locator(".run-head[data-state=failed]").waitFor();
  await browserApp.waitForRun(await postRun({ symbols: ["AAPL"], years: 8, name: LONG_NAME }));
  browserApp.gate.close();
  many = await postRun({ symbols: Array.from({ length: 12 }, (_, index) => `S${index}`), years: 30 });
  browserApp.gate.release(10);
  await rowOf(page, "S1").and(page.locator("[data-state=running]")).waitFor();
  await startRun(page, "not/a/symbol");
  await page.locator("#run-symbols-error").waitFor();
  expect(await faults()).toEqual([]);
  browserApp.dismissErrors(/status of 422/);
});

test("axe finds nothing on the monitor with a menu and with a dialog open", async () => {
  await page.goto(browserApp.address);
  await live(page);
  await addAxe(page);
  await rowOf(page, "S1").getByLabel("Actions", { exact: true }).click();
  const found = [...(await violations(".menu:popover-open")), ...(await contrastFaults())];
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Cancel", exact: true }).first().click();
  await page.getByRole("dialog").waitFor();
  await browserApp.app.runs.actOnRun(many, "pause");
  found.push(...(await faults()));
  expect(found).toEqual([]);
});

/** In the page: the colours of a picture in the middle of its height, at a quarter and three quarters of its width. */
const coloursOf = (picture: string) => `(async () => {
  const image = new Image();
  image.src = "data:image/png;base64,${picture}";
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const at = (share) => context.getImageData(image.width * share, image.height / 2, 1, 1).data.join();
  return [at(0.25), at(0.75)];
})()`;

test("in forced colours a progress bar shows its share, and no two cells of the legend look the same", async () => {
  await page.emulateMedia({ forcedColors: "active" });
  try {
    for (const selector of [".run-head progress", ".queue tbody progress"]) {
      const bar = page.locator(selector).first();
      let [done, left]: string[] = [];
      // An update of the page may set the bar to what it was before the picture is taken.
      for (let tries = 0; done === left && tries < 20; tries++) {
        await page.evaluate(`{ const bar = document.querySelector("${selector}"); bar.value = bar.max / 2; }`);
        [done, left] = await page.evaluate<string[]>(coloursOf((await bar.screenshot()).toString("base64")));
      }
      expect([selector, done]).not.toEqual([selector, left]);
    }
    // A job rarely has batches in every state.
    await page.evaluate(`document.querySelector("main").insertAdjacentHTML(
      "afterbegin",
      '<p class="legend">${BATCH_STATES.map((state) => `<i class="cell cell-${state}"></i>`).join("")}</p>',
    )`);
    const cells = await page.locator("main > .legend .cell").all();
    const looks = await Promise.all(cells.map(async (cell) => (await cell.screenshot()).toString("base64")));
    expect(new Set(looks).size).toBe(BATCH_STATES.length);
  } finally {
    await page.emulateMedia({ forcedColors: "none" });
  }
});

test("axe finds nothing on a run, its symbols and the lists", async () => {
  await page.goto(browserApp.address);
  const run = await page.locator(".run-head h2 a").first().getAttribute("href");
  const job = await rowOf(page, "S1").locator(`a[href*="/jobs/"]`).getAttribute("href");
  const pages = [
    run!,
    job!,
    "/runs",
    "/search?q=aapl",
    "/companies?q=a&pick=AAPL",
    "/schedules",
    "/schedules/1",
    "/schedules/1/delete",
  ];
  expect(await faultsOf(pages)).toEqual([]);
});

test("axe finds nothing on promises, and on the monitor that shows them", async () => {
  const coins = { name: "Coins", symbols: ["BTC-USD", "S1"], by_time: "12:00", time_zone: "UTC", days: "every_day" };
  await post("/api/promises", coins);
  await browserApp.app.db.write(
    ["kept", "missed", "unknown"].map((outcome, at) => ({
      sql: `INSERT INTO promise_results (promise_id, deadline, outcome, judged_at, total, fresh, missing, unknown, gaps, note)
        VALUES (1, ?1, ?2, ?1, 1, ?3, ?4, ?5, 0, 'no run was planned')`,
      args: [1e12 + at * 864e5, outcome, Number(at === 0), Number(at === 1), Number(at === 2)],
    })),
  );
  expect(await faultsOf(["/", "/promises", "/promises/1", "/promises/1/delete"])).toEqual([]);
});

test("axe finds nothing on alerts, settings, hosts, storage and the audit", async () => {
  await post("/alerts/test", {});
  const pages = ["/alerts", "/alerts/channels", "/settings", "/settings/access", "/hosts", "/storage", "/audit"];
  expect(await faultsOf(pages)).toEqual([]);
});

test("axe finds nothing on the question before old bars are deleted", async () => {
  await page.goto(`${browserApp.address}/storage?q=AAPL`);
  await page.getByLabel("Which series").selectOption("all");
  await page.getByLabel("Delete bars before").fill("1y");
  await page.getByRole("button", { name: "Preview" }).click();
  await page.getByRole("button", { name: "Delete old bars" }).waitFor();
  expect(await faults()).toEqual([]);
});

test("axe finds nothing on the page of panels", async () => {
  expect(await faultsOf(["/panel?symbols=AAPL&include=ohlcv&feature=rsi_14"])).toEqual([]);
});

test("axe finds nothing on the page of snapshots, with two of them compared and one deleted", async () => {
  const made: { id: string }[] = [];
  for (const name of ["First", "Second", "Third"]) {
    const names = name === "First" ? "rsi_14" : "none";
    const answer = await post("/api/snapshots", { name, symbols: ["AAPL"], names, include: "ohlcv" });
    made.push(await answer.json());
  }
  await page.request.delete(`${browserApp.address}/api/snapshots/${made[2]!.id}?reason=a+try`);
  expect(await faultsOf(["/snapshots", `/snapshots?a=${made[0]!.id}&b=${made[1]!.id}`])).toEqual([]);
});

test("axe finds nothing on the lists of profiles, and on the tables of one", async () => {
  const pages = [
    "/profiles?where=rsi_14>0",
    "/quality",
    "/profiles/AAPL/delete",
    `/profiles/AAPL/bars?from=${new Date(Date.now() - 20 * 86_400_000).toISOString().slice(0, 10)}`,
    "/profiles/AAPL/features/rsi_14",
  ];
  expect(await faultsOf(pages)).toEqual([]);
});

test("a fault is found in the one row that has it, and ids, references and areas to scroll are looked at in all rows", async () => {
  await page.goto(`${browserApp.address}/runs`);
  await page.evaluate(`{
    const row = (name, id) => '<li><button type="button" class="button">' + name + '</button><span class="x" id="' + id + '">text</span></li>';
    const rows = ["One", "Two", "Three", "", "Five", "Six"].map((name, at) => row(name, at === 5 ? "x-2" : "x-" + at));
    const list = "<ul>" + rows.join("") + '</ul><p>Read <span aria-describedby="gone">this</span></p>';
    document.querySelector("main").insertAdjacentHTML("beforeend", list);
    const area = document.createElement("div");
    area.style = "height: 20px; overflow: auto";
    area.append(...Array.from({ length: 20 }, () => Object.assign(document.createElement("p"), { textContent: "line" })));
    document.querySelector("main").append(area);
  }`);
  const found = (await faults()).map((text) => text.slice(text.indexOf("/runs "), text.indexOf("/runs ") + 60));
  expect(found).toEqual([
    "/runs has twice the id x-2",
    "/runs has nothing with the id gone",
    '/runs scrollable-region-focusable: <div style="height: 20px;',
    '/runs button-name: <button type="button" class="button"></bu',
  ]);
});

test("axe finds nothing on the documentation of the API, and on errors", async () => {
  expect(await faultsOf(["/api/docs", "/nowhere"])).toEqual([]);
  browserApp.dismissErrors(/status of 404/);
});

test("axe finds nothing on a profile with its chart, a feature and the analysis open", async () => {
  const layout = "overlay=ichimoku&overlay=supertrend&panes=volume,macd&compare=MSFT";
  await page.goto(`${browserApp.address}/profiles/AAPL?interval=1d&${layout}`);
  await page.locator("#chart[data-ready] .chart-stage[aria-busy=false]").waitFor();
  await page.locator("[data-keys] summary").click();
  await page.locator(".family summary").first().click();
  await page.locator(".family .feature-report").first().waitFor();
  // It is replaced as soon as it is in view.
  await page.evaluate(`document.querySelector("#analysis").scrollIntoView()`);
  await page.locator(".analysis-cards").waitFor();
  expect(await faults()).toEqual([]);
  // Of the symbol to compare with, which has no bars.
  browserApp.dismissErrors(/status of 404/);
});

test("axe finds nothing on the comparison of two providers", async () => {
  const bars = await page.request.get(`${browserApp.address}/api/bars/AAPL?interval=1d&format=csv`);
  await Bun.write(`${prices.path}/AAPL.csv`, (await bars.text()).replace(/\n[^\n]+\n$/, "\n"));
  await browserApp.waitForRun(await postRun({ symbols: ["AAPL"], provider: "files", years: 1 }));
  expect(await faultsOf(["/profiles/AAPL/compare"])).toEqual([]);
  expect(await page.getByText("First: files").count()).toBe(1);
});
