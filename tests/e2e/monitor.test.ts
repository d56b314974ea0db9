import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
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

const inState = (page: Page, symbol: string, state: string) =>
  rowOf(page, symbol)
    .and(page.locator(`[data-state="${state}"]`))
    .waitFor();

test("a run is started through the form, watched to its end, and its profile opened", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  expect(await page.getByText("Nothing is running").isVisible()).toBe(true);
  const filter = page.getByLabel("Filter the queue");
  expect(await filter.isVisible()).toBe(false);
  await page.evaluate(`window.stages = new Set();
    new MutationObserver(() => {
      for (const cell of document.querySelectorAll(".queue .c-stage span")) stages.add(cell.textContent);
    }).observe(document.body, { childList: true, subtree: true, characterData: true })`);
  browserApp.gate.close();
  await startRun(page, "aapl, MSFT googl");
  await filter.waitFor();
  await rowOf(page, "AAPL").getByText("Batch 1/24: 0%").waitFor();
  browserApp.gate.release();
  for (const symbol of ["AAPL", "MSFT", "GOOGL"]) {
    await inState(page, symbol, "complete");
    const row = rowOf(page, symbol);
    expect(await row.locator(".c-stage").textContent()).toMatch(/^Completed in \d+\.\ds$/);
    expect(await row.locator("progress").getAttribute("value")).toBe("100");
    expect(await row.locator(".c-calls").textContent()).toBe("24");
  }
  const stages = await page.evaluate<string[]>("[...stages]");
  expect(stages.some((stage) => /^Batch \d+\/24: \d+%$/.test(stage))).toBe(true);
  await page.locator(".run-head[data-state=complete]").waitFor();
  await page.waitForFunction('document.title === "Complete · Monitor · Barkeep"');
  expect(await page.getByLabel("Symbols", { exact: true }).inputValue()).toBe("");
  await page
    .locator("#log-lines li:first-child")
    .filter({ hasText: /: complete$/ })
    .waitFor();
  await rowOf(page, "AAPL").getByRole("link", { name: "AAPL", exact: true }).click();
  await page.getByRole("heading", { name: "AAPL" }).waitFor();
  expect(await page.locator("code").getByText("sma_5", { exact: true }).isVisible()).toBe(true);
});

test("the form shows what a run would cost before it is started", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  await page.getByLabel("Symbols", { exact: true }).fill("P1, P2, P3");
  await page.getByText("3 symbols: 72 calls").waitFor();
  await page.getByLabel("History").selectOption("1");
  await page.getByText("3 symbols: 36 calls").waitFor();
  await page.getByLabel("Mode").selectOption("reprocess");
  await page.getByText("3 symbols: no calls").waitFor();
  await page.getByLabel("Mode").selectOption("full");
  await page.getByLabel("Symbols", { exact: true }).fill("AAPL, P2");
  await page.getByText("1 of them is stored already, up to 20").waitFor();
});

