/** @jsxImportSource hono/jsx */
/** `/quality` and `GET /api/quality`: how good the bars of every profile are, month by month, and provider by provider. */

import { createRoute, z } from "@hono/zod-openapi";
import { Hono } from "hono";
import { isSynthetic } from "../../domain/defaults.ts";
import { quote } from "../../domain/errors.ts";
import { INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { HEALTHS, type Health, type HealthClock, healthClock } from "../../domain/profiles/health.ts";
import {
  CELL_STATES,
  type CellState,
  cellsOf,
  monthOf,
  monthText,
  parseMonth,
} from "../../domain/profiles/quality-map.ts";
import { choice, providerName, readable, wholeNumberText } from "../../schemas.ts";
import { chunks, yieldToEvents } from "../../storage/db.ts";
import { readMonthFacts, readScores } from "../../storage/profiles/month-facts.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import { QualityMapPage } from "../../views/profiles/quality-map.tsx";
import { apiRouter, json, refusals } from "../api/parameters.ts";
import { cachedFor } from "../cached.ts";
import { compressed } from "../compression.ts";
import { chosen, monthIn } from "../http/page-query.ts";
import type { Services } from "../services.ts";

const PAGE_SIZE = 50;
/** Months that are shown, and the choices. */
const MONTHS = 24;
const CHOICES = [12, 24, 36, 60] as const;
/** Months of profiles that are read in one piece: a few milliseconds. */
const SLICE = 1_200;
/** How long the scores are shown before they are read again, milliseconds: they take a second for 50,000 series. */
const SCORES_MS = 60_000;

interface MapQuery {
  /** Part of the symbol; empty for all. */
  readonly q: string;
  readonly interval: Interval | undefined;
  readonly provider: string;
  /** Only profiles that have such a month among those shown. */
  readonly state: CellState | undefined;
  readonly months: number;
  /** The last month that is shown; `undefined` for the present one. */
  readonly to: number | undefined;
  readonly offset: number;
  readonly limit: number;
}

type MapServices = Pick<Services, "calendar" | "db" | "profiles">;

/** Reads the map in pieces of a few milliseconds. */
export function qualityMapReader({ calendar, db, profiles }: MapServices) {
  /** The rows of those `entries` that have a month in `state`, if one is given: how many, and those of one page. */
  const rowsOf = async (
    entries: readonly ProfileEntry[],
    months: readonly number[],
    clock: HealthClock,
    { state, offset, limit }: Pick<MapQuery, "state" | "offset" | "limit">,
  ) => {
    const now = Date.now() / 1_000;
    const rows: { entry: ProfileEntry; cells: (CellState | null)[] }[] = [];
    let total = 0;
    for (const part of chunks(entries, Math.ceil(SLICE / months.length))) {
      const facts = await readMonthFacts(db, part, months, clock);
      for (const entry of part) {
        const known = facts.get(entry.seriesId);
        if (known === undefined) continue;
        const cells = cellsOf(known, months, now);
        if (state !== undefined && !cells.includes(state)) continue;
        if (total >= offset && rows.length < limit) rows.push({ entry, cells });
        total += 1;
      }
      await yieldToEvents();
    }
    return { rows, total };
  };

  return {
    /** The scores of the providers, at most a minute old. */
    scores: cachedFor(SCORES_MS, () => readScores(db, healthClock(calendar, Date.now()))),

    async map({ q, interval, provider, state, months: count, to, offset, limit }: MapQuery) {
      const clock = healthClock(calendar, Date.now());
      const last = to ?? monthOf(Date.now() / 1_000);
      const months = Array.from({ length: count }, (_, at) => last - count + 1 + at);
      const { entries } = await profiles.select({ search: q, ...(interval && { interval }) }, clock);
      const matching = provider === "" ? entries : entries.filter((entry) => entry.provider === provider);
      // Without a state, the rows of other pages need not be read.
      const { rows, total } =
        state === undefined
          ? {
              rows: (await rowsOf(matching.slice(offset, offset + limit), months, clock, { state, offset: 0, limit }))
                .rows,
              total: matching.length,
            }
          : await rowsOf(matching, months, clock, { state, offset, limit });
      const healths = await profiles.healthsOf(
        rows.map(({ entry }) => entry),
        clock,
      );
      const cells = rows.flatMap((row) => row.cells);
      return {
        months,
        total,
        rows: rows.map(({ entry, cells }, at) => ({ ...entry, cells, health: healths[at] as Health })),
        counts: Object.fromEntries(
          CELL_STATES.map((each) => [each, cells.filter((cell) => cell === each).length]),
        ) as Record<CellState, number>,
      };
    },
  };
}

const monthParameter = readable(
  (text) => parseMonth(text),
  (text) => `${quote(text)} is not a month: wants 2026-03`,
).openapi({ type: "string", example: "2026-03" });

const Count = z.int().nonnegative();
const read = createRoute({
  method: "get",
  path: "/quality",
  operationId: "readQuality",
  tags: ["Profiles"],
  summary: "The state of the bars of every profile by month, and a score of each provider",
  request: {
    query: z.strictObject({
      q: z.string().max(24).default("").openapi({ description: "Part of the symbol" }),
      interval: choice(INTERVALS).optional(),
      provider: providerName.optional(),
      state: choice(CELL_STATES).optional().openapi({ description: "Only profiles with a month in this state" }),
      months: wholeNumberText(1, 120).default(MONTHS),
      to: monthParameter.optional().openapi({ description: "The last month; the present one if not given" }),
      limit: wholeNumberText(1, 1_000).default(100),
      offset: wholeNumberText(0, 1_000_000).default(0),
    }),
  },
  responses: {
    200: json(
      "The map: `cells` has one entry a month of `months`, `null` where the series has no bars and none are expected",
      z.object({
        months: z.array(z.string()),
        total: Count,
        counts: z.record(z.enum(CELL_STATES), Count),
        profiles: z.array(
          z.object({
            symbol: z.string(),
            interval: z.enum(INTERVALS),
            provider: z.string(),
            synthetic: z.boolean(),
            health: z.enum(HEALTHS),
            cells: z.array(z.enum(CELL_STATES).nullable()),
          }),
        ),
        providers: z.array(
          z.object({
            provider: z.string(),
            series: Count,
            holes: Count,
            confirmed_holes: Count,
            revised_bars: Count,
            refused_rows: Count,
            late_series: Count,
            late_days: z.number(),
          }),
        ),
      }),
    ),
    ...refusals(422),
  },
});

export const qualityApi = (reader: ReturnType<typeof qualityMapReader>) =>
  apiRouter().openapi(read, async (c) => {
    const { interval, provider = "", state, to, ...rest } = c.req.valid("query");
    const query = { ...rest, interval, provider, state, to };
    const [{ months, total, counts, rows }, scores] = await Promise.all([reader.map(query), reader.scores()]);
    const profiles = rows.map(({ symbol, interval, provider, health, cells }) => {
      return { symbol, interval, provider, synthetic: isSynthetic(provider), health, cells };
    });
    const providers = scores.map(({ provider, series, holes, confirmed, revisions, refused, late, lateDays }) => ({
      provider,
      series,
      holes,
      confirmed_holes: confirmed,
      revised_bars: revisions,
      refused_rows: refused,
      late_series: late,
      late_days: lateDays,
    }));
    return c.json({ months: months.map(monthText), total, counts, profiles, providers }, 200);
  });

export function qualityMapPages(reader: ReturnType<typeof qualityMapReader>) {
  const pages = new Hono();
  pages.get("/quality", compressed, async (c) => {
    const text = (name: string, longest: number) => (c.req.query(name) ?? "").trim().slice(0, longest);
    const page = Number(text("page", 8));
    const state = chosen(c, "state", CELL_STATES);
    const query = {
      q: text("q", 24),
      interval: chosen(c, "interval", INTERVALS),
      provider: text("provider", 24),
      state,
      months: chosen(c, "months", CHOICES) ?? MONTHS,
      to: monthIn(c, "to", parseMonth),
    };
    const at = Math.min(20_000, Math.max(1, Math.trunc(page) || 1));
    const [map, scores] = await Promise.all([
      reader.map({ ...query, offset: (at - 1) * PAGE_SIZE, limit: PAGE_SIZE }),
      reader.scores(),
    ]);
    const filter = {
      q: query.q,
      interval: query.interval ?? "",
      provider: query.provider,
      state: state ?? "",
      months: query.months === MONTHS ? "" : String(query.months),
      to: query.to === undefined ? "" : monthText(query.to),
    };
    const view = { ...map, filter, scores, choices: CHOICES, page: at, hasNext: at * PAGE_SIZE < map.total };
    return c.html(<QualityMapPage page={c.var.page} view={view} />);
  });
  return pages;
}
