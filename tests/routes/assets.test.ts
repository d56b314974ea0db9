import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { loadAssets, readModules } from "../../src/routes/assets.ts";
import { startApp } from "../helpers/app.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { PASSWORD_HASH } from "../helpers/password.ts";

const { addresses, route, compress } = await loadAssets();
const read = async (address: string) => (await route.request(address)).text();
const importsOf = (script: string) => new Bun.Transpiler({ loader: "js" }).scanImports(script);

test("the page loads its module before htmx, and has no script of its own, also before the login", async () => {
  await using app = await startApp({ env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH } });
  const page = await (await fetch(`${app.url}/login`)).text();
  const scripts = [...page.matchAll(/<script[^>]*>.*?<\/script>/gs)].map(([script]) => script);
  expect(scripts).toEqual([
    `<script src="${addresses.js}" type="module"></script>`,
    `<script src="${addresses.htmx}" defer=""></script>`,
  ]);
  for (const address of [addresses.js, addresses.htmx, addresses.css, addresses.favicon]) {
    expect((await fetch(app.url + address)).status).toBe(200);
  }
});

test("each entry is served as one module with all that it imports", async () => {
  for (const [address, word] of [
    [addresses.js, "htmx:sse:after:message"],
    [addresses.chart, "dataset.base+address"],
  ] as const) {
    const script = await read(address);
    expect(script).toContain(word);
    expect(importsOf(script)).toEqual([]);
  }
});

test("a script that is changed between the start and its first request is served as it was under the version of the start", async () => {
  using folder = temporaryFolder();
  const write = (file: string, text: string) => Bun.write(join(folder.path, file), text);
  await write("main.js", 'import { word } from "./parts/word.js";\ndocument.title = word;');
  await write("parts/word.js", 'export const word = "before";');
  const started = await readModules(folder.path);
  await write("parts/word.js", 'export const word = "after";');
  expect(await started.join("main.js")).toContain('"before"');
  const next = await readModules(folder.path);
  expect(await next.join("main.js")).toContain('"after"');
  expect(next.version).not.toBe(started.version);
  rmSync(join(folder.path, "parts"), { recursive: true });
  expect(await next.join("main.js")).toContain('"after"');
  await write("parts/word.js", 'export const word = "before";');
  expect((await readModules(folder.path)).version).toBe(started.version);
});

test("a page has no icon of its own: they come with the script, and for a browser without scripts as a style sheet", async () => {
  await using app = await startApp();
  const page = await (await fetch(app.url)).text();
  expect(page).toContain(`<noscript><link rel="stylesheet" href="${addresses.noScriptCss}"/></noscript>`);
  expect(page).not.toContain("<symbol");
  const [script, styles] = [await read(addresses.js), await read(addresses.noScriptCss)];
  const used = new Set([...(page + script).matchAll(/href=\\?"#i-(\w+)/g)].map(([, name]) => name));
  expect(used.size).toBeGreaterThan(4);
  for (const name of used) {
    expect(script).toMatch(new RegExp(`<symbol id=\\\\?"i-${name}\\\\?"`));
    expect(styles).toContain(`.icon-${name}{mask-image:url("data:image/svg+xml,`);
  }
  // A text of the page's colours cannot reach into an image.
  expect(decodeURIComponent(styles)).not.toMatch(/="(currentColor|var)/);
});

test("scripts do not name folders of the machine they were joined on", async () => {
  for (const address of [addresses.js, addresses.chart]) {
    expect(await read(address)).not.toMatch(/\bpublic\/app\b/);
  }
});

test("a file is kept for good under the address that pages name, and asked for again under any other", async () => {
  const known = await route.request(addresses.js, { headers: { "Accept-Encoding": "gzip" } });
  expect(known.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
  expect(known.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
  expect(gunzipSync(await known.arrayBuffer()).toString()).toBe(await read(addresses.js));
  const other = await route.request("/assets/app.js?v=0");
  expect([other.status, other.headers.get("Cache-Control")]).toEqual([200, "no-cache"]);
  expect((await route.request("/assets/main.js")).status).toBe(404);
});

test("a browser that takes Brotli gets gzip until the files are compressed so, and the same text either way", async () => {
  const load = async () => {
    const response = await route.request(addresses.css, { headers: { "Accept-Encoding": "gzip, deflate, br" } });
    const encoding = response.headers.get("Content-Encoding");
    const body = Buffer.from(await response.arrayBuffer());
    return { encoding, text: (encoding === "br" ? brotliDecompressSync : gunzipSync)(body).toString() };
  };
  const text = await read(addresses.css);
  expect((await load()).text).toBe(text);
  await compress();
  expect(await load()).toEqual({ encoding: "br", text });
});

test("the Python client is open to all under an address for good, and is sent again only when it has changed", async () => {
  await using app = await startApp({
    env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH, BARKEEP_URL: "https://example.com/barkeep" },
  });
  for (const address of [`${app.url}/barkeep.py`, `${app.url}/barkeep/barkeep.py`]) {
    const first = await fetch(address);
    expect([first.status, first.headers.get("Content-Type"), first.headers.get("Cache-Control")]).toEqual([
      200,
      "text/x-python; charset=utf-8",
      "public, no-cache",
    ]);
    expect(await first.text()).toContain("def panel(");
    const tag = first.headers.get("ETag")!;
    const second = await fetch(address, { headers: { "If-None-Match": `"other", W/${tag}` } });
    expect([second.status, await second.text(), second.headers.get("ETag")]).toEqual([304, "", tag]);
    for (const known of ["*", ` ${tag} , "other"`]) {
      expect((await fetch(address, { headers: { "If-None-Match": known } })).status).toBe(304);
    }
    expect((await fetch(address, { headers: { "If-None-Match": '"other"' } })).status).toBe(200);
    expect((await fetch(address, { method: "HEAD" })).status).toBe(200);
  }
});

test("no class is styled by two areas, so that a page never looks like another by accident", async () => {
  const css = join(import.meta.dirname, "../../public/css");
  const files = new Map<string, Set<string>>();
  for (const file of new Bun.Glob("{areas,profiles,runs}/*.css").scanSync(css)) {
    const text = (await Bun.file(join(css, file)).text()).replace(/\/\*.*?\*\//gs, "");
    for (const [, selectors] of text.matchAll(/(?:^|[{};])\s*([^{};@]+)\{/g)) {
      for (const selector of selectors!.split(",").map((each) => each.trim())) {
        if (!/^\.[\w-]+$/.test(selector)) continue;
        files.set(selector, (files.get(selector) ?? new Set()).add(file));
      }
    }
  }
  expect(files.size).toBeGreaterThan(200);
  expect([...files].filter(([, of]) => of.size > 1).map(([selector]) => selector)).toEqual([]);
});