test("the symbol field completes what is known, refuses a wrong word at once, and takes a column of a spreadsheet", async () => {
  await browserApp.app.db.write([
    {
      sql: "INSERT INTO companies (symbol, name, source, updated_at) VALUES ('QZAB', 'Quartz Abrasives', 'test', 1), ('QZAC', 'Quartz Acoustics', 'test', 1)",
      args: [],
    },
  ]);
  const page = await browserApp.usePage("/");
  await live(page);
  const field = page.getByLabel("Symbols", { exact: true });
  await field.pressSequentially("qza");
  const options = page.getByRole("option");
  await options.filter({ hasText: "Quartz Acoustics" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  expect(await field.inputValue()).toBe("QZAB, ");
  await field.pressSequentially("$$$, A");
  await page.locator("#run-symbols-hint .error").getByText("is not a symbol").waitFor();
  expect(await page.locator("#run-symbols-hint").textContent()).toContain("$$$");
  await field.fill("");
  await page.evaluate(`{
    const field = document.getElementById("run-symbols");
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "Name\\tTicker\\nQuartz Abrasives\\tQZAB\\nQuartz Acoustics\\tQZAC\\n");
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }`);
  expect(await field.inputValue()).toBe("QZAB, QZAC");
  await page.keyboard.press("Control+Enter");
  await inState(page, "QZAC", "complete");
});

test("many runs are cards: one is open, another is a click away, and failures stay until they are acknowledged", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  const request = { mode: "full", interval: "1d", years: 1, batchDays: 30 } as const;
  const { runs } = browserApp.app;
  const failed = await runs.start({ ...request, name: "Night", symbols: ["DEMO-FAIL", "H1"] });
  await browserApp.waitForRun(failed.id);
  browserApp.gate.close();
  await runs.start({ ...request, name: "Morning", symbols: ["H2", "H3"] });
  const card = (name: string) => page.locator(".run-card").filter({ hasText: name });
  await card("Morning").waitFor();
  expect(await page.locator(".run-card b").allTextContents()).toEqual(["Night", "Morning"]);
  expect(await card("Night").textContent()).toContain("1 failed");
  await rowOf(page, "H2").waitFor();
  await card("Night").click();
  await rowOf(page, "DEMO-FAIL").waitFor();
  expect(new URL(page.url()).search).toBe(`?open=${failed.id}`);
  // What failed is first.
  expect(await page.locator(".queue tbody th").allTextContents()).toEqual(["DEMO-FAIL", "H1"]);
  await live(page);
  await page.getByRole("button", { name: "Acknowledge" }).press("Enter");
  await page.getByRole("button", { name: "Acknowledge" }).waitFor({ state: "detached" });
  // The focus stays in the head of the run, of which the button is gone.
  await page.waitForFunction('document.activeElement.closest(".run-head") !== null');
  await page.goto(browserApp.address);
  await rowOf(page, "H2").waitFor();
  expect(await page.locator(".run-card").count()).toBe(0);
});

test("a refused run keeps what was typed and shows each fault at its field", async () => {
  const page = await browserApp.usePage("/");
  const typed = "AAPL, <script>alert(1)</script>";
  // As after dragging the corner of the field.
  await page.evaluate(`document.getElementById("run-symbols").style.height = "120px"`);
  await startRun(page, typed);
  await page.locator('#run-symbols[aria-invalid="true"]').waitFor();
  expect(await page.getByLabel("Symbols", { exact: true }).inputValue()).toBe(typed);
  expect(await page.locator("#run-symbols-error").textContent()).toContain("is not a symbol");
  await page.waitForFunction("document.activeElement.id === 'run-symbols'");
  browserApp.dismissErrors(/status of 422/);
});

describe("while rows change ten times a second", () => {
  test("focus, selection, an open menu and the rows stay while rows change ten times a second", async () => {
    const page = await browserApp.usePage("/");
    await live(page);
    const symbols = ["F1", "F2", "F3", "F4", "F6", "F5"];
    browserApp.gate.close();
    using _ = browserApp.gate.releaseSteadily();
    await browserApp.app.runs.start({ symbols, mode: "full", interval: "1d", years: 30, batchDays: 30 });
    await rowOf(page, "F6").waitFor();
    await page.getByLabel("Symbols", { exact: true }).fill("KEEP, THIS");
    await page.evaluate(`document.getElementById("run-symbols").setSelectionRange(6, 10);
      window.rows = [...document.querySelectorAll(".queue tbody tr")].slice(0, 6);`);
    const changes = (count: number) =>
      page.evaluate(`new Promise((resolve) => {
        let left = ${count};
        document.addEventListener("htmx:sse:after:message", () => { if (--left === 0) resolve(); });
      })`);
    await changes(5);
    const selected = `(({ activeElement: { id, value, selectionStart, selectionEnd } }) =>
      [id, value.slice(selectionStart, selectionEnd)])(document)`;
    expect(await page.evaluate(selected)).toEqual(["run-symbols", "THIS"]);
    await rowOf(page, "F6").getByLabel("Actions", { exact: true }).click();
    const pause = page.locator(".menu:popover-open").getByRole("button", { name: "Pause" });
    await pause.focus();
    await changes(5);
    expect(await page.evaluate("document.activeElement.getAttribute('formaction')")).toEndWith("/jobs/F6/pause");
    expect(await page.evaluate("window.rows.every((row) => row.isConnected)")).toBe(true);
    await page.keyboard.press("Enter");
    await inState(page, "F6", "paused");
    expect(await page.locator(".menu:popover-open").count()).toBe(0);
    const cancel = page.getByRole("button", { name: "Cancel", exact: true }).first();
    const dialog = page.getByRole("dialog");
    await cancel.press("Enter");
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await changes(5);
    expect(await dialog.count()).toBe(0);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Cancel");
    await page.keyboard.press("Enter");
    await dialog.getByRole("link", { name: "Keep running" }).click();
    await dialog.waitFor({ state: "detached" });
    await cancel.click();
    await dialog.getByText("Not working yet:").waitFor();
    // Jobs may have ended while the confirmation was open; the server then asks again with the new number.
    while (await dialog.isVisible()) {
      await dialog.getByRole("button", { name: /^Cancel \d+ symbols?$/ }).click();
      await page.locator(".notice").or(dialog.getByText("when you were asked")).first().waitFor();
    }
    await inState(page, "F5", "cancelled");
    await page.getByRole("button", { name: "Undo" }).click();
    await rowOf(page, "F5").and(page.locator(':not([data-state="cancelled"])')).waitFor();
  });

  test("an action that comes too late is refused with a toast", async () => {
    const page = await browserApp.usePage("/");
    await live(page);
    browserApp.gate.close();
    await startRun(page, "L1");
    await rowOf(page, "L1").waitFor();
    const id = await rowOf(page, "L1").getAttribute("id");
    const runId = id!.slice("job-".length, -"-L1".length);
    await browserApp.app.runs.actOnRun(runId, "cancel");
    await inState(page, "L1", "cancelled");
    // As if the click had been made a moment earlier.
    await page.evaluate(`document.getElementById("${id}").querySelector("[data-menu]").click();
      document.querySelector("#job-menu .on-skip").click();`);
    expect(await page.locator(".notice-error").textContent()).toContain("L1 is cancelled");
    browserApp.dismissErrors(/status of 409/);
  });
});

test("the queue is filtered by its address, stays live, and each symbol can be looked at closely", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  browserApp.gate.close();
  await startRun(page, "Q1 Q2 Q3 Q4 Q5 Q6 Q7 Q8");
  await rowOf(page, "Q8").waitFor();
  await page.getByRole("heading", { name: "Full" }).first().getByRole("link").click();
  await page.waitForURL("**/runs/*");
  await live(page);
  const titles = await page.getByRole("heading", { name: "Full" }).allTextContents();
  expect(titles).toEqual(["Full · 1d · 2 years · demo"]);
  await page.keyboard.press("/");
  await page.keyboard.type("Q8");
  // The address may be this one before Enter loads the page: the filter is applied after a pause in typing.
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  await page.waitForURL("**?q=Q8");
  expect(await page.locator(".queue tbody tr").count()).toBe(1);
  expect(await page.getByText("7 more symbols not shown by the filter").isVisible()).toBe(true);
  await live(page);
  await rowOf(page, "Q8").getByLabel("Actions", { exact: true }).click();
  await page.getByRole("link", { name: "Details" }).click();
  await page.getByRole("heading", { name: "Why it waits" }).waitFor();
  expect(await page.locator(".conditions li").first().textContent()).toContain("before it in the queue");
  browserApp.gate.release();
  await browserApp.waitForRun(browserApp.app.hub.runs().find(({ finishedAt }) => finishedAt === null)!.id);
  await inState(page, "Q8", "complete");
  await page.getByRole("heading", { name: "Why it waits" }).waitFor({ state: "detached" });
  await page.locator(".coverage .cell-fetched").nth(23).waitFor();
  for (const stage of ["Fetching", "Engineering", "Creating", "Storing"]) {
    await page.locator(".details dt").getByText(stage, { exact: true }).waitFor();
  }
  const log = await fetch(`${page.url()}/log`);
  expect(await log.text()).toContain("Q8: Fetching history - Batch 1/24: 0% (0%)");

  // Its log: searched in the address, followed until the reader scrolls away.
  const { at, runId } = browserApp.app.hub.lines().find(({ symbol }) => symbol === "Q8")!;
  const say = (message: string) => browserApp.app.hub.log({ at, level: "info", runId, symbol: "Q8", message });
  for (let n = 1; n <= 80; n++) say(`Remark ${n}`);
  const lines = page.locator("#log-lines");
  await lines.getByText("Remark 80", { exact: true }).waitFor();
  await page.evaluate(`document.getElementById("log-lines").scrollTop = 400`);
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))");
  const read = lines.getByText("Remark 50", { exact: true });
  const before = (await read.boundingBox())!;
  say("One more");
  const follow = page.getByRole("button", { name: "1 new line: follow" });
  await follow.waitFor();
  expect(Math.abs((await read.boundingBox())!.y - before.y)).toBeLessThan(1);
  await follow.click();
  await follow.waitFor({ state: "hidden" });
  expect(await page.evaluate<number>(`document.getElementById("log-lines").scrollTop`)).toBe(0);
  await page.keyboard.press("/");
  await page.keyboard.type("batch 7/24");
  await page.keyboard.press("Enter");
  await page.waitForURL("**?log=batch+7%2F24");
  await live(page);
  say("Batch 7/24 once more");
  await lines.getByText("Batch 7/24 once more").waitFor();
  expect(await lines.locator("li").count()).toBe(2);
  const file = await page.getByRole("link", { name: "Download these" }).getAttribute("href");
  const found = (await (await fetch(browserApp.address + file)).text()).trim().split("\n");
  expect(found.map((each) => each.includes("Batch 7/24"))).toEqual([true, true]);
  await page.goto(`${browserApp.address}/?q=status:sleepy`);
  expect(await page.locator("#filter-error").textContent()).toStartWith("status: wants");
  browserApp.dismissErrors(/status of 422/);
});

