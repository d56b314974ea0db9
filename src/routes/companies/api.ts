/** `/api/companies` and `/api/watchlists`: find companies, import and fetch lists of them, manage watchlists. */

import { createRoute, z } from "@hono/zod-openapi";
import {
  COMPANY_FILTERS,
  type CompanyFilterName,
  FACT_NAMES,
  LISTINGS,
  MAX_NAME_LENGTH,
} from "../../domain/companies.ts";
import { MAX_SYMBOLS } from "../../domain/market/symbol.ts";
import { fetchCompanies, importCompanies, MAX_FACT_SYMBOLS, startFacts } from "../../scheduler/companies.ts";
import { ignored, nameText, providerName, strictObject, wholeNumberText } from "../../schemas.ts";
import { searchCompanies } from "../../storage/companies/companies.ts";
import {
  addToWatchlist,
  createWatchlist,
  deleteWatchlist,
  readWatchlists,
  removeFromWatchlist,
  renameWatchlist,
  requireWatchlist,
  symbolsOf,
} from "../../storage/companies/watchlists.ts";
import { apiRouter, byId, idParameter, json, jsonBody, refusals, symbolParameter } from "../api/parameters.ts";
import type { Services } from "../services.ts";
import { filterOf, importedText } from "./form.ts";

const CompanyBody = z
  .object({
    symbol: z.string(),
    name: z.string(),
    exchange: z.string(),
    source: z.string(),
    updated_at: z.string(),
    facts: z
      .partialRecord(z.enum(FACT_NAMES), z.object({ value: z.string().nullable(), source: z.string(), at: z.string() }))
      .openapi({ description: "What is known, its source and its date; `delisted_on` is null while it is listed" }),
  })
  .openapi("Company");

const filters = {
  ...(Object.fromEntries(COMPANY_FILTERS.map((name) => [name, z.string().max(MAX_NAME_LENGTH).optional()])) as Record<
    CompanyFilterName,
    z.ZodOptional<z.ZodString>
  >),
  listing: z.enum(LISTINGS).optional(),
};

const search = createRoute({
  method: "get",
  path: "/companies",
  operationId: "searchCompanies",
  tags: ["Companies"],
  summary: "Find companies by the beginning of their symbol or of words of their name, and by facts",
  request: {
    query: z.object({
      q: z.string().max(100).default(""),
      watchlist: idParameter.optional(),
      limit: wholeNumberText(1, 1_000).default(50),
      after: z.string().max(60).optional().openapi({ description: "`next` of the previous page" }),
      ...filters,
    }),
  },
  responses: {
    200: json("Companies", z.object({ companies: z.array(CompanyBody), next: z.string().nullable() })),
    ...refusals(422),
  },
});

const importList = createRoute({
  method: "post",
  path: "/companies/import",
  operationId: "importCompanies",
  tags: ["Companies"],
  summary:
    "Import symbol[,name[,exchange]] lines, with or without a header, which may name facts too (type, currency, country, sector, industry, listed_on, delisted_on, isin, figi); bad lines are reported, good ones kept",
  request: {
    body: {
      content: {
        "text/csv": { schema: z.string() },
        "text/plain": { schema: z.string() },
        "multipart/form-data": { schema: z.looseObject({}).openapi({ description: "`file` or `text`" }) },
      },
    },
  },
  responses: {
    200: json(
      "What was stored and what was not",
      z.object({ imported: z.int(), rejected: z.array(z.object({ line: z.int(), reason: z.string() })) }),
    ),
    ...refusals(413, 415, 422),
  },
});

const fetchList = createRoute({
  method: "post",
  path: "/companies/fetch",
  operationId: "fetchCompanies",
  tags: ["Companies"],
  summary: "Fetch the list of an exchange from a provider; one younger than a day is not fetched again",
  request: {
    body: {
      content: {
        "application/json": {
          schema: z.strictObject({
            provider: providerName.optional(),
            exchange: z.string().max(20).optional(),
            refresh: z.boolean().optional(),
          }),
        },
      },
    },
  },
  responses: {
    200: json(
      "The list as it is stored now",
      z.object({
        provider: z.string(),
        exchange: z.string(),
        companies: z.int(),
        fetched_at: z.string(),
        cached: z.boolean(),
      }),
    ),
    ...refusals(415, 422, 503),
  },
});

const fetchFacts = createRoute({
  method: "post",
  path: "/companies/facts",
  operationId: "fetchFacts",
  tags: ["Companies"],
  summary: "Start to fetch facts of companies from a provider, one request each; the log records the result",
  request: jsonBody(
    z.strictObject({ provider: providerName, symbols: z.array(symbolParameter).min(1).max(MAX_FACT_SYMBOLS) }),
  ),
  responses: {
    202: json("What is being fetched", z.object({ provider: z.string(), symbols: z.int() })),
    ...refusals(415, 422, 503),
  },
});

