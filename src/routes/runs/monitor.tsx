/** @jsxImportSource hono/jsx */
/** `/`: the monitor, rendered completely, so that it works without JavaScript. */

import { type Context, Hono } from "hono";
import { SORT_KEYS } from "../../domain/runs/queue/job-sort.ts";
import type { FilterView } from "../../views/jobs/filter-bar.tsx";
import { liveFilter } from "../../views/live.tsx";
import { MonitorPage, type MonitorView } from "../../views/runs/monitor-page.tsx";
import type { RunFormView } from "../../views/runs/run-form.tsx";
import { REPORT_SORTS } from "../../views/runs/run-page.tsx";
import { compressed } from "../compression.ts";
import { chosen } from "../http/page-query.ts";
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

/** Longest list of symbols accepted from an address, characters. */
const MAX_LINK = 8_000;

export function monitorPages(services: Pick<Services, "config" | "settings">, broadcaster: LiveBroadcaster) {
  const pages = new Hono();
  pages.use(compressed);

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
    return c.html(<MonitorPage page={c.var.page} view={view} />, error === null ? 200 : 422);
  });

  return pages;
}

/** Symbols from a link: `/?symbols=AAPL,MSFT`. */
const symbolsFromLink = (c: Context) => ({ symbols: (c.req.query("symbols") ?? "").slice(0, MAX_LINK) });
