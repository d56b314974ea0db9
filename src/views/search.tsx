/** @jsxImportSource hono/jsx */
/** Search results: the list in the command palette, and the same list on a page. */

import { Moment } from "./ui/components.tsx";
import { dom } from "./ui/dom.ts";
import { Layout, type PageContext } from "./ui/layout.tsx";

/** An address to open, or a form to send. */
type Target = { readonly href: string } | { readonly action: string; readonly name: string; readonly value: string };

export interface Found {
  readonly title: string;
  /** What it is, or what it does. */
  readonly hint?: string;
  /** Its time, epoch milliseconds. */
  readonly at?: number;
  readonly target: Target;
}

export interface SearchView {
  readonly query: string;
  /** Groups without entries are left out. */
  readonly groups: readonly { readonly title: string; readonly found: readonly Found[] }[];
  /** The page to return to after a form was sent. */
  readonly back: string;
}

export const SearchPage = ({ page, view }: { page: PageContext; view: SearchView }) => (
  <Layout page={page} title="Search">
    <header class="page-head">
      <h1>Search</h1>
    </header>
    <search class="search-page">
      <form method="get" action="/search">
        <label class="visually-hidden" for="search-q">
          Pages, symbols, runs, schedules, actions
        </label>
        <input id="search-q" name="q" value={view.query} maxlength={100} autocomplete="off" spellcheck={false} />
        <button type="submit" class="button primary">
          Search
        </button>
      </form>
      <SearchResults view={view} />
    </search>
  </Layout>
);

/** The results as plain links and buttons; in the palette, as options of its list box. */
export const SearchResults = ({ view, options = false }: { view: SearchView; options?: boolean }) => {
  const groups = view.groups.filter(({ found }) => found.length > 0);
  let count = 0;
  return groups.length === 0 ? (
    <p class="muted search-none" data-query={view.query}>
      Nothing is called that. Try the beginning of a symbol, a company's name, or <b>runs</b>.
    </p>
  ) : (
    <form method="post" class="search-results" data-query={view.query}>
      <input type="hidden" name="back" value={view.back} />
      <div {...(options && { id: dom.paletteList, role: "listbox", "aria-label": "Results" })}>
        {groups.map(({ title, found }) => (
          <fieldset class="search-group">
            <legend>{title}</legend>
            {found.map((entry) => (
              <Entry entry={entry} id={options ? `found-${count++}` : null} />
            ))}
          </fieldset>
        ))}
      </div>
    </form>
  );
};

const Entry = ({ entry: { title, hint, at, target }, id }: { entry: Found; id: string | null }) => {
  const option = id === null ? {} : { id, role: "option", "aria-selected": "false", tabindex: -1 };
  const words = (
    <>
      <span class="found-title">{title}</span>
      <span class="muted">
        {hint}
        {hint !== undefined && at !== undefined ? ", " : null}
        {at === undefined ? null : <Moment at={at} />}
      </span>
    </>
  );
  return "href" in target ? (
    <a class="found" href={target.href} {...option}>
      {words}
    </a>
  ) : (
    <button class="found" type="submit" formaction={target.action} name={target.name} value={target.value} {...option}>
      {words}
    </button>
  );
};

/** The field keeps the focus and names the chosen option. */
const OPTION = { role: "option", "aria-selected": "false", tabindex: -1 } as const;

/** Symbols to choose from, below the field in which one is typed. */
export const SymbolOptions = (props: {
  found: readonly { readonly symbol: string; readonly name: string; readonly isStored: boolean }[];
}) => (
  <>
    {props.found.map(({ symbol, name, isStored }, at) => (
      <div {...OPTION} id={`symbol-option-${at}`} data-symbol={symbol}>
        <b>{symbol}</b> <span>{name}</span> {isStored ? <small>stored</small> : null}
      </div>
    ))}
  </>
);
