import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { live, rowOf, Screen, startRun } from "./screen.ts";

setDefaultTimeout(60_000);

let screen: Screen;
beforeAll(async () => {
  screen = await Screen.open(10);
});
afterEach(() => screen.leave());
afterAll(() => screen.close());

/** The rules that a page breaks, with the elements that break them; of the given rules only, if any are. */
async function violations(page: Page, rules: readonly string[] = []): Promise<string[]> {
  await page.evaluate(axe.source);
  const options = { resultTypes: ["violations"], ...(rules.length > 0 && { runOnly: rules }) };
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${page.url()} ${id}: ${node.html.slice(0, 160)}`));
}

test("axe finds nothing on any page, in either theme, nor on a phone", async () => {
  const first = await screen.visit("/");
  await live(first);
  await startRun(first, "AAPL, MSFT, GOOGL, AMZN");
  await rowOf(first, "AMZN").getByRole("button", { name: "Actions for AMZN" }).click();
  await rowOf(first, "GOOGL").getByRole("link", { name: "GOOGL", exact: true }).waitFor();
  await first.getByRole("link", { name: "Full" }).click();
  const runPath = new URL(first.url()).pathname;
  const found: string[] = [];
  const check = async (paths: readonly string[], options: BrowserContextOptions, rules?: readonly string[]) => {
    const page = await screen.visit("/", options);
    await live(page);
    found.push(...(await violations(page, rules)));
    await startRun(page, "not/a/symbol");
    await page.locator("#run-symbols-error").waitFor();
    found.push(...(await violations(page, rules)));
    for (const path of paths) {
      await page.goto(screen.address + path);
      found.push(...(await violations(page, rules)));
    }
    await screen.leave();
  };
  const profile = "/profiles/AAPL?interval=1d";
  const paths = [
    "/runs",
    runPath,
    `${runPath}/jobs/AAPL`,
    "/profiles",
    profile,
    "/companies?q=a&pick=AAPL",
    "/settings",
    "/schedules",
    "/schedules/1/delete",
    "/search?q=a",
    "/nowhere",
  ];
  await check(paths, { colorScheme: "light" });
  // Only colours differ between the themes.
  await check(paths, { colorScheme: "dark" }, ["color-contrast"]);
  await check([profile], { viewport: { width: 390, height: 844 } });
  expect(found).toEqual([]);
});

test("no page is wider than a phone", async () => {
  const page = await screen.visit("/", { viewport: { width: 390, height: 844 } });
  await startRun(page, "VERYLONGNAME.WITH-SUFFIX");
  // Rows out of view are not laid out, so they only have to be there.
  await rowOf(page, "SUFFIX").locator("th a").waitFor({ state: "attached" });
  const wide: string[] = [];
  for (const path of ["/", "/runs", "/companies", "/settings", "/profiles", "/profiles/VERYLONGNAME.WITH-SUFFIX"]) {
    await page.goto(screen.address + path);
    const width = await page.evaluate<number>("document.documentElement.scrollWidth");
    if (width > 390) wide.push(`${path}: ${width}`);
  }
  expect(wide).toEqual([]);
});
