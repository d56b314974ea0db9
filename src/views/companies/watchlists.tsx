/** @jsxImportSource hono/jsx */
/** The side of the companies page: watchlists, lists of exchanges, imports. */

import { Moment } from "../ui/components.tsx";
import { formatCount } from "../ui/format.ts";
import { Allowed } from "../ui/forms/allowed.tsx";

/** A provider that lists companies. */
export interface ListedProvider {
  readonly name: string;
  readonly title: string;
  readonly exchanges: readonly { readonly code: string; readonly title: string }[];
}

/** A list that was fetched. */
export interface StoredList {
  readonly provider: string;
  readonly exchange: string;
  readonly companies: number;
  /** Epoch milliseconds. */
  readonly fetchedAt: number;
}

interface ListLink {
  readonly id: number;
  readonly name: string;
  readonly symbols: number;
}

interface Shown {
  readonly watchlist: ListLink | null;
  readonly watchlists: readonly ListLink[];
}

export const WatchlistLinks = ({ view }: { view: Shown }) => (
  <section>
    <h2>Watchlists</h2>
    <ul class="list-links">
      <li>
        <a href="/companies" aria-current={view.watchlist === null ? "page" : undefined}>
          All companies
        </a>
      </li>
      {view.watchlists.map(({ id, name, symbols }) => (
        <li>
          <a href={`/companies?list=${id}`} aria-current={id === view.watchlist?.id ? "page" : undefined}>
            {name}
          </a>
          <span class="muted num">{formatCount(symbols)}</span>
        </li>
      ))}
    </ul>
    {view.watchlists.length === 0 ? (
      <p class="hint" data-changes>
        Select companies and save them as a list to find them again.
      </p>
    ) : null}
  </section>
);

/** Actions on the selection and on the watchlist that is shown; part of the form with the selection. */
export const WatchlistTools = ({ selected, watchlist, watchlists }: Shown & { selected: number }) =>
  selected === 0 && watchlist === null ? null : (
    <details class="list-tools" data-changes>
      <summary>{watchlist ? `Watchlist ${watchlist.name}` : "Add to watchlist"}</summary>
      <div class="list-tool-row">
        <div class="field">
          <label for="list-name">{watchlist ? "New name" : "Name of a new list"}</label>
          <input id="list-name" name="list_name" maxlength={200} autocomplete="off" />
        </div>
        {selected > 0 ? (
          <button type="submit" formaction="/companies/lists" class="button">
            Save selection as a new list
          </button>
        ) : null}
        {watchlist ? (
          <>
            <button type="submit" formaction={`/companies/lists/${watchlist.id}/rename`} class="button">
              Rename
            </button>
            <button type="submit" formaction={`/companies/lists/${watchlist.id}/delete`} class="button">
              Delete this list
            </button>
          </>
        ) : null}
      </div>
      {selected > 0 && watchlists.length > 0 ? (
        <div class="list-tool-row">
          <div class="field">
            <label for="list-to">Watchlist</label>
            <select id="list-to" name="to">
              {watchlists.map(({ id, name }) => (
                <option value={id} selected={id === watchlist?.id || undefined}>
                  {name}
                </option>
              ))}
            </select>
          </div>
          <button type="submit" formaction="/companies/lists/add" class="button">
            Add selection
          </button>
          {watchlist ? (
            <button type="submit" formaction={`/companies/lists/${watchlist.id}/remove`} class="button">
              Remove selection from {watchlist.name}
            </button>
          ) : null}
        </div>
      ) : null}
    </details>
  );

export const CompanySources = (props: { providers: readonly ListedProvider[]; lists: readonly StoredList[] }) => (
  <>
    <section>
      <h2>
        <Allowed address="/companies/fetch" otherwise="Fetched lists">
          Fetch a list
        </Allowed>
      </h2>
      <Allowed address="/companies/fetch">
        <form method="post" action="/companies/fetch" class="stack">
          <div class="field">
            <label for="fetch-list">Exchange</label>
            <select id="fetch-list" name="list">
              {props.providers.map(({ name, title, exchanges }) => (
                <optgroup label={title}>
                  {exchanges.map((exchange) => (
                    <option value={`${name}/${exchange.code}`}>{exchange.title}</option>
                  ))}
                </optgroup>
              ))}
            </select>
          </div>
          <div class="button-row">
            <button type="submit" class="button">
              Fetch
            </button>
            <button type="submit" name="refresh" value="1" class="button">
              Refresh
            </button>
          </div>
        </form>
      </Allowed>
      {props.lists.length > 0 ? (
        <ul class="fetched">
          {props.lists.map(({ provider, exchange, companies, fetchedAt }) => (
            <li>
              {provider} {exchange}: <span class="num">{formatCount(companies)}</span>
              <br />
              <span class="muted">
                <Moment at={fetchedAt} />
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <Allowed address="/companies/fetch" otherwise={<p class="muted">None yet</p>} />
      )}
    </section>
    <Allowed address="/companies/import">
      <section>
        <h2>Import bars</h2>
        <p>
          <a href="/files">Check a file of bars</a> before it is imported: CSV, gzipped CSV or Parquet.
        </p>
      </section>
      <section>
        <h2>Import a list</h2>
        <form method="post" action="/companies/import" enctype="multipart/form-data" class="stack">
          <div class="field">
            <label for="import-file">CSV or text file</label>
            <input id="import-file" type="file" name="file" accept=".csv,.txt,.tsv,text/csv,text/plain" />
          </div>
          <div class="field">
            <label for="import-text">or paste lines</label>
            <textarea
              id="import-text"
              name="text"
              rows={3}
              placeholder={"symbol,name,exchange\nAAPL,Apple Inc.,NASDAQ"}
              spellcheck={false}
            />
          </div>
          <p class="hint">
            With a header also type, currency, country, sector, industry, listed_on, delisted_on, isin and figi.
          </p>
          <button type="submit" class="button">
            Import
          </button>
        </form>
      </section>
    </Allowed>
  </>
);
