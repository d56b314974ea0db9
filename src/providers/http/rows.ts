/** Collects a vendor's rows, in any order, into columns. */

import { z } from "zod";
import { cutText, quote } from "../../domain/errors.ts";
import { BAR_FIELDS, type BarColumns, emptyBars } from "../../domain/market/bars.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";
import type { RejectedRow } from "../../domain/market/validate-bars.ts";
import { isMoment } from "../../domain/time.ts";
import { ANSWER } from "../../schemas.ts";
import { planWords, sentenceIn } from "./classify.ts";

/** A number as vendors send it: as a number, as text, or not at all. */
export const wire = z.union([z.number(), z.string(), z.null()]).optional();
export type Wire = z.infer<typeof wire>;
/** The same where it cannot be missing. */
export const wireTime = z.union([z.number(), z.string()]);

/** The prices and volume of a row, under their usual names. */
export const wireBar = { open: wire, high: wire, low: wire, close: wire, volume: wire };

/** None of an answer's rows has the expected shape, or the answer is another one than was requested. */
export class UnreadableRows extends Error {}

/**
 * Compares what an answer says it is with what was requested; an answer that does not say it passes.
 * @throws UnreadableRows if it is something else
 */
export function checkEcho(what: string, said: unknown, ...asked: readonly string[]): void {
  const isSame = (each: string) => each.toUpperCase() === String(said).toUpperCase();
  if (typeof said === "string" && said !== "" && !asked.some(isSame))
    throw new UnreadableRows(`it is of the ${what} ${quote(said)} instead of ${quote(asked[0]!)}`);
}

/** Bars as received. A missing number becomes NaN, never 0, and is validated later; a missing volume is unknown. */
export class Rows {
  readonly #rows: number[][] = [];
  /** Splits and dividends from the same rows. */
  readonly actions: CorporateAction[] = [];
  /** The vendor's words about what an answer lacks, where it says so among the rows. */
  note: string | null = null;
  /** Elements that are no rows of bars. */
  readonly rejected: RejectedRow[] = [];
  /** Elements received, readable or not. */
  received = 0;

  /** @param before the elements of earlier pages, from which the numbers of rows in messages go on */
  constructor(private readonly before = 0) {}

  /** `ts` in epoch seconds. */
  add(ts: number, open: Wire, high: Wire, low: Wire, close: Wire, volume: Wire): void {
    const amount = toNumber(volume);
    // A text that is no number is no unknown volume: the row is rejected for it.
    const isText = Number.isNaN(amount) && typeof volume === "string" && volume.trim() !== "";
    const traded = isText ? Number.POSITIVE_INFINITY : amount;
    const time = isMoment(ts) ? ts : Number.NaN;
    this.#rows.push([time, toNumber(open), toNumber(high), toNumber(low), toNumber(close), traded]);
  }

  /** Puts an element aside. */
  reject(element: unknown, where: string, reason: string): void {
    this.rejected.push({ where, reason, raw: rawText(element) });
  }

  append(other: Rows): void {
    for (const row of other.#rows) this.#rows.push(row);
    this.actions.push(...other.actions);
    this.note ??= other.note;
    this.rejected.push(...other.rejected);
    this.received += other.received;
  }

  /**
   * Calls `read` for each element of the shape `schema`. Another one is put aside; if it is a sentence of the vendor's
   * about its plan, that is the note of the answer.
   * @param where the window, for messages
   * @throws UnreadableRows if there are elements and none is readable
   */
  each<Row>(schema: z.ZodType<Row>, list: readonly unknown[], where: string, read: (row: Row) => void): void {
    let odd: string | null = null;
    let readable = 0;
    for (const [index, element] of list.entries()) {
      this.received += 1;
      const parsed = schema.safeParse(element);
      if (parsed.success) {
        readable += 1;
        read(parsed.data);
        continue;
      }
      const said = sentenceIn(element);
      if (said !== undefined && planWords(said)) {
        this.note ??= said;
        readable += 1;
        continue;
      }
      if (odd === null) {
        const { path, message } = schema.safeParse(element, ANSWER).error!.issues[0]!;
        odd = `${[index, ...path].join(".")}: ${message}`;
      }
      const reason = said === undefined ? NO_ROW : cutText(said, MAX_RAW);
      this.rejected.push({ where: `${where}, row ${this.before + this.received}`, reason, raw: rawText(element) });
    }
    if (odd !== null && readable === 0) throw new UnreadableRows(odd);
  }

  /** The earliest bar at or after `from` (epoch seconds), if there is one. */
  firstAfter(from: number): number | undefined {
    let first = Number.POSITIVE_INFINITY;
    for (const [ts] of this.#rows) if (ts! >= from && ts! < first) first = ts!;
    return first === Number.POSITIVE_INFINITY ? undefined : first;
  }

  /** The bars in the order received, their fields in the order of `BAR_FIELDS`. */
  get list(): readonly (readonly number[])[] {
    return this.#rows;
  }

  get length(): number {
    return this.#rows.length;
  }

  /** The columns, ascending by time; rows of one time stay in the order received. */
  columns(): BarColumns {
    const key = (row: number[]) => (Number.isFinite(row[0]) ? row[0]! : Number.MAX_VALUE);
    const sorted = this.#rows.sort((a, b) => key(a) - key(b));
    const bars = emptyBars(sorted.length);
    for (let at = 0; at < sorted.length; at++) {
      for (let column = 0; column < BAR_FIELDS.length; column++) bars[BAR_FIELDS[column]!][at] = sorted[at]![column]!;
    }
    return bars;
  }
}

const NO_ROW = "not a row of a bar";
/** Characters that are kept of an element: many more than are stored, because keys are redacted in between. */
const MAX_RAW = 5_000;

/** Levels of lists and objects within an element that is written out: thousands would exhaust the stack, and seconds. */
const MAX_LEVELS = 50;

const isDeeper = (element: unknown, levels: number): boolean =>
  typeof element === "object" &&
  element !== null &&
  (levels === 0 || Object.values(element).some((each) => isDeeper(each, levels - 1)));

const rawText = (element: unknown): string =>
  isDeeper(element, MAX_LEVELS) ? "lists within lists" : cutText(JSON.stringify(element) ?? "", MAX_RAW);

/** No vendor writes numbers so; `Number` reads them. */
const OTHER_BASE = /^\s*0[xob]/i;

function toNumber(value: Wire): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" && !OTHER_BASE.test(value) ? Number(value) : Number.NaN;
}
