/** @jsxImportSource hono/jsx */
/** The table of stored series: a row a series, its heads sort. */

import type { Child } from "hono/jsx";
import { isSynthetic } from "../../domain/defaults.ts";
import { type Interval, isDated } from "../../domain/market/interval.ts";
import { isoDate } from "../../domain/time.ts";
import { BarTime, Moment, Pill, SelectAllHead, SyntheticPill, Zoned, ZoneTitle } from "../ui/components.tsx";
import { profileAddress } from "../ui/dom.ts";
import { formatCount, plural, sizeText } from "../ui/format.ts";

/** The filter and the order as they stand in the address; empty fields are left out of it. */
export type StorageFields = Readonly<Record<"q" | "interval" | "provider" | "profile" | "sort", string>>;

/** A series; `null` is what is not known. */
interface SeriesView {
  readonly id: number;
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  readonly feed: string;
  readonly hasProfile: boolean;
  readonly bars: number | null;
  readonly bytes: number | null;
  readonly lakeBytes: number | null;
  /** Epoch seconds. */
  readonly firstBar: number | null;
  readonly lastBar: number | null;
  readonly keptFrom: number | null;
  readonly isPruning: boolean;
  /** Epoch milliseconds. */
  readonly updatedAt: number | null;
}

/** What the table shows; `null` is what is not known. */
export interface SeriesTableView {
  readonly fields: StorageFields;
  readonly rows: readonly SeriesView[];
  /** Series that match, on all pages; their bars, and how many series are not counted yet. */
  readonly total: number;
  readonly bars: number;
  readonly uncounted: number;
  readonly bytes: number | null;
  readonly lakeBytes: number | null;
}

