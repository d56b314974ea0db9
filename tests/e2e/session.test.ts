import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { AxeResults } from "axe-core";
import type { Page, Request } from "playwright-core";
import { hashSecret } from "../../src/auth.ts";
import { saveToken } from "../../src/storage/access/tokens.ts";
import { PASSWORD, PASSWORD_HASH } from "../helpers/password.ts";
import { addAxe, BrowserApp, live, rowOf, startRun } from "./browser.ts";

setDefaultTimeout(60_000);

let browserApp: BrowserApp;
beforeAll(async () => {
  browserApp = await BrowserApp.open({ BARKEEP_PASSWORD_HASH: PASSWORD_HASH, BARKEEP_TRUSTED_PROXIES: "127.0.0.1" });
});
afterEach(async () => {
  await browserApp.reset();
  expect(browserApp.consoleErrors.splice(0)).toEqual([]);
});
afterAll(() => browserApp.close());

async function signIn(page: Page, password = PASSWORD): Promise<void> {
  await page.getByLabel("Password or access token").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in on a page at `path`. */
async function signedIn(path = "/"): Promise<Page> {
  const page = await browserApp.usePage(path);
  await signIn(page);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  return page;
}

test("a wrong password is said at its field and soon throttled; the right one leads back", async () => {
  // As a proxy on this machine sets it, so that the attempts count for one address only.
  const page = await browserApp.usePage("/healthz");
  await page.setExtraHTTPHeaders({ "X-Forwarded-For": "192.0.2.7" });
  await page.goto(`${browserApp.address}/runs?page=2`);
  expect(page.url()).toBe(`${browserApp.address}/login?next=%2Fruns%3Fpage%3D2`);
  await signIn(page, "a guess");
  await page.getByText("neither the password nor a valid token").waitFor();
  expect(await page.evaluate("document.activeElement.id")).toBe("password");
  const throttled = page.getByText("Too many attempts: try again in");
  while (!(await throttled.isVisible())) {
    // One guess at a time: many at once use up what all addresses may try.
    const answered = page.waitForEvent("load");
    await signIn(page, "another guess");
    await answered;
  }
  browserApp.dismissErrors(/status of 4(?:01|29)/);
  const other = await signedIn("/runs?page=2");
  expect(other.url()).toBe(`${browserApp.address}/runs?page=2`);
});

test("a page whose session has ended goes to the login once, and stays there", async () => {
  const page = await signedIn();
  await live(page);
  const steps: string[] = [];
  page.on("framenavigated", (frame) => steps.push(new URL(frame.url()).pathname));
  await page.context().clearCookies();
  // The stream breaks off, and the reconnect is refused.
  await browserApp.startServer(await browserApp.stopServer());
  await page.waitForURL("**/login*");
  expect(await page.locator("[hx-sse\\:connect]").count()).toBe(0);
  await signIn(page, "not it");
  await page.getByText("neither the password").waitFor();
  expect(steps).toEqual(["/login", "/login"]);
  browserApp.dismissErrors(/status (?:of )?401|ERR_CONNECTION|ERR_INCOMPLETE|Failed to fetch|network error/);
});

test("a page signed out in another tab goes to the login, and from there back to where it was", async () => {
  const page = await signedIn("/?q=status%3Afailed");
  await live(page);
  const other = await page.context().newPage();
  await other.goto(`${browserApp.address}/runs`);
  await other.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/\/login\?next=/);
  await page.getByLabel("Password or access token").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${browserApp.address}/?q=status%3Afailed`);
  await live(page);
  // The refused stream is the only error of the browser.
  browserApp.dismissErrors(/401/);
});

/** Lets a page set whether it is visible; one that is opened with it begins in the background. */
const BACKGROUND = `(() => {
  let hidden = true;
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  window.show = (visible) => {
    hidden = !visible;
    document.dispatchEvent(new Event("visibilitychange"));
  };
})()`;

test("eight tabs of one browser all load, and the visible ones are live", async () => {
  const first = await signedIn();
  await live(first);
  const context = first.context();
  const streams: string[] = [];
  const watch = (request: Request) => {
    if (new URL(request.url()).pathname === "/events") streams.push(request.url());
  };
  context.on("request", watch);
  // A browser opens six connections to a server, and a stream holds one for as long as it lasts.
  const others = await Promise.all(
    Array.from({ length: 7 }, async () => {
      const page = await context.newPage();
      await page.addInitScript(BACKGROUND);
      await page.goto(browserApp.address);
      return page;
    }),
  );
  expect(streams).toEqual([]);
  context.off("request", watch);
  const last = others.at(-1)!;
  await last.evaluate("show(true)");
  await live(last);
  await startRun(last, "T1 T2 T3");
  await rowOf(first, "T3").waitFor();
  await first.evaluate(BACKGROUND);
  await first.evaluate("show(false)");
  await startRun(last, "T4 T5");
  await rowOf(last, "T5").waitFor();
  expect(await rowOf(first, "T5").count()).toBe(0);
  await first.evaluate("show(true)");
  await rowOf(first, "T5").waitFor();
});

test("the palette works by keyboard, and moments follow the zone chosen in it", async () => {
  const page = await signedIn();
  await live(page);
  await startRun(page, "AAPL");
  await page.locator(".run-head[data-state=complete]").waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("new york");
  // Enter does not wait for the list, but takes effect once the list is there.
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
  // The answer to the last letter is the list that stays.
  await Promise.all([page.waitForResponse(/\?q=aapl$/), page.keyboard.type("aapl")]);
  await page
    .getByRole("option", { name: /^AAPL.*profile/ })
    .and(page.locator("[aria-selected=true]"))
    .waitFor();
  await page.keyboard.press("ArrowDown");
  const option = page.locator("#palette [aria-selected=true]");
  expect(await page.getByRole("combobox", { name: "Pages" }).getAttribute("aria-activedescendant")).toBe(
    await option.getAttribute("id"),
  );
  await addAxe(page);
  const { violations } = await page.evaluate<AxeResults>(`axe.run("#palette")`);
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/profiles\/AAPL/);
  await page.keyboard.press("/");
  await page.locator("#palette[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#palette[open]").waitFor({ state: "detached" });
});

/** In the browser: the selectors of a style sheet that match an element of the page. */
const MATCHES = `async (address) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(await (await fetch(address)).text());
  const selectors = (rules) =>
    [...rules].flatMap((rule) => {
      if (rule instanceof CSSStyleRule) return [rule.selectorText];
      return rule.cssRules === undefined || rule instanceof CSSKeyframesRule ? [] : selectors(rule.cssRules);
    });
  return selectors(sheet.cssRules).filter(
    (each) => each !== ":root" && document.querySelector(each.replaceAll(/::[-a-z]+/g, "")) !== null,
  );
}`;
const matchesOf = (page: Page, address: string): Promise<string[]> =>
  page.evaluate(`(${MATCHES})(${JSON.stringify(address)})`);

test("a live page needs no rule of the sheet that it does not load, and a reader sees there nothing to change", async () => {
  const { db } = browserApp.app;
  const as = (name: string) => ({ Authorization: `Bearer of-${name}` });
  for (const scope of ["read", "operate"] as const)
    await saveToken(db, { name: scope, scope, hash: hashSecret(`of-${scope}`), expiresAt: null });
  const run = async (symbol: string): Promise<string> => {
    const headers = { ...as("operate"), "Content-Type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify({ symbols: [symbol], years: 1 }) };
    const answer = await fetch(`${browserApp.address}/api/runs`, request);
    return ((await answer.json()) as { run: { id: string } }).run.id;
  };
  const page = await browserApp.usePage("/healthz");
  await page.setExtraHTTPHeaders(as("read"));
  await page.goto(browserApp.address);
  await run("AAPL");
  await rowOf(page, "AAPL").getByRole("cell", { name: "Complete", exact: true }).waitFor();
  browserApp.gate.close();
  const id = await run("TSLA");
  await rowOf(page, "TSLA").getByRole("button", { name: "Actions" }).click();
  expect(await page.locator(".menu :is(a, button):visible").allTextContents()).toEqual(["Details"]);
  const found = [];
  for (const path of ["/profiles/AAPL", "/schedules", "/promises", "/", `/runs/${id}`, `/runs/${id}/jobs/TSLA`]) {
    await page.goto(`${browserApp.address}${path}`);
    const changes = page.locator(
      `form[method="post"]:not(.themes, .zones, .who) button:not([type="button"]):visible,
       a[href*="/delete"]:visible, .card > summary:visible`,
    );
    found.push(...(await changes.allTextContents()));
    const sheet = await page.locator('link[href*="/pages.css"]').count();
    const address = await page.locator('link[href*="/app.css"]').getAttribute("href");
    if (sheet === 0) found.push(...(await matchesOf(page, address!.replace("app.css", "pages.css"))));
    expect([path, sheet]).toEqual([path, path.length < 2 || path.startsWith("/runs") ? 0 : 1]);
  }
  expect(found).toEqual([]);
  // What a form only reads with stays.
  await page.goto(`${browserApp.address}/companies`);
  expect(await page.locator("main").getByRole("button", { name: "Search" }).isVisible()).toBe(true);
});
