/** Keyset pagination on (time, id), in both directions, without a count. */

export interface Cursor {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly id: string;
}

/** Which page: the rows older than the cursor `before`, those newer than `after`, or the newest. */
export interface PageWindow {
  readonly limit: number;
  readonly before?: Cursor | undefined;
  readonly after?: Cursor | undefined;
}

export interface KeyedPage<Row> {
  /** Newest first. */
  readonly rows: Row[];
  /** The cursors of the pages with older and with newer rows; `null` where there are none. */
  readonly older: Cursor | null;
  readonly newer: Cursor | null;
}

/** One page of what `query` finds: it returns the newest first, or with `after` the oldest first. */
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
  // Towards the page that the reader comes from, one row is enough to know whether there is a page.
  const beyond = async (cursor: PageWindow) => (await query(cursor)).length > 0;
  const older = backwards ? await beyond({ limit: 1, before: cursorOf(last) }) : further;
  const newer = backwards ? further : before !== undefined && (await beyond({ limit: 1, after: cursorOf(first) }));
  return { rows, older: older ? cursorOf(last) : null, newer: newer ? cursorOf(first) : null };
}

const cursorOf = ({ createdAt, id }: { readonly createdAt: number; readonly id: string }): Cursor => ({
  at: createdAt,
  id,
});
