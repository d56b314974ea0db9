/** @jsxImportSource hono/jsx */

import { expect, test } from "bun:test";
import { groupsOf } from "../../src/routes/groups.ts";
import { ErrorPage, Layout, type PageContext } from "../../src/views/ui/layout.tsx";

/** Areas that are no page, or a page of no place. */
const WITHOUT_PLACE = new Set([
  "undo",
  "metrics",
  "login",
  "logout",
  "theme",
  "zone",
  "lake",
  "search",
  "symbols",
  "mcp",
] as const);

const page = (path: string): PageContext => ({
  path,
  theme: "system",
  zone: "utc",
  timeZone: "UTC",
  scope: "admin",
  signedIn: null,
  assets: { css: "", otherCss: "", noScriptCss: "", js: "", htmx: "", favicon: "", chart: "" },
  version: "0",
  now: 0,
  trouble: null,
});

/** The titles that a page marks in the navigation. */
const marked = (path: string) =>
  [...String(<Layout page={page(path)} title="T" />).matchAll(/aria-current="page"[^>]*>([^<]*)</g)].map(
    ([, title]) => title,
  );

test("each page is marked at one place of the navigation, and one of no place at none", () => {
  const areas = groupsOf({} as never)
    .flatMap((group) => group.areas)
    .filter((area) => !area.startsWith("api/"));
  expect(areas.length).toBeGreaterThan(20);
  for (const area of areas)
    expect([area, marked(`/${area}`).length]).toEqual([area, WITHOUT_PLACE.has(area as never) ? 0 : 1]);
  expect(["/", "/quality?q=a", "/storage/prune", "/hosts", "/files/import"].map(marked)).toEqual([
    ["Monitor"],
    ["Profiles"],
    ["Profiles"],
    ["Settings"],
    ["Companies"],
  ]);
});

test("the page of an error leads to the place that it belongs to, if the reader may see it, and to the monitor", () => {
  const links = (path: string, scope: PageContext["scope"] = "read") => {
    const view = { page: { ...page(path), scope }, status: 404, title: "Not found", detail: "" };
    const body = String(<ErrorPage {...view} />)
      .split('class="empty"')[1]!
      .split("</div>")[0]!;
    return [...body.matchAll(/href="([^"]*)"/g)].map(([, address]) => address);
  };
  expect(links("/profiles/NOPE?interval=1d")).toEqual(["/profiles", "/"]);
  expect(links("/nothing")).toEqual(["/"]);
  expect(links("/runs")).toEqual(["/"]);
  expect(links("/audit/1")).toEqual(["/"]);
  expect(links("/audit/1", "admin")).toEqual(["/audit", "/"]);
  expect(links("/runs/1", null)).toEqual(["/"]);
});
