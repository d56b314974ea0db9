import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { fakeTiingo } from "../fakes/vendors/tiingo.ts";
import { FAKE_KEY } from "../fakes/vendors/vendor.ts";
import { BrowserApp, live, rowOf } from "./browser.ts";

const tiingo = fakeTiingo();
setDefaultTimeout(60_000);

let browserApp: BrowserApp;
beforeAll(async () => {
  browserApp = await BrowserApp.open({ BARKEEP_SECRET: "the secret of this test", TIINGO_BASE_URL: tiingo.url });
});
afterEach(async () => {
  await browserApp.reset();
  expect(browserApp.consoleErrors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await browserApp.close();
  await tiingo.close();
});

const symbols = (page: Page) => page.locator(".company-list tbody th").allTextContents();
const search = (page: Page) => page.getByLabel("Symbol or name");

test("companies are fetched, found while typing, selected over several searches, and run", async () => {
  const page = await browserApp.usePage("/companies");
  await page.getByText("No companies yet").waitFor();
  await page.getByRole("button", { name: "Fetch" }).click();
  await page.getByText("fetched", { exact: false }).first().waitFor();
  await page.goto(`${browserApp.address}/companies`);
  await search(page).pressSequentially("berkshire", { delay: 20 });
  await page.locator("#company-BRK\\.B").waitFor();
  // Answers to the first letters are replaced: the last one has two rows.
  await page.locator(".company-list tbody tr").nth(2).waitFor({ state: "detached" });
  expect(await symbols(page)).toEqual(["BRK.A", "BRK.B"]);
  await page.getByLabel("Select BRK.B").check();
  await page.getByText("1 selected").waitFor();
  expect(await page.evaluate("document.activeElement.id")).toBe("pick-BRK.B");
  await search(page).fill("appl");
  await page.locator("#company-AAPL").waitFor();
  await page.getByLabel("Select AAPL").check();
  await page.getByText("2 selected").waitFor();
  // The location is updated, so that it can be bookmarked.
  await page.waitForURL(({ searchParams }) => searchParams.get("q") === "appl");
  expect(new URL(page.url()).searchParams.get("pick")?.split(",").toSorted()).toEqual(["AAPL", "BRK.B"]);
  // A selection of an earlier search is removed with its chip.
  await page.locator("#kept-BRK\\.B").click();
  await page.getByText("1 selected").waitFor();
  await page.getByRole("button", { name: "Start run…" }).click();
  expect(await page.getByLabel("Symbols", { exact: true }).inputValue()).toBe("AAPL");
  await live(page);
  await page.getByRole("button", { name: "Start run" }).click();
  await rowOf(page, "AAPL").waitFor();
});

test("a typed key is checked and stays in the form until it is saved; then it is never shown again", async () => {
  const page = await browserApp.usePage("/settings");
  const section = page.locator("#provider-tiingo");
  await section.getByText("Needs").waitFor();
  await section.getByLabel("TIINGO_API_KEY").fill(FAKE_KEY);
  await section.getByRole("button", { name: "Check this key" }).click();
  await section.getByText("accepts the key").waitFor();
  expect(page.url()).not.toContain(FAKE_KEY);
  expect(await section.getByLabel("TIINGO_API_KEY").inputValue()).toBe(FAKE_KEY);
  await section.getByText("Needs").waitFor();
  await section.getByRole("button", { name: "Save" }).click();
  await section.getByText("Ready").waitFor();
  await section.getByRole("button", { name: "Check this key" }).click();
  await section.getByText("accepts the key").waitFor();
  expect(await section.getByLabel("TIINGO_API_KEY").inputValue()).toBe("");
  expect(await page.content()).not.toContain(FAKE_KEY);
});
