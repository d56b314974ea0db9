/** @jsxImportSource hono/jsx */
/** The profiles page: the screener, a row per symbol and interval with its health, and the renewals. */

import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import { type Interval, isDated, type ReadInterval } from "../../domain/market/interval.ts";
import { SelectAllHead, Zoned } from "../ui/components.tsx";
import { type Command, CopyAs } from "../ui/copy-as.tsx";
import { formatCount, plural } from "../ui/format.ts";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { type ListedProfile, ProfileRow } from "./profile-row.tsx";
import { isFiltered, renewAddress, Screener, type ScreenerView, SortHead, screenerAddress } from "./screener.tsx";

/** What a list of derived profiles is computed from, and how far that is. */
interface DerivedView {
  readonly interval: ReadInterval;
  readonly sources: readonly Interval[];
  readonly done: number;
  readonly total: number;
  readonly failed: readonly string[];
}

export interface ProfilesView {
  /** The list for other tools; none if the screen cannot be read. */
  readonly commands: readonly Command[];
  /** `null` if the profiles are stored. */
  readonly derived: DerivedView | null;
  readonly screener: ScreenerView;
  readonly rows: readonly ListedProfile[];
  /** The address of the same page. */
  readonly again: string;
  /** The number of profiles on all pages. */
  readonly matching: number;
  /** The addresses of the pages before and after this one. */
  readonly pages: { readonly before: string | null; readonly after: string | null };
  /** Profiles whose features an older version of the catalogue computed. */
  readonly outdated: number;
}

export const ProfilesPage = ({ page, view }: { page: PageContext; view: ProfilesView }) => {
  const { screener, rows, pages, outdated, matching } = view;
  return (
    <Layout page={page} title="Profiles">
      <header class="page-head">
        <h1>Profiles</h1>
        <span class="muted num">
          {pages.before || pages.after ? `${formatCount(rows.length)} of ` : ""}
          {formatCount(matching)}
        </span>
        <a href="/quality">Quality by month</a>
        <a href="/storage">Storage</a>
        {rows.length > 0 ? (
          <>
            <a href={screenerAddress(screener, { format: "csv" })}>CSV</a>
            <a href={screenerAddress(screener, { format: "json" })}>JSON</a>
            <a href={panelAddress(screener)}>Panel</a>
          </>
        ) : null}
        {outdated > 0 ? (
          <form class="run-controls" method="post" action="/profiles/outdated">
            <button
              type="submit"
              class="button"
              title="Their features were computed by an older version; no calls are needed"
            >
              Recompute features of {plural(outdated, "outdated profile")}
            </button>
          </form>
        ) : null}
      </header>
      <Screener screener={screener} />
      {view.derived === null ? null : <DerivedNote derived={view.derived} again={view.again} />}
      {view.derived !== null && rows.length > 0 ? (
        <div class="derived-list">
          <ProfileTable screener={screener} rows={rows} />
        </div>
      ) : rows.length === 0 && view.derived !== null && view.derived.done < view.derived.total ? null : rows.length ===
        0 ? (
        <NoProfiles screener={screener} />
      ) : (
        <form method="post" action={renewAddress(screener)} class="renewal" data-select="">
          <RenewBar matching={matching} filtered={isFiltered(screener)} />
          <ProfileTable screener={screener} rows={rows} />
        </form>
      )}
      {pages.before || pages.after ? (
        <p class="more">
          {pages.before ? (
            <a class="button" href={pages.before}>
              Previous
            </a>
          ) : null}
          {pages.after ? (
            <a class="button" href={pages.after}>
              Next
            </a>
          ) : null}
        </p>
      ) : null}
      <DriftNote view={view} />
      {rows.length > 0 ? <CopyAs commands={view.commands} heading="h2" /> : null}
    </Layout>
  );
};

/** What is still computed for the rows of this page. */
const DriftNote = ({ view: { rows, again } }: { view: ProfilesView }) => {
  const missing = rows.filter(({ drift }) => drift === undefined).length;
  return missing === 0 ? null : (
    <p class="derived-note" role="status">
      The drift of {plural(missing, "profile")} is being computed: <a href={again}>show again</a>.
    </p>
  );
};

/** Most symbols named in a sentence. */
const MAX_NAMED = 10;

