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

export function companyPages(
  services: Pick<Services, "companies" | "config" | "db" | "log" | "provider" | "settings">,
) {
  const { db } = services;
  const pages = new Hono();
  pages.use("/companies", compressed);

  const show = async (
    c: Context,
    fields: CompanyFields,
    more: Partial<CompaniesView> = {},
    status: ContentfulStatusCode = 200,
  ) => {
    const found = await companiesView(services, fields, more);
    const selected = found.selected.map(({ symbol }) => symbol);
    const address = addressOf(fields, selected);
    const view = { ...found, address: address.length <= MAX_ADDRESS ? address : null };
    if (wantsFragment(c)) return c.html(<CompanyResults view={view} />, status);
    // Without JavaScript a search is redirected to its own address, unless there is a message to show.
    if (c.req.method === "POST" && view.address !== null && view.flash === null) return c.redirect(view.address, 303);
    const page = { ...c.var.page, path: view.address ?? addressOf(fields, []) };
    return c.html(<CompaniesPage page={page} view={view} />, status);
  };
  const sent = async (c: Context) => {
    const body = await c.req.parseBody({ all: true });
    requireKnownFields(body, COMPANY_FIELDS);
    return companyFields(body);
  };
  /** Runs an action with the form. A refusal is shown on the page, and the selection is kept. */
  const act = (work: (fields: CompanyFields, c: Context) => Promise<Partial<CompaniesView> | Response>) => {
    return async (c: Context) => {
      const fields = await sent(c);
      try {
        const done = await work(fields, c);
        return done instanceof Response ? done : await show(c, fields, done);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return show(c, fields, { flash: { level: "error", text: error.message } }, error.status);
      }
    };
  };

  pages.get("/companies", (c) => show(c, companyFields({ ...c.req.query(), pick: c.req.queries("pick") })));
  // These addresses only receive forms: a reload leads back to the page.
  pages.get("/companies/*", (c) => c.redirect("/companies"));
  pages.post("/companies", async (c) => show(c, await sent(c)));

  pages.post(
    "/companies/run",
    act(async ({ selected }, c) => {
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
    act(async ({ selected, factsFrom }) => {
      if (selected.length === 0) throw new Refusal("invalid", "Select at least one company to fetch its facts");
      await startFacts(services, { provider: factsFrom, symbols: selected });
      const text = `Facts of ${plural(selected.length, "company", "companies")} are being fetched; reload to see them`;
      return { flash: { level: "info", text } };
    }),
  );

  pages.post(
    "/companies/lists",
    act(async ({ selected, listName }, c) => {
      const id = await createWatchlist(db, checkedName(listName), selected);
      return c.redirect(`/companies?list=${id}`, 303);
    }),
  );
  pages.post(
    "/companies/lists/add",
    act(async ({ selected, target }) => {
      if (target === undefined) throw new Refusal("invalid", "Choose the watchlist to add to");
      const { name } = await requireWatchlist(db, target);
      await addToWatchlist(db, target, selected);
      return { flash: { level: "info", text: `${plural(selected.length, "symbol")} in ${name}` } };
    }),
  );
  pages.post(
    "/companies/lists/:id/:action",
    act(async ({ selected, listName }, c) => {
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

  pages.post("/companies/import", async (c) => {
    const fields = companyFields({});
    try {
      const { companies, bad } = await importCompanies(services, await importedText(c));
      const text = `${plural(companies, "company", "companies")} imported`;
      return await show(c, fields, { flash: { level: "info", text }, report: bad });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const bad = error.errors.flatMap(({ path, message }) => {
        const line = Number(/^line (\d+)$/.exec(path)?.[1] ?? Number.NaN);
        return Number.isNaN(line) ? [] : [{ line, reason: message }];
      });
      const text = bad.length > 0 ? "Nothing was imported: no line names a symbol" : error.message;
      return show(c, fields, { flash: { level: "error", text }, report: bad }, error.status);
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
      return await show(c, companyFields({}), { flash: { level: "info", text } });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(c, companyFields({}), { flash: { level: "error", text: error.message } }, error.status);
    }
  });

  return pages;
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
