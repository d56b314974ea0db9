/** Promises in a browser: made with a preview while the form is filled in, followed on the monitor; and desktop notifications. */

import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { BrowserContext, Page } from "playwright-core";
import { BrowserApp, live } from "./browser.ts";

setDefaultTimeout(60_000);

let browserApp: BrowserApp;
beforeAll(async () => {
  browserApp = await BrowserApp.open();
});
afterEach(async () => {
  await browserApp.reset();
  for (const { promise } of await browserApp.app.promises.list()) await browserApp.app.promises.remove(promise.id);
  expect(browserApp.consoleErrors).toEqual([]);
});
afterAll(() => browserApp.close());

const open = async (path: string) => {
  const page = await browserApp.usePage(path);
  await page.locator("main").waitFor();
  return page;
};

test("a promise is made with the keyboard, and what it means is said while the form is filled in", async () => {
  const page = await open("/promises");
  await page.locator("summary", { hasText: "Add a promise" }).focus();
  await page.keyboard.press("Enter");
  const field = (name: string) => page.getByLabel(name, { exact: true });
  await field("Name").focus();
  await page.keyboard.type("Coins at night");
  await field("Symbols").focus();
  await page.keyboard.type("btc-usd eth-usd");
  await page.locator("#promise-preview").getByText("0 of 2 fresh, 2 missing").waitFor();
  await field("On").selectOption("every_day");
  await field("Trading days of").waitFor({ state: "hidden" });
  await page.locator("#promise-time_zone").fill("UTC");
  await field("Fresh by").focus();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("26:00");
  await page.locator("#promise-preview").getByText("is not a time like 07:00").waitFor();
  await page.keyboard.press("Enter");
  // The first field with an error has the focus.
  await page.locator("#promise-by_time-error").waitFor();
  expect(await page.evaluate<string>("document.activeElement.id")).toBe("promise-by_time");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("23:30");
  await page.keyboard.press("Enter");
  const card = page.locator(".promise", { hasText: "Coins at night" });
  await card.getByText("Fresh by 23:30 in UTC every day").waitFor();
  await card.getByText("Will be missed").waitFor();
  browserApp.dismissErrors(/422/);
});

test("the monitor shows what becomes of a promise without a reload, and leads to it", async () => {
  const body = {
    name: "Coins",
    symbols: ["BTC-USD", "SOL-USD"],
    by_time: "12:00",
    time_zone: "UTC",
    days: "every_day",
  };
  const { promise } = await browserApp.app.promises.save(null, body);
  const page = await open("/");
  await live(page);
  const panel = page.locator("#promises");
  await panel.getByText("0 of 2 fresh, 2 missing").waitFor();
  await browserApp.app.promises.change(promise.id, { symbols: ["SOL-USD"], name: "One coin" });
  await panel.getByText("0 of 1 fresh, 1 missing").waitFor();
  await panel.getByRole("link", { name: "One coin" }).click();
  await page.locator("summary", { hasText: "Change the promise" }).waitFor();
});

/**
 * In the page: notifications are collected instead of shown, a test says whether the page is visible, and `asked` counts
 * the notifications that came.
 */
const STUB = `(() => {
  window.shown = [];
  window.Notification = class {
    static permission = "granted";
    static requestPermission = async () => window.Notification.permission;
    constructor(title, options) { this.title = title; Object.assign(this, options); window.shown.push(this); }
    close() {}
  };
  window.asked = 0;
  // An empty document has no locks.
  const query = navigator.locks?.query.bind(navigator.locks);
  if (query) navigator.locks.query = () => query().finally(() => { window.asked += 1; });
  let hidden = false;
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  window.show = (visible) => {
    hidden = !visible;
    document.dispatchEvent(new Event("visibilitychange"));
  };
})()`;
const titles = (page: Page) => page.evaluate<string[]>("shown.map(({ title }) => title)");
/** Waits for a condition in the page, whose policy forbids the driver to evaluate one there. */
const until = (page: Page, condition: string) =>
  page.evaluate(`new Promise((resolve) => {
    const look = () => (${condition} ? resolve() : setTimeout(look, 10));
    look();
  })`);
const shows = (page: Page, visible: boolean) => page.evaluate(`show(${visible})`);

async function openStubbed(path: string, permission = "granted"): Promise<{ page: Page; context: BrowserContext }> {
  const page = await browserApp.usePage(path, {
    permissions: ["notifications"],
    script: `${STUB}; Notification.permission = "${permission}";`,
  });
  await page.locator("main").waitFor();
  return { page, context: page.context() };
}

/** Waits until a page in the background follows the server. */
const followed = (context: BrowserContext) =>
  context.waitForEvent("response", { predicate: (response) => response.url().includes("/events/notifications") });

