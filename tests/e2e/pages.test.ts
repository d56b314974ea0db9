import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { RUN_DEFAULTS } from "../../src/domain/defaults.ts";
import { type FakeMailServer, MAIL_PASSWORD, startMailServer } from "../fakes/smtp.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { BrowserApp, live, rowOf, startRun } from "./browser.ts";

setDefaultTimeout(60_000);

const prices = temporaryFolder();
let mail: FakeMailServer;
let browserApp: BrowserApp;
beforeAll(async () => {
  mail = await startMailServer();
  browserApp = await BrowserApp.open({ BARKEEP_CSV_DIR: prices.path, BARKEEP_SECRET: "the secret of this test" });
});
afterEach(async () => {
  await browserApp.reset();
  expect(browserApp.consoleErrors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await browserApp.close();
  await mail[Symbol.asyncDispose]();
  prices[Symbol.dispose]();
});

test("a schedule is refused at its field, then kept, run, paused, changed and deleted", async () => {
  const page = await browserApp.usePage("/schedules");
  await page.locator("summary", { hasText: "Add a schedule" }).click();
  await page.getByLabel("Name").fill("Evening");
  await page.getByLabel("When").fill("0 7 * * 1");
  await page.locator("#schedule-preview", { hasText: "At 07:00, only on Monday in America/New_York" }).waitFor();
  expect(await page.locator("#schedule-preview li").count()).toBe(5);
  await page.getByLabel("When").fill("61 18 * * 1-5");
  await page.locator("#schedule-preview .error").waitFor();
  await page.getByLabel("Symbols", { exact: true }).fill("AAPL, MSFT, KO");
  await page.getByRole("button", { name: "Add schedule" }).click();
  await page.locator("#schedule-cron-error").waitFor();
  expect(await page.evaluate("document.activeElement.id")).toBe("schedule-cron");
  expect(await page.getByLabel("Name").inputValue()).toBe("Evening");
  browserApp.dismissErrors(/status of 422/);
  await page.getByLabel("When").fill("30 18 * * 1-5");
  await page.getByLabel("Name").press("Enter");
  const card = page.locator(".schedule").filter({ hasText: "Evening" });
  await card.getByText("30 18 * * 1-5").waitFor();
  expect(await card.textContent()).toContain("Monday through Friday");
  await card.getByRole("button", { name: "Run now" }).click();
  await page.waitForURL("**/runs/*");
  await page.locator(".run-head[data-state=complete]").waitFor();
  await page.getByRole("link", { name: "Schedules" }).click();
  await card.getByText("3 symbols complete").waitFor();
  await card.getByRole("button", { name: "Pause" }).click();
  await card.getByText("Paused").waitFor();
  await card.getByRole("link", { name: "Change" }).click();
  await page.getByLabel("Name").fill("Late evening");
  await page.getByRole("button", { name: "Save schedule" }).click();
  const changed = page.locator(".schedule").filter({ hasText: "Late evening" });
  await changed.getByRole("link", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete schedule" }).click();
  await page.waitForURL("**/schedules");
  expect(await changed.count()).toBe(0);
});

test("a failed symbol is retried, and the audit says who did it", async () => {
  const page = await browserApp.usePage("/");
  await live(page);
  await page.getByLabel("Provider", { exact: true }).selectOption("files");
  await startRun(page, "MINE");
  const row = rowOf(page, "MINE");
  const reached = (state: string) => row.and(page.locator(`[data-state="${state}"]`)).waitFor();
  await reached("failed");
  // The report of the ended run has the same actions, by row and by selection.
  const watched = page.url();
  await page.locator(".run-head h2 a").first().click();
  await page.waitForURL("**/runs/*");
  // Its filter is applied while one types, and the rows that come are as useful as the first.
  await page.getByLabel("Filter the queue").fill("status:complete");
  await page.getByText("0 matches").waitFor();
  await page.getByLabel("Filter the queue").fill("status:failed");
  await page.getByText("1 match", { exact: false }).waitFor();
  await page.waitForURL("**?q=status%3Afailed");
  expect(await page.getByRole("link", { name: "CSV", exact: true }).getAttribute("href")).toContain("status%3Afailed");
  await page.locator("h1").click();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected").waitFor();
  await page.locator(".bulk").getByRole("button", { name: "Fetch again…" }).click();
  await page.getByRole("radio", { name: /^Missing and failed 24 batches of 1 symbol/ }).waitFor();
  await page.getByRole("link", { name: "Leave it" }).click();
  const answered = page.waitForResponse((response) => response.url().endsWith("/jobs/MINE/retry"));
  await page.getByRole("button", { name: "Retry MINE" }).click();
  expect((await answered).status()).toBe(303);
  await page.goto(watched);
  await reached("failed");
  const days = Array.from({ length: 30 }, (_, day) => `2026-09-${String(day + 1).padStart(2, "0")},1,2,1,2,10`);
  await Bun.write(`${prices.path}/MINE.csv`, ["timestamp,open,high,low,close,volume", ...days].join("\n"));
  await row.getByLabel("Actions", { exact: true }).click();
  await page.locator(".menu:popover-open").getByRole("button", { name: "Retry" }).click();
  await reached("complete");

  await page.goto(`${browserApp.address}/audit`);
  const entry = page.locator(".audit tbody tr").first();
  expect(await entry.textContent()).toContain("MINE");
  expect(await entry.textContent()).toContain("retry");
  await page.getByLabel("Symbol", { exact: true }).fill("KO");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.waitForURL("**symbol=KO**");
  expect(await page.locator(".audit tbody").textContent()).not.toContain("MINE");
  const coming = page.waitForEvent("download");
  await page.goto(`${browserApp.address}/audit`);
  await page.getByRole("link", { name: "Download CSV" }).click();
  const csv = await Bun.file((await (await coming).path())!).text();
  expect(csv).toStartWith("at,actor,action,subject,reason,before,after\r\n");
  expect(csv).toContain("MINE");
});

test("profiles are screened by their features, sorted, linked to and downloaded", async () => {
  const page = await browserApp.usePage("/profiles");
  const symbols = page.locator("table.list tbody th");
  const whole = (await symbols.allTextContents()).sort();
  expect(whole).toEqual(["AAPL", "KO", "MINE", "MSFT"]);
  await page.getByLabel("Screen").fill("rsi_14 <");
  await page.getByLabel("Screen").press("Enter");
  await page.locator("#where-error").waitFor();
  browserApp.dismissErrors(/status of 422/);
  await page.getByLabel("Screen").fill("rsi_14 > 0 and sma_200 > 0");
  await page.getByRole("combobox", { name: "Feature", exact: true }).fill("sma_5");
  await page.getByLabel("Comparison").selectOption(">");
  await page.getByRole("combobox", { name: "Number or feature" }).fill("0");
  await page.getByRole("button", { name: "Run screen" }).click();
  await page.waitForURL("**/profiles?where=*sma_5*");
  // Thirty days have no average over 200.
  expect((await symbols.allTextContents()).sort()).toEqual(["AAPL", "KO", "MSFT"]);
  await page.getByRole("columnheader", { name: "rsi_14" }).getByRole("link").click();
  await page.locator('th[aria-sort="descending"]').waitFor();
  const at = (await page.locator("table.list thead th").allTextContents()).findIndex((text) => text.includes("rsi_14"));
  const values = (await page.locator(`table.list tbody tr > :nth-child(${at + 1})`).allTextContents()).map(Number);
  expect(values).toEqual(values.toSorted((a, b) => b - a));
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: "CSV" }).click();
  const csv = await Bun.file((await (await coming).path())!).text();
  expect(csv.trim().split("\r\n")).toHaveLength(4);
});

