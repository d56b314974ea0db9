import { expect, test } from "bun:test";
import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import { once } from "../../../src/installation.ts";
import { type GroupRoutes, LazyRoutes, type RouteGroup } from "../../../src/routes/http/lazy-routes.ts";

const asHono = (error: unknown) => new Hono().all("*", () => Promise.reject(error));

function lazy(groups: readonly RouteGroup[]): LazyRoutes {
  const build = (loaded: readonly GroupRoutes[], failure?: unknown) => {
    const routes = new Hono().onError((error, c) => c.text(error.message, 500));
    if (failure !== undefined) routes.route("/", asHono(failure));
    for (const { api = [], pages = [] } of loaded) {
      for (const each of api) routes.route("/api", each);
      for (const each of pages) routes.route("/", each);
    }
    return routes;
  };
  return new LazyRoutes({ pathOf: getPath, groups, build });
}

/** A group that counts how often it is loaded. */
function group(areas: readonly string[], routes: () => GroupRoutes): RouteGroup & { loads: number } {
  return {
    areas,
    loads: 0,
    async load() {
      this.loads++;
      await Promise.resolve();
      return routes();
    },
  };
}

const answer = async (routes: LazyRoutes, path: string) => {
  const response = await routes.fetch(new Request(`http://localhost${path}`));
  return [response.status, await response.text()];
};

test("a group is loaded once, with the first request of one of its areas, and others stay unread", async () => {
  const runs = group(["runs", "api/runs"], () => ({
    api: [new Hono().get("/runs", (c) => c.text("json"))],
    pages: [new Hono().get("/runs/:id", (c) => c.text(c.req.param("id")))],
  }));
  const profiles = group(["profiles"], () => ({ pages: [new Hono().get("/profiles", (c) => c.text("list"))] }));
  const routes = lazy([runs, profiles]);
  expect(await answer(routes, "/nothing")).toEqual([404, "404 Not Found"]);
  expect([runs.loads, profiles.loads]).toEqual([0, 0]);
  const answers = await Promise.all(["/runs/7", "/api/runs", "/runs/8"].map((path) => answer(routes, path)));
  expect(answers).toEqual([
    [200, "7"],
    [200, "json"],
    [200, "8"],
  ]);
  expect([runs.loads, profiles.loads]).toEqual([1, 0]);
  expect(await answer(routes, "/profiles")).toEqual([200, "list"]);
  expect(await answer(routes, "/runs/9")).toEqual([200, "9"]);
  expect([runs.loads, profiles.loads]).toEqual([1, 1]);
});

test("a path that is written with escapes reaches its group", async () => {
  const pages = [new Hono().get("/runs", (c) => c.text("runs"))];
  expect(await answer(lazy([group(["runs"], () => ({ pages }))]), "/%72uns")).toEqual([200, "runs"]);
});

test("requests of two groups that are loaded at once are all answered", async () => {
  const names = ["a", "b", "c", "d"];
  const groups = names.map((name) =>
    group([name], () => ({ pages: [new Hono().get(`/${name}`, (c) => c.text(name))] })),
  );
  const routes = lazy(groups);
  const answers = await Promise.all(names.map((name) => answer(routes, `/${name}`)));
  expect(answers).toEqual(names.map((name) => [200, name]));
  for (const name of names) expect(await answer(routes, `/${name}`)).toEqual([200, name]);
});

test("a group that cannot be loaded fails its request, and is loaded by the next one", async () => {
  let fails = true;
  const runs = group(["runs"], () => {
    if (fails) throw new Error("the module is not there");
    return { pages: [new Hono().get("/runs", (c) => c.text("runs"))] };
  });
  const routes = lazy([runs]);
  expect(await answer(routes, "/runs")).toEqual([500, "the module is not there"]);
  fails = false;
  expect(await answer(routes, "/runs")).toEqual([200, "runs"]);
  expect(runs.loads).toBe(2);
});

test("a group with a route outside its areas is refused: no request of that route would load it", async () => {
  const strange = () => ({ api: [new Hono().get("/jobs/:id", (c) => c.text("job"))] });
  await expect(lazy([group(["api/runs"], strange)]).all()).rejects.toThrow(
    "GET /api/jobs/:id lies in no area of api/runs",
  );
});

test("what is made once is made again only after a failure, and callers at the same time share it", async () => {
  const answers = [Promise.reject(new Error("no file")), Promise.resolve(1), Promise.resolve(2)];
  let calls = 0;
  const read = once(() => answers[calls++]!);
  const first = await Promise.allSettled([read(), read()]);
  expect(first.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(calls).toBe(1);
  expect([await read(), await read()]).toEqual([1, 1]);
  expect(calls).toBe(2);
});
