/** @jsxImportSource hono/jsx */
/** The storage page: the space that is taken, a row a series, and the form that deletes old bars. */

import type { Child } from "hono/jsx";
import { INTERVALS } from "../../domain/market/interval.ts";
import { PROFILE_FILTERS } from "../../domain/series/selection.ts";
import { Crumbs } from "../ui/components.tsx";
import { formatCount, plural, sizeText } from "../ui/format.ts";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { SeriesTable, type SeriesTableView, type StorageFields, storageAddress } from "./series-table.tsx";

export interface StorageView extends SeriesTableView {
  readonly providers: readonly string[];
  readonly page: number;
  readonly hasNext: boolean;
  readonly totals: TotalsView;
  /** A deletion that is under way, and why the last attempt failed; `null` if it did not. */
  readonly pruning: { readonly done: number; readonly total: number } | null;
  readonly failure: string | null;
}

/** Bytes; `null` is what is not known, or not there. */
interface TotalsView {
  readonly database: number | null;
  readonly log: number | null;
  readonly unused: number | null;
  /** Whether unused space of the file can be returned to the disk. */
  readonly canShrink: boolean;
  readonly free: number | null;
  /** Whether there is a lake; `bytes` is `null` if it cannot be read. */
  readonly lake: { readonly bytes: number | null } | null;
  readonly backups: { readonly files: number; readonly bytes: number } | null;
}

export const StoragePage = ({ page, view }: { page: PageContext; view: StorageView }) => {
  const { fields, rows, total } = view;
  const isAdmin = page.scope === "admin";
  const hasLake = view.totals.lake !== null;
  return (
    <Layout page={page} title="Storage">
      <header class="page-head">
        <Crumbs trail={[["Profiles", "/profiles"]]} />
        <h1>Storage</h1>
        <span class="muted num">{plural(total, "series", "series")}</span>
        <a href={storageAddress(fields, {}, "/api/storage")}>JSON</a>
      </header>
      <Totals totals={view.totals} />
      <PruneState view={view} />
      <Filters view={view} />
      {rows.length === 0 ? (
        <Empty title="Nothing to show">
          {isFiltered(fields) ? (
            <>
              No series matches. <a href="/storage">Show all</a>
            </>
          ) : (
            <>
              No bars are stored yet.{" "}
              <span data-changes>
                <a href="/">Start a run</a> first.
              </span>
            </>
          )}
        </Empty>
      ) : isAdmin ? (
        <form method="post" action={storageAddress(fields, {}, "/storage/prune")} class="renewal" data-select="">
          <PruneBar view={view} />
          <SeriesTable view={view} isSelectable hasLake={hasLake} />
        </form>
      ) : (
        <SeriesTable view={view} isSelectable={false} hasLake={hasLake} />
      )}
      <Pages view={view} />
    </Layout>
  );
};

const isFiltered = ({ q, interval, provider, profile }: StorageFields) =>
  [q, interval, provider, profile].some((field) => field !== "");

const Totals = ({ totals }: { totals: TotalsView }) => {
  const { database, log, unused, canShrink, free, lake, backups } = totals;
  return (
    <>
      <dl class="storage-totals">
        <Total title="Database file" bytes={database} otherwise="On its server" />
        <Total title="Write-ahead log" bytes={log} otherwise="On its server" />
        <Total title="Unused in the file" bytes={unused} otherwise="Not known" />
        <Total title="Free on its disk" bytes={free} otherwise="Not known" />
        <Total title="Lake" bytes={lake?.bytes ?? null} otherwise={lake === null ? "None" : "Cannot be read"} />
        <Total title="Backups" bytes={backups?.bytes ?? null} otherwise="None known">
          {backups === null ? null : <span class="muted"> in {plural(backups.files, "file")}</span>}
        </Total>
      </dl>
      {database === null ? null : (
        <p class="hint storage-note">
          {canShrink
            ? "Deleted bars leave unused space in the file, which new bars take first. While no job runs, what is unused beyond a tenth of the file is returned to the disk: right after a deletion, and every hour."
            : "Deleted bars leave unused space in the file, which new bars take first. This file keeps its size, because an earlier version created it; a backup of it is as small as what it holds."}
        </p>
      )}
    </>
  );
};