const name = nameText(MAX_NAME_LENGTH);
const symbols = z.array(symbolParameter).max(MAX_SYMBOLS).default([]);
const WatchlistBody = z.object({ id: z.int(), name: z.string(), symbols: z.array(z.string()) }).openapi("Watchlist");

const lists = createRoute({
  method: "get",
  path: "/watchlists",
  operationId: "listWatchlists",
  tags: ["Watchlists"],
  summary: "All watchlists with the number of their symbols",
  responses: {
    200: json(
      "Watchlists",
      z.object({ watchlists: z.array(z.object({ id: z.int(), name: z.string(), symbols: z.int() })) }),
    ),
  },
});
const createList = createRoute({
  method: "post",
  path: "/watchlists",
  operationId: "createWatchlist",
  tags: ["Watchlists"],
  summary: "Create a watchlist",
  request: jsonBody(strictObject({ name, symbols, ...ignored("id") })),
  responses: { 201: json("The watchlist", WatchlistBody), ...refusals(409, 415, 422) },
});
const readList = createRoute({
  method: "get",
  path: "/watchlists/{id}",
  operationId: "readWatchlist",
  tags: ["Watchlists"],
  summary: "A watchlist with its symbols",
  request: byId,
  responses: { 200: json("The watchlist", WatchlistBody), ...refusals(404, 422) },
});
const changeList = createRoute({
  method: "patch",
  path: "/watchlists/{id}",
  operationId: "changeWatchlist",
  tags: ["Watchlists"],
  summary: "Rename a watchlist, add symbols to it, remove some",
  request: { ...byId, ...jsonBody(strictObject({ name: name.optional(), add: symbols, remove: symbols })) },
  responses: { 200: json("The watchlist", WatchlistBody), ...refusals(404, 409, 415, 422) },
});
const dropList = createRoute({
  method: "delete",
  path: "/watchlists/{id}",
  operationId: "deleteWatchlist",
  tags: ["Watchlists"],
  summary: "Delete a watchlist",
  request: byId,
  responses: { 204: { description: "Deleted" }, ...refusals(404, 422) },
});

export function companyRoutes(services: Pick<Services, "companies" | "config" | "db" | "log" | "provider">) {
  const { db } = services;
  const watchlist = async (listId: number) => ({
    ...(await requireWatchlist(db, listId)),
    symbols: await symbolsOf(db, listId),
  });
  const wire = ({ id, name, symbols }: Awaited<ReturnType<typeof watchlist>>) => ({ id, name, symbols });
  return apiRouter()
    .openapi(search, async (c) => {
      const { q, watchlist, limit, after, ...chosen } = c.req.valid("query");
      const filter = filterOf((name) => chosen[name]);
      const { companies, next } = await searchCompanies(db, { search: q, watchlist, limit, after, filter });
      const rows = companies.map(({ updatedAt, facts, origins, ...company }) => ({
        ...company,
        updated_at: new Date(updatedAt).toISOString(),
        facts: Object.fromEntries(
          FACT_NAMES.flatMap((name) => {
            const [source, at] = origins[name] ?? [];
            if (source === undefined || at === undefined) return [];
            return [[name, { value: facts[name] || null, source, at: new Date(at).toISOString() }]];
          }),
        ),
      }));
      return c.json({ companies: rows, next }, 200);
    })
    .openapi(importList, async (c) => {
      const { companies, bad } = await importCompanies(services, await importedText(c));
      return c.json({ imported: companies, rejected: [...bad] }, 200);
    })
    .openapi(fetchList, async (c) => {
      const { fetchedAt, ...list } = await fetchCompanies(services, c.req.valid("json"));
      return c.json({ ...list, fetched_at: new Date(fetchedAt).toISOString() }, 200);
    })
    .openapi(fetchFacts, async (c) => {
      const { provider, symbols } = c.req.valid("json");
      const wanted = [...new Set(symbols)];
      await startFacts(services, { provider, symbols: wanted });
      return c.json({ provider, symbols: wanted.length }, 202);
    })
    .openapi(lists, async (c) => c.json({ watchlists: await readWatchlists(db) }, 200))
    .openapi(createList, async (c) => {
      const { name, symbols } = c.req.valid("json");
      return c.json(wire(await watchlist(await createWatchlist(db, name, symbols))), 201);
    })
    .openapi(readList, async (c) => c.json(wire(await watchlist(c.req.valid("param").id)), 200))
    .openapi(changeList, async (c) => {
      const { id } = c.req.valid("param");
      const { name, add, remove } = c.req.valid("json");
      await requireWatchlist(db, id);
      if (name !== undefined) await renameWatchlist(db, id, name);
      await addToWatchlist(db, id, add);
      await removeFromWatchlist(db, id, remove);
      return c.json(wire(await watchlist(id)), 200);
    })
    .openapi(dropList, async (c) => {
      const { id } = c.req.valid("param");
      await requireWatchlist(db, id);
      await deleteWatchlist(db, id);
      return c.body(null, 204);
    });
}
