/** @jsxImportSource hono/jsx */
/** `/`: the monitor, rendered completely, so that it works without JavaScript. */

import { type Context, Hono } from "hono";
import { SORT_KEYS } from "../../domain/runs/queue/job-sort.ts";
import type { FilterView } from "../../views/jobs/filter-bar.tsx";
import { liveFilter } from "../../views/live.tsx";
import { MonitorPage, type MonitorView } from "../../views/runs/monitor-page.tsx";
import type { RunFormView } from "../../views/runs/run-form.tsx";
import { REPORT_SORTS } from "../../views/runs/run-page.tsx";
import type { PageContext } from "../../views/ui/layout.tsx";
import { compressed } from "../compression.ts";
import { chosen } from "../http/page-query.ts";
import { Renderings } from "../http/renderings.ts";
import type { LiveBroadcaster } from "../live/broadcaster.ts";
import { parseViewQuery, streamAddress, type ViewQuery } from "../live/view-query.ts";
import { wantsFragment } from "../page-context.ts";
import type { Services } from "../services.ts";
import { emptyForm } from "./run-form.ts";

/** The rows of the monitor as they are now, for a page that connects with `cursor`. */
function rowsView(broadcaster: LiveBroadcaster, filter: FilterView, query: ViewQuery, cursor: string) {
  const runs = broadcaster.draw(query);
  const at = runs[0]?.run.id;
  return {
    filter: { ...filter, at },
    runs,
    strip: broadcaster.strip(query),
    stream: streamAddress({ ...query, at }, cursor),
  };
}

/** The monitor as it is now, and what its panels show as a text. */
export function monitorView(
  broadcaster: LiveBroadcaster,
  form: RunFormView,
  filter: FilterView,
  query: ViewQuery,
): { readonly view: MonitorView; readonly panels: string } {
  const { cursor, panels } = broadcaster.page();
  const view = {
    ...rowsView(broadcaster, filter, query, cursor),
    form,
    quotas: panels.quota,
    promises: panels.promises,
    lastHour: panels.lastHour,
    logs: broadcaster.lines(query),
  };
  return { view, panels: panels.text };
}

/** The filter bar of a view query on the page at `path`. */
export const filterView = (
  text: string,
  error: string | null,
  { sort, open }: ViewQuery,
  path: string,
): FilterView => ({
  text,
  error,
  sort: sort.text,
  open,
  path,
});

const SORTS = [...new Set([...SORT_KEYS, ...REPORT_SORTS])].flatMap((key) => [key, `-${key}`]);

/** @throws Refusal if the order of an address is none of a queue or report: a page outlives the end of its run */
export const requireSort = (c: Context): void => void chosen(c, "sort", SORTS);

/** Characters of renderings that are kept, and of what they show. */
const KEPT = 1_000_000;
/** Longest list of symbols accepted from an address, characters. */
const MAX_LINK = 8_000;

export function monitorPages(services: Pick<Services, "config" | "settings">, broadcaster: LiveBroadcaster) {
  const pages = new Hono();
  pages.use(compressed);
  const rendered = new Renderings(KEPT);

  pages.get("/", (c) => {
    requireSort(c);
    c.header("Vary", "HX-Request", { append: true });
    const text = c.req.query("q") ?? "";
    const { query, error } = parseViewQuery(undefined, c.req.query());
    const filter = filterView(text, error, query, "/");
    // A filter that is being typed shows its error beside the field; a page with one is not the one that was asked for.
    if (wantsFragment(c)) return c.html(liveFilter(rowsView(broadcaster, filter, query, broadcaster.cursor())));
    const { view, panels } = monitorView(broadcaster, emptyForm(services, symbolsFromLink(c)), filter, query);
    // As exact as the page shows it, so that the requests of a second share a rendering.
    const page = { ...c.var.page, now: Math.floor(c.var.page.now / 1_000) * 1_000 };
    const content = contentKey(page, view, panels);
    const html = rendered.get(content, () => String(<MonitorPage page={page} view={view} />));
    return c.html(html, error === null ? 200 : 422);
  });

  return pages;
}

/**
 * All that the page is rendered from, as a text. Assets, version, a provider's entry and its place do not change while the
 * server runs.
 */
function contentKey(page: PageContext, view: MonitorView, panels: string): string {
  const { assets, version, ...request } = page;
  const { form, quotas, promises, lastHour, ...rows } = view;
  const providers = form.providers.map(({ name }) => name);
  return `${JSON.stringify([request, rows, { ...form, providers }])}\n${panels}`;
}

/** Symbols from a link: `/?symbols=AAPL,MSFT`. */
const symbolsFromLink = (c: Context) => ({ symbols: (c.req.query("symbols") ?? "").slice(0, MAX_LINK) });