const Total = (props: { title: string; bytes: number | null; otherwise: string; children?: Child }) => (
  <div>
    <dt>{props.title}</dt>
    <dd class="num">
      {props.bytes === null ? (
        <span class="muted">{props.otherwise}</span>
      ) : props.bytes === 0 ? (
        "0"
      ) : (
        sizeText(props.bytes)
      )}
      {props.children}
    </dd>
  </div>
);

const PruneState = ({ view: { pruning, failure, fields, page } }: { view: StorageView }) => (
  <>
    {pruning === null ? null : (
      <p class="storage-note" role="status">
        Old bars are being deleted: {formatCount(pruning.done)} of {plural(pruning.total, "series", "series")} done.{" "}
        <a href={storageAddress(fields, page > 1 ? { page: String(page) } : {})}>Show again</a>
      </p>
    )}
    {failure === null ? null : (
      <p class="error storage-note" role="alert">
        Old bars could not all be deleted, which is tried again every minute: {failure}
      </p>
    )}
  </>
);

const Filters = ({ view: { fields, providers } }: { view: StorageView }) => (
  <search>
    <form method="get" action="/storage" class="filter-row">
      <div class="field screen-symbol">
        <label for="storage-q">Symbol</label>
        <input
          id="storage-q"
          name="q"
          value={fields.q}
          maxlength={24}
          placeholder="all"
          autocomplete="off"
          data-shortcut="/"
        />
      </div>
      <Choice name="interval" title="Interval" fields={fields} choices={INTERVALS.map((each) => [each, each])} />
      <Choice name="provider" title="Provider" fields={fields} choices={providers.map((each) => [each, each])} />
      <Choice
        name="profile"
        title="Profile"
        fields={fields}
        choices={PROFILE_FILTERS.map((each) => [each, each === "with" ? "Shown by a profile" : "Without a profile"])}
      />
      {fields.sort === "" ? null : <input type="hidden" name="sort" value={fields.sort} />}
      <button type="submit" class="button">
        Filter
      </button>
    </form>
  </search>
);

const Choice = (props: {
  name: "interval" | "provider" | "profile";
  title: string;
  fields: StorageFields;
  choices: readonly (readonly [value: string, title: string])[];
}) => (
  <div class="field">
    <label for={`storage-${props.name}`}>{props.title}</label>
    <select id={`storage-${props.name}`} name={props.name}>
      <option value="">All</option>
      {props.choices.map(([value, title]) => (
        <option value={value} selected={value === props.fields[props.name] || undefined}>
          {title}
        </option>
      ))}
    </select>
  </div>
);

/** Deletion of old bars of the selected series, or of all that match. It is confirmed, with what it deletes. */
const PruneBar = ({ view: { total, fields } }: { view: StorageView }) => (
  <fieldset class="renew-bar">
    <legend class="visually-hidden">Delete old bars</legend>
    <select name="scope" aria-label="Which series">
      <option value="picked">Selected rows</option>
      <option value="all">
        All {formatCount(total)}
        {isFiltered(fields) ? " matching" : ""}
      </option>
    </select>
    <label for="prune-before">Delete bars before</label>
    <input
      id="prune-before"
      name="before"
      required
      maxlength={12}
      size={12}
      placeholder="2020-01-31 or 5y"
      autocomplete="off"
      spellcheck={false}
      title="A date, or an age: 5y, 18mo"
    />
    <button type="submit" class="button" title="Shows what would be deleted, and asks before anything is">
      Preview…
    </button>
    <output class="muted num" data-selected />
  </fieldset>
);

const Pages = ({ view: { page, hasNext, fields } }: { view: StorageView }) =>
  page > 1 || hasNext ? (
    <p class="more">
      {page > 1 ? (
        <a class="button" rel="prev" href={storageAddress(fields, page > 2 ? { page: String(page - 1) } : {})}>
          Previous
        </a>
      ) : null}
      {hasNext ? (
        <a class="button" rel="next" href={storageAddress(fields, { page: String(page + 1) })}>
          Next
        </a>
      ) : null}
    </p>
  ) : null;
