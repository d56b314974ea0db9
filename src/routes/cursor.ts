/** A cursor of a keyset-paged list, as text in an address. */

import type { Cursor } from "../storage/pagination.ts";

/** `1700000000000-0193…` */
export const formatCursor = ({ at, id }: Cursor): string => `${at}-${id}`;

/** Reads a cursor; a time alone (epoch milliseconds) stands before all rows of that millisecond. */
export function parseCursor(text: string): Cursor | null {
  const [, at, id = ""] = /^(\d{1,15})(?:-([\w-]{1,60}))?$/.exec(text) ?? [];
  return at === undefined ? null : { at: Number(at), id };
}
