/**
 * Styles and scripts: all are read at the start, scripts bundled and both compressed on the first request. Browsers
 * cache them under an address with their version. The client for Python has an address without a version.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { Hono } from "hono";
import { once, ownFile } from "../installation.ts";
import type { Coding } from "../pipeline/exports/compress-pieces.ts";
import { scriptParts } from "../views/script-parts.tsx";
import { iconStyles } from "../views/ui/icons.tsx";
import { acceptedCodings } from "./compression.ts";

/** Inside the executable: a folder with the files as they are served, and the client for Python. */
export const ASSETS_FOLDER = "assets";

const publicFile = (file: string) => ownFile(`public/${file}`);
const packageFile = (path: string) => fileURLToPath(import.meta.resolve(path));

/** The parts of the style sheet of all pages, in order. */
const STYLES = [
  "base/tokens",
  "base/reset",
  "base/components",
  "base/icons",
  "base/layout",
  "base/command-palette",
  "runs/monitor",
  "runs/run-strip",
  "runs/run",
  "areas/job-table",
  "areas/coverage-strip",
  "areas/log-panel",
  "base/pages",
  "areas/companies",
  "areas/settings",
  "promises/promise-panel",
  "areas/notifications",
  "base/responsive",
  "base/forced-colors",
  "base/print",
] as const;

/** The style sheet of pages that show no run at work: a first visit of the monitor does without it. */
const OTHER_STYLES = [
  "areas/profile",
  "areas/profile-quality",
  "profiles/chart",
  "profiles/analysis",
  "areas/access",
  "areas/schedules",
  "promises/promises",
  "areas/alerts",
  "areas/hosts",
] as const;

const styles = (names: readonly string[]) => names.map((name) => publicFile(`css/${name}.css`));

type Source =
  | { readonly parts: () => readonly string[] }
  | { readonly module: string }
  | { readonly text: () => string };

/**
 * What is served, each file from parts that are joined or from a module of `public/app` with all its imports, or a text.
 * htmx and its extension are one file: as two deferred scripts, htmx may process the page before the extension is
 * loaded, and the page would never connect.
 */
const FILES = {
  css: { file: "app.css", type: "text/css", parts: () => styles(STYLES) },
  otherCss: { file: "pages.css", type: "text/css", parts: () => styles(OTHER_STYLES) },
  js: { file: "app.js", type: "text/javascript", module: "main.js" },
  htmx: {
    file: "htmx.js",
    type: "text/javascript",
    parts: () => [packageFile("htmx.org/dist/htmx.min.js"), packageFile("htmx.org/dist/ext/hx-sse.min.js")],
  },
  chart: { file: "chart.js", type: "text/javascript", module: "chart.js" },
  noScriptCss: { file: "noscript.css", type: "text/css", text: iconStyles },
  favicon: { file: "favicon.svg", type: "image/svg+xml", parts: () => [publicFile("favicon.svg")] },
} as const satisfies Record<string, Source & { readonly file: string; readonly type: string }>;

type AssetName = keyof typeof FILES;

interface Asset {
  readonly file: string;
  readonly type: string;
  readonly version: string;
  /** The text as it is served; a script is bundled on the first call, so that a start does not wait for it. */
  plain(): Promise<Uint8Array<ArrayBuffer>>;
  gzipped?: Uint8Array<ArrayBuffer>;
  brotlied?: Uint8Array<ArrayBuffer>;
}

async function joinTexts(parts: readonly string[]): Promise<string> {
  return (await Promise.all(parts.map((part) => Bun.file(part).text()))).join("\n");
}

/** The script modules of a folder, with the contents that they had when the folder was read. */
interface Modules {
  /** Of all of them: bundling one would delay a start. */
  readonly version: string;
  /**
   * A module and all that it imports as one module: served one by one they were 15 requests and 21 KB more, and ran at
   * least 85 ms later. Whitespace is removed because with it come comments that name local folders.
   */
  join(entry: string): Promise<string>;
}

/** Reads the modules of a folder. What changes there later has another version, and is not served under this one. */
export async function readModules(folder: string): Promise<Modules> {
  const paths = [...new Bun.Glob("**/*.js").scanSync(folder)].sort();
  const texts = await Promise.all(paths.map((path) => Bun.file(join(folder, path)).text()));
  const files = Object.fromEntries(paths.map((path, at) => [join(folder, path), texts[at]!]));
  return {
    version: versionOf([Bun.version, scriptParts(), ...paths, ...texts].join("\n")),
    async join(entry) {
      const { outputs } = await Bun.build({
        entrypoints: [join(folder, entry)],
        files,
        target: "browser",
        minify: { whitespace: true },
        define: { SCRIPT_PARTS: JSON.stringify(scriptParts()) },
      });
      return outputs[0]!.text();
    },
  };
}

