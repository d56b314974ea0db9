/** Our own files for the browser: read once, compressed once, cached for good under a name that holds their content. */

import { Hono } from "hono";

const FILES = {
  css: ["app.css", new URL("../../public/app.css", import.meta.url), "text/css; charset=utf-8"],
  js: ["app.js", new URL("../../public/app.js", import.meta.url), "text/javascript; charset=utf-8"],
  favicon: ["favicon.svg", new URL("../../public/favicon.svg", import.meta.url), "image/svg+xml"],
  htmx: ["htmx.js", new URL(import.meta.resolve("htmx.org/dist/htmx.min.js")), "text/javascript; charset=utf-8"],
  sse: ["hx-sse.js", new URL(import.meta.resolve("htmx.org/dist/ext/hx-sse.min.js")), "text/javascript; charset=utf-8"],
} as const;

type AssetName = keyof typeof FILES;

interface Asset {
  readonly file: string;
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
  readonly address: string;
}

const FOREVER = "public, max-age=31536000, immutable";

/** Reads all files; their addresses for the pages, and the route that serves them. */
export async function loadAssets() {
  const loaded = await Promise.all(
    (Object.keys(FILES) as AssetName[]).map(async (name): Promise<[AssetName, Asset]> => {
      const [file, location, type] = FILES[name];
      const plain = await Bun.file(location).bytes();
      const version = Bun.hash(plain).toString(36);
      const gzip = Bun.gzipSync(plain, { level: 9 });
      return [name, { file, type, plain, gzip, address: `/assets/${file}?v=${version}` }];
    }),
  );
  const byFile = new Map(loaded.map(([, asset]) => [asset.file, asset]));
  const route = new Hono().get("/assets/:file", (c) => {
    const asset = byFile.get(c.req.param("file"));
    if (asset === undefined) return c.notFound();
    const fits = c.req.query("v") === asset.address.split("=")[1];
    const zipped = /\bgzip\b/.test(c.req.header("Accept-Encoding") ?? "");
    return c.body(zipped ? asset.gzip : asset.plain, 200, {
      "Content-Type": asset.type,
      "Cache-Control": fits ? FOREVER : "no-cache",
      Vary: "Accept-Encoding",
      ...(zipped ? { "Content-Encoding": "gzip" } : {}),
    });
  });
  const addresses = Object.fromEntries(loaded.map(([name, asset]) => [name, asset.address])) as Record<
    AssetName,
    string
  >;
  return { addresses, route };
}
