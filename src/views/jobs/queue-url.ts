/** The query of a view of the queue: filter, sort and page, without defaults. */

export interface QueueQuery {
  /** The text of the filter; empty for all. */
  readonly filter: string;
  /** The text of the sort; empty for what needs attention first. */
  readonly sort: string;
  /** From 1. */
  readonly page: number;
  /** The run that the monitor shows, if the address names one. */
  readonly open?: string | undefined;
}

export function queueSearch({ filter, sort, page, open }: QueueQuery): URLSearchParams {
  const search = new URLSearchParams();
  if (open !== undefined) search.set("open", open);
  if (filter !== "") search.set("q", filter);
  if (sort !== "") search.set("sort", sort);
  if (page > 1) search.set("page", String(page));
  return search;
}

/** A link on the same page; `?` alone for the default view. */
export const queueAddress = (query: QueueQuery): string => `?${queueSearch(query)}`;
