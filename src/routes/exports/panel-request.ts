/** Finds the symbols and series of a panel and turns its query into an export. */

import { isSynthetic } from "../../domain/defaults.ts";
import { type FieldError, Refusal } from "../../domain/errors.ts";
import type { Calendar } from "../../domain/market/calendar.ts";
import { isInterval, type ReadInterval } from "../../domain/market/interval.ts";
import { MAX_SYMBOLS } from "../../domain/market/symbol.ts";
import { healthClock } from "../../domain/profiles/health.ts";
import { sourceIntervals, tableMetadata } from "../../pipeline/exports/describe-table.ts";
import type { ExportRequest } from "../../pipeline/exports/export-table.ts";
import { findSources } from "../../pipeline/exports/find-sources.ts";
import { columnNames } from "../../pipeline/exports/series/read-rows.ts";
import { MAX_SPILL } from "../../pipeline/exports/spill-file.ts";
import { symbolsOf, watchlistNamed } from "../../storage/companies/watchlists.ts";
import { requireReadable, screenerOf } from "../profiles/list-query.ts";
import type { Services } from "../services.ts";
import type { PanelQuery } from "./parameters.ts";
import { knownFields, rangeOf, refuse, requireLonger } from "./table-request.ts";

export interface PanelRequest {
  readonly request: ExportRequest;
  /** About how many rows it has. */
  readonly rows: number;
  readonly missing: readonly string[];
}

export class PanelRequests {
  constructor(
    private readonly services: Pick<Services, "db" | "profiles">,
    private readonly calendar: Calendar,
  ) {}

  /** @throws Refusal that names the parameter which cannot be answered */
  async read(query: PanelQuery): Promise<PanelRequest> {
    const { interval, provider, adjust, format, dtype, sort, labels, names: features, as_known_at: knownAt } = query;
    const columns = { hasBars: query.include.includes("ohlcv"), features, labels };
    const count = columnNames({ ...query, ...rangeOf(query), ...columns }).length;
    if (count === 0) throw refuse("names", "names=none wants include=ohlcv or labels: the table would have no columns");
    const longer = requireLonger(interval, features);
    const symbols = (await this.#symbols(query)).toSorted();
    const range = { ...rangeOf(query), knownAt };
    const found = await findSources(this.services.db, this.calendar, { symbols, interval, longer, provider, ...range });
    const { series, stored, missing, rows } = found;
    if (sort === "timestamp" && rows * 8 * (count + 1) > MAX_SPILL) {
      const most = Math.floor(MAX_SPILL / (8 * (count + 1)));
      throw refuse(
        "sort",
        `about ${rows} rows of ${count} columns are too many to sort by time, at most ${most}: ask for a part, or for sort=symbol`,
      );
    }
    const metadata = tableMetadata({ interval, adjust, ...range }, stored, missing, found.knownSince);
    const head = {
      interval,
      source_interval: sourceIntervals(stored, interval),
      provider: metadata["barkeep.provider"],
      synthetic: stored.some((each) => isSynthetic(each.provider)),
      feed: metadata["barkeep.feed"],
      adjust,
      missing,
      ...knownFields(metadata),
    };
    const request = { ...columns, ...range, interval, adjust, format, dtype, sort, series, metadata, head };
    return { request: { ...request, content: "table", hasSymbol: true, coding: null }, rows, missing };
  }

  async #symbols({
    symbols,
    watchlist,
    where,
    interval,
    as_known_at: knownAt,
  }: PanelQuery): Promise<readonly string[]> {
    const given = [symbols, watchlist, where].filter((each) => each !== undefined);
    if (given.length !== 1) {
      const message = "wants one of symbols, watchlist and where";
      const errors: FieldError[] = [{ path: "symbols", message }];
      throw new Refusal("invalid", `The panel ${message}`, errors);
    }
    if (where !== undefined && knownAt !== undefined) {
      throw refuse("where", "chooses by the profiles of today: as_known_at wants symbols or a watchlist");
    }
    if (symbols !== undefined) return symbols;
    const found = watchlist !== undefined ? await this.#listed(watchlist) : await this.#screened(where ?? "", interval);
    if (found.length <= MAX_SYMBOLS) return found;
    const path = watchlist === undefined ? "where" : "watchlist";
    throw refuse(path, `${found.length} symbols are too many: a panel has at most ${MAX_SYMBOLS}`);
  }

  async #listed(name: string): Promise<string[]> {
    const { id } = await watchlistNamed(this.services.db, name);
    return symbolsOf(this.services.db, id);
  }

  async #screened(where: string, interval: ReadInterval): Promise<string[]> {
    if (where.trim() === "") throw refuse("where", "is empty: wants an expression such as rsi_14 < 30");
    if (!isInterval(interval)) {
      throw refuse("where", `there are no ${interval} profiles to compare: name the symbols, or use another interval`);
    }
    const query = screenerOf(where, "");
    requireReadable(query);
    const clock = healthClock(this.calendar, Date.now());
    const { entries } = await this.services.profiles.select({ interval, where: query.condition }, clock);
    return entries.map(({ symbol }) => symbol);
  }
}