/** The address of the list, with more parameters. */
export function storageAddress(fields: StorageFields, more: Readonly<Record<string, string>> = {}, path = "/storage") {
  const set = Object.entries({ ...fields, ...more }).filter(([, value]) => value !== "");
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set)}`;
}

export const SeriesTable = (props: { view: SeriesTableView; isSelectable: boolean; hasLake: boolean }) => {
  const { view, isSelectable, hasLake } = props;
  const { fields, rows, lakeBytes } = view;
  return (
    <section class="scroll" tabindex={0} aria-label="Series">
      <table class="list storage-list">
        <thead>
          <tr>
            {isSelectable ? <SelectAllHead /> : null}
            <SortHead fields={fields} name="symbol">
              Symbol
            </SortHead>
            <SortHead fields={fields} name="interval">
              Interval
            </SortHead>
            <SortHead fields={fields} name="provider">
              Provider
            </SortHead>
            <SortHead fields={fields} name="bars" num>
              Bars
            </SortHead>
            <th scope="col" class="num" title="Bars times the size of a row, measured in a part of the table">
              Database, about
            </th>
            {hasLake ? (
              <th scope="col" class="num">
                Lake
              </th>
            ) : null}
            <SortHead fields={fields} name="first_bar" num>
              <BarHead title="First bar" rows={rows} />
            </SortHead>
            <SortHead fields={fields} name="last_bar" num>
              <BarHead title="Last bar" rows={rows} />
            </SortHead>
            <th scope="col">Profile</th>
            <SortHead fields={fields} name="updated" num>
              <Zoned title="Last update" />
            </SortHead>
          </tr>
        </thead>
        <tbody>
          {rows.map((series) => (
            <SeriesRow series={series} isSelectable={isSelectable} hasLake={hasLake} />
          ))}
        </tbody>
        <tfoot>
          <tr>
            {isSelectable ? <td /> : null}
            <th scope="row" colspan={3}>
              All {formatCount(view.total)}
            </th>
            <td class="num">
              {view.uncounted > 0 ? "at least " : ""}
              {formatCount(view.bars)}
            </td>
            <td class="num">{view.bytes === null ? "–" : sizeText(view.bytes)}</td>
            {hasLake ? <td class="num">{lakeBytes === null ? "–" : sizeText(lakeBytes)}</td> : null}
            <td colspan={4}>
              {view.uncounted > 0 ? `${plural(view.uncounted, "series", "series")} not counted yet: show again` : ""}
            </td>
          </tr>
        </tfoot>
      </table>
    </section>
  );
};

/** The title of a column of bars: bars of days have dates, which have no zone. */
const BarHead = ({ title, rows }: { title: string } & Pick<SeriesTableView, "rows">) => (
  <>
    {title}
    {rows.every(({ interval }) => isDated(interval)) ? null : (
      <>
        {" "}
        (<ZoneTitle />)
      </>
    )}
  </>
);

/** The start of a bar in a column whose head names the zone. */
const ColumnTime = ({ ts, interval }: { ts: number | null; interval: Interval }) =>
  ts === null ? (
    "–"
  ) : isDated(interval) ? (
    <BarTime ts={ts} interval={interval} />
  ) : (
    <Moment at={ts * 1_000} style="column" />
  );

const SeriesRow = (props: { series: SeriesView; isSelectable: boolean; hasLake: boolean }) => {
  const { series, isSelectable, hasLake } = props;
  const { id, symbol, interval, provider, feed, bars, bytes, lakeBytes, firstBar, lastBar, hasProfile } = series;
  const { keptFrom, isPruning, updatedAt } = series;
  return (
    <tr>
      {isSelectable ? (
        <td class="c-pick">
          <input type="checkbox" name="series" value={String(id)} aria-label={`Select ${symbol} ${interval}`} />
        </td>
      ) : null}
      <th scope="row">{symbol}</th>
      <td>{interval}</td>
      <td>
        {provider} {feed === provider || isSynthetic(provider) ? null : <span class="muted">{feed}</span>}{" "}
        <SyntheticPill provider={provider} />
      </td>
      <td class="num">{bars === null ? "–" : formatCount(bars)}</td>
      <td class="num">{bytes === null ? "–" : bytes === 0 ? "0" : sizeText(bytes)}</td>
      {hasLake ? <td class="num">{lakeBytes === null ? "–" : lakeBytes === 0 ? "0" : sizeText(lakeBytes)}</td> : null}
      <td class="num">
        <ColumnTime ts={firstBar} interval={interval} />{" "}
        {isPruning ? (
          <Pill look="running" icon="fetch" title="Older bars are being deleted">
            Deleting
          </Pill>
        ) : keptFrom !== null ? (
          <Pill
            icon="skipped"
            title={`Bars before ${isoDate(keptFrom)} were deleted by choice and are not fetched again`}
          >
            By choice
          </Pill>
        ) : null}
      </td>
      <td class="num">
        <ColumnTime ts={lastBar} interval={interval} />
      </td>
      <td>{hasProfile ? <a href={profileAddress(symbol, interval)}>Profile</a> : <span class="muted">None</span>}</td>
      <td class="num">{updatedAt === null ? "–" : <Moment at={updatedAt} style="column" />}</td>
    </tr>
  );
};

/** The head of a column: a link that sorts by it, highest first (names: lowest first), then the other way. */
const SortHead = (props: { fields: StorageFields; name: string; num?: boolean; children: Child }) => {
  const { fields, name, num } = props;
  const sorted = sortedAs(fields, name);
  return (
    <th scope="col" class={num ? "num" : undefined} aria-sort={sorted}>
      <a href={storageAddress({ ...fields, sort: nextSort(fields, name) })}>
        {props.children}
        {sorted ? <span aria-hidden="true">{sorted === "descending" ? " ↓" : " ↑"}</span> : null}
      </a>
    </th>
  );
};

const sortedAs = ({ sort }: StorageFields, name: string) =>
  sort === `-${name}` ? "descending" : sort === name || (sort === "" && name === "symbol") ? "ascending" : undefined;

const ASCENDING_FIRST = new Set(["symbol", "interval", "provider"]);

function nextSort(fields: StorageFields, name: string): string {
  const sorted = sortedAs(fields, name);
  if (sorted === undefined) return ASCENDING_FIRST.has(name) ? name : `-${name}`;
  return sorted === "ascending" ? `-${name}` : name;
}
