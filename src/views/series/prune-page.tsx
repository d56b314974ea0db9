/** @jsxImportSource hono/jsx */
/** Confirms the deletion of old bars: what is deleted, what stays, and what follows from it. */

import type { PrunePreview } from "../../domain/series/prune-preview.ts";
import { isoDate } from "../../domain/time.ts";
import { formatCount, plural, sizeText } from "../ui/format.ts";
import { Reason } from "../ui/forms/form-field.tsx";
import { Layout, type PageContext } from "../ui/layout.tsx";
import { type StorageFields, storageAddress } from "./series-table.tsx";

export interface PruneView {
  readonly fields: StorageFields;
  /** `picked` or `all`, and the ids of what was picked. */
  readonly scope: string;
  readonly ids: readonly number[];
  /** Epoch seconds. */
  readonly before: number;
  /** Why it was not begun, in a sentence; `null` at first. */
  readonly error: string | null;
  readonly preview: PrunePreview;
}

/** Symbols that are named. */
const NAMED = 8;

export const PrunePage = ({ page, view }: { page: PageContext; view: PruneView }) => {
  const { fields, scope, ids, before, preview, error } = view;
  const { series, selected, busy } = preview;
  const date = isoDate(before);
  const back = storageAddress(fields);
  const title =
    series === 0
      ? `No bars before ${date}`
      : `Delete the bars of ${plural(series, "series", "series")} before ${date}?`;
  const isPossible = series > 0 && busy === 0;
  return (
    <Layout page={page} title={title}>
      <form class="confirm confirm-prune" method="post" action={storageAddress(fields, {}, "/storage/prune")}>
        <h1>{title}</h1>
        {error === null ? null : (
          <p class="error" role="alert">
            {error}
          </p>
        )}
        {series === 0 ? (
          <p>
            {plural(selected, "selected series has", "selected series have")} no bars before that day: there is nothing
            to delete.
          </p>
        ) : (
          <Consequences preview={preview} date={date} />
        )}
        {busy === 0 ? null : (
          <p class="error" role="alert">
            {plural(busy, "series has a job", "series have jobs")} that wait, run or are paused (
            {preview.busySymbols.join(", ")}
            {busy > preview.busySymbols.length ? " …" : ""}): let them end, or cancel them, then ask again.
          </p>
        )}
        <input type="hidden" name="scope" value={scope} />
        <input type="hidden" name="before" value={date} />
        <input type="hidden" name="expect" value={String(series)} />
        {ids.map((id) => (
          <input type="hidden" name="series" value={String(id)} />
        ))}
        {isPossible ? <Reason of="prune" /> : null}
        <p class="confirm-choice">
          {isPossible ? (
            <button type="submit" class="button danger" name="confirm" value="yes">
              Delete old bars
            </button>
          ) : null}
          <a class="button" href={back}>
            {isPossible ? "Keep them" : "Back"}
          </a>
        </p>
      </form>
    </Layout>
  );
};

const Consequences = ({ preview, date }: { preview: PruneView["preview"]; date: string }) => {
  const { series, counted, selected, symbols, bars, emptied, profiles, recomputed, bytes, lakeBytes } = preview;
  const named = symbols.slice(0, NAMED).join(", ");
  const rows = [
    [preview.revisions, "earlier values of bars"],
    [preview.refused, "refused rows"],
    [preview.gaps, "gaps"],
    [preview.findings, "findings"],
    [preview.windows, "windows of the ledger"],
    [preview.arrivals, "records of when bars arrived"],
  ] as const;
  const others = rows.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`);
  return (
    <>
      {counted < series ? (
        <p>
          Only {formatCount(counted)} of them are counted here, the others would take too long: it will be more than
          this.
        </p>
      ) : null}
      <dl class="prune-facts">
        <dt>Series</dt>
        <dd>
          {named}
          {symbols.length > NAMED ? " …" : ""}
          {selected > series ? (
            <span class="muted">
              {" "}
              ({plural(selected - series, "other", "others")} have no bars before {date})
            </span>
          ) : null}
        </dd>
        <dt>Deleted</dt>
        <dd>
          <b class="num">{plural(bars, "bar")}</b>
          {others.length === 0 ? "" : `, with ${others.join(", ")}`}. It cannot be undone.
        </dd>
        <dt>Space</dt>
        <dd>
          {bytes === null ? "Not known in the database" : `About ${sizeText(bytes)} in the database`}
          {lakeBytes === null ? "" : `, about ${sizeText(lakeBytes)} in the lake`}. The file of the database keeps its
          size at first and uses this space again.
        </dd>
        <dt>Profiles</dt>
        <dd>
          {recomputed === 0
            ? "None that stays is concerned."
            : `${plural(recomputed, "history begins", "histories begin")} on that day by choice; their features are marked as outdated and computed again from what is left, without calls.`}
          {emptied === 0
            ? ""
            : ` ${plural(emptied, "series loses", "series lose")} all bars${profiles === 0 ? "" : `, and ${plural(profiles, "profile goes", "profiles go")} with them`}.`}
        </dd>
        <dt>Stays</dt>
        <dd>Later bars, splits and dividends, refused rows of files, snapshots, backups, and the list of runs.</dd>
        <dt>Afterwards</dt>
        <dd>
          No update, repair, schedule or run by years fetches these bars again, and they are no gap. A full run that
          names an earlier first day does.
        </dd>
      </dl>
    </>
  );
};
