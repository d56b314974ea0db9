/** A server below a path of its host: addresses in pages, redirects and cookies, with and without a proxy that strips it. */

import { expect, test } from "bun:test";
import { BasePath } from "../../../src/routes/http/base-path.ts";
import { startApp } from "../../helpers/app.ts";
import { PASSWORD } from "../../helpers/password.ts";

const base = new BasePath("https://example.com/barkeep/");

test("every local address in HTML gets the path, also inside JSON, and nothing else changes", () => {
  for (const [html, expected] of [
    ['<a class="x" href="/runs?q=a">/runs</a>', '<a class="x" href="/barkeep/runs?q=a">/runs</a>'],
    ['<form action="/" method="post">', '<form action="/barkeep/" method="post">'],
    ['<div hx-sse:connect="/events?run=1">', '<div hx-sse:connect="/barkeep/events?run=1">'],
    [JSON.stringify({ came: '<a href="/runs">' }), JSON.stringify({ came: '<a href="/barkeep/runs">' })],
    ['<a href="//other.example/x">', '<a href="//other.example/x">'],
    ['<a href="#main">', '<a href="#main">'],
    ['<input name="back" value="/runs">', '<input name="back" value="/runs">'],
    ["<p> href=&quot;/runs&quot;</p>", "<p> href=&quot;/runs&quot;</p>"],
  ] as const) {
    expect(base.markup(html)).toBe(expected);
  }
  expect(new BasePath(undefined).markup('<a href="/">')).toBe('<a href="/">');
  expect(new BasePath("https://example.com").path).toBe("");
});

test("the path is removed from a request that has it, and no other", () => {
  const cases = { "/barkeep/runs": "/runs", "/barkeep": "/", "/barkeep/": "/", "/barkeeper": "/barkeeper", "/a": "/a" };
  for (const [path, expected] of Object.entries(cases)) expect(base.strip(path)).toBe(expected);
});

test.each([
  ["a proxy that strips the path", ""],
  ["a proxy that leaves it", "/barkeep"],
])("no address, redirect or cookie leads outside of the path behind %s", async (_, prefix) => {
  const env = { BARKEEP_URL: "https://localhost/barkeep", BARKEEP_PASSWORD: PASSWORD };
  await using app = await startApp({ env });
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${app.url}${prefix}${path}`, { redirect: "manual", ...init });

  const asked = await ask("/runs?q=a", { headers: { Accept: "text/html" } });
  expect(asked.headers.get("Location")).toBe(`/barkeep/login?next=${encodeURIComponent("/runs?q=a")}`);
  const login = await ask("/login", {
    method: "POST",
    body: new URLSearchParams({ password: PASSWORD, next: "/barkeep/runs" }),
  });
  expect([login.status, login.headers.get("Location")]).toEqual([303, "/barkeep/runs"]);
  const [cookie] = login.headers.getSetCookie();
  expect(cookie).toStartWith("__Secure-barkeep-session=");
  expect(cookie).toContain("; Path=/barkeep/;");

  const headers = { Cookie: cookie!.split(";")[0]!, Accept: "text/html" };
  for (const path of ["/", "/runs", "/profiles", "/companies", "/schedules", "/alerts", "/settings", "/nothing"]) {
    const html = await (await ask(path, { headers })).text();
    const addresses = [...html.matchAll(/ (?:href|src|action|formaction|hx-[\w:-]+|data-base)="(\/[^"]*)"/g)];
    expect(addresses.length).toBeGreaterThan(5);
    expect(addresses.map(([, address]) => address!).filter((each) => !each.startsWith("/barkeep/"))).toEqual([]);
    if (path === "/runs") expect(html).toMatch(/href="\/barkeep\/runs" aria-current="page"/);
  }
  const theme = await ask("/theme", {
    method: "POST",
    headers: { Cookie: headers.Cookie },
    body: new URLSearchParams({ theme: "dark", back: "/runs" }),
  });
  expect(theme.headers.get("Location")).toBe("/barkeep/runs");
  expect(theme.headers.getSetCookie()[0]).toContain("; Path=/barkeep/;");
  const { servers } = (await (await ask("/api/openapi.json", { headers })).json()) as { servers: unknown };
  expect(servers).toEqual([{ url: "https://localhost/barkeep" }]);
});
