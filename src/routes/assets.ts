/** Our own files for the browser: read once, compressed once, cached for good under a name that holds their content. */

import { Hono } from "hono";

const ours = (file: string) => new URL(`../../public/${file}`, import.meta.url);
const theirs = (path: string) => new URL(import.meta.resolve(path));

/** The style sheet's chapters, in order. */
const STYLES = [
  "base/tokens",
  "base/reset",
  "base/components",
  "base/icons",
  "base/layout",
  "base/command-palette",
  "areas/monitor",
  "areas/job-table",
  "areas/coverage-strip",
  "areas/log-panel",
  "base/pages",
  "areas/profile",
  "areas/profile-quality",
  "areas/profile-chart",
  "areas/companies",
  "areas/settings",
  "areas/access",
  "areas/schedules",
  "areas/alerts",
  "base/responsive",
] as const;

/** The page script's chapters; the first is what the others build on. */
const SCRIPTS = [
  "ui/clock",
  "live/connection",
  "live/freshness",
  "live/log-panel",
  "jobs/row-order",
  "jobs/selection",
  "jobs/row-menu",
  "jobs/hover-cards",
  "jobs/actions",
  "ui/autocomplete",
  "ui/url-state",
  "ui/shortcuts",
  "ui/command-palette",
] as const;

/**
 * htmx and its extension are one file: as two deferred scripts, htmx can look over the page before the extension is
 * there, and the page would never connect.
 */
const FILES = {
  css: { file: "app.css", type: "text/css", parts: STYLES.map((name) => ours(`css/${name}.css`)) },
  js: { file: "app.js", type: "text/javascript", parts: SCRIPTS.map((name) => ours(`app/${name}.js`)) },
  htmx: {
    file: "htmx.js",
    type: "text/javascript",
    parts: [theirs("htmx.org/dist/htmx.min.js"), theirs("htmx.org/dist/ext/hx-sse.min.js")],
  },
  chart: { file: "chart.js", type: "text/javascript", parts: [ours("app/chart.js")] },
  // The package does not export the file that brings its dependency along, but it lies beside the one it exports.
  chartLibrary: {
    file: "lightweight-charts.js",
    type: "text/javascript",
    parts: [new URL("lightweight-charts.standalone.production.mjs", theirs("lightweight-charts"))],
  },
  favicon: { file: "favicon.svg", type: "image/svg+xml", parts: [ours("favicon.svg")] },
} as const;

type AssetName = keyof typeof FILES;

interface Asset {
  readonly file: string;
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly address: string;
  /** Compressed when it is asked for the first time: a start need not wait for it. */
  zipped?: Uint8Array<ArrayBuffer>;
}

function zip(asset: Asset): Uint8Array<ArrayBuffer> {
  asset.zipped ??= Bun.gzipSync(asset.plain, { level: 9 });
  return asset.zipped;
}

const FOREVER = "public, max-age=31536000, immutable";

/** Reads all files; their addresses for the pages, and the route that serves them. */
export async function loadAssets() {
  const loaded = await Promise.all(
    (Object.keys(FILES) as AssetName[]).map(async (name): Promise<[AssetName, Asset]> => {
      const { file, type, parts } = FILES[name];
      const texts = await Promise.all(parts.map((part) => Bun.file(part).text()));
      const plain = new TextEncoder().encode(texts.join("\n"));
      const version = Bun.hash(plain).toString(36);
      return [name, { file, type: `${type}; charset=utf-8`, plain, address: `/assets/${file}?v=${version}` }];
    }),
  );
  const byFile = new Map(loaded.map(([, asset]) => [asset.file, asset]));
  const route = new Hono().get("/assets/:file", (c) => {
    const asset = byFile.get(c.req.param("file"));
    if (asset === undefined) return c.notFound();
    const fits = c.req.query("v") === asset.address.split("=")[1];
    const zipped = /\bgzip\b/.test(c.req.header("Accept-Encoding") ?? "");
    return c.body(zipped ? zip(asset) : asset.plain, 200, {
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
