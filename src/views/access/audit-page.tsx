/** @jsxImportSource hono/jsx */
/** The audit page: actor, action, subject, reason, and values before and after. */

import { Moment, TimeHead } from "../ui/components.tsx";
import { plural } from "../ui/format.ts";
import { DATE } from "../ui/forms/form-field.tsx";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";

/** The filter's fields, named as in the query. */
export const AUDIT_FIELDS = ["actor", "action", "symbol", "from", "to"] as const;
export type AuditFields = Readonly<Record<(typeof AUDIT_FIELDS)[number], string>>;

export interface AuditView {
  readonly rows: readonly {
    readonly id: number;
    /** Epoch milliseconds. */
    readonly at: number;
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly reason: string | null;
    readonly before: Readonly<Record<string, unknown>> | null;
    readonly after: Readonly<Record<string, unknown>> | null;
  }[];
  /** The ids before which older and after which newer rows continue; `null` if there are none. */
  readonly older: number | null;
  readonly newer: number | null;
  readonly fields: AuditFields;
  readonly error: string | null;
  readonly actors: readonly string[];
  readonly actions: readonly string[];
}

export const AuditPage = ({ page, view }: { page: PageContext; view: AuditView }) => (
  <Layout page={page} title="Audit">
    <header class="page-head">
      <h1>Audit</h1>
      <span class="muted">Who did what, and when</span>
      <a href={addressOf(view.fields, { format: "csv" })} download="audit.csv">
        Download CSV
      </a>
    </header>
    <AuditFilter view={view} />
    {view.rows.length === 0 ? (
      <Empty title="No entries">
        {Object.values(view.fields).every((value) => value === "") ? (
          <>
            What people and programs change is written down here.{" "}
            <span data-changes>
              <a href="/">Start a run</a>, and it is the first line.
            </span>
          </>
        ) : (
          <a href="/audit">Show everything</a>
        )}
      </Empty>
    ) : (
      <AuditRows rows={view.rows} />
    )}
    {view.older === null && view.newer === null ? null : (
      <p class="more">
        {view.newer === null ? null : (
          <a class="button" href={addressOf(view.fields, { after: String(view.newer) })}>
            Newer
          </a>
        )}
        {view.older === null ? null : (
          <a class="button" href={addressOf(view.fields, { before: String(view.older) })}>
            Older
          </a>
        )}
      </p>
    )}
  </Layout>
);

const AuditFilter = ({ view: { fields, error, actors, actions } }: { view: AuditView }) => (
  <search>
    <form method="get" action="/audit" class="filter-row">
      <Choice name="actor" title="Who" value={fields.actor} choices={actors} />
      <Choice name="action" title="What" value={fields.action} choices={actions} />
      <div class="field">
        <label for="audit-symbol">Symbol</label>
        <input id="audit-symbol" name="symbol" value={fields.symbol} size={10} autocomplete="off" spellcheck={false} />
      </div>
      <div class="field">
        <label for="audit-from">From (UTC)</label>
        <input id="audit-from" name="from" {...DATE} value={fields.from} />
      </div>
      <div class="field">
        <label for="audit-to">To (UTC)</label>
        <input id="audit-to" name="to" {...DATE} value={fields.to} />
      </div>
      <button type="submit" class="button">
        Filter
      </button>
      {error ? (
        <p class="error" role="alert">
          {error}
        </p>
      ) : null}
    </form>
  </search>
);

const Choice = (props: { name: string; title: string; value: string; choices: readonly string[] }) => {
  const { name, title, value, choices } = props;
  return (
    <div class="field">
      <label for={`audit-${name}`}>{title}</label>
      <select id={`audit-${name}`} name={name}>
        <option value="">All</option>
        {choices.map((choice) => (
          <option value={choice} selected={choice === value}>
            {choice}
          </option>
        ))}
      </select>
    </div>
  );
};

const AuditRows = ({ rows }: Pick<AuditView, "rows">) => (
  <section class="scroll" tabindex={0} aria-label="Audit">
    <table class="list audit">
      <thead>
        <tr>
          <TimeHead title="When" />
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">Subject</th>
          <th scope="col">Affected</th>
          <th scope="col">Reason</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ at, actor, action, subject, reason, before, after }) => (
          <tr>
            <td>
              <Moment at={at} style="column" />
            </td>
            <td>{actor}</td>
            <td>{action}</td>
            <th scope="row" class="named">
              <Subject action={action} subject={subject} after={after} />
            </th>
            <td class="wraps">
              <Affected states={[before, after]} />
            </td>
            <Text text={reason ?? "–"} />
            <Text text={describe(before, after)} />
            <Text text={describe(after, before)} />
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

/** A cell of text that wraps; a column in which nothing is said takes no room. */
const Text = ({ text }: { text: string }) => <td class={text === "–" ? undefined : "wraps"}>{text}</td>;

type State = Readonly<Record<string, unknown>> | null;

/** What an action was applied to; a run as the end of its id, with a link. */
const Subject = ({ action, subject, after }: { action: string; subject: string; after: State }) => {
  const isRun = action.startsWith("run.");
  const run = isRun ? subject : typeof after?.run === "string" ? after.run : null;
  if (run === null) return <>{subject}</>;
  const link = (
    <a href={`/runs/${encodeURIComponent(run)}`} title={run}>
      Run …{run.slice(-6)}
    </a>
  );
  return isRun || subject === run ? (
    link
  ) : (
    <>
      {subject} <span class="muted">{link}</span>
    </>
  );
};

/** Symbols shown directly; more are folded away. */
const NAMED = 3;

/** The symbols that an action affected. */
const Affected = ({ states }: { states: readonly State[] }) => {
  const symbols = [...new Set(states.flatMap((state) => (Array.isArray(state?.symbols) ? state.symbols : [])))];
  if (symbols.length === 0) return <>–</>;
  const text = symbols.join(" ");
  if (symbols.length <= NAMED) return <>{text}</>;
  return (
    <details>
      <summary>{plural(symbols.length, "symbol")}</summary>
      {text}
    </details>
  );
};

/** Items of a list that are shown; the download has all of them. */
const SHOWN = 12;
/** Keys that have columns of their own. */
const OWN_COLUMNS = new Set(["symbols", "run"]);

/** The name of a setting as words: `timeZone` is `time zone`. */
const words = (text: string) =>
  text
    .replace(/[a-z](?=[A-Z])/g, "$& ")
    .replaceAll("_", " ")
    .toLowerCase();

/** `mode full, provider demo`; what was and is not set is left out. */
function describe(state: State, other: State): string {
  if (state === null) return "–";
  const parts = Object.entries(state)
    .filter(([name, value]) => !OWN_COLUMNS.has(name) && (value ?? other?.[name] ?? null) !== null)
    .flatMap(([name, value]) => {
      if (!Array.isArray(value)) return `${words(name)} ${value === null ? "none" : String(value)}`;
      if (value.length === 0) return [];
      const more = value.length > SHOWN ? ` and ${value.length - SHOWN} more` : "";
      return `${words(name)} ${value.slice(0, SHOWN).join(" ")}${more}`;
    });
  return parts.length === 0 ? "–" : parts.join(", ");
}

/** The address of the present filter with more parameters. */
function addressOf(fields: AuditFields, more: Readonly<Record<string, string>>): string {
  const given = AUDIT_FIELDS.filter((name) => fields[name] !== "").map((name) => [name, fields[name]]);
  return `/audit?${new URLSearchParams([...given, ...Object.entries(more)] as [string, string][])}`;
}
