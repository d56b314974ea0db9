import { expect, test } from "bun:test";
import { Renderings } from "../../../src/routes/http/renderings.ts";
import { startApp } from "../../helpers/app.ts";

test("the same content is rendered once, other content anew, and the oldest rendering makes room", () => {
  const renderings = new Renderings(2);
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

test("a rendering of a megabyte is not kept", () => {
  const renderings = new Renderings(2);
  const long = "x".repeat(1_000_001);
  let renders = 0;
  for (let i = 0; i < 2; i++)
    renderings.get("a", () => {
      renders += 1;
      return long;
    });
  expect(renders).toBe(2);
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
