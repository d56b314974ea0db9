/** @jsxImportSource hono/jsx */
/** The companies page: search while typing, select, start a run. All of it works without JavaScript. */

import {
  type BadLine,
  COMPANY_FILTERS,
  type CompanyFacts,
  type CompanyFilter,
  type CompanyFilterName,
} from "../../domain/companies.ts";
import { RunForm, type RunFormView } from "../runs/run-form.tsx";
import { type Flash, FlashMessage } from "../ui/flash-message.tsx";
import { formatCount, plural } from "../ui/format.ts";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { CompanySources, type ListedProvider, type StoredList, WatchlistLinks, WatchlistTools } from "./watchlists.tsx";

export interface CompaniesView {
  readonly search: string;
  readonly filter: CompanyFilter;
  /** The values that each filter may have. */
  readonly filterValues: Readonly<Record<CompanyFilterName, readonly string[]>>;
  /** The watchlist that is shown; `null` for all companies. */
  readonly watchlist: { readonly id: number; readonly name: string; readonly symbols: number } | null;
  readonly page: {
    readonly companies: readonly {
      symbol: string;
      name: string;
      exchange: string;
      source: string;
      facts: CompanyFacts;
    }[];
    readonly next: string | null;
  };
  /** Whether it is the first page. */
  readonly first: boolean;
  /** The number of all companies. */
  readonly total: number;
  readonly selected: readonly { readonly symbol: string; readonly name: string }[];
  readonly watchlists: readonly { readonly id: number; readonly name: string; readonly symbols: number }[];
  readonly providers: readonly ListedProvider[];
  readonly lists: readonly StoredList[];
  /** Providers that have facts of the selection. */
  readonly factProviders: readonly { readonly name: string; readonly title: string }[];
  /** The address of the same search and selection; `null` if it would be too long. */
  readonly address: string | null;
  /** The result of the last action. */
  readonly flash: Flash | null;
  /** The lines that an import rejected. */
  readonly report: readonly BadLine[] | null;
}

/** Selected symbols shown; more are only counted. */
const SHOWN_SELECTED = 60;
/** Rejected lines shown; more are only counted. */
const SHOWN_BAD = 500;

const FORM = "company-form";
const RESULTS = "company-results";
const SEARCH = "company-search";

export const CompaniesPage = ({ page, view }: { page: PageContext; view: CompaniesView }) => (
  <Layout page={page} title="Companies">
    <header class="page-head">
      <h1>Companies</h1>
      <span class="muted num">{formatCount(view.total)}</span>
    </header>
    <FlashMessage flash={view.flash} />
    {view.report && view.report.length > 0 ? <BadLines lines={view.report} /> : null}
    <div class="companies">
      <form
        id={FORM}
        method="post"
        action="/companies"
        hx-post="/companies"
        hx-trigger={`input from:#${SEARCH} delay:100ms, change`}
        hx-target={`#${RESULTS}`}
        hx-swap="outerMorph"
        hx-sync="this:replace"
        aria-label="Find and select companies"
      >
        {view.watchlist ? <input type="hidden" name="list" value={view.watchlist.id} /> : null}
        <div class="company-search">
          <div class="field">
            <label for={SEARCH}>{view.watchlist ? `Search in ${view.watchlist.name}` : "Symbol or name"}</label>
            <input
              id={SEARCH}
              type="search"
              name="q"
              value={view.search}
              placeholder="AAPL, apple, berkshire hath"
              maxlength={100}
              autocomplete="off"
              spellcheck={false}
            />
          </div>
          <button type="submit" class="button" data-reads>
            Search
          </button>
        </div>
        <Filters view={view} />
        <CompanyResults view={view} />
      </form>
      <aside class="company-side" aria-label="Watchlists and sources">
        <WatchlistLinks view={view} />
        <CompanySources providers={view.providers} lists={view.lists} />
      </aside>
    </div>
  </Layout>
);

