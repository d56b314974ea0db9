import { expect, test } from "bun:test";
import { Renderings } from "../../../src/routes/http/renderings.ts";
import { startApp } from "../../helpers/app.ts";

test("the same content is rendered once, other content anew, and the oldest rendering makes room", () => {
  // Each takes nine characters.
  const renderings = new Renderings(18);
  let renders = 0;
  const show = (content: string) =>
    renderings.get(content, () => {
      renders += 1;
      return `<p>${content}</p>`;
    });
  expect(["a", "b", "a", "b"].map(show)).toEqual(["<p>a</p>", "<p>b</p>", "<p>a</p>", "<p>b</p>"]);
  expect(renders).toBe(2);
  expect([show("c"), show("b")]).toEqual(["<p>c</p>", "<p>b</p>"]);
  expect(renders).toBe(3);
  expect(show("a")).toBe("<p>a</p>");
  expect(renders).toBe(4);
});

test("a rendering that is longer than all that may be kept is made each time, and takes no room", () => {
  const renderings = new Renderings(18);
  let renders = 0;
  const show = (content: string, length: number) =>
    renderings.get(content, () => {
      renders += 1;
      return "x".repeat(length);
    });
  for (let i = 0; i < 2; i++) expect(show("long", 100)).toHaveLength(100);
  expect(renders).toBe(2);
  for (let i = 0; i < 2; i++) expect([show("a", 8), show("b", 8)]).toEqual(["xxxxxxxx", "xxxxxxxx"]);
  expect(renders).toBe(4);
});

test("the monitor shows what has changed at once, to each reader in his own theme and zone", async () => {
  await using app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  const page = async (headers: Record<string, string> = {}, path = "/") =>
    (await fetch(app.url + path, { headers })).text();
  const before = await page();
  expect(before).not.toContain("NFLX");
  await app.waitForRun(await app.start({ symbols: ["NFLX"], years: 1 }), "complete");
  expect(await page()).toContain("NFLX");
  expect(await page({ Cookie: "barkeep-theme=dark" })).toContain('data-theme="dark"');
  expect(await page()).not.toContain('data-theme="dark"');
  expect(await page({ Cookie: "barkeep-zone=exchange" })).not.toBe(await page());
  expect(await page({}, "/?q=symbol:MSFT")).toContain("symbol:MSFT");
  expect(await page()).not.toContain("symbol:MSFT");
});
