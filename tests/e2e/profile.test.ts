import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { READ_SECONDS, type ReadInterval } from "../../src/domain/market/interval.ts";
import { storeActions } from "../../src/storage/market/corporate-actions.ts";
import { BrowserApp, rowOf } from "./browser.ts";

setDefaultTimeout(60_000);
const PROFILE = "/profiles/AAPL?interval=1d";

let browserApp: BrowserApp;
beforeAll(async () => {
  browserApp = await BrowserApp.open();
  await runToEnd({ symbols: ["AAPL", "MSFT"], years: 8 });
  await runToEnd({ symbols: ["AAPL"], interval: "1h", years: 1 });
});
afterEach(async () => {
  await browserApp.reset();
  expect(browserApp.consoleErrors.splice(0)).toEqual([]);
});
afterAll(() => browserApp.close());

/** Starts a run over the API and waits for its end. */
async function runToEnd(body: object): Promise<void> {
  const response = await fetch(`${browserApp.address}/api/runs`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const { run } = (await response.json()) as { run: { id: string } };
  await browserApp.waitForRun(run.id);
}

/** Waits until the chart is drawn and all requested data has loaded. */
async function drawn(page: Page): Promise<void> {
  await page.locator("#chart[data-ready] .chart-stage[aria-busy=false]").waitFor();
  expect(await page.locator(".chart-note").textContent()).toBe("");
}

const readout = (page: Page) => page.locator(".chart-readout").textContent();

/** The number of different colours in a part of the chart: an empty canvas has one. */
const coloursDrawn = (page: Page) =>
  page.evaluate<number>(`(() => {
    const canvas = [...document.querySelectorAll(".chart-canvas canvas")].sort((a, b) => b.width - a.width)[0];
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  })()`);

test("the chart draws the bars, from this server alone; keys move the spoken crosshair, pan, zoom and change the scale", async () => {
  const page = await browserApp.usePage("/profiles");
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(browserApp.address)) foreign.push(request.url());
  });
  await page.getByRole("link", { name: "AAPL" }).first().click();
  await drawn(page);
  expect(await coloursDrawn(page)).toBeGreaterThan(5);
  const { data: rows } = (await (await fetch(`${browserApp.address}/api/bars/AAPL`)).json()) as {
    data: { timestamp: string; close: number }[];
  };
  expect(await readout(page)).toContain(rows.at(-1)!.close.toFixed(2));

  const spoken = () => page.locator("[data-spoken]").textContent();
  const stage = page.locator(".chart-stage");
  await stage.focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  const before = rows.at(-2)!;
  expect(await spoken()).toStartWith(before.timestamp.slice(0, 10));
  expect(await spoken()).toContain(`close ${before.close.toFixed(2)}`);
  expect(await readout(page)).toContain(before.close.toFixed(2));
  await page.keyboard.press("Escape");
  await page.keyboard.press("Home");
  await drawn(page);
  expect(await readout(page)).not.toContain(rows.at(-1)!.timestamp.slice(0, 10));
  await page.keyboard.press("ArrowRight");
  expect(await spoken()).toStartWith(rows[0]!.timestamp.slice(0, 10));
  await page.keyboard.press("l");
  expect(await page.locator(".chart-tools [aria-pressed=true]").allTextContents()).toEqual(["Log"]);
  await page.keyboard.press("p");
  expect(await page.locator(".chart-tools [aria-pressed=true]").allTextContents()).toEqual(["%"]);
  await page.keyboard.press("?");
  expect(await page.getByText("Move by a view").isVisible()).toBe(true);
  await page.keyboard.press("d");
  const table = page.locator("[data-table] tbody tr");
  await table.first().waitFor();
  // Of a longer view the newest 200 bars are listed.
  expect(await table.count()).toBe(200);
  await page.getByText(/^and \d+ earlier bars in view$/).waitFor();
  await page.keyboard.press("g");
  expect(await page.evaluate<boolean>("document.activeElement.matches('[data-date]')")).toBe(true);
  expect(foreign).toEqual([]);
});