/** Starts a run, and waits until its end has left the server, which may be before the start is answered. */
async function run(symbols: string[], name: string): Promise<void> {
  const ended = new Set<string>();
  let look = () => {};
  const stop = browserApp.app.hub.onFrame(({ runs }) => {
    for (const { id, finishedAt } of runs) if (finishedAt !== null) ended.add(id);
    look();
  });
  const response = await fetch(`${browserApp.address}/api/runs`, {
    method: "POST",
    body: JSON.stringify({ symbols, name, years: 1 }),
    headers: { "Content-Type": "application/json" },
  });
  const { run } = (await response.json()) as { run: { id: string } };
  await new Promise<void>((resolve) => {
    look = () => {
      if (ended.has(run.id)) resolve();
    };
    look();
  });
  stop();
}

test("notifications are offered on the monitor, shown for an ended run while the page is hidden, and lead to it", async () => {
  const { page, context } = await openStubbed("/");
  await page.getByRole("button", { name: "Notify me" }).click();
  await page.getByRole("button", { name: "Notify me" }).waitFor({ state: "hidden" });
  expect(await titles(page)).toEqual(["Notifications are on"]);
  // What an older version or a person has kept there does not silence it.
  await page.evaluate(`localStorage.setItem("barkeep-notifications", '{"on":true}')`);

  // While it is visible, the page itself shows it.
  await run(["AAPL"], "Seen");
  const following = followed(context);
  await shows(page, false);
  await following;
  await run(["AAPL"], "Unseen");
  await until(page, "shown.length > 1");
  expect(await titles(page)).toEqual(["Notifications are on", "Done: Unseen"]);
  await page.evaluate("shown[1].onclick()");
  await page.waitForURL("**/runs/*");
  // The choice outlives the page.
  await page.goto(`${browserApp.address}/settings`);
  await page.getByText("They are on in this browser.").waitFor();
});

test("of several hidden pages one notifies, none while another page is visible, and only of the chosen kinds", async () => {
  const { page: other, context } = await openStubbed("/settings");
  await other.getByRole("button", { name: "Turn on notifications" }).click();
  await other.getByLabel("A run is done").uncheck();
  const page = await context.newPage();
  await page.goto(`${browserApp.address}/runs`);
  const following = followed(context);
  await shows(page, false);
  await following;
  // The other page is visible.
  await run(["AAPL", "DEMO-FAIL"], "First");
  await until(page, "asked === 1");
  await shows(other, false);
  await run(["AAPL"], "Done");
  await run(["AAPL", "DEMO-FAIL"], "Second");
  await until(page, "shown.length > 0");
  expect(await titles(page)).toEqual(["Ended with failures: Second"]);
  expect(await titles(other)).toEqual(["Notifications are on"]);
  // When the page that follows is shown or closed, the other one takes over.
  const taken = followed(context);
  await page.close();
  await taken;
  await run(["AAPL", "DEMO-FAIL"], "Third");
  await until(other, "shown.length > 1");
  expect(await titles(other)).toEqual(["Notifications are on", "Ended with failures: Third"]);
});

test("a reader who declines is not asked again, and one whose browser blocks notifications is told where to allow them", async () => {
  const { page } = await openStubbed("/");
  await page.getByRole("button", { name: "No", exact: true }).click();
  await page.reload();
  await live(page);
  expect(await page.getByRole("button", { name: "Notify me" }).isVisible()).toBe(false);
  await browserApp.closePages();
  const { page: denied } = await openStubbed("/", "denied");
  await live(denied);
  expect(await denied.getByRole("button", { name: "Notify me" }).isVisible()).toBe(false);
  await denied.goto(`${browserApp.address}/settings`);
  await denied.getByText("They are blocked for this site").waitFor();
  expect(await denied.getByRole("button", { name: "Turn on notifications" }).isVisible()).toBe(false);
});

test("a promise at risk is notified with its reason", async () => {
  const { page, context } = await openStubbed("/settings");
  await page.getByRole("button", { name: "Turn on notifications" }).click();
  const following = followed(context);
  await shows(page, false);
  await following;
  const soon = new Date(Date.now() + 3_600_000).toISOString().slice(11, 16);
  const body = { name: "Soon", symbols: ["SOL-USD"], by_time: soon, time_zone: "UTC", days: "every_day" };
  await browserApp.app.promises.save(null, body);
  await until(page, "shown.length > 1");
  expect(await page.evaluate("shown[1].title")).toBe("Promise at risk: Soon");
  expect(await page.evaluate("shown[1].body")).toContain("no run is planned before the deadline");
});
