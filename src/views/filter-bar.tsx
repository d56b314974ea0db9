/** @jsxImportSource hono/jsx */
/** The filter above the queue: a plain form whose text is in the address. */

import { queueAddress } from "./queue-address.ts";
import { Icon } from "./ui.tsx";

export interface FilterView {
  /** As typed. */
  readonly text: string;
  /** What is wrong with it, in a sentence. */
  readonly wrong: string | null;
  /** The order of the queue, which a new filter keeps. */
  readonly sort: string;
}

export const FilterBar = ({ filter }: { filter: FilterView }) => (
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
        aria-invalid={filter.wrong ? "true" : undefined}
        aria-describedby={filter.wrong ? "filter-error" : undefined}
      />
      {filter.sort === "" ? null : <input type="hidden" name="sort" value={filter.sort} />}
      {filter.text === "" ? <kbd>/</kbd> : <a href={queueAddress({ filter: "", sort: filter.sort, page: 1 })}>Clear</a>}
    </form>
    {filter.wrong ? (
      <p id="filter-error" class="error">
        {filter.wrong}
      </p>
    ) : null}
  </search>
);