const FILTER_TITLES: Readonly<Record<CompanyFilterName, string>> = {
  exchange: "Exchange",
  type: "Type",
  currency: "Currency",
  country: "Country",
  sector: "Sector",
  industry: "Industry",
  listing: "Listing",
};

/** A choice for each fact that some company has. */
const Filters = ({ view: { filter, filterValues } }: { view: CompaniesView }) => {
  const shown = COMPANY_FILTERS.filter((name) => filterValues[name].length > 0 || filter[name] !== undefined);
  return (
    <fieldset class="company-filters">
      <legend class="visually-hidden">Filter by facts</legend>
      {shown.map((name) => {
        const chosen = filter[name];
        const values = filterValues[name];
        return (
          <div class="field">
            <label for={`filter-${name}`}>{FILTER_TITLES[name]}</label>
            <select id={`filter-${name}`} name={name}>
              <option value="">Any</option>
              {chosen !== undefined && !values.includes(chosen) ? <option selected>{chosen}</option> : null}
              {values.map((value) => (
                <option selected={value === chosen || undefined}>{value}</option>
              ))}
            </select>
          </div>
        );
      })}
    </fieldset>
  );
};

/** What is known of a company, in the order of a list. */
const factWords = ({ type, sector, industry, country, currency, delisted_on }: CompanyFacts) =>
  [type, sector, industry, country, currency, delisted_on && `delisted ${delisted_on}`].filter(Boolean).join(" · ");