test("overlays are kept in the address: they survive a reload, another interval and another theme", async () => {
  const page = await browserApp.usePage(PROFILE);
  await drawn(page);
  await page.getByLabel("Bollinger").check();
  await page.getByLabel("SMA 20", { exact: true }).check();
  await drawn(page);
  expect(page.url()).toEndWith(`${PROFILE}&overlay=sma_20&overlay=bollinger`);
  const text = await readout(page);
  const { features } = (await (await fetch(`${browserApp.address}/api/profiles/AAPL`)).json()) as {
    features: Record<string, number>;
  };
  for (const name of ["sma_20", "bb_20_2_upper", "bb_20_2_lower"]) {
    expect(text).toContain(features[name]!.toFixed(2));
  }
  await page.reload();
  await drawn(page);
  expect(await readout(page)).toBe(text);
  await page.getByLabel("Bollinger").uncheck();
  await page.getByRole("navigation", { name: "Interval" }).getByRole("link", { name: "1h" }).click();
  await drawn(page);
  expect(page.url()).toEndWith("?interval=1h&overlay=sma_20");
  expect(await readout(page)).toMatch(/\d\d:\d\d UTC/);
  expect(await page.getByLabel("SMA 20", { exact: true }).isChecked()).toBe(true);
  await page.getByLabel("PSAR").check();
  await drawn(page);
  await page.getByRole("button", { name: "Dark theme" }).click();
  await page.locator('html[data-theme="dark"]').waitFor();
  await drawn(page);
  expect(page.url()).toEndWith("?interval=1h&overlay=sma_20&overlay=psar");
});

test("zooming loads other bars around the view, never blending providers nor asking for more than 5,000", async () => {
  const page = await browserApp.usePage("/profiles/AAPL?interval=1h&overlay=sma_20");
  await drawn(page);
  const level = () => page.locator(".chart-level").textContent();
  expect(await level()).toBe("1h bars");
  const asked: URL[] = [];
  const received: Promise<number>[] = [];
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (url.pathname.endsWith("/chart/marks")) return;
    asked.push(url);
    received.push(response.json().then(({ data }) => data.length));
  });
  // A press while bars are on their way can pass the wanted level: then the way is back.
  const zoomTo = async (wanted: string) => {
    await page.locator(".chart-stage").focus();
    const secondsOf = (text: string | null) => READ_SECONDS[text!.split(" ")[0] as ReadInterval];
    for (let press = 0; press < 60 && (await level()) !== wanted; press++) {
      await page.keyboard.press(secondsOf(await level()) < secondsOf(wanted) ? "-" : "+");
      await drawn(page);
    }
    expect(await level()).toBe(wanted);
  };
  await zoomTo("4h bars, derived from 1h");
  await zoomTo("1h bars");
  expect(new Set(asked.map(({ pathname }) => pathname))).toEqual(new Set(["/api/bars/AAPL", "/api/features/AAPL"]));
  expect(new Set(asked.map(({ searchParams }) => searchParams.get("provider")))).toEqual(new Set(["demo"]));
  expect(asked.map(({ searchParams }) => searchParams.get("interval"))).toEqual(expect.arrayContaining(["4h", "1h"]));
  expect(Math.max(...(await Promise.all(received)))).toBeLessThanOrEqual(5_000);
});

test("range, date and scale work by keyboard, and the address shows the same to others", async () => {
  const page = await browserApp.usePage(PROFILE);
  await drawn(page);
  const level = (on: Page) => on.locator(".chart-level").textContent();
  const year = page.getByRole("button", { name: "5Y" });
  await year.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Log" }).press("Space");
  await page.getByRole("button", { name: "5Y", pressed: true }).waitFor();
  await drawn(page);
  expect(page.url()).toEndWith(`${PROFILE}&range=5y&scale=log`);
  expect(await year.getAttribute("aria-pressed")).toBe("true");
  const address = page.url().replace(browserApp.address, "");
  await browserApp.closePages();
  const other = await browserApp.usePage(address);
  await drawn(other);
  expect(await level(other)).toBe("1d bars");
  expect(await other.locator(".chart-tools [aria-pressed=true]").allTextContents()).toEqual(["5Y", "Log"]);
  await other.getByRole("button", { name: "1M", exact: true }).click();
  await drawn(other);
  const asked = other.waitForRequest(/from=2020-/);
  await other.getByLabel("Go to").fill("2020-06-15");
  await other.keyboard.press("Enter");
  await asked;
  await other.waitForURL(/&scale=log&from=2020-\d\d-\d\dT.*&to=2020-/);
  expect(await other.locator(".chart-tools [aria-pressed=true]").allTextContents()).toEqual(["Log"]);
});

