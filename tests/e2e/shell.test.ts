import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { live, Screen, startRun } from "./screen.ts";

setDefaultTimeout(60_000);

const PASSWORD = "correct horse battery";
let screen: Screen;
beforeAll(async () => {
  screen = await Screen.open(1, ".", { BARKEEP_PASSWORD: PASSWORD });
});
afterEach(() => screen.leave());
afterAll(async () => {
  await screen.close();
});

async function signIn(path: string): Promise<Page> {
  const page = await screen.visit(path);
  await page.getByLabel("Password or access token").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(screen.address + path);
  return page;
}

test("the palette is walked with the keyboard, and moments follow the zone chosen in it", async () => {
  const page = await signIn("/");
  await live(page);
  await startRun(page, "AAPL");
  await page.locator(".run-head[data-state=complete]").waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("new york");
  // Enter does not wait for the list, but the list is waited for.
  await page.keyboard.press("Enter");
  await page.locator('html[data-zone="exchange"]').waitFor();
  expect(await page.locator("#clock").textContent()).toMatch(/^\d\d:\d\d:\d\d E[SD]T$/);
  await live(page);
  await startRun(page, "MSFT");
  await page
    .locator(".run-head[data-state=complete]")
    .filter({ hasText: /started \d{4}-\d\d-\d\d \d\d:\d\d E[SD]T/ })
    .first()
    .waitFor();
  await page.locator("body").press("Control+k");
  await page.getByRole("option", { name: "Monitor" }).and(page.locator("[aria-selected=true]")).waitFor();
  await page.keyboard.type("aapl");
  await page.getByRole("option", { name: /^AAPL.*profile/ }).waitFor();
  await page.keyboard.press("ArrowDown");
  const option = page.locator("#palette [aria-selected=true]");
  expect(await page.getByRole("combobox", { name: "Pages" }).getAttribute("aria-activedescendant")).toBe(
    await option.getAttribute("id"),
  );
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run("#palette")`);
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/profiles\/AAPL/);
  await page.keyboard.press("/");
  await page.locator("#palette[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#palette[open]").waitFor({ state: "detached" });
  expect(screen.complaints.splice(0)).toEqual([]);
});

test("signed out in another tab, a page leads to the login, and from there back to where it was", async () => {
  const page = await signIn("/?q=status%3Afailed");
  await live(page);
  const other = await page.context().newPage();
  await other.goto(`${screen.address}/runs`);
  await other.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/\/login\?next=/);
  await page.getByLabel("Password or access token").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${screen.address}/?q=status%3Afailed`);
  await live(page);
  // The refused stream is all that the browser complains of.
  expect(screen.complaints.splice(0).every((text) => text.includes("401"))).toBe(true);
});
