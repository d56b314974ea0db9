/** @jsxImportSource hono/jsx */
/** `/companies`: find and select companies, save watchlists, import, fetch, and start a run. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { MAX_NAME_LENGTH } from "../../domain/companies.ts";
import { Refusal } from "../../domain/errors.ts";
import { fetchCompanies, importCompanies, startFacts } from "../../scheduler/companies.ts";
import { requireName } from "../../schemas.ts";
import {
  addToWatchlist,
  createWatchlist,
  deleteWatchlist,
  removeFromWatchlist,
  renameWatchlist,
  requireWatchlist,
} from "../../storage/companies/watchlists.ts";
import {
  CompaniesPage,
  type CompaniesView,
  CompanyResults,
  CompanyRunPage,
} from "../../views/companies/companies-page.tsx";
import { plural } from "../../views/ui/format.ts";
import { compressed } from "../compression.ts";
import { requireKnownFields } from "../form-errors.ts";
import { wantsFragment } from "../page-context.ts";
import { emptyForm } from "../runs/run-form.ts";
import type { Services } from "../services.ts";
import { COMPANY_FIELDS, type CompanyFields, companiesView, companyFields, importedText } from "./form.ts";

/** Longest address that may carry a selection, characters; a larger one is sent in a body. */
const MAX_ADDRESS = 2_000;

type CompanyServices = Pick<Services, "companies" | "config" | "db" | "log" | "provider" | "settings">;

export function companyPages(services: CompanyServices): Hono {
  const pages = new Hono();
  const replies = new Replies(services);
  pages.use("/companies", compressed);
  pages.get("/companies", (c) => replies.show(c, companyFields({ ...c.req.query(), pick: c.req.queries("pick") })));
  // These addresses only receive forms: a reload leads back to the page.
  pages.get("/companies/*", (c) => c.redirect("/companies"));
  pages.post("/companies", async (c) => replies.show(c, await sentFields(c)));
  addSelectionRoutes(pages, replies, services);
  addWatchlistRoutes(pages, replies, services);
  addLoadingRoutes(pages, replies, services);
  return pages;
}

async function sentFields(c: Context): Promise<CompanyFields> {
  const body = await c.req.parseBody({ all: true });
  requireKnownFields(body, COMPANY_FIELDS);
  return companyFields(body);
}

class Replies {
  constructor(private readonly services: CompanyServices) {}

  /** The page, or what of it a search replaces. */
  async show(
    c: Context,
    fields: CompanyFields,
    more: Partial<CompaniesView> = {},
    status: ContentfulStatusCode = 200,
  ): Promise<Response> {
    const found = await companiesView(this.services, fields, more);
    const selected = found.selected.map(({ symbol }) => symbol);
    const address = addressOf(fields, selected);
    const view = { ...found, address: address.length <= MAX_ADDRESS ? address : null };
    if (wantsFragment(c)) return c.html(<CompanyResults view={view} />, status);
    // Without JavaScript a search is redirected to its own address, unless there is a message to show.
    if (c.req.method === "POST" && view.address !== null && view.flash === null) return c.redirect(view.address, 303);
    const page = { ...c.var.page, path: view.address ?? addressOf(fields, []) };
    return c.html(<CompaniesPage page={page} view={view} />, status);
  }

  /** Runs an action with the form. A refusal is shown on the page, and the selection is kept. */
  act(work: (fields: CompanyFields, c: Context) => Promise<Partial<CompaniesView> | Response>) {
    return async (c: Context): Promise<Response> => {
      const fields = await sentFields(c);
      try {
        const done = await work(fields, c);
        return done instanceof Response ? done : await this.show(c, fields, done);
      } catch (error) {
        return this.refuse(c, fields, error);
      }
    };
  }

  /** @throws what is no refusal */
  refuse(c: Context, fields: CompanyFields, error: unknown): Promise<Response> {
    if (!(error instanceof Refusal)) throw error;
    return this.show(c, fields, { flash: { level: "error", text: error.message } }, error.status);
  }
}