test("marks are named at their bars, and can be left out", async () => {
  const { db } = browserApp.app;
  const { data } = (await (await fetch(`${browserApp.address}/api/bars/AAPL?adjust=none`)).json()) as {
    data: { timestamp: string }[];
  };
  const date = data.at(-5)!.timestamp.slice(0, 10);
  const action = { kind: "dividend", date: Date.parse(date) / 1_000, value: 0.25, currency: null } as const;
  await storeActions(db, { provider: "demo", symbol: "AAPL", actions: [action], replaced: [] });
  const page = await browserApp.usePage(PROFILE);
  await drawn(page);
  await page.locator(".chart-stage").focus();
  for (let press = 0; press < 5; press++) await page.keyboard.press("ArrowLeft");
  expect(await page.locator("[data-spoken]").textContent()).toContain(`dividend ${date}: dividend 0.25`);
  await page.getByText("Marks", { exact: true }).click();
  await page.getByLabel("Dividends").uncheck();
  await drawn(page);
  expect(page.url()).toContain("marks=split%2Crevision%2Cgap%2Crefused%2Csessions");
  expect(await readout(page)).not.toContain("dividend");
  // A drag to the right shows older bars.
  const before = new URL(page.url()).searchParams.get("to");
  const box = (await page.locator(".chart-stage").boundingBox())!;
  await page.mouse.move(box.x + 300, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + 700, box.y + 110, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/[?&]to=/);
  expect(before).toBeNull();
  expect(new URL(page.url()).searchParams.get("to")! < date).toBe(true);
});

test("panes and other symbols are drawn, kept in the address, and removed", async () => {
  const page = await browserApp.usePage(PROFILE);
  await drawn(page);
  const { features } = (await (await fetch(`${browserApp.address}/api/profiles/AAPL`)).json()) as {
    features: Record<string, number>;
  };
  const pane = page.locator("[data-pane]");
  await pane.selectOption("rsi");
  await pane.selectOption("natr_14");
  await page.getByLabel("Symbol to compare with AAPL").fill("msft");
  await page.keyboard.press("Enter");
  await page.getByLabel("Symbol to compare with AAPL").fill("NONE");
  await page.keyboard.press("Enter");
  // A symbol without bars is refused: it takes no colour and no place in the address, and its chip says why.
  await page.locator("[data-compared] [data-refused]").filter({ hasText: "no 1d bars of NONE" }).waitFor();
  expect(await page.locator("[data-said]").textContent()).toBe("NONE cannot be compared");
  expect(await page.locator("[data-refused] .swatch").count()).toBe(0);
  await drawn(page);
  expect(decodeURIComponent(page.url())).toEndWith(`${PROFILE}&panes=volume,rsi,natr_14&compare=MSFT`);
  expect(await page.locator("[data-compared] li").first().textContent()).toMatch(/^MSFT[+−]?\d+\.\d\d%, demo×$/);
  browserApp.dismissErrors(/status of 404/);
  await page.locator(".chart-stage").focus();
  await page.keyboard.press("ArrowLeft");
  expect(await page.locator("[data-spoken]").textContent()).toContain(`rsi_14 ${features.rsi_14!.toFixed(2)}`);
  await page.getByRole("button", { name: "Remove NONE" }).click();
  expect(await page.locator("[data-refused]").count()).toBe(0);
  await page.reload();
  await drawn(page);
  expect(await page.locator("[data-panes] li").allTextContents()).toEqual(["Volume×", "RSI 14×", "natr_14×"]);
  await page.getByRole("button", { name: "Remove MSFT" }).click();
  for (const name of ["Volume", "RSI 14", "natr_14"])
    await page.getByRole("button", { name: `Remove ${name}` }).click();
  expect(page.url()).toEndWith(`${PROFILE}&panes=none`);
});

/** Dates on two lines, and texts of the list of features that end outside of their place. */
const BROKEN = `(() => {
  const lines = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
  };
  const dates = [...document.querySelectorAll("time")].filter((time) => time.checkVisibility() && lines(time) > 1);
  const cut = [...document.querySelectorAll(".family summary :is(code span, small)")].filter((each) => {
    const [own, row] = [each, each.closest("summary")].map((element) => element.getBoundingClientRect());
    return each.scrollWidth > Math.ceil(own.width) + 1 || own.bottom > row.bottom + 1 || own.right > row.right + 1;
  });
  return [...dates, ...cut].map(({ textContent }) => textContent);
})()`;

