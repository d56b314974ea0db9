import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createRoutes } from "../../../src/routes/index.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";

setDefaultTimeout(60_000);

let app: TestApp;
/** Every address that answers GET, with parameters that exist. */
let addresses: string[] = [];
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  const runId = await app.start({ symbols: ["AAPL"], years: 1 });
  await app.waitForRun(runId, "complete");
  const routes = await createRoutes(app.app);
  routes.close();
  const paths = (await routes.table()).filter(({ method }) => method === "GET").map(({ path }) => path);
  addresses = [...new Set(paths)]
    .filter((path) => !path.includes("*"))
    .map((path) =>
      path.replace(":symbol", "AAPL").replace(":id", runId).replace(":file", "app.css").replace(/:\w+/, "x"),
    );
  addresses.push("/audit?format=csv", "/profiles?format=csv", "/api/features/AAPL?format=parquet");
});
afterAll(() => app[Symbol.asyncDispose]());

const viewers = async () => /^barkeep_viewers (\d+)$/m.exec((await app.get("/metrics")).text)![1];

test("HEAD answers as GET without a body, and leaves no stream and no export behind", async () => {
  expect(addresses.length).toBeGreaterThan(25);
  for (const address of addresses) {
    const head = await fetch(app.url + address, { method: "HEAD" });
    expect([address, await head.text()]).toEqual([address, ""]);
    const abort = new AbortController();
    const get = await fetch(app.url + address, { signal: abort.signal });
    const told = ({ status, headers }: Response) => [address, status, headers.get("Content-Type")];
    expect(told(head)).toEqual(told(get));
    // The length is that of the body of GET, or is not told.
    const [said, length] = [head, get].map(({ headers }) => headers.get("Content-Length"));
    expect([address, said ?? length]).toEqual([address, length]);
    abort.abort();
  }
  for (let i = 0; i < 30; i++) {
    for (const path of ["/events", "/api/events", "/api/features/AAPL"])
      await fetch(app.url + path, { method: "HEAD" });
  }
  // The streams of GET above are cancelled a little later than their requests.
  while ((await viewers()) !== "0") await Bun.sleep(5);
  const { tables, lists } = app.app.exporter;
  while (tables.counts.atWork + lists.counts.atWork > 0) await Bun.sleep(5);
  expect([tables.counts, lists.counts]).toEqual(Array(2).fill({ atWork: 0, waiting: 0 }));
});

test("a page of another site can link to Barkeep, but load nothing from it except styles and scripts", async () => {
  const asset = /\/assets\/app\.css\?v=\w+/.exec((await app.get("/")).text)![0];
  const from = (site: string, mode: string, dest: string) => ({
    "Sec-Fetch-Site": site,
    "Sec-Fetch-Mode": mode,
    "Sec-Fetch-Dest": dest,
  });
  const statusOf = async (path: string, headers: Record<string, string>, method = "GET") => {
    const abort = new AbortController();
    const { status } = await fetch(app.url + path, { method, headers, signal: abort.signal });
    abort.abort();
    return status;
  };
  for (const site of ["cross-site", "same-site"]) {
    for (const path of addresses.filter((each) => !each.startsWith("/assets/"))) {
      for (const method of ["GET", "HEAD"]) {
        const refused = await statusOf(path, from(site, "no-cors", "empty"), method);
        expect([path, method, refused]).toEqual([path, method, 403]);
      }
    }
    expect(await statusOf("/runs", from(site, "navigate", "iframe"))).toBe(403);
    expect(await statusOf("/runs", from(site, "navigate", "document"))).toBe(200);
    expect(await statusOf(asset, from(site, "no-cors", "style"))).toBe(200);
  }
  expect(await statusOf("/api/runs", from("same-origin", "cors", "empty"))).toBe(200);
  expect(await statusOf("/runs", from("none", "navigate", "document"))).toBe(200);
});
