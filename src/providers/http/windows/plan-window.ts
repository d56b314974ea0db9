/**
 * Keeps requests inside what the plan of the key allows: clips a span to the known limits, and finds a limit when a
 * request is refused by date. Dates are asked about with windows of one day, which cost one request each.
 */

import { ProviderError } from "../../../domain/errors.ts";
import { newYorkTime, tradingDate } from "../../../domain/market/calendar.ts";
import { DAY, type Interval } from "../../../domain/market/interval.ts";
import { currentFacts, type PlanCut, type PlanFact, type PlanFactKind, type PlanMemory } from "../../../domain/plan.ts";
import type { Ticker } from "../ticker.ts";

/** Half open, epoch seconds. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Asks for the day that starts at `date`: the plan's refusal, or `null` if it is answered. */
type Probe = (date: number) => Promise<ProviderError | null>;

interface PlanRequest {
  readonly ticker: Ticker;
  readonly interval: Interval;
  /** Epoch seconds. */
  readonly asOf: number;
  /** The years of history that the vendor's plans give. */
  readonly years: readonly number[];
  /** The days for which the vendor keeps bars of the interval, where it does not keep all. */
  readonly kept?: number | undefined;
}

interface PlanScopes {
  readonly exchange: string;
  readonly series: string;
}

const YEAR = 365.25 * DAY;
/** Plans are stated in whole years and end within this many days of them. */
const NEAR_DAYS = 4;
/** Days before today that are given up when the newest ones are refused. */
const MAX_RECENT_DAYS = 3;

const placeOf = ({ market, exchange }: Ticker) => (market === "crypto" ? "crypto" : exchange);

/** The scope of facts about a ticker's bars at an interval that is requested from the vendor: `US 1d`, `crypto 15m`. */
export const planScope = (ticker: Ticker, interval: Interval): string => `${placeOf(ticker)} ${interval}`;

/** The first day of which a vendor still has bars that it keeps for `kept` days, epoch seconds. */
export const keptFrom = (kept: number, asOf: number): number => Math.ceil((asOf - kept * DAY) / DAY) * DAY;

export class PlanWindow {
  readonly #facts = new Map<PlanFactKind, PlanFact>();
  readonly #scopes: PlanScopes;
  /** Whether the start was found in this request: it is not looked for twice. */
  #foundStart = false;

  static async read(memory: PlanMemory | undefined, request: PlanRequest): Promise<PlanWindow> {
    return new PlanWindow(memory, currentFacts((await memory?.facts()) ?? [], Date.now()), request);
  }