test("every feature shows its value, its sparkline and, opened by keyboard, its formula, whole on wide and narrow pages", async () => {
  const page = await browserApp.usePage(PROFILE);
  const rows = page.locator(".family summary");
  expect(await rows.count()).toBe(200);
  expect(await page.locator(".family .spark path").count()).toBe(200);
  const rsi = page.locator(".family details").filter({ has: page.getByText("rsi_14", { exact: true }) });
  expect(await rsi.getByText("TA-Lib RSI(14)").isVisible()).toBe(false);
  await rsi.locator("summary").focus();
  await page.keyboard.press("Enter");
  expect(await rsi.getByText("TA-Lib RSI(14)").isVisible()).toBe(true);
  await rsi.getByText(/above \d+% of the year's values/).waitFor();
  expect(await rsi.locator(".histogram").isVisible()).toBe(true);
  await page.locator("#analysis").scrollIntoViewIfNeeded();
  await page.getByText("Sharpe a year").first().waitFor();
  const units = page.locator(".family summary small");
  expect(await units.filter({ hasText: "log return per million of money" }).count()).toBeGreaterThan(0);
  await page.locator("#analysis time").first().waitFor();
  expect(await page.locator("#analysis .statistics time").count()).toBeGreaterThan(3);
  // Narrow, wide again: what follows is done on the wide page.
  for (const width of [390, 1024, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate<string[]>(BROKEN)).toEqual([]);
  }
  await page.getByRole("navigation", { name: "Time of the analysis" }).getByRole("link", { name: "1 month" }).click();
  await page
    .getByText(/not enough closes: \d+ of 60 returns/)
    .first()
    .waitFor();
  expect(page.url()).toEndWith(PROFILE);
  // The newest value is drawn in the pane that the report leads to.
  await rsi.getByRole("link", { name: "Show it in the chart" }).click();
  await drawn(page);
  expect(await page.locator("[data-panes] li").allTextContents()).toEqual(["Volume×", "rsi_14×"]);
});

test("without JavaScript the page says where the numbers are, and recomputes and deletes", async () => {
  await runToEnd({ symbols: ["GONE"], years: 1 });
  const page = await browserApp.usePage("/profiles/GONE", { javaScriptEnabled: false });
  expect(await page.locator(".chart-stage").textContent()).toContain("downloads of this page");
  await page.getByRole("link", { name: "Delete" }).click();
  await page.getByRole("link", { name: "Keep it" }).click();
  await page.getByRole("button", { name: "Recompute features" }).click();
  await rowOf(page, "GONE").waitFor();
  await browserApp.waitForRun(browserApp.app.hub.runs().find(({ mode }) => mode === "reprocess")!.id);
  await page.goto(`${browserApp.address}/profiles/GONE/delete`);
  // In the meantime the profile is computed again: the confirmed one is no longer the shown one.
  await runToEnd({ symbols: ["GONE"], mode: "reprocess" });
  await page.getByRole("button", { name: "Delete profile" }).click();
  await page.getByText("has changed since").waitFor();
  browserApp.dismissErrors(/status of 409/);
  await page.goto(`${browserApp.address}/profiles/GONE/delete`);
  await page.getByRole("button", { name: "Delete profile" }).click();
  await page.getByRole("heading", { name: "Profiles" }).waitFor();
  expect((await fetch(`${browserApp.address}/api/profiles/GONE`)).status).toBe(404);
  expect((await fetch(`${browserApp.address}/api/bars/GONE`)).status).toBe(200);
});

test("a chart that cannot be loaded says why", async () => {
  const page = await browserApp.usePage("/healthz");
  await page.route("**/api/bars/**", (route) =>
    route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"detail":"The disk is full"}' }),
  );
  await page.goto(browserApp.address + PROFILE);
  await page.getByText("The chart could not be drawn: The disk is full").waitFor();
  browserApp.dismissErrors(/status of 503/);
});

test("a command is copied with its button, and can be read and selected without scripts", async () => {
  const page = await browserApp.usePage(PROFILE);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByText("curl", { exact: true }).click();
  await page.getByRole("button", { name: "Copy curl" }).click();
  await page.getByText("Copied").first().waitFor();
  const copied = await page.evaluate("navigator.clipboard.readText()");
  expect(copied).toContain(`${browserApp.address}/api/bars/AAPL?interval=1d&adjust=splits&format=csv`);
  const plain = await browserApp.usePage(PROFILE, { javaScriptEnabled: false });
  await plain.getByText("curl", { exact: true }).click();
  expect(await plain.locator(".copy-as details[open] > pre").textContent()).toBe(copied as string);
  expect(await plain.locator("[data-copy]:visible").count()).toBe(0);
});
