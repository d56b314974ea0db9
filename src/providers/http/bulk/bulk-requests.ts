/** Sends the request of one part and reads the answers by symbol. */

import { ProviderError } from "../../../domain/errors.ts";
import { DAY } from "../../../domain/market/interval.ts";
import { isoDate } from "../../../domain/time.ts";
import type { BulkAnswer, BulkPart, BulkSpan, FetchContext } from "../../provider.ts";
import { shortened } from "../classify.ts";
import { isUsable } from "../corporate-actions.ts";
import { mayBeCut, noteIn, type PagedList, readPages } from "../read-answer.ts";
import { Rows, UnreadableRows } from "../rows.ts";
import { PlanWindow } from "../windows/plan-window.ts";
import type { BulkActions, BulkList, BulkQuery, BulkSpec, BulkVendor } from "./bulk-spec.ts";

/** A page of bars or of actions. */
interface BulkPage {
  readonly elements?: readonly unknown[];
  readonly entries?: readonly unknown[];
  readonly next: string | null;
}

/** What is asked, whatever its pages. */
type BulkRequest = Omit<BulkQuery, "page">;

const MAX_PAGES = 100;

const answersOf = (found: ReadonlyMap<string, Rows>): Map<string, BulkAnswer> =>
  new Map(
    [...found].map(([symbol, { list, rejected, actions }]): [string, BulkAnswer] => [
      symbol,
      { rows: list, rejected, actions },
    ]),
  );

/** Implements `BulkSource.fetch`. */
export class PartRequests {
  /** Our symbols by the vendor's names. */
  readonly #symbolOf: ReadonlyMap<string, string>;
  readonly #asked: BulkRequest;

  constructor(
    private readonly spec: BulkSpec,
    private readonly vendor: BulkVendor,
    private readonly part: BulkPart,
    private readonly context: FetchContext,
  ) {
    const { symbols, from, to } = part;
    const tickers = symbols.map(vendor.tickerOf);
    this.#symbolOf = new Map(tickers.map((ticker, at) => [spec.code(ticker), symbols[at]!]));
    this.#asked = { tickers, from, to };
  }

  async fetch({ asOf }: Pick<BulkSpan, "asOf">): Promise<Map<string, BulkAnswer>> {
    return answersOf(this.part.what === "bars" ? await this.#fetchBars(asOf) : await this.#fetchActions());
  }

  async #fetchBars(asOf: number): Promise<Map<string, Rows>> {
    const [ticker, years] = [this.#asked.tickers[0]!, this.vendor.planYears];
    const plan = await PlanWindow.read(this.context.plan, { ticker, interval: "1d", asOf, years });
    if (plan.refused) throw new ProviderError("plan", plan.refused.words, undefined, plan.refused);
    for (let { from, to } = plan.clip(this.part); from < to; ) {
      try {
        return await this.#fetchRows({ ...this.#asked, from, to });
      } catch (error) {
        // Only the newest days: any other refusal may concern requests for many symbols alone, and not the symbols.
        if (!(error instanceof ProviderError) || error.refusal?.scope !== "recent") throw error;
        ({ from, to } = await plan.narrow(error, { from, to }, async () => error));
      }
    }
    return new Map();
  }

  async #fetchRows(asked: BulkRequest): Promise<Map<string, Rows>> {
    const { title, client } = this.vendor;
    const { bars } = this.spec;
    const found = new Map<string, Rows>();
    let [received, readable, odd] = [0, 0, null as string | null];
    for await (const { elements, next } of this.#pages(bars, asked)) {
      received += elements.length;
      if (mayBeCut({ entries: elements, next }, bars.mostRows))
        throw new ProviderError("invalid_response", `${title}: an answer of ${elements.length} rows may have been cut`);
      for (const [code, element] of elements) {
        const symbol = this.#symbolOf.get(code);
        if (symbol === undefined) continue;
        const rows = found.getOrInsertComputed(symbol, () => new Rows());
        try {
          bars.add(rows, element, asked);
          readable += 1;
        } catch (error) {
          if (!(error instanceof UnreadableRows)) throw error;
          odd ??= error.message;
        }
      }
    }
    const days = `${isoDate(asked.from)} to ${isoDate(asked.to - 1)}`;
    // An exchange has bars on every session: an answer without any is not relied on.
    if (received === 0) throw new ProviderError("invalid_response", `${title}: no bars at all of ${days}`);
    const noted = found.values().find(({ note }) => note !== null)?.note;
    if (noted) throw new ProviderError("plan", `${title}: ${shortened(noted, client.redact)}`);
    if (odd !== null && readable === 0)
      throw new ProviderError("invalid_response", client.redact(`${title}: unexpected answer: ${odd}`));
    return found;
  }

  async #fetchActions(): Promise<Map<string, Rows>> {
    const { title, client, tickerOf } = this.vendor;
    const list = this.spec.actions[this.part.list - 1]!;
    const found = new Map<string, Rows>();
    for (const raw of await this.#entriesOf(list, this.#asked)) {
      const note = noteIn(raw);
      if (note !== null) throw new ProviderError("plan", `${title}: ${shortened(note, client.redact)}`);
      const symbol = this.#symbolOf.get(list.codeOf(raw) ?? "");
      if (symbol === undefined) continue;
      const parsed = list.entry.safeParse(raw);
      if (!parsed.success) {
        this.context.log("warn", `${title}: unexpected list of splits or dividends: an entry of ${symbol} left out`);
        continue;
      }
      const action = list.action(parsed.data, tickerOf(symbol));
      if (isUsable(action)) found.getOrInsertComputed(symbol, () => new Rows()).actions.push(action);
    }
    return found;
  }

  /** All entries of a list; an answer that may be cut is requested in halves, by days or by symbols. */
  async #entriesOf(list: BulkActions, asked: BulkRequest): Promise<unknown[]> {
    const found: unknown[] = [];
    for await (const page of this.#pages(list, asked)) {
      found.push(...page.entries);
      if (!mayBeCut(page, list.mostRows)) continue;
      const halves = halvesOf(list, asked);
      if (halves !== null) return (await Promise.all(halves.map((half) => this.#entriesOf(list, half)))).flat();
      this.context.log("warn", `${this.vendor.title}: a list of ${page.entries.length} splits or dividends may be cut`);
    }
    return found;
  }

  /** The answers to a query, page by page. */
  #pages<Page extends BulkPage>(
    { request, schema, read }: BulkList & { read(answer: unknown): Page },
    asked: BulkRequest,
  ): AsyncGenerator<Page> {
    const { client, values } = this.vendor;
    const pages: PagedList<unknown, Page> = {
      get: (page, take) => client.read(request({ ...asked, page }, values), this.context, take),
      schema,
      read,
      sizeOf: ({ entries = [], elements = [] }) => entries.length + elements.length,
      most: MAX_PAGES,
    };
    return readPages(pages, this.vendor);
  }
}

/** A query as two; `null` if it cannot be divided. */
function halvesOf({ by }: BulkActions, asked: BulkRequest): BulkRequest[] | null {
  const { from, to, tickers } = asked;
  const days = Math.ceil((to - from) / DAY);
  if (by === "range" && days > 1) {
    const middle = from + (days >> 1) * DAY;
    return [
      { ...asked, to: middle },
      { ...asked, from: middle },
    ];
  }
  if (by !== "symbols" || tickers.length < 2) return null;
  const middle = tickers.length >> 1;
  return [tickers.slice(0, middle), tickers.slice(middle)].map((half) => ({ ...asked, tickers: half }));
}
