/** A place in a list that is paged by key, as addresses carry it. */

import type { Cursor } from "../storage/pagination.ts";

/** `1700000000000-0193…` */
export const formatCursor = ({ at, id }: Cursor): string => `${at}-${id}`;

/** Reads a place; a time alone (epoch milliseconds) is the place before all of that millisecond. */
export function parseCursor(text: string): Cursor | null {
  const [, at, id = ""] = /^(\d{1,15})(?:-([\w-]{1,60}))?$/.exec(text) ?? [];
  return at === undefined ? null : { at: Number(at), id };
}