  private constructor(
    private readonly memory: PlanMemory | undefined,
    facts: readonly PlanFact[],
    private readonly request: PlanRequest,
  ) {
    const { ticker, interval, asOf, kept } = request;
    this.#scopes = { exchange: placeOf(ticker), series: planScope(ticker, interval) };
    for (const fact of facts) if (fact.scope === this.#scopeOf(fact.kind)) this.#facts.set(fact.kind, fact);
    if (kept === undefined) return;
    const start = keptFrom(kept, asOf);
    const words = `bars of ${interval} are kept for ${kept} days`;
    const fact = { kind: "history", scope: this.#scopes.series, value: start, words, seenAt: Date.now() } as const;
    if (start > this.#start) this.#facts.set("history", fact);
  }

  /** The words in which the exchange or interval was refused as a whole. */
  get refused(): { scope: "exchange" | "interval"; words: string } | null {
    for (const scope of ["exchange", "interval"] as const) {
      const fact = this.#facts.get(scope);
      if (fact) return { scope, words: fact.words };
    }
    return null;
  }

  /** The part of `span` inside the known limits; empty (`from` >= `to`) if there is none. */
  clip({ from, to }: Span): Span {
    return { from: Math.max(from, this.#start), to: Math.min(to, this.#end) };
  }

  /** What of `window` the limits leave out, given the span that would be requested without them. */
  cuts(window: Span, span: Span): PlanCut[] {
    const cuts: PlanCut[] = [];
    const [start, end] = [this.#start, this.#end];
    if (start > span.from) {
      cuts.push({ from: window.from, to: Math.min(start, window.to), words: this.#facts.get("history")!.words });
    }
    if (end < span.to && start < window.to) {
      const to = Math.min(window.to, Math.ceil(span.to / DAY) * DAY);
      cuts.push({ from: Math.max(end, window.from), to, words: this.#facts.get("recent")!.words });
    }
    return cuts.filter((cut) => cut.from < cut.to);
  }

  /**
   * The part of `asked` that may be requested after the plan refused it.
   * @throws the refusal, if it is not one of dates
   */
  async narrow(error: unknown, asked: Span, probe: Probe): Promise<Span> {
    if (!(error instanceof ProviderError) || error.kind !== "plan" || error.refusal === undefined) throw error;
    const { scope, words } = error.refusal;
    const kind = scope === "other" ? await this.#kindOf(asked, probe) : scope;
    if (kind === "recent") {
      await this.#dropDays(asked, words, error);
      return this.clip(asked);
    }
    if (kind === "history" && !this.#foundStart) {
      await this.#findStart(asked.from, this.#lastDay, words, probe, error);
      return this.clip(asked);
    }
    await this.#remember(kind, words);
    throw error;
  }

  /**
   * Asks whether the answer to `asked`, whose first bar is `first`, was cut at the start: by the first day of the
   * window, for which a plan that does not have it refuses.
   */
  async checkStart(asked: Span, first: number | undefined, probe: Probe): Promise<void> {
    const day = Math.floor(asked.from / DAY) * DAY;
    if (day >= (this.#facts.get("allowed")?.value ?? Number.POSITIVE_INFINITY)) return;
    const refusal = await probe(day);
    if (refusal === null) return this.#learn("allowed", day, "");
    const words = refusal.refusal?.words ?? refusal.message;
    const last = first === undefined ? this.#lastDay : Math.floor(first / DAY) * DAY;
    await this.#findStart(day, last, words, probe, refusal);
  }

  /**
   * Takes over the limit that a note in an answer states.
   * @param first the earliest bar of the answer, epoch seconds
   */
  async readNote(words: string, asked: Span, first: number | undefined): Promise<void> {
    const stated = statedStart(words, this.request.asOf);
    const start = Math.min(first ?? Number.POSITIVE_INFINITY, stated ?? first ?? asked.to);
    if (start > asked.from) await this.#learn("history", Math.floor(start / DAY) * DAY, words);
  }

  get #start(): number {
    return this.#facts.get("history")?.value ?? Number.NEGATIVE_INFINITY;
  }

  get #end(): number {
    const days = this.#facts.get("recent")?.value;
    return days === undefined ? Number.POSITIVE_INFINITY : this.#startOfDay(days);
  }

  /** The start of the exchange's day `back` days before today, as bars of the interval are timed. */
  #startOfDay(back: number): number {
    const { ticker, interval, asOf } = this.request;
    const date = tradingDate(ticker.market, asOf) - back * DAY;
    return interval === "1d" || ticker.market === "crypto" ? date : newYorkTime(date, 0);
  }

  /** The newest day that is over. */
  get #lastDay(): number {
    return Math.floor(this.#startOfDay(1) / DAY) * DAY;
  }

  /** Which limit refuses `asked`, where the words do not tell: dates do if another day is answered. */
  async #kindOf(asked: Span, probe: Probe): Promise<"recent" | "history" | "other"> {
    const last = this.#lastDay;
    if (asked.from >= last || (await probe(last)) !== null) return "other";
    const isOld = asked.to <= last || (await probe(Math.floor(asked.from / DAY) * DAY)) !== null;
    return isOld ? "history" : "recent";
  }

  async #dropDays({ to }: Span, words: string, error: ProviderError): Promise<void> {
    for (let days = 0; days <= MAX_RECENT_DAYS; days++) {
      if (this.#startOfDay(days) >= to) continue;
      await this.#learn("recent", days, words);
      return;
    }
    throw error;
  }

  /** Finds the first day that the plan answers, between `refused` and `last`, which it is taken to answer. */
  async #findStart(refused: number, last: number, words: string, probe: Probe, error: unknown): Promise<void> {
    this.#foundStart = true;
    let low = Math.floor(refused / DAY);
    let high = Math.floor(last / DAY);
    if (low >= high) throw error;
    const isAnswered = async (day: number) => (await probe(day * DAY)) === null;
    const guesses = this.request.years.map((years) => Math.ceil((this.request.asOf - years * YEAR) / DAY));
    for (const day of guesses.flatMap((guess) => [guess + NEAR_DAYS, guess - NEAR_DAYS])) {
      if (day <= low || day >= high) continue;
      if (await isAnswered(day)) high = day;
      else {
        low = day;
        break;
      }
    }
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (await isAnswered(middle)) high = middle;
      else low = middle;
    }
    if (high * DAY >= last && !(await isAnswered(high))) throw error;
    await this.#learn("history", high * DAY, words);
  }

  /**
   * Remembers the refusal of an exchange or interval. It may concern one symbol only where the words speak of US stocks
   * in general or of daily bars, which every plan has, and where the plan was seen to answer other symbols.
   */
  async #remember(scope: string, words: string): Promise<void> {
    if (this.#facts.has("allowed") || this.#facts.has("history")) return;
    const isInterval = scope === "interval" && this.request.interval !== "1d";
    const isExchange = scope === "exchange" && this.#scopes.exchange !== "US";
    if (isInterval || isExchange) await this.#learn(isInterval ? "interval" : "exchange", 0, words);
  }

  async #learn(kind: PlanFactKind, value: number, words: string): Promise<void> {
    const fact = { kind, scope: this.#scopeOf(kind), value, words, seenAt: Date.now() };
    this.#facts.set(kind, fact);
    await this.memory?.learn([fact]);
  }

  #scopeOf(kind: PlanFactKind): string {
    return kind === "exchange" ? this.#scopes.exchange : this.#scopes.series;
  }
}

const NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const UNITS: Readonly<Record<string, number>> = { day: DAY, week: 7 * DAY, month: YEAR / 12, year: YEAR };

/** The start of the history that words such as `limited by one year` or `30 days` state, epoch seconds. */
export function statedStart(words: string, asOf: number): number | null {
  const [, count = "", unit = ""] = /\b(\d+|[a-z]+)[ -](day|week|month|year)s?\b/i.exec(words) ?? [];
  const times = /^\d/.test(count) ? Number(count) : NUMBERS.indexOf(count.toLowerCase());
  const seconds = UNITS[unit.toLowerCase()];
  return times > 0 && seconds !== undefined ? Math.ceil((asOf - times * seconds) / DAY) * DAY : null;
}