test("everything that matches a filter is acted on at once, without JavaScript too, and only after a confirmation", async () => {
  const page = await browserApp.usePage("/", { javaScriptEnabled: false });
  browserApp.gate.close();
  await startRun(page, "B1 B2 B3 B4 B5 B6 B7 B8 B9");
  await page.goto(`${browserApp.address}/?q=status:queued`);
  await page.locator(".bulk").getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Nothing is selected").waitFor();
  browserApp.dismissErrors(/status of 422/);
  await page.goBack();
  await page.getByLabel("Apply to all").check();
  await page.locator(".bulk").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "Cancel 7 symbols?" }).waitFor();
  await page.getByRole("button", { name: "Cancel 7 symbols" }).click();
  await page.waitForURL("**/?q=status:queued");
  await page.goto(`${browserApp.address}/?q=status:cancelled`);
  await inState(page, "B9", "cancelled");
});

test("the keyboard reaches everything, and its shortcuts are listed", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  browserApp.gate.close();
  await startRun(page, "K1 K2 K3");
  await rowOf(page, "K3").waitFor();
  await page.locator("h1").evaluate("document.activeElement.blur()");
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keyboard" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Keyboard" }).waitFor({ state: "hidden" });
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id";
  expect(await page.evaluate(focused)).toBe("Actions");
  expect(await page.evaluate("document.activeElement.closest('tr').id")).toEndWith("-K2");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await rowOf(page, "K2").and(page.locator('[data-state="paused"]')).waitFor();
  await page.keyboard.press("n");
  expect(await page.evaluate(focused)).toBe("run-symbols");
  await page.keyboard.type("K9");
  await page.keyboard.press("Tab");
  await page.evaluate("document.activeElement.blur()");
  await page.keyboard.press("4");
  await page.getByRole("heading", { name: "Runs" }).waitFor();
});

