/** @jsxImportSource hono/jsx */
/** The filter above the queue and the rows of a report: a plain GET form, which scripts apply while one types. */

import { Icon } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";
import { plural } from "../ui/format.ts";
import type { RowsView } from "./job-table.tsx";
import { queueAddress } from "./queue-url.ts";

export interface FilterView {
  /** As typed. */
  readonly text: string;
  /** Why it cannot be parsed, in a sentence. */
  readonly error: string | null;
  /** The sort of the queue, which a new filter keeps. */
  readonly sort: string;
  /** The open run of the monitor, which a new filter keeps. */
  readonly open?: string | undefined;
  /** The path of the page. */
  readonly path: string;
  /** The run that is shown now. */
  readonly at?: string | undefined;
}

const HELP = [
  ["AAP", "Symbols that contain AAP"],
  ["A*", "Symbols that begin with A; *-USD those that end with -USD, symbol:AAPL only this one"],
  ["status:failed,paused", "queued, running, waiting, paused, complete, failed, cancelled or skipped"],
  ["stage>fetch", "Past a stage, or : and < for in and before it: queued, fetch, engineer, create, store, complete"],
  ["progress<50", "Percent; in the same way points, calls and time (seconds)"],
  ["status:failed AAP stage>fetch", "All three together"],
] as const;

const OFFERED = "filter-offered";

/** Applies the filter after a pause in typing; the answer has the rows and the address. */
const liveFilter = (path: string, at: string | undefined) =>
  ({
    "hx-get": path,
    "hx-vals": at === undefined ? undefined : JSON.stringify({ at }),
    "hx-trigger": "input changed delay:200ms",
    "hx-include": "closest form",
    "hx-sync": "this:replace",
    "hx-swap": "none",
  }) as const;

export const FilterBar = ({ filter, matching }: { filter: FilterView; matching?: number | null }) => {
  const address = (text: string) => queueAddress({ filter: text, sort: filter.sort, page: 1, open: filter.open });
  return (
    <search class="filter">
      <form method="get">
        <label for="filter" class="visually-hidden">
          Filter the queue
        </label>
        <Icon name="search" />
        <input
          id="filter"
          name="q"
          type="search"
          value={filter.text}
          placeholder="Filter: AAP  status:failed,waiting  stage>fetch  progress<50"
          autocomplete="off"
          spellcheck={false}
          data-shortcut="/"
          data-complete={dom.filterWords}
          data-complete-by="space"
          list={OFFERED}
          aria-invalid={filter.error ? "true" : undefined}
          aria-describedby={dom.filterState}
          {...liveFilter(filter.path, filter.at)}
        />
        {filter.sort === "" ? null : <input type="hidden" name="sort" value={filter.sort} />}
        {filter.open === undefined ? null : <input type="hidden" name="open" value={filter.open} />}
        <button
          type="button"
          class="icon-button"
          popovertarget="filter-help"
          aria-label="What can be typed into the filter"
        >
          ?
        </button>
        <kbd>/</kbd>
      </form>
      <datalist id={OFFERED} />
      <FilterState filter={filter} matching={matching ?? null} />
      <div id="filter-help" class="card filter-help" popover="auto">
        <h2>Filter</h2>
        <p class="muted">Words are separated by spaces, and all of them must hold.</p>
        <dl>
          {HELP.map(([words, means]) => (
            <>
              <dt>
                <a href={address(words)}>
                  <code>{words}</code>
                </a>
              </dt>
              <dd>{means}</dd>
            </>
          ))}
        </dl>
      </div>
    </search>
  );
};

/** The rows that match of all runs that are shown; `null` if none is. */
export const matchingOf = (views: readonly RowsView[]): number | null =>
  views.length === 0 ? null : views.reduce((sum, { matching }) => sum + matching, 0);

/** What the filter has found or why it cannot be parsed, with the address of what is shown. */
export const FilterState = ({ filter, matching }: { filter: FilterView; matching: number | null }) => {
  const address = (text: string) => queueAddress({ filter: text, sort: filter.sort, page: 1, open: filter.open });
  const { text, error, path } = filter;
  return (
    <p
      id={dom.filterState}
      class={error ? "filter-state error" : "filter-state"}
      role="status"
      data-address={`${path}${text === "" && filter.sort === "" && !filter.open ? "" : address(text)}`}
    >
      {text === "" ? null : (
        <>
          {error ? (
            <span id="filter-error">{error}</span>
          ) : matching === null ? (
            ""
          ) : (
            plural(matching, "match", "matches")
          )}{" "}
          <a href={address("")}>Clear</a>
        </>
      )}
    </p>
  );
};
