/** @jsxImportSource hono/jsx */
/** The pages: each reads what it shows and draws it whole, so that it works without JavaScript. */

import { type Context, Hono } from "hono";
import type { FilterView } from "../../views/jobs/filter-bar.tsx";
import { MonitorPage, type MonitorView } from "../../views/runs/monitor-page.tsx";
import type { RunFormView } from "../../views/runs/run-form.tsx";
import type { Frame } from "../../views/ui/layout.tsx";
import { compressed } from "../compression.ts";
import type { ScreenFeed } from "../live/broadcaster.ts";
import { type Scene, sceneOf, streamAddress } from "../live/view-query.ts";
import { frameOf } from "../page-context.ts";
import type { Services } from "../services.ts";
import { emptyForm } from "./run-form.ts";

/** The monitor as it is now. */
export function monitorView(feed: ScreenFeed, form: RunFormView, filter: FilterView, scene: Scene): MonitorView {
  const runs = feed.draw(scene);
  return {
    form,
    filter,
    runs,
    quotas: feed.quotas(),
    activity: feed.activity(),
    logs: feed.lines(scene),
    stream: streamAddress(scene, feed.cursor()),
  };
}

/** The filter bar of a scene. */
export const filterView = (text: string, wrong: string | null, { order }: Scene): FilterView => ({
  text,
  wrong,
  sort: order.text,
});

/** Longest list of symbols taken from an address, characters. */
const MAX_ASKED = 8_000;

export function pageRoutes(services: Services, feed: ScreenFeed, assets: Frame["assets"]) {
  const pages = new Hono();
  pages.use(compressed);

  pages.get("/", (c) => {
    const text = c.req.query("q") ?? "";
    const { scene, wrong } = sceneOf(undefined, c.req.query());
    const view = monitorView(feed, emptyForm(services, askedFor(c)), filterView(text, wrong, scene), scene);
    return c.html(<MonitorPage frame={frameOf(c, assets)} view={view} />);
  });

  return pages;
}

/** Symbols that a link brings along: `/?symbols=AAPL,MSFT`. */
const askedFor = (c: Context) => ({ symbols: (c.req.query("symbols") ?? "").slice(0, MAX_ASKED) });