test("the page says that a stopped server does not answer, and reconnects after its restart in the middle of a run", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  browserApp.gate.close();
  await startRun(page, "R1 R2 R3 R4");
  browserApp.gate.release(5);
  await rowOf(page, "R1").locator('progress:not([value="0"])').waitFor();
  const port = await browserApp.stopServer();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.locator(".notice-error").getByText("The server did not answer").waitFor();
  await browserApp.startServer(port);
  browserApp.gate.release();
  for (const symbol of ["R1", "R2", "R3", "R4"]) await inState(page, symbol, "complete");
  await live(page);
  // The failed tries to connect are noted by the browser.
  browserApp.dismissErrors(/ERR_CONNECTION|ERR_INCOMPLETE|Failed to fetch|network error/);
});

test("everything works without JavaScript", async () => {
  const page = await browserApp.usePage("/", { javaScriptEnabled: false });
  browserApp.gate.close();
  await startRun(page, "N1 N2 N3 N4 N5 N6");
  expect(await rowOf(page, "N6").getByLabel("Actions", { exact: true }).isVisible()).toBe(false);
  await rowOf(page, "N6").getByRole("link", { name: "N6", exact: true }).click();
  await page.getByRole("button", { name: "Skip", exact: true }).click();
  await inState(page, "N6", "skipped");
  await page.getByRole("link", { name: "Monitor" }).click();
  await page.getByRole("button", { name: "Pause", exact: true }).first().click();
  await page.locator(".run-head[data-state=paused]").waitFor();
  await page.getByRole("button", { name: "Resume", exact: true }).first().click();
  await page.locator(".run-head[data-state=running]").waitFor();
  await page.getByRole("button", { name: "Dark theme" }).click();
  await page.locator('html[data-theme="dark"]').waitFor();
  await startRun(page, "../etc");
  expect(await page.locator("#run-symbols-error").textContent()).toContain("is not a symbol");
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  browserApp.dismissErrors(/status of 422/);
});
