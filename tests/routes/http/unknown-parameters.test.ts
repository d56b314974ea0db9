/** Parameters of addresses that are not known, or cannot be read: refused with 422 and what is wanted. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  const id = await app.start({ symbols: ["AAPL"], interval: "1d", years: 1 });
  await app.waitForRun(id, "complete");
});
afterAll(() => app[Symbol.asyncDispose]());

test.each([
  ["/api/profiles?interva=1d", "interva", "interval, q, where"],
  ["/api/profiles/AAPL?adjust=none", "adjust", "there are interval"],
  ["/api/runs?state=complete", "state", "limit, before, after, status"],
  ["/api/runs/x?jobs=1", "jobs", "there are none"],
  ["/api/companies?query=a", "query", "q, watchlist"],
  ["/api/schedules?enabled=1", "enabled", "there are none"],
  ["/api/usage?provider=demo", "provider", "there are none"],
  ["/api/events?last=1", "last", "there are latest"],
  ["/api/quality?month=2026-01", "month", "months"],
  ["/api/profiles/AAPL/compare?provider=demo", "provider", "interval, first"],
])("%s is refused: there is no parameter %s", async (address, name, known) => {
  const { status, body } = await app.get(address);
  expect([status, body.detail]).toEqual([422, expect.stringContaining(`unknown parameter "${name}"`)]);
  expect(body.detail).toContain(known);
});

test("a reason is no unknown parameter of a request that changes something", async () => {
  const { status } = await app.post("/api/runs?reason=update", { symbols: ["MSFT"], years: 1 });
  expect(status).toBe(202);
  expect((await app.post("/api/runs?raeson=update", { symbols: ["SPY"], years: 1 })).status).toBe(422);
});

test.each([
  ["/quality?interval=zz", '"zz" is not one of 1m, 5m, 15m, 1h, 1d'],
  ["/quality?state=bad", '"bad" is not one of'],
  ["/quality?months=13", '"13" is not one of 12, 24, 36, 60'],
  ["/quality?to=2026-13", '"2026-13" is not a month'],
  ["/profiles?interval=2h", '"2h" is not one of'],
  ["/profiles/AAPL?adjust=dividends", '"dividends" is not one of none, splits, all'],
  ["/profiles/AAPL?month=May", '"May" is not a month'],
  ["/profiles/AAPL/compare?interval=1w", '"1w" is not one of'],
  ["/profiles/AAPL/compare?from=05.10.2026", '"05.10.2026" is not a date or time'],
  ["/alerts?state=lost", '"lost" is not one of'],
  ["/profiles?health=bad", '"bad" is not one of ok, '],
  ["/profiles?health=gaps,lost", '"lost" is not one of'],
  ["/api/profiles?health=bad", '"bad" is not one of'],
  ["/profiles?format=xml", '"xml" is not one of json, csv'],
  ["/?sort=size", '"size" is not one of symbol, -symbol'],
  ["/audit?before=x", '"x" is not the id of a row'],
  ["/audit?format=xml", '"xml" is not one of csv'],
  ["/audit?from=05.10.2026&format=csv", "05.10.2026 is not a day"],
])("the page %s is refused: %s", async (address, words) => {
  const { status, body } = await app.get(address);
  expect([status, body.detail]).toEqual([422, expect.stringContaining(words)]);
});

test.each([
  ["/?q=stage:nowhere", "nowhere"],
  ["/audit?from=05.10.2026", "05.10.2026 is not a day like 2026-01-31."],
  ["/audit?symbol=A..B", "A..B is not a symbol."],
])("the page %s says in its form what it cannot read, and is no success", async (address, words) => {
  const answer = await fetch(`${app.url}${address}`);
  expect([answer.status, (await answer.text()).includes(words)]).toEqual([422, true]);
});

test("a run's page refuses an order and a filter that it does not know, and takes those of its queue when it has ended", async () => {
  const id = await app.start({ symbols: ["AAPL"], years: 1 });
  await app.waitForRun(id, "complete");
  const of = async (search: string) => (await fetch(`${app.url}/runs/${id}?${search}`)).status;
  const statuses = [];
  for (const search of ["sort=size", "q=stage:nowhere", "q=stage:nowhere&format=csv", "format=xml", "sort=-points"])
    statuses.push(await of(search));
  expect(statuses).toEqual([422, 422, 422, 422, 200]);
  expect([await of("sort=progress"), await of("q=A*&sort=")]).toEqual([200, 200]);
});

test.each([
  "/quality?interval=&state=&to=",
  "/profiles?interval=&health=",
  "/alerts?state=",
  "/?sort=",
  "/audit?from=",
])("the page %s takes an empty parameter as one that is not given", async (address) => {
  expect((await app.get(address)).status).toBe(200);
});

const RANGE = "from=2026-03-02&to=2026-03-01";

test("every route of the API that wants a range refuses one that ends before it begins, and takes an empty one", async () => {
  const { body: api } = await app.get("/api/openapi.json");
  type Path = { readonly get?: { readonly parameters?: readonly { readonly name: string }[] } };
  const paths = Object.entries<Path>(api.paths).filter(([, { get }]) => {
    const names = (get?.parameters ?? []).map(({ name }) => name);
    return names.includes("from") && names.includes("to");
  });
  const answers = await Promise.all(
    paths.map(async ([path]) => {
      const address = `${path.replace("{symbol}", "AAPL")}?${path === "/api/panel" ? "symbols=AAPL&" : ""}`;
      const { status, body } = await app.get(address + RANGE);
      const empty = await app.get(`${address}from=2026-03-01&to=2026-03-01`);
      return [path, status, body.detail, empty.status];
    }),
  );
  expect(answers.toSorted()).toEqual(
    [
      "/api/audit",
      "/api/bars/{symbol}",
      "/api/features/{symbol}",
      "/api/panel",
      "/api/profiles/{symbol}/compare",
      "/api/runs",
    ].map((path) => [path, 422, expect.stringContaining("lies before from"), 200]),
  );
});

test.each([
  "/audit",
  "/audit?format=csv",
  "/runs",
  "/runs?format=csv",
  "/profiles/AAPL/compare",
  "/profiles/AAPL/bars",
  "/profiles/AAPL/chart/marks",
])("%s refuses a range that ends before it begins", async (address) => {
  const answer = await fetch(`${app.url}${address}${address.includes("?") ? "&" : "?"}${RANGE}`);
  expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining("lies before from")]);
});

test("a request that takes no body refuses one, which would be left out without a word; an empty object is none", async () => {
  const { body: api } = await app.get("/api/openapi.json");
  type Path = Readonly<Record<string, { readonly requestBody?: object }>>;
  const routes = Object.entries<Path>(api.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { requestBody }]) =>
      /^(?:post|put|patch|delete)$/.test(method) && requestBody === undefined
        ? [`${method.toUpperCase()} ${path}`]
        : [],
    ),
  );
  expect(routes.length).toBeGreaterThan(8);
  const answers = await Promise.all(
    routes.map(async (route) => {
      const [method = "", path = ""] = route.split(" ");
      const address = path.replace(/\{(\w+)\}/g, (_, name) => (/^(?:action|order)$/.test(name) ? "pause" : "AAPL"));
      const { status, body } = await app.send(method, address, { symbols: ["MSFT"] });
      return [route, status, body.detail];
    }),
  );
  // A path whose id is no number is refused for that first.
  const wrong = answers.filter(([, status, detail]) => status !== 422 || !/takes no body|number/.test(detail));
  expect(wrong).toEqual([]);
  expect(answers.filter(([, , detail]) => /takes no body/.test(detail)).length).toBeGreaterThan(6);
  expect((await app.post("/api/runs/outdated", {})).status).toBe(202);
});
