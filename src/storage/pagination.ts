/** Keyset pagination on (time, id), in both directions, without a count. */

export interface Cursor {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly id: string;
}

/** Which page: what comes `before` a place in time, what comes `after` it, or the newest. */
export interface PageWindow {
  readonly limit: number;
  readonly before?: Cursor | undefined;
  readonly after?: Cursor | undefined;
}

export interface KeyedPage<Row> {
  /** Newest first. */
  readonly rows: Row[];
  /** Where the page of older rows begins, and that of newer ones; `null` where there are none. */
  readonly older: Cursor | null;
  readonly newer: Cursor | null;
}

/** One page of what `query` finds: newest first, or with `after` oldest first. */
export async function keyedPage<Row extends { readonly createdAt: number; readonly id: string }>(
  query: (window: PageWindow) => PromiseLike<Row[]>,
  { limit, before, after }: PageWindow,
): Promise<KeyedPage<Row>> {
  const backwards = after !== undefined;
  const found = await query({ limit: limit + 1, before, after });
  const rows = backwards ? found.slice(0, limit).reverse() : found.slice(0, limit);
  const [first, last] = [rows.at(0), rows.at(-1)];
  if (first === undefined || last === undefined) return { rows, older: null, newer: null };
  const further = found.length > limit;
  // On the side that the page was come from, one row is enough to know.
  const beyond = async (cursor: PageWindow) => (await query(cursor)).length > 0;
  const older = backwards ? await beyond({ limit: 1, before: cursorOf(last) }) : further;
  const newer = backwards ? further : before !== undefined && (await beyond({ limit: 1, after: cursorOf(first) }));
  return { rows, older: older ? cursorOf(last) : null, newer: newer ? cursorOf(first) : null };
}

const cursorOf = ({ createdAt, id }: { readonly createdAt: number; readonly id: string }): Cursor => ({
  at: createdAt,
  id,
});
