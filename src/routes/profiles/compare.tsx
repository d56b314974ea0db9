/** @jsxImportSource hono/jsx */
/** `/profiles/:symbol/compare` and `/api/profiles/:symbol/compare`: the bars of two providers, bar by bar. */

import { createRoute, z } from "@hono/zod-openapi";
import { type Context, Hono } from "hono";
import { isSynthetic } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { type BarColumns, emptyBars, joinBars, lowerBound, sliceBars } from "../../domain/market/bars.ts";
import { INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { compareProviders, VERDICTS } from "../../domain/profiles/comparison.ts";
import { isoMillisecond } from "../../domain/time.ts";
import { choice, providerName } from "../../schemas.ts";
import { type Database, yieldToEvents } from "../../storage/db.ts";
import { barPages, startOfLast } from "../../storage/market/bars.ts";
import { findSeries, providersOf } from "../../storage/market/series.ts";
import { barRange } from "../../storage/market/session-bars.ts";
import { ComparePage, type CompareView } from "../../views/profiles/compare-page.tsx";
import {
  apiRouter,
  inOrder,
  intervalParameter,
  json,
  momentParameter,
  refusals,
  symbolParameter,
} from "../api/parameters.ts";
import { compressed } from "../compression.ts";
import { chosen, rangeIn } from "../http/page-query.ts";
import type { Services } from "../services.ts";

/** The most bars of a side that are compared, and how many are read at a time, which takes some milliseconds. */
const MOST_BARS = 10_000;
const PAGE = 2_500;
/** Differing ranges that are listed. */
const MOST_RUNS = 200;

interface CompareQuery {
  readonly symbol: string;
  readonly interval: Interval;
  readonly first: string | undefined;
  readonly second: string | undefined;
  /** Epoch seconds, half open; the newest bars if not given. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Reads at most `MOST_BARS` bars from `from` on; other work runs between the pages. */
async function readSide(db: Database, series: number, from: number, to: number): Promise<BarColumns> {
  let bars = emptyBars();
  for await (const page of barPages(db, series, from, to, PAGE)) {
    bars = joinBars(bars, page);
    if (bars.ts.length >= MOST_BARS) break;
    await yieldToEvents();
  }
  return bars;
}

/** The comparison of two stored providers; `result` is `null` if there are not two. @throws Refusal */
async function compare(
  db: Database,
  { symbol, interval, first, second, from, to }: CompareQuery,
): Promise<CompareView> {
  const stored = await providersOf(db, symbol, interval);
  if (stored.length === 0) {
    throw new Refusal("not_found", `There are no ${interval} bars of ${symbol}: start a run for it first`);
  }
  for (const name of [first, second]) {
    if (name !== undefined && !stored.includes(name)) {
      throw new Refusal(
        "not_found",
        `There are no ${interval} bars of ${symbol} from ${name}; there are those of ${stored.join(", ")}`,
      );
    }
  }
  const one = first ?? stored.find((name) => name !== second)!;
  const other = second ?? stored.find((name) => name !== one);
  if (one === other) throw new Refusal("invalid", "Two different providers are compared");
  const base = { symbol, interval, stored, first: one };
  if (other === undefined) return { ...base, second: null, result: null };
  const [mine, theirs] = [
    (await findSeries(db, symbol, interval, one))!,
    (await findSeries(db, symbol, interval, other))!,
  ];
  const ranges = [await barRange(db, mine.id), await barRange(db, theirs.id)];
  // Outside the range of either there is nothing to compare.
  const begin = Math.max(...ranges.map(({ firstBar }) => firstBar ?? Number.POSITIVE_INFINITY));
  const end = Math.min(...ranges.map(({ lastBar }) => lastBar ?? Number.NEGATIVE_INFINITY)) + 1;
  const upTo = Math.min(to ?? end, end);
  const start = Math.max(begin, from ?? (await startOfLast(db, mine.id, upTo, MOST_BARS / 2)) ?? 0);
  const [a, b] = [await readSide(db, mine.id, start, upTo), await readSide(db, theirs.id, start, upTo)];
  // A side with more bars in the range ends earlier: after that the bars of the other one would all seem to be missing there.
  const isCut = a.ts.length === MOST_BARS || b.ts.length === MOST_BARS;
  const last = isCut
    ? Math.min(...[a, b].flatMap(({ ts }) => (ts.length === MOST_BARS ? [ts[ts.length - 1]!] : [])))
    : upTo;
  await yieldToEvents();
  const [left, right] = [until(a, last), until(b, last)];
  const comparison = compareProviders(left, right, interval !== "1d");
  return {
    ...base,
    second: other,
    result: {
      ...comparison,
      from: start,
      next: isCut ? last + 1 : null,
      runs: comparison.runs.slice(0, MOST_RUNS),
      allRuns: comparison.runs.length,
      sides: [mine, theirs].map(({ feed, adjustment, sessions }) => ({ feed, adjustment, sessions })),
      closes: [left, right].map(({ ts, close }) => ({ ts, close })),
    },
  };
}

const until = (bars: BarColumns, last: number): BarColumns => sliceBars(bars, 0, lowerBound(bars.ts, last + 1));

const Side = z.object({ provider: z.string(), synthetic: z.boolean(), feed: z.string(), adjustment: z.string() });
const read = createRoute({
  method: "get",
  path: "/profiles/{symbol}/compare",
  operationId: "compareProviders",
  tags: ["Profiles"],
  summary: "Compare the stored bars of two providers, bar by bar",
  request: {
    params: z.object({ symbol: symbolParameter }),
    query: inOrder(
      z.strictObject({
        interval: intervalParameter,
        first: providerName.optional(),
        second: providerName.optional(),
        from: momentParameter.optional(),
        to: momentParameter.optional(),
      }),
    ),
  },
  responses: {
    200: json(
      `The comparison, of at most ${MOST_BARS} bars of each provider; \`next\` is where the rest begins. without two providers \`comparison\` is \`null\``,
      z.object({
        symbol: z.string(),
        interval: choice(INTERVALS),
        stored: z.array(z.string()),
        comparison: z
          .object({
            sides: z.array(Side),
            from: z.string().nullable(),
            to: z.string().nullable(),
            next: z.string().nullable(),
            counts: z.record(z.enum(VERDICTS), z.int()),
            volumes_differ: z.int(),
            runs: z.array(
              z.object({
                verdict: z.enum(VERDICTS),
                from: z.string(),
                to: z.string(),
                bars: z.int(),
                ratio: z.number().nullable(),
              }),
            ),
          })
          .nullable(),
      }),
    ),
    ...refusals(400, 404, 422),
  },
});

export const compareApi = ({ db }: Pick<Services, "db">) =>
  apiRouter().openapi(read, async (c) => {
    const { first, second, interval, from, to } = c.req.valid("query");
    const view = await compare(db, { ...c.req.valid("param"), interval, first, second, from, to });
    const { symbol, result } = view;
    const stored = [...view.stored];
    if (result === null) return c.json({ symbol, interval, stored, comparison: null }, 200);
    const [start, end] = [result.ts[0], result.ts[result.ts.length - 1]];
    const iso = (ts: number | null | undefined) => (ts == null ? null : isoMillisecond(ts));
    const comparison = {
      sides: [view.first, view.second!].map((provider, at) => {
        const { feed, adjustment } = result.sides[at]!;
        return { provider, synthetic: isSynthetic(provider), feed, adjustment };
      }),
      from: iso(start),
      to: iso(end),
      next: iso(result.next),
      counts: result.counts,
      volumes_differ: result.volumes,
      runs: result.runs.map((run) => ({ ...run, from: isoMillisecond(run.from), to: isoMillisecond(run.to) })),
    };
    return c.json({ symbol, interval, stored, comparison }, 200);
  });

export const comparePages = ({ db }: Pick<Services, "db">) =>
  new Hono().get("/profiles/:symbol/compare", compressed, async (c: Context) => {
    const symbol = parseSymbol(c.req.param("symbol") ?? "");
    if (symbol === null) throw new Refusal("not_found", "That is not a symbol");
    const name = (field: string) => (c.req.query(field) ?? "").trim().slice(0, 40) || undefined;
    const view = await compare(db, {
      symbol,
      interval: chosen(c, "interval", INTERVALS) ?? "1d",
      first: name("first"),
      second: name("second"),
      ...rangeIn(c),
    });
    return c.html(<ComparePage page={c.var.page} view={view} />);
  });
