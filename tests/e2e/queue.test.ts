/** The queue in use: order, selection, and rows that wait while the table is used. */

import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { BrowserApp, live, rowOf, startRun } from "./browser.ts";

setDefaultTimeout(60_000);

let browserApp: BrowserApp;
beforeAll(async () => {
  browserApp = await BrowserApp.open();
});
afterEach(async () => {
  await browserApp.reset();
  expect(browserApp.consoleErrors.splice(0)).toEqual([]);
});
afterAll(() => browserApp.close());

const symbols = (page: Page) =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll(".queue tbody:not([hidden]) th")].map((th) => th.textContent)`,
  );
const box = (page: Page, symbol: string) =>
  page
    .locator(".queue tbody tr")
    .filter({ has: page.getByRole("rowheader", { name: symbol, exact: true }) })
    .getByLabel("Select", { exact: true });
const done = (page: Page, symbol: string) =>
  rowOf(page, symbol).and(page.locator('[data-state="complete"]')).waitFor({ state: "attached" });

test("the queue is sorted by its column heads, in the address, and rows wait while the table is used", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  browserApp.gate.close();
  await startRun(page, "A1 A2 A3 A4 A5 A6");
  await rowOf(page, "A6").waitFor();
  await page.getByRole("link", { name: "Progress" }).click();
  await page.waitForURL("**/?sort=-progress");
  await page.getByRole("link", { name: "Progress" }).click();
  await page.waitForURL("**/?sort=progress");
  await live(page);
  expect(await page.locator("th.c-progress").getAttribute("aria-sort")).toBe("ascending");
  const before = await symbols(page);
  // With a row selected, cells are updated but no row moves.
  await box(page, before[0]!).click();
  browserApp.gate.release(5);
  await rowOf(page, "A1").locator('progress:not([value="0"])').waitFor();
  const chip = page.getByRole("button", { name: /rows? would move/ });
  await chip.waitFor();
  expect(await symbols(page)).toEqual(before);
  await chip.click();
  await chip.waitFor({ state: "hidden" });
  expect(await symbols(page)).not.toEqual(before);
  expect(await box(page, before[0]!).isChecked()).toBe(true);
  await page.mouse.move(1, 1);
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  browserApp.gate.release();
  await done(page, "A6");
});

test("rows are selected by shift-click, key and head, and the selection outlives pages and updates", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  browserApp.gate.close();
  await startRun(page, "B1 B2 B3 B4 B5 B6 B7 B8 B9");
  await rowOf(page, "B9").waitFor();
  const bar = page.locator(".bulk");
  expect(await bar.isVisible()).toBe(false);
  await box(page, "B5").click();
  await box(page, "B8").click({ modifiers: ["Shift"] });
  await bar.getByText("4 selected").waitFor();
  await rowOf(page, "B9").getByLabel("Actions", { exact: true }).focus();
  await page.keyboard.press("x");
  await bar.getByText("5 selected").waitFor();
  await page.getByRole("link", { name: "Symbol", exact: true }).click();
  await page.waitForURL("**/?sort=symbol");
  await live(page);
  await bar.getByText("5 selected").waitFor();
  await bar.getByRole("button", { name: "Pause" }).click();
  for (const symbol of ["B6", "B9"]) await rowOf(page, symbol).and(page.locator('[data-state="paused"]')).waitFor();
  await bar.waitFor({ state: "hidden" });
  await page.getByText("5 symbols paused.").waitFor();
  await page.goto(`${browserApp.address}/?q=status:paused`);
  await live(page);
  await page.getByLabel("Select all rows of this page").click();
  await bar.getByText("5 selected").waitFor();
  await box(page, "B9").click();
  await bar.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel 4 symbols" }).click();
  await page.getByText("4 symbols cancelled.").waitFor();
  await page.goto(browserApp.address);
  await rowOf(page, "B5").and(page.locator('[data-state="cancelled"]')).waitFor();
  await rowOf(page, "B9").and(page.locator('[data-state="paused"]')).waitFor();
  await box(page, "B9").click();
  await bar.getByRole("button", { name: "Skip" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Skip 1 symbol" }).click();
});

test("the filter is applied while one types: rows, address and the updates that follow", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  browserApp.gate.close();
  await startRun(page, "FLT1 FLT2 OTHER3");
  await rowOf(page, "OTHER3").waitFor();
  const filter = page.getByLabel("Filter the queue");
  await filter.pressSequentially("lt");
  await rowOf(page, "OTHER3").waitFor({ state: "detached" });
  expect(await symbols(page)).toEqual(["FLT1", "FLT2"]);
  expect(await page.locator("#filter-state").textContent()).toContain("2 matches");
  await page.waitForURL((url) => url.search === "?q=lt");
  expect(await page.evaluate("document.activeElement.id")).toBe("filter");
  // The new connection follows these rows.
  await live(page);
  browserApp.gate.release();
  await done(page, "FLT1");
  await filter.fill("stage:nonsense");
  await page.locator("#filter-state.error").getByText("stage: wants").waitFor();
  await filter.fill("");
  await page.waitForURL((url) => url.search === "");
  await rowOf(page, "OTHER3").waitFor();
});

test("selecting a row moves nothing, and the bar offers what applies to it", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  browserApp.gate.close();
  await startRun(page, "G1 G2 G3 G4");
  await rowOf(page, "G1").and(page.locator('[data-state="running"]')).waitFor();
  const row = rowOf(page, "G4");
  const before = await row.boundingBox();
  await box(page, "G4").click();
  const bar = page.locator(".bulk[data-open]");
  await bar.waitFor();
  expect(await row.boundingBox()).toEqual(before);
  const offered = () => bar.locator("button[data-from]:visible").allTextContents();
  expect(await offered()).toEqual(["Pause", "Cancel", "Skip"]);
  await bar.getByRole("button", { name: "Pause" }).click();
  await row.and(page.locator('[data-state="paused"]')).waitFor();
  await box(page, "G4").click();
  expect(await offered()).toEqual(["Resume", "Cancel", "Skip"]);
});

test("an open menu, selected text and the focus survive ten updates a second and a new run", async () => {
  const page = await browserApp.usePage("/?sort=-progress");
  await live(page);
  browserApp.gate.close();
  await startRun(page, "C1 C2 C3 C4 C5 C6");
  await rowOf(page, "C6").waitFor();
  const menu = rowOf(page, "C6").getByLabel("Actions", { exact: true });
  await menu.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.evaluate(`getSelection().selectAllChildren(document.querySelector(".queue tbody tr th"))`);
  const before = (await symbols(page)).slice(0, 6);
  const state = `[getSelection().toString(), document.activeElement.textContent,
    document.querySelectorAll(".menu:popover-open").length].join("|")`;
  const held = await page.evaluate(state);
  expect(held).toBe(`${before[0]}|Pause|1`);
  await browserApp.app.runs.start({ symbols: ["D1"], mode: "full", interval: "1d", years: 2, batchDays: 30 });
  const card = page.locator(".run-card:not([aria-current])").first();
  await card.waitFor();
  // Two symbols end, and the others wait.
  browserApp.gate.release(24, 2);
  await done(page, "C1");
  expect(await page.evaluate(state)).toBe(held);
  expect((await symbols(page)).slice(0, 6)).toEqual(before);
  await page.keyboard.press("Escape");
  await card.click();
  expect(await symbols(page)).toEqual(["D1"]);
  browserApp.gate.release();
  await done(page, "D1");
});

test("a cell of the strip tells its days and fetches them again, and many are fetched again after a dry run", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  const request = { symbols: ["E1", "E2", "E3"], mode: "full", interval: "1d", years: 2, batchDays: 30 } as const;
  const { id } = await browserApp.app.runs.start(request);
  await browserApp.app.runs.actOnJob(id, "E3", "pause");
  const strip = rowOf(page, "E3").getByRole("button", { name: "batches fetched" });
  const why = rowOf(page, "E3").getByRole("button", { name: "Paused: why?" });
  await why.click();
  await page.locator(".card:popover-open").getByRole("heading", { name: "Why it waits" }).waitFor();
  expect(await page.locator(".card .conditions li").textContent()).toContain("Resume it");
  await page.keyboard.press("Escape");
  await browserApp.app.runs.actOnJob(id, "E3", "resume");
  await page.locator(".run-head[data-state=complete]").first().waitFor();
  const { width, height } = (await strip.boundingBox())!;
  await strip.hover({ position: { x: width * 0.22, y: height / 2 } });
  const titled = page.locator(".strip[title]");
  await titled.waitFor();
  const title = await titled.getAttribute("title");
  expect(title).toMatch(/^\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: \d+ bars$/);
  await strip.click({ position: { x: width * 0.22, y: height / 2 } });
  const here = page.locator(".card:popover-open li.here");
  expect(await here.locator("span").textContent()).toBe(title);
  await here.getByRole("button", { name: /^Fetch .* again$/ }).click();
  await page.getByText("1 symbol back in the queue: 1 batch to fetch.").waitFor();
  const calls = rowOf(page, "E3").locator(".c-calls");
  await calls.filter({ hasText: "25" }).waitFor();
  await done(page, "E3");

  const newest = page.locator(".run").first();
  await newest.getByLabel("Select all rows of this page").click();
  await newest.getByRole("button", { name: "Fetch again…" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("72 batches of 3 symbols, 72 calls").waitFor();
  expect(
    await dialog
      .getByRole("radio", { name: /^Missing / })
      .first()
      .isDisabled(),
  ).toBe(true);
  await dialog.getByRole("radio", { name: "Features only 3 symbols, no calls" }).check();
  await dialog.getByRole("button", { name: "Fetch again" }).click();
  await page.getByText("3 symbols back in the queue: from the stored bars.").waitFor();
  await page.locator(".run-head[data-state=complete]").first().waitFor();
  expect(await calls.textContent()).toBe("25");
});

test("cells and scopes work without JavaScript", async () => {
  const page = await browserApp.usePage("/", { javaScriptEnabled: false });
  await startRun(page, "G1");
  const run = browserApp.app.hub.runs().at(-1)!.id;
  while (browserApp.app.hub.job(run, "G1")?.state !== "complete")
    await browserApp.app.hub.stream({ latest: true }).next(100);
  await page.goto(browserApp.address);
  await rowOf(page, "G1").getByLabel("Actions", { exact: true }).click();
  await page.getByText("Details of each batch").click();
  await page.locator(".batches").getByRole("button").first().click();
  await page.waitForURL("**/jobs/G1");
  while ((browserApp.app.hub.job(run, "G1")?.apiCalls ?? 0) < 25)
    await browserApp.app.hub.stream({ latest: true }).next(100);
  while (browserApp.app.hub.job(run, "G1")?.state !== "complete")
    await browserApp.app.hub.stream({ latest: true }).next(100);
  await page.goto(browserApp.address);
  await box(page, "G1").check();
  await page.getByRole("button", { name: "Fetch again…" }).first().click();
  await page.getByRole("radio", { name: "Features only" }).check();
  await page.getByRole("button", { name: "Fetch again" }).click();
  await page.waitForURL(`${browserApp.address}/`);
});
