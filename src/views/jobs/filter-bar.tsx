/** @jsxImportSource hono/jsx */
/** The filter above the queue: a plain GET form. */

import { Icon } from "../ui/components.tsx";
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
}

const HELP = [
  ["A*", "Symbols that begin with A"],
  ["symbol:*-USD", "Symbols that end with -USD"],
  ["status:failed,paused", "queued, running, waiting, paused, complete, failed, cancelled or skipped"],
  ["stage>fetch", "Past a stage, or : and < for in and before it: queued, fetch, engineer, create, store, complete"],
  ["progress<50", "Percent; in the same way points, calls and time (seconds)"],
  ["status:failed symbol:A* stage>fetch", "All three together"],
] as const;

export const FilterBar = ({ filter }: { filter: FilterView }) => {
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
          placeholder="Filter: A*  status:failed,waiting  stage>fetch  progress<50"
          autocomplete="off"
          spellcheck={false}
          data-shortcut="/"
          aria-invalid={filter.error ? "true" : undefined}
          aria-describedby={filter.error ? "filter-error" : undefined}
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
        {filter.text === "" ? <kbd>/</kbd> : <a href={address("")}>Clear</a>}
      </form>
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
      {filter.error ? (
        <p id="filter-error" class="error">
          {filter.error}
        </p>
      ) : null}
    </search>
  );
};