const appModules = once(() => readModules(publicFile("app")));

async function buildText(source: Source): Promise<string> {
  if ("text" in source) return source.text();
  return "module" in source ? (await appModules()).join(source.module) : joinTexts(source.parts());
}

const encode = (text: string) => new TextEncoder().encode(text);
const versionOf = (text: string) => Bun.hash(text).toString(36);

/** An asset of the executable, which has the text as it is served, or of a checkout. */
async function readAsset(file: string, type: string, source: Source): Promise<Asset> {
  if (!Bun.isStandaloneExecutable && "module" in source)
    return { file, type, version: (await appModules()).version, plain: once(() => buildText(source).then(encode)) };
  const text = await (Bun.isStandaloneExecutable ? Bun.file(embedded(file)).text() : buildText(source));
  const bytes = Promise.resolve(encode(text));
  return { file, type, version: versionOf(text), plain: () => bytes };
}

/** Writes what the executable embeds into a folder of this name: every file as it is served. */
export async function writeAssets(folder: string): Promise<void> {
  for (const each of Object.values(FILES)) await Bun.write(join(folder, each.file), await buildText(each));
  await Bun.write(join(folder, CLIENT.file), Bun.file(publicFile(CLIENT.file)));
}

async function zip(asset: Asset): Promise<Uint8Array<ArrayBuffer>> {
  asset.gzipped ??= Bun.gzipSync(await asset.plain(), { level: 9 });
  return asset.gzipped;
}

const brotli = promisify(brotliCompress);

/** An eighth smaller than gzip, but it takes a thread of the pool half a second: until then readers get gzip. */
async function compressWell(assets: readonly Asset[]): Promise<void> {
  for (const asset of assets) {
    const plain = await asset.plain();
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: plain.byteLength };
    asset.brotlied = new Uint8Array(await brotli(plain, { params }));
  }
}

/** The address of the Python client never changes, so readers revalidate it. */
const CLIENT = { file: "barkeep.py", type: "text/x-python; charset=utf-8", cache: "public, no-cache" } as const;

const IMMUTABLE = "public, max-age=31536000, immutable";

const embedded = (file: string) => ownFile(`${ASSETS_FOLDER}/${file}`);

/** The addresses of all files for the pages, and the route that serves them; the servers of a process share them. */
export const loadAssets = once(readAssets);

async function readAssets() {
  const names = Object.keys(FILES) as AssetName[];
  const loaded = await Promise.all(
    names.map((name) => {
      const { file, type, ...source } = FILES[name];
      return readAsset(file, `${type}; charset=utf-8`, source);
    }),
  );
  const client = await Bun.file(Bun.isStandaloneExecutable ? embedded(CLIENT.file) : publicFile(CLIENT.file)).bytes();
  const clientTag = `"${Bun.hash(client).toString(36)}"`;
  /** Compresses all files as well as it can be done. */
  const compress = once(() => compressWell(loaded));
  const encoded = async (
    asset: Asset,
    accepted: readonly Coding[],
  ): Promise<[Uint8Array<ArrayBuffer>, "br" | "gzip" | null]> => {
    if (accepted.includes("br")) {
      // A file that cannot be built fails the request for it, which reports the error.
      compress().catch(() => {});
      if (asset.brotlied !== undefined) return [asset.brotlied, "br"];
    }
    return accepted.includes("gzip") ? [await zip(asset), "gzip"] : [await asset.plain(), null];
  };
  const byFile = new Map(loaded.map((asset) => [asset.file, asset]));
  const route = new Hono().get("/assets/:file", async (c) => {
    const asset = byFile.get(c.req.param("file"));
    if (asset === undefined) return c.notFound();
    const fits = c.req.query("v") === asset.version;
    const [body, encoding] = await encoded(asset, acceptedCodings(c.req.header("Accept-Encoding")));
    return c.body(body, 200, {
      "Content-Type": asset.type,
      "Cache-Control": fits ? IMMUTABLE : "no-cache",
      Vary: "Accept-Encoding",
      ...(encoding === null ? {} : { "Content-Encoding": encoding }),
    });
  });
  route.get(`/${CLIENT.file}`, (c) => {
    const headers = { "Content-Type": CLIENT.type, "Cache-Control": CLIENT.cache, ETag: clientTag };
    const isKnown = (c.req.header("If-None-Match") ?? "")
      .split(",")
      .map((tag) => tag.trim().replace(/^W\//, ""))
      .some((tag) => tag === "*" || tag === clientTag);
    return isKnown ? c.body(null, 304, headers) : c.body(client, 200, headers);
  });
  const addresses = Object.fromEntries(
    loaded.map(({ file, version }, i) => [names[i], `/assets/${file}?v=${version}`]),
  ) as Record<AssetName, string>;
  return { addresses, route, compress };
}