test("profiles are picked with Shift or all at once, and renewed once their cost was seen", async () => {
  const page = await browserApp.usePage("/profiles?sort=symbol");
  const field = page.getByLabel("Screen", { exact: true });
  await field.pressSequentially("rsi_14 < 70 and (kurt");
  const offered = page.locator("#where-names option");
  expect(await offered.first().getAttribute("value")).toMatch(/^rsi_14 < 70 and \(kurt\w+$/);
  await page.goto(`${browserApp.address}/profiles?sort=symbol`);
  await page.getByLabel("Select AAPL 1d").check();
  await page.getByLabel("Select MINE 1d").click({ modifiers: ["Shift"] });
  await page.getByText("3 selected").waitFor();
  await page.getByLabel("Select all on this page").check();
  await page.getByText("4 selected").waitFor();
  await page.getByLabel("Select MINE 1d").uncheck();
  await page.getByRole("button", { name: "Recompute features" }).click();
  await page.getByText("3 symbols: no calls").waitFor();
  await page.getByRole("button", { name: "Recompute features" }).click();
  await page.waitForURL(`${browserApp.address}/`);
  await page.locator('.run-head[data-state="complete"]').first().waitFor();
});

test("a mail server is verified before it is saved, and a test mail arrives", async () => {
  const page = await browserApp.usePage("/settings");
  const section = page.locator("#mail");
  const fill = async (server: string, password: string) => {
    await section.getByLabel("Server").fill(server);
    await section.getByLabel("Password").fill(password);
    await section.getByLabel("Sender").fill("barkeep@example.com");
    await section.getByLabel("Recipients").fill("you@example.com");
    await section.getByRole("button", { name: "Check and save" }).click();
  };
  const { host, username } = new URL(mail.url);
  await fill(`smtp://${username}@${host}`, "wrong");
  await section.locator('[aria-invalid="true"]').first().waitFor();
  browserApp.dismissErrors(/status of 4\d\d/);
  await fill(`smtp://${username}@${host}`, MAIL_PASSWORD);
  await section.getByText("Ready").waitFor();
  expect(await page.content()).not.toContain(MAIL_PASSWORD);
  await page.goto(`${browserApp.address}/alerts`);
  const [[sent]] = await Promise.all([mail.arrived(1), page.getByRole("button", { name: "Send a test mail" }).click()]);
  expect(sent!.to![0]!.address).toBe("you@example.com");
  await page.getByRole("link", { name: sent!.subject! }).click();
  await page.getByRole("heading", { name: sent!.subject! }).waitFor();
  expect(await page.locator(".mail-text").textContent()).toContain(sent!.text!.trim().split("\n")[0]!);
});

test("old bars are deleted after a preview, by keyboard and without JavaScript", async () => {
  const { app, address } = browserApp;
  const { id } = await app.runs.start({ ...RUN_DEFAULTS, symbols: ["OLDA", "OLDB"], years: 3, provider: "demo" });
  await browserApp.waitForRun(id);
  const page = await browserApp.usePage("/storage?q=OLD");
  await page.getByLabel("Select OLDA 1d").focus();
  await page.keyboard.press("Space");
  await page.getByText("1 selected").waitFor();
  await page.getByLabel("Delete bars before").fill("18mo");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Delete the bars of 1 series before" }).waitFor();
  await page.getByLabel("Reason, for the audit").fill("the disk is small");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${address}/storage?q=OLD`);
  await app.stored.pruning.idle();

  const plain = await browserApp.usePage("/storage?q=OLDB", { javaScriptEnabled: false });
  await plain.getByLabel("Which series").selectOption("all");
  await plain.getByLabel("Delete bars before").fill("18mo");
  await plain.getByRole("button", { name: "Preview" }).click();
  await plain.getByRole("button", { name: "Delete old bars" }).click();
  await plain.waitForURL(`${address}/storage?q=OLDB`);
  await app.stored.pruning.idle();
  await plain.reload();
  await plain.getByText("By choice").waitFor();
  await page.goto(`${address}/audit?action=storage.prune`);
  await page.getByText("the disk is small").waitFor();
});

test("an error of the browser that a test has dismissed is reported when it occurs again", async () => {
  const page = await browserApp.usePage("/runs");
  const complain = async () => {
    const reported = page.waitForEvent("console");
    await page.evaluate(`console.error("out of order")`);
    await reported;
  };
  await complain();
  browserApp.dismissErrors(/out of order/);
  expect(browserApp.consoleErrors).toEqual([]);
  // The clock of the browser's messages has to be past that of the call.
  const dismissed = Date.now();
  while (Date.now() <= dismissed) await page.evaluate("0");
  await complain();
  expect(browserApp.consoleErrors.splice(0)).toEqual(["out of order"]);
});