/** What is done with the selected companies. */
function addSelectionRoutes(pages: Hono, replies: Replies, services: CompanyServices): void {
  pages.post(
    "/companies/run",
    replies.act(async ({ selected }, c) => {
      if (selected.length === 0) throw new Refusal("invalid", "Select at least one company to start a run");
      const symbols = selected.join(", ");
      const address = `/?symbols=${encodeURIComponent(symbols)}`;
      if (address.length <= MAX_ADDRESS) return c.redirect(address, 303);
      return c.html(
        <CompanyRunPage page={{ ...c.var.page, path: "/companies" }} form={emptyForm(services, { symbols })} />,
      );
    }),
  );

  pages.post(
    "/companies/facts",
    replies.act(async ({ selected, factsFrom }) => {
      if (selected.length === 0) throw new Refusal("invalid", "Select at least one company to fetch its facts");
      await startFacts(services, { provider: factsFrom, symbols: selected });
      const text = `Facts of ${plural(selected.length, "company", "companies")} are being fetched; reload to see them`;
      return { flash: { level: "info", text } };
    }),
  );
}

function addWatchlistRoutes(pages: Hono, replies: Replies, { db }: CompanyServices): void {
  pages.post(
    "/companies/lists",
    replies.act(async ({ selected, listName }, c) => {
      const id = await createWatchlist(db, checkedName(listName), selected);
      return c.redirect(`/companies?list=${id}`, 303);
    }),
  );
  pages.post(
    "/companies/lists/add",
    replies.act(async ({ selected, target }) => {
      if (target === undefined) throw new Refusal("invalid", "Choose the watchlist to add to");
      const { name } = await requireWatchlist(db, target);
      await addToWatchlist(db, target, selected);
      return { flash: { level: "info", text: `${plural(selected.length, "symbol")} in ${name}` } };
    }),
  );
  pages.post(
    "/companies/lists/:id/:action",
    replies.act(async ({ selected, listName }, c) => {
      const id = Number(c.req.param("id"));
      const { name } = await requireWatchlist(db, Number.isSafeInteger(id) ? id : 0);
      switch (c.req.param("action")) {
        case "remove":
          await removeFromWatchlist(db, id, selected);
          return { flash: { level: "info", text: `${plural(selected.length, "symbol")} removed from ${name}` } };
        case "rename":
          await renameWatchlist(db, id, checkedName(listName));
          return c.redirect(`/companies?list=${id}`, 303);
        case "delete":
          await deleteWatchlist(db, id);
          return c.redirect("/companies", 303);
      }
      throw new Refusal("not_found", "There is no such action");
    }),
  );
}

/** Where companies come from: a file, or the list of a provider. */
function addLoadingRoutes(pages: Hono, replies: Replies, services: CompanyServices): void {
  pages.post("/companies/import", async (c) => {
    const fields = companyFields({});
    try {
      const { companies, bad } = await importCompanies(services, await importedText(c));
      const text = `${plural(companies, "company", "companies")} imported`;
      return await replies.show(c, fields, { flash: { level: "info", text }, report: bad });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const bad = error.errors.flatMap(({ path, message }) => {
        const line = Number(/^line (\d+)$/.exec(path)?.[1] ?? Number.NaN);
        return Number.isNaN(line) ? [] : [{ line, reason: message }];
      });
      const text = bad.length > 0 ? "Nothing was imported: no line names a symbol" : error.message;
      return replies.show(c, fields, { flash: { level: "error", text }, report: bad }, error.status);
    }
  });

  pages.post("/companies/fetch", async (c) => {
    const sent = await c.req.parseBody();
    requireKnownFields(sent, ["list", "refresh"]);
    const { list = "", refresh } = sent;
    const [provider, exchange] = String(list).split("/");
    try {
      const fetched = await fetchCompanies(services, { provider, exchange, refresh: refresh !== undefined });
      const what = `${plural(fetched.companies, "company", "companies")} of ${fetched.provider} ${fetched.exchange}`;
      const text = fetched.cached
        ? `${what} are here already, fetched less than a day ago; press Refresh to fetch them again`
        : `${what} fetched`;
      return await replies.show(c, companyFields({}), { flash: { level: "info", text } });
    } catch (error) {
      return replies.refuse(c, companyFields({}), error);
    }
  });
}

const checkedName = (name: string) => requireName("watchlist", MAX_NAME_LENGTH, name);

/** The address of the same search with the same selection. */
function addressOf({ search, watchlist, after, filter }: CompanyFields, selected: readonly string[]): string {
  const query = new URLSearchParams();
  if (search !== "") query.set("q", search);
  if (watchlist !== undefined) query.set("list", String(watchlist));
  for (const [name, value] of Object.entries(filter)) query.set(name, value);
  if (after !== undefined) query.set("after", after);
  if (selected.length > 0) query.set("pick", selected.join(","));
  return query.size > 0 ? `/companies?${query}` : "/companies";
}
