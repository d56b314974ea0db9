/** Reads answers: their shape, lists in pages, and lists in which single elements may be odd and are left out. */

import type { z } from "zod";
import { ProviderError } from "../../domain/errors.ts";
import { ANSWER } from "../../schemas.ts";
import type { FetchContext } from "../provider.ts";
import { type Answer, planWords, sentenceIn, shortened } from "./classify.ts";
import type { VendorClient } from "./client.ts";

interface Vendor {
  readonly title: string;
  readonly client: Pick<VendorClient, "redact">;
}

/**
 * `value` in the shape that it must have.
 * @throws ProviderError that says where it has another one
 */
export function readShape<Content>(
  schema: z.ZodType<Content>,
  value: unknown,
  { title, client }: Vendor,
  what = "unexpected answer",
): Content {
  const parsed = schema.safeParse(value, ANSWER);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const where = path.join(".") || "the answer";
  const said = sentenceIn(value);
  const fault = said === undefined ? `${where}: ${message}` : shortened(said, client.redact);
  throw new ProviderError("invalid_response", client.redact(`${title}: ${what}: ${fault}`));
}

/** Pages in a row that may be without anything: a vendor that names a next one for ever is not asked a thousand times. */
export const MAX_EMPTY_PAGES = 10;

/** The error of pages that have nothing and do not end. */
export const withoutEnd = (title: string) =>
  new ProviderError("invalid_response", `${title}: ${MAX_EMPTY_PAGES} pages in a row are empty, and name a next one`);

export interface PagedList<Content, Page> {
  /** Requests a page and reads it: `null` is the first, then the `next` of the one before. */
  get(page: string | null, read: (answer: Answer) => Promise<Page>): Promise<Page>;
  /** The content of an answer, where it is not its JSON. */
  open?(answer: Answer): Promise<unknown>;
  readonly schema: z.ZodType<Content>;
  /** What an answer holds, and the page after it: `null` after the last. */
  read(content: Content): Page;
  /** How much a page holds, of whatever kind. */
  sizeOf(page: Page): number;
  /** More pages than any such list has. */
  readonly most: number;
  /** What the error calls an answer of another shape. */
  readonly what?: string;
}

/**
 * The pages of a list to its end.
 * @throws ProviderError when a page could not be fetched or has another shape, and when the pages do not end
 */
export async function* readPages<Content, Page extends { readonly next: string | null }>(
  { get, open, schema, read, sizeOf, most, what }: PagedList<Content, Page>,
  vendor: Vendor,
): AsyncGenerator<Page> {
  const seen = new Set<string | null>();
  let empty = 0;
  for (let page: string | null = null; ; ) {
    seen.add(page);
    const content = await get(page, async (answer) =>
      read(readShape(schema, open ? await open(answer) : answer.json, vendor, what)),
    );
    yield content;
    page = content.next;
    if (page === null) return;
    empty = sizeOf(content) > 0 ? 0 : empty + 1;
    if (empty === MAX_EMPTY_PAGES) throw withoutEnd(vendor.title);
    if (seen.has(page)) throw new ProviderError("invalid_response", `${vendor.title}: the same next page came twice`);
    if (seen.size === most) throw new ProviderError("invalid_response", `${vendor.title}: more than ${most} pages`);
  }
}

/** A page of a list: all of its entries, and those that could be read. */
export interface ReadList<Entry> {
  readonly entries: readonly unknown[];
  readonly readable: readonly Entry[];
  readonly next: string | null;
}

/** Whether the last answer of a list is as long as an answer may be: the vendor may have cut it. */
export const mayBeCut = (
  { entries, next }: { readonly entries: readonly unknown[]; readonly next: string | null },
  most = Number.POSITIVE_INFINITY,
): boolean => next === null && entries.length >= most;

/** The vendor's sentence about its plan in an element of a list, if it is one or has one. */
export function noteIn(element: unknown): string | null {
  const said = sentenceIn(element);
  return said !== undefined && planWords(said) ? said : null;
}

/**
 * The elements of `list` that have the shape `entry`; the others are counted in the log, and what the vendor says among
 * them about its plan is said there.
 * @throws ProviderError if there are elements, and none has it or is such a sentence
 */
export function readEntries<Entry>(
  entry: z.ZodType<Entry>,
  list: readonly unknown[],
  { title, client, of }: Vendor & { /** What they are, as in `splits or dividends`. */ readonly of: string },
  { log }: Pick<FetchContext, "log">,
): Entry[] {
  const what = `${title}: unexpected list of ${of}`;
  const entries: Entry[] = [];
  let odd: string | null = null;
  let others = 0;
  let note: string | null = null;
  for (const [index, element] of list.entries()) {
    const parsed = entry.safeParse(element, ANSWER);
    const said = noteIn(element);
    note ??= said;
    if (parsed.success) entries.push(parsed.data);
    else if (said === null) {
      const { path, message } = parsed.error.issues[0]!;
      odd ??= `${[index, ...path].join(".")}: ${message}`;
      others += 1;
    }
  }
  if (note !== null) log("warn", `${title}: list of ${of}: ${shortened(note, client.redact)}`);
  if (odd === null) return entries;
  if (entries.length === 0 && note === null) throw new ProviderError("invalid_response", `${what}: ${odd}`);
  log("warn", `${what}: ${others} of ${list.length} entries left out, the first at ${odd}`);
  return entries;
}
