/** Finds the symbols and series of a panel and turns its query into an export. */

import { isSynthetic } from "../../domain/defaults.ts";
import { type FieldError, Refusal } from "../../domain/errors.ts";
import type { ReadInterval } from "../../domain/market/interval.ts";
import { MAX_SYMBOLS } from "../../domain/market/symbol.ts";
import { healthClock } from "../../domain/profiles/health.ts";
import { sourceIntervals, tableMetadata } from "../../pipeline/exports/describe-table.ts";
import type { ExportRequest } from "../../pipeline/exports/export-table.ts";
import { findSources } from "../../pipeline/exports/find-sources.ts";
import { columnNames } from "../../pipeline/exports/series/read-rows.ts";
import { MAX_SPILL } from "../../pipeline/exports/spill-file.ts";
import { symbolsOf, watchlistNamed } from "../../storage/companies/watchlists.ts";
import { derivedMatches, isDerived } from "../profiles/derived-list.tsx";
import { requireReadable, screenerOf } from "../profiles/list-query.ts";
import type { Services } from "../services.ts";
import type { PanelQuery } from "./parameters.ts";
import { knownFields, partialField, rangeOf, refuse, requireLonger } from "./table-request.ts";

export interface PanelRequest {
  readonly request: ExportRequest;
  /** About how many rows it has. */
  readonly rows: number;
  readonly missing: readonly string[];
}

/** The symbols of a panel, and those that could not be compared with its expression: they are listed as missing. */
interface Chosen {
  readonly symbols: readonly string[];
  readonly failed: readonly string[];
}

export class PanelRequests {
  constructor(private readonly services: Pick<Services, "calendar" | "db" | "derived" | "profiles">) {}

  /** @throws Refusal that names the parameter which cannot be answered */
  async read(query: PanelQuery): Promise<PanelRequest> {
    const { interval, provider, adjust, format, dtype, sort, labels, names: features, as_known_at: knownAt } = query;
    const columns = { hasBars: query.include.includes("ohlcv"), features, labels };
    const count = columnNames({ ...query, ...rangeOf(query), ...columns }).length;
    if (count === 0) throw refuse("names", "names=none wants include=ohlcv or labels: the table would have no columns");
    const longer = requireLonger(interval, features);
    const chosen = await this.#symbols(query);
    const symbols = chosen.symbols.toSorted();
    const range = { ...rangeOf(query), knownAt };
    const { db, calendar } = this.services;
    const found = await findSources(db, calendar, { symbols, interval, longer, provider, ...range });
    const { series, stored, rows } = found;
    const missing = [...found.missing, ...chosen.failed].toSorted();
    if (sort === "timestamp" && rows * 8 * (count + 1) > MAX_SPILL) {
      const most = Math.floor(MAX_SPILL / (8 * (count + 1)));
      throw refuse(
        "sort",
        `about ${rows} rows of ${count} columns are too many to sort by time, at most ${most}: ask for a part, or for sort=symbol`,
      );
    }
    const metadata = tableMetadata({ interval, adjust, ...range }, stored, { ...found, missing });
    const head = {
      interval,
      source_interval: sourceIntervals(stored, interval),
      provider: metadata["barkeep.provider"],
      synthetic: stored.some((each) => isSynthetic(each.provider)),
      feed: metadata["barkeep.feed"],
      adjust,
      missing,
      ...knownFields(metadata),
      ...partialField(metadata),
    };
    const request = { ...columns, ...range, interval, adjust, format, dtype, sort, series, metadata, head };
    return { request: { ...request, content: "table", hasSymbol: true, coding: null }, rows, missing };
  }

  async #symbols({ symbols, watchlist, where, interval, as_known_at: knownAt }: PanelQuery): Promise<Chosen> {
    const given = [symbols, watchlist, where].filter((each) => each !== undefined);
    if (given.length !== 1) {
      const message = "wants one of symbols, watchlist and where";
      const errors: FieldError[] = [{ path: "symbols", message }];
      throw new Refusal("invalid", `The panel ${message}`, errors);
    }
    if (where !== undefined && knownAt !== undefined) {
      throw refuse("where", "chooses by the profiles of today: as_known_at wants symbols or a watchlist");
    }
    if (symbols !== undefined) return { symbols, failed: [] };
    const found = watchlist !== undefined ? await this.#listed(watchlist) : await this.#screened(where ?? "", interval);
    const count = found.symbols.length + found.failed.length;
    if (count <= MAX_SYMBOLS) return found;
    const path = watchlist === undefined ? "where" : "watchlist";
    throw refuse(path, `${count} symbols are too many: a panel has at most ${MAX_SYMBOLS}`);
  }

  async #listed(name: string): Promise<Chosen> {
    const { id } = await watchlistNamed(this.services.db, name);
    return { symbols: await symbolsOf(this.services.db, id), failed: [] };
  }

  async #screened(where: string, interval: ReadInterval): Promise<Chosen> {
    if (where.trim() === "") throw refuse("where", "is empty: wants an expression such as rsi_14 < 30");
    const query = screenerOf(where, "");
    requireReadable(query);
    const filter = { where: query.condition };
    const clock = healthClock(this.services.calendar, Date.now());
    if (await isDerived(this.services, interval)) {
      const { found, rows } = await derivedMatches(this.services, { filter, interval, clock }, "whole");
      return { symbols: rows.map(({ entry }) => entry.symbol), failed: found.failed };
    }
    const { entries } = await this.services.profiles.select({ ...filter, interval }, clock);
    return { symbols: entries.map(({ symbol }) => symbol), failed: [] };
  }
}
