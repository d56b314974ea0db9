/** @jsxImportSource hono/jsx */
/** `/files`: a file of bars as it was understood, before it is imported. */

import { INTERVALS } from "../../domain/market/interval.ts";
import { Crumbs } from "../ui/components.tsx";
import { type Flash, FlashMessage } from "../ui/flash-message.tsx";
import { formatCount, plural } from "../ui/format.ts";
import { Allowed } from "../ui/forms/allowed.tsx";
import { Layout, type PageContext } from "../ui/layout.tsx";

/** What was understood of a file. */
export interface CheckedFile {
  /** Names the upload until it is imported. */
  readonly id: string;
  readonly name: string;
  readonly symbol: string;
  readonly interval: string;
  /** Name and meaning of each fact. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly rows: number;
  readonly bars: number;
  /** The first and the last bars in equal numbers, one cell a column; all of them if they are few. */
  readonly sample: readonly (readonly string[])[];
  /** Rows that were not taken, one line for each kind, and what was corrected. */
  readonly notes: readonly string[];
}

export interface BarFileView {
  readonly symbol: string;
  readonly interval: string;
  readonly checked: CheckedFile | null;
  readonly flash: Flash | null;
  /** Where an import stores files; `null` if the server has no such folder. */
  readonly folder: string | null;
}

const COLUMNS = ["Start (UTC)", "Open", "High", "Low", "Close", "Volume"];

export const BarFilePage = ({ page, view }: { page: PageContext; view: BarFileView }) => (
  <Layout page={page} title="Check a file">
    <header class="page-head">
      <Crumbs trail={[["Companies", "/companies"]]} />
      <h1>Check a file of bars</h1>
    </header>
    <FlashMessage flash={view.flash} />
    <Allowed address="/files" otherwise={<p class="bar-file">Checking a file needs the scope operate.</p>}>
      <form method="post" action="/files" enctype="multipart/form-data" class="bar-file stack">
        <div class="field">
          <label for="bar-file">File: CSV, gzipped CSV or Parquet, up to 16 MB</label>
          <input id="bar-file" type="file" name="file" accept=".csv,.txt,.tsv,.gz,.parquet" required />
        </div>
        <div class="field">
          <label for="bar-symbol">Symbol, if the file is not named after it</label>
          <input
            id="bar-symbol"
            name="symbol"
            value={view.symbol}
            maxlength={24}
            autocomplete="off"
            spellcheck={false}
          />
        </div>
        <div class="field">
          <label for="bar-interval">Interval</label>
          <select id="bar-interval" name="interval">
            <option value="">From the name of the file, otherwise 1d</option>
            {INTERVALS.map((interval) => (
              <option value={interval} selected={interval === view.interval || undefined}>
                {interval}
              </option>
            ))}
          </select>
        </div>
        <button type="submit" class="button primary">
          Check
        </button>
      </form>
    </Allowed>
    {view.checked ? <Understood file={view.checked} folder={view.folder} /> : null}
  </Layout>
);

const Understood = ({ file, folder }: { file: CheckedFile; folder: string | null }) => (
  <section class="bar-file" aria-labelledby="bar-file-title">
    <h2 id="bar-file-title">
      {file.name} as {file.symbol} {file.interval}
    </h2>
    <p>
      {plural(file.bars, "bar")} from {plural(file.rows, "row")}
    </p>
    <div class="scroll">
      <table class="list bar-file-facts" aria-label="How it was read">
        <tbody>
          {file.facts.map(([name, value]) => (
            <tr>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    {file.notes.length > 0 ? (
      <ul aria-label="What was corrected or rejected">
        {file.notes.map((note) => (
          <li>{note}</li>
        ))}
      </ul>
    ) : (
      <p class="muted">No row was rejected.</p>
    )}
    <section class="scroll" tabindex={0} aria-label="First and last bars">
      <table class="list">
        <thead>
          <tr>
            {COLUMNS.map((title, at) => (
              <th scope="col" class={at === 0 ? undefined : "num"}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {file.sample.map((row, place) => (
            <>
              {file.bars > file.sample.length && place === file.sample.length / 2 ? (
                <tr>
                  <td colspan={COLUMNS.length} class="muted">
                    {formatCount(file.bars - file.sample.length)} more
                  </td>
                </tr>
              ) : null}
              <tr>
                {row.map((cell, at) => (
                  <td class={at === 0 ? undefined : "num"}>{cell}</td>
                ))}
              </tr>
            </>
          ))}
        </tbody>
      </table>
    </section>
    {file.bars === 0 ? (
      <p class="muted">There is nothing to import.</p>
    ) : folder === null ? (
      <p class="muted">To import it, start the server with BARKEEP_CSV_DIR, the folder in which files are kept.</p>
    ) : (
      <form method="post" action="/files/import">
        <input type="hidden" name="id" value={file.id} />
        <button type="submit" class="button primary">
          Import {plural(file.bars, "bar")} as {file.symbol} {file.interval}
        </button>
      </form>
    )}
  </section>
);
