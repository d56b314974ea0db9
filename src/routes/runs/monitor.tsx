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

/**
 * The monitor as it is now.
 * @param isPage whether the page is to show all of it, and not its rows alone
 */
export function monitorView(
  broadcaster: LiveBroadcaster,
  form: RunFormView,
  filter: FilterView,
  query: ViewQuery,
  isPage = true,
): MonitorView {
  const cursor = broadcaster.cursor(isPage);
  const runs = broadcaster.draw(query);
  return {
    form,
    filter: { ...filter, at: runs[0]?.run.id },
    runs,
    strip: broadcaster.strip(query),
    quotas: broadcaster.panels.quota(),
    promises: broadcaster.panels.promises(),
    lastHour: broadcaster.panels.lastHour(),
    logs: broadcaster.lines(query),
    stream: streamAddress({ ...query, at: runs[0]?.run.id }, cursor),
  };
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
    const isFragment = wantsFragment(c);
    const view = monitorView(
      broadcaster,
      emptyForm(services, symbolsFromLink(c)),
      filterView(text, error, query, "/"),
      query,
      !isFragment,
    );
    // A filter that is being typed shows its error beside the field; a page with one is not the one that was asked for.
    if (isFragment) return c.html(liveFilter(view));
    // As exact as the page shows it, so that the requests of a second share a rendering.
    const page = { ...c.var.page, now: Math.floor(c.var.page.now / 1_000) * 1_000 };
    const html = rendered.get(contentKey(page, view), () => String(<MonitorPage page={page} view={view} />));
    return c.html(html, error === null ? 200 : 422);
  });

  return pages;
}

/** All that the page is rendered from, as a text. A provider's entry and an order do not change while the server runs. */
const contentKey = (page: PageContext, { form, ...view }: MonitorView): string =>
  JSON.stringify([page, view, { ...form, providers: form.providers.map(({ name }) => name) }]);

/** Symbols from a link: `/?symbols=AAPL,MSFT`. */
const symbolsFromLink = (c: Context) => ({ symbols: (c.req.query("symbols") ?? "").slice(0, MAX_LINK) });