const DerivedNote = ({ derived, again }: { derived: DerivedView; again: string }) => {
  const { interval, sources, done, total, failed } = derived;
  return (
    <p class="derived-note" role="status">
      No {interval} profile is stored: the values are derived from stored {sources.join(" and ")} bars. Ranks are among
      the symbols that are computed. A last bar marked as partial is still growing, or its stored bars end before its
      end.
      {done < total ? (
        <>
          {" "}
          {formatCount(done)} of {plural(total, "symbol")} computed so far, the others are missing here:{" "}
          <a href={again}>show again</a>.
        </>
      ) : null}
      {failed.length > 0
        ? ` ${plural(failed.length, "symbol")} could not be computed: ${failed.slice(0, MAX_NAMED).join(", ")}${failed.length > MAX_NAMED ? " …" : ""}.`
        : null}
    </p>
  );
};

/** The page of panels, with the symbols of a screen at its interval. */
function panelAddress({ where, interval }: ScreenerView): string {
  if (where === "") return "/panel";
  const query = new URLSearchParams({
    where,
    interval: interval || RUN_DEFAULTS.interval,
    names: "all",
    include: "ohlcv",
  });
  return `/panel?${query}`;
}

/** The renewals: value, title, and what each does. */
const RENEWALS = [
  ["update", "Update", "Fetch what is new since the last bar"],
  ["engineer", "Recompute features", "Compute the features again from the stored bars: no calls"],
  ["repair", "Repair gaps", "Fetch the gaps, and nothing else"],
  [
    "rebuild",
    "Download again and rebuild",
    "Fetch everything again; the old bars stay until the new ones are complete",
  ],
] as const;

/** Renewals of the selected profiles, or of all that match. Each is confirmed, with its cost, before it starts. */
const RenewBar = ({ matching, filtered }: { matching: number; filtered: boolean }) => (
  <fieldset class="renew-bar">
    <legend class="visually-hidden">Bring profiles up to date</legend>
    <select name="scope" aria-label="Which profiles">
      <option value="picked">Selected rows</option>
      <option value="all">
        All {formatCount(matching)}
        {filtered ? " matching" : ""}
      </option>
    </select>
    {RENEWALS.map(([renewal, title, meaning]) => (
      <button type="submit" class="button" name="order" value={renewal} title={meaning}>
        {title}…
      </button>
    ))}
    <output class="muted num" data-selected />
  </fieldset>
);

const ProfileTable = ({ screener, rows }: Pick<ProfilesView, "screener" | "rows">) => (
  <section class="scroll" tabindex={0} aria-label="Profiles">
    <table class="list profile-list">
      <thead>
        <tr>
          <SelectAllHead />
          <SortHead screener={screener} name="symbol">
            Symbol
          </SortHead>
          <th scope="col">Interval</th>
          <SortHead screener={screener} name="health">
            Health
          </SortHead>
          <th scope="col" class="num" title="Features whose newest 60 bars differ unusually from the year before">
            Drift
          </th>
          {screener.columns.map((name) => (
            <SortHead screener={screener} name={name} num>
              {name}
            </SortHead>
          ))}
          <SortHead screener={screener} name="bars" num>
            Bars
          </SortHead>
          <th scope="col" class="num">
            Features
          </th>
          <th scope="col" class="num">
            <BarHead title="First bar" rows={rows} />
          </th>
          <SortHead screener={screener} name="last_bar" num>
            <BarHead title="Last bar" rows={rows} />
          </SortHead>
          <SortHead screener={screener} name="updated" num>
            <Zoned title="Updated" />
          </SortHead>
          <th scope="col">Provider</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((profile) => (
          <ProfileRow profile={profile} />
        ))}
      </tbody>
    </table>
  </section>
);

/** The title of a column of bars: bars of days have dates, which have no zone. */
const BarHead = ({ title, rows }: { title: string } & Pick<ProfilesView, "rows">) =>
  rows.every(({ interval }) => isDated(interval)) ? title : <Zoned title={title} />;

const NoProfiles = ({ screener }: { screener: ScreenerView }) =>
  screener.error || isFiltered(screener) ? (
    <Empty title={screener.error ? "The screen cannot be read" : "No profile matches"}>
      <a href="/profiles">Show all profiles</a>
    </Empty>
  ) : (
    <Empty title="No profile yet">
      A profile is stored at the end of each symbol's run.{" "}
      <span data-changes>
        <a href="/">Start a run</a> and come back.
      </span>
    </Empty>
  );
