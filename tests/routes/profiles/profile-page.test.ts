/** What the page of a profile says about its bars, and what it offers for download. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { type Folder, temporaryFolder } from "../../helpers/folder.ts";

setDefaultTimeout(60_000);

let folder: Folder;
let app: TestApp;
beforeAll(async () => {
  folder = temporaryFolder();
  app = await startApp({ env: { BARKEEP_CSV_DIR: folder.path } });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 3 }), "complete");
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("the sparklines of a page stay light", async () => {
  const { text } = await app.get("/profiles/AAPL?interval=1d");
  const sparks = text.match(/<svg class="spark".*?<\/svg>/gs) ?? [];
  expect(sparks.length).toBe(200);
  expect(Bun.gzipSync(sparks.join("")).length).toBeLessThan(30_000);
});

test("downloads have the names of what they hold", async () => {
  const { text } = await app.get("/profiles/AAPL?interval=1d");
  const downloads = /<p class="downloads">.*<\/p>/s.exec(text)![0];
  const links = [...downloads.matchAll(/<a [^>]*href="([^"]+)"[^>]* download="([^"]+)"/g)];
  expect(links.map(([, , each]) => each)).toEqual(
    ["bars", "features"].flatMap((content) =>
      ["csv", "parquet", "json"].map((format) => `AAPL-1d-${content}.${format}`),
    ),
  );
  // A browser takes the name of the response rather than that of the link.
  const [, href, name] = links[3]!;
  const { status, headers } = await app.get(href!.replaceAll("&amp;", "&"));
  expect(status).toBe(200);
  expect(headers.get("Content-Disposition")).toBe(`attachment; filename="${name}"`);
});

test("rejected rows are counted, and their reasons can be opened", async () => {
  const { text: bars } = await app.get("/api/bars/AAPL?format=csv");
  const lines = bars.trim().split("\n").slice(-100);
  const invalid = lines.map((line, index) => (index < 3 ? `${line.split(",")[0]},1,2,3,1,10` : line));
  await Bun.write(`${folder.path}/FLAW.csv`, ["timestamp,open,high,low,close,volume", ...invalid].join("\n"));
  await app.waitForRun(await app.start({ symbols: ["FLAW"], provider: "files" }), "complete");
  const { text } = await app.get("/profiles/FLAW");
  const [, count, reasons] = /<details class="rejected"><summary>(.*?)<\/summary>(.*?)<\/details>/s.exec(text)!;
  expect(count).toBe("3 rows");
  expect(/<li>(.*?)<\/li>/s.exec(reasons!)![1]!.replace(/<[^>]*>/g, "")).toMatch(/^3 × .*high/);
});
