/** @jsxImportSource hono/jsx */
/** The page of snapshots: the list, what differs between two, and how to cite one. */

import { covers } from "../../domain/access.ts";
import { ColumnHeads, Crumbs, Moment } from "../ui/components.tsx";
import { formatCount, plural, sizeText } from "../ui/format.ts";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";

export interface SnapshotItem {
  readonly id: string;
  readonly name: string;
  readonly sha256: string;
  readonly interval: string;
  readonly symbols: number;
  readonly rows: number;
  readonly bytes: number;
  readonly createdAt: number;
  /** The sentence that cites it. */
  readonly citation: string;
  readonly files: readonly { readonly name: string; readonly path: string; readonly bytes: number }[];
  readonly deleted: { readonly at: number; readonly reason: string } | null;
}

/** What differs between the two that were chosen. */
export interface DiffView {
  readonly before: string;
  readonly after: string;
  readonly same: boolean;
  readonly facts: readonly (readonly [what: string, value: string])[];
  readonly symbols: readonly {
    readonly symbol: string;
    readonly added: number;
    readonly changed: number;
    readonly removed: number;
    /** `null`: they cannot be compared. */
    readonly features: number | null;
  }[];
  /** How many more symbols differ than are shown. */
  readonly more: number;
}

export interface SnapshotsView {
  readonly snapshots: readonly SnapshotItem[];
  /** The folder with their files. */
  readonly folder: string;
  readonly chosen: { readonly a: string; readonly b: string };
  readonly diff: DiffView | null;
  readonly error: string | null;
}

export const SnapshotsPage = ({ page, view }: { page: PageContext; view: SnapshotsView }) => (
  <Layout page={page} title="Snapshots">
    <header class="page-head">
      <Crumbs
        trail={[
          ["Profiles", "/profiles"],
          ["Panel", "/panel"],
        ]}
      />
      <h1>Snapshots</h1>
      <span class="muted">Panels in files that never change, for citation</span>
      <a href="/panel">Create one from a panel</a>
    </header>
    {view.error === null ? null : (
      <p class="error" role="alert">
        {view.error}
      </p>
    )}
    {view.diff === null ? null : <Diff diff={view.diff} />}
    {view.snapshots.length === 0 ? (
      <Empty title="No snapshot yet">
        <span data-changes>Build a panel, and press “Save as snapshot” beside its size.</span>
      </Empty>
    ) : (
      <>
        <List snapshots={view.snapshots} />
        <Compare view={view} />
        <p class="panel-preview muted">
          {covers(page.scope ?? "read", "admin")
            ? `The files are in ${view.folder}.`
            : "Admins see the folder of the files."}{" "}
          Backups have the records of snapshots, not their files: copy this folder as well.
        </p>
      </>
    )}
  </Layout>
);

const List = ({ snapshots }: Pick<SnapshotsView, "snapshots">) => (
  <ul class="snapshots" aria-label="Snapshots">
    {snapshots.map((each) => (
      <li id={`snapshot-${each.id}`}>
        <h2>{each.name}</h2>
        <p class="muted">
          <Moment at={each.createdAt} />, {plural(each.rows, "row")} of {plural(each.symbols, "symbol")},{" "}
          {each.interval}, hash <code title={each.sha256}>{each.sha256.slice(0, 12)}</code>
        </p>
        {each.deleted === null ? (
          <Kept item={each} />
        ) : (
          <p>
            Files deleted <Moment at={each.deleted.at} />: {each.deleted.reason}
          </p>
        )}
      </li>
    ))}
  </ul>
);

const Kept = ({ item }: { item: SnapshotItem }) => (
  <>
    <div class="copy-as">
      <details>
        <summary>Citation</summary>
        <button type="button" class="button" data-copy hidden aria-label={`Copy the citation of ${item.name}`}>
          Copy
        </button>
        <pre>{item.citation}</pre>
      </details>
    </div>
    <details>
      <summary>
        {plural(item.files.length, "file")}, {sizeText(item.bytes)}
      </summary>
      <ul>
        {item.files.map(({ name, path, bytes }) => (
          <li>
            <a href={path} download={name}>
              {name}
            </a>
            , {sizeText(bytes)}
          </li>
        ))}
      </ul>
    </details>
    <details>
      <summary>Delete</summary>
      <form method="post" action={`/snapshots/${item.id}/delete`} class="panel-keep">
        <div class="field">
          <label for={`reason-${item.id}`}>Reason, which is kept</label>
          <input id={`reason-${item.id}`} name="reason" maxlength={200} required autocomplete="off" />
        </div>
        <button type="submit" class="button" aria-label={`Delete the files of ${item.name}`}>
          Delete files
        </button>
      </form>
    </details>
  </>
);

const Compare = ({ view }: { view: SnapshotsView }) => {
  const kept = view.snapshots.filter(({ deleted }) => deleted === null);
  if (kept.length < 2) return null;
  return (
    <form method="get" action="/snapshots" class="panel-form">
      <fieldset>
        <legend>Compare two</legend>
        <Pick name="a" title="From" chosen={view.chosen.a || kept[1]!.id} kept={kept} />
        <Pick name="b" title="To" chosen={view.chosen.b || kept[0]!.id} kept={kept} />
      </fieldset>
      <button type="submit" class="button">
        Compare
      </button>
    </form>
  );
};

const Pick = (props: { name: string; title: string; chosen: string; kept: readonly SnapshotItem[] }) => (
  <div class="field">
    <label for={`compare-${props.name}`}>{props.title}</label>
    <select id={`compare-${props.name}`} name={props.name}>
      {props.kept.map(({ id, name, sha256 }) => (
        <option value={id} selected={id === props.chosen || undefined}>
          {name} ({sha256.slice(0, 8)})
        </option>
      ))}
    </select>
  </div>
);

const Diff = ({ diff }: { diff: DiffView }) => (
  <section class="panel-preview" aria-labelledby="diff-title">
    <h2 id="diff-title">
      {diff.before} and {diff.after}: {diff.same ? "the same content" : "different content"}
    </h2>
    <dl class="backup-facts">
      {diff.facts.map(([what, value]) => (
        <div>
          <dt>{what}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
    {diff.symbols.length === 0 ? null : (
      <section class="scroll" tabindex={0} aria-label="Symbols that differ">
        <table class="list">
          <thead>
            <ColumnHeads
              texts={["Symbol"]}
              numbers={["Bars added", "Changed", "Removed", "Rows with other features"]}
            />
          </thead>
          <tbody>
            {diff.symbols.map(({ symbol, added, changed, removed, features }) => (
              <tr>
                <th scope="row">{symbol}</th>
                <td class="num">{formatCount(added)}</td>
                <td class="num">{formatCount(changed)}</td>
                <td class="num">{formatCount(removed)}</td>
                <td class="num">{features === null ? "not comparable" : formatCount(features)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    )}
    {diff.more === 0 ? null : <p>And {plural(diff.more, "more symbol")}: the API has all of them.</p>}
  </section>
);