/** The part that is replaced while typing or selecting. */
export const CompanyResults = ({ view }: { view: CompaniesView }) => {
  const { companies } = view.page;
  const selected = new Set(view.selected.map(({ symbol }) => symbol));
  return (
    <div id={RESULTS} data-address={view.address ?? undefined}>
      <Selection view={view} onPage={new Set(companies.map(({ symbol }) => symbol))} />
      {companies.length === 0 ? (
        <NoCompanies view={view} />
      ) : (
        <div class="scroll">
          <table class="list company-list" aria-label="Companies">
            <thead>
              <tr>
                <th scope="col" class="c-pick">
                  <span class="visually-hidden">Select</span>
                </th>
                <th scope="col">Symbol</th>
                <th scope="col">Name</th>
                <th scope="col">Exchange</th>
                <th scope="col">Facts</th>
                <th scope="col">From</th>
              </tr>
            </thead>
            <tbody>
              {companies.map(({ symbol, name, exchange, source, facts }) => (
                <tr id={`company-${symbol}`}>
                  <td class="c-pick">
                    <input
                      type="checkbox"
                      id={`pick-${symbol}`}
                      name="pick"
                      value={symbol}
                      checked={selected.has(symbol) || undefined}
                      aria-label={`Select ${symbol}`}
                    />
                  </td>
                  <th scope="row">
                    <label for={`pick-${symbol}`}>{symbol}</label>
                  </th>
                  <td class="c-name">{name || <span class="muted">–</span>}</td>
                  <td>{exchange}</td>
                  <td class="c-facts">{factWords(facts)}</td>
                  <td class="muted">{source}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div class="company-more">
        {view.first ? null : (
          <button type="submit" class="button" data-reads>
            Back to the start
          </button>
        )}
        {view.page.next ? (
          <button type="submit" name="after" value={view.page.next} class="button" data-reads>
            Next page
          </button>
        ) : null}
      </div>
    </div>
  );
};

/** The selection and its actions. It is sent with every search; symbols in the table are sent by their check boxes. */
const Selection = ({ view, onPage }: { view: CompaniesView; onPage: ReadonlySet<string> }) => {
  const { selected, watchlist } = view;
  return (
    <fieldset class="picked">
      <legend class="visually-hidden">Selected companies</legend>
      <div class="pick-tools">
        <b class="num" id="picked-count" role="status">
          {selected.length === 0 ? "None selected" : `${formatCount(selected.length)} selected`}
        </b>
        <button type="submit" name="quick" value="top" class="button">
          Top 10
        </button>
        {onPage.size > 0 ? (
          <button type="submit" name="quick" value="page" class="button">
            Select this page
          </button>
        ) : null}
        {watchlist && watchlist.symbols > 0 ? (
          <button type="submit" name="quick" value="list" class="button">
            Select all {formatCount(watchlist.symbols)}
          </button>
        ) : null}
        {selected.length > 0 ? (
          <>
            <button type="submit" name="quick" value="clear" class="button">
              Clear
            </button>
            {view.factProviders.map(({ name, title }) => (
              <button type="submit" formaction="/companies/facts" name="facts_from" value={name} class="button">
                Facts from {title}
              </button>
            ))}
            <button type="submit" formaction="/companies/run" class="button primary">
              Start run…
            </button>
          </>
        ) : null}
      </div>
      {selected.length > 0 ? (
        <ul class="picked-chips">
          {selected.map(({ symbol, name }, index) =>
            onPage.has(symbol) ? (
              index < SHOWN_SELECTED && (
                <li>
                  <label class="chip" for={`pick-${symbol}`} title={name}>
                    {symbol}
                  </label>
                </li>
              )
            ) : index < SHOWN_SELECTED ? (
              <li>
                <label class="chip" title={name}>
                  <input type="checkbox" id={`kept-${symbol}`} name="pick" value={symbol} checked />
                  {symbol}
                </label>
              </li>
            ) : (
              <li hidden>
                <input type="hidden" name="pick" value={symbol} />
              </li>
            ),
          )}
          {selected.length > SHOWN_SELECTED ? (
            <li class="muted">and {formatCount(selected.length - SHOWN_SELECTED)} more</li>
          ) : null}
        </ul>
      ) : null}
      <WatchlistTools selected={selected.length} watchlist={watchlist} watchlists={view.watchlists} />
    </fieldset>
  );
};

const NoCompanies = ({ view }: { view: CompaniesView }) => {
  if (view.total === 0 && view.search === "") {
    return (
      <Empty title="No companies yet">
        <span data-changes>
          Fetch the list of an exchange from a provider, or import a CSV or text file. The demo provider has a list of
          well-known companies and needs no key.
        </span>
      </Empty>
    );
  }
  if (view.search === "" && view.watchlist) {
    return (
      <Empty title="This watchlist is empty">
        <span data-changes>Select companies and add them to it.</span>
      </Empty>
    );
  }
  if (Object.keys(view.filter).length > 0) {
    return (
      <Empty title="Nothing found">
        No company has all of these facts: {Object.values(view.filter).join(", ")}. What is not known of a company
        matches no filter. <a href="/companies">Show all companies</a>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing found">
      No symbol begins with “{view.search}”, and no name has words that do.{" "}
      {view.watchlist ? <a href={`/companies?q=${encodeURIComponent(view.search)}`}>Search all companies</a> : null}
    </Empty>
  );
};

const BadLines = ({ lines }: { lines: readonly BadLine[] }) => (
  <section class="bad-lines" aria-label="Lines left out">
    <p>
      <b>{plural(lines.length, "line")} left out:</b>
    </p>
    <ul tabindex={0}>
      {lines.slice(0, SHOWN_BAD).map(({ line, reason }) => (
        <li>
          <b class="num">Line {formatCount(line)}</b>: {reason}
        </li>
      ))}
      {lines.length > SHOWN_BAD ? <li>and {formatCount(lines.length - SHOWN_BAD)} more</li> : null}
    </ul>
  </section>
);

/** The run form alone, for more symbols than an address can carry. */
export const CompanyRunPage = ({ page, form }: { page: PageContext; form: RunFormView }) => (
  <Layout page={page} title="Start a run">
    <header class="page-head">
      <h1>Start a run</h1>
      <span class="muted">
        Watch it on the <a href="/">monitor</a>.
      </span>
    </header>
    <RunForm form={form} />
  </Layout>
);
