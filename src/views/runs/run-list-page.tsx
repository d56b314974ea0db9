/** @jsxImportSource hono/jsx */
/** The list of all runs, newest first, with a filter and pages. */

import { INTERVALS } from "../../domain/market/interval.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { MODE_WORDS, runTitle } from "../../domain/runs/run-title.ts";
import { MODES, RUN_STATES } from "../../domain/runs/states.ts";
import { formatExactDuration } from "../../domain/time.ts";
import { Icon, Moment, STATE_ICONS, TimeHead } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import { DATE, type FormState, formFields } from "../ui/forms/form-field.tsx";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { PageLinks, type PageLinksView } from "../ui/pagination.tsx";
import { COUNTED, isHeld, RUN_WORDS, RunState } from "./run-header.tsx";

/** The filter's fields, named as in the query. */
export const RUN_LIST_FIELDS = ["state", "mode", "interval", "provider", "symbol", "from", "to"] as const;
export type RunListForm = FormState<(typeof RUN_LIST_FIELDS)[number]>;

/** A run in the list. */
interface ListedRun {
  readonly run: RunSummary;
  /** The commonest reason of its failed symbols, and the number of reasons. */
  readonly failure: { readonly commonest: string; readonly reasons: number } | null;
}

export interface RunListView extends PageLinksView {
  readonly runs: readonly ListedRun[];
  readonly form: RunListForm;
  readonly providers: readonly { readonly name: string; readonly title: string }[];
}

export const RunsPage = ({ page, view }: { page: PageContext; view: RunListView }) => (
  <Layout page={page} title="Runs">
    <header class="page-head">
      <h1>Runs</h1>
    </header>
    <RunFilterForm view={view} />
    {view.runs.length > 0 ? <RunTable runs={view.runs} path={page.path} /> : <NoRuns view={view} />}
    <PageLinks {...view} address={(more) => runListAddress(view.form, more)} />
  </Layout>
);

const NoRuns = ({ view: { form, newer } }: { view: RunListView }) =>
  isFiltered(form) || newer !== null ? (
    <Empty title="No such run">
      No run passes this filter. <a href="/runs">Show all</a>.
    </Empty>
  ) : (
    <Empty title="No run yet">
      Every run is kept here with its symbols, calls and errors.{" "}
      <span data-changes>
        <a href="/">Start the first one</a>.
      </span>
    </Empty>
  );

const isFiltered = ({ values }: RunListForm) => RUN_LIST_FIELDS.some((name) => values[name] !== "");

const { Field, Choice, control } = formFields("runs", RUN_LIST_FIELDS);
const all = ["", "All"] as const;

const RunFilterForm = ({ view: { form, providers } }: { view: RunListView }) => (
  <search>
    <form method="get" action="/runs" class="run-filter">
      <Field name="state" form={form} title="Status">
        <Choice
          name="state"
          form={form}
          options={[all, ...RUN_STATES.map((each) => [each, RUN_WORDS[each]] as const)]}
        />
      </Field>
      <Field name="mode" form={form} title="Mode">
        <Choice name="mode" form={form} options={[all, ...MODES.map((each) => [each, MODE_WORDS[each]] as const)]} />
      </Field>
      <Field name="interval" form={form} title="Interval">
        <Choice name="interval" form={form} options={[all, ...INTERVALS.map((each) => [each, each] as const)]} />
      </Field>
      <Field name="provider" form={form} title="Provider">
        <Choice
          name="provider"
          form={form}
          options={[all, ...providers.map(({ name, title }) => [name, title] as const)]}
        />
      </Field>
      <Field name="symbol" form={form} title="Symbol">
        <input
          {...control("symbol", form)}
          value={form.values.symbol}
          size={10}
          autocomplete="off"
          spellcheck={false}
          data-shortcut="/"
        />
      </Field>
      <Field name="from" form={form} title="From (UTC)">
        <input {...control("from", form)} {...DATE} value={form.values.from} />
      </Field>
      <Field name="to" form={form} title="To (UTC)">
        <input {...control("to", form)} {...DATE} value={form.values.to} />
      </Field>
      <button type="submit" class="button">
        Filter
      </button>
      {isFiltered(form) ? <a href="/runs">Clear</a> : null}
    </form>
  </search>
);

/** Polled while a run in it is open; `path` is the address of the page. */
const RunTable = ({ runs, path }: { runs: readonly ListedRun[]; path: string }) => (
  <section
    id={dom.runList}
    class="scroll"
    tabindex={0}
    aria-label="Runs"
    {...(runs.some(({ run }) => run.finishedAt === null) && {
      "hx-get": path,
      "hx-select": `#${dom.runList}`,
      "hx-trigger": "every 2s",
      "hx-swap": "outerMorph",
    })}
  >
    <table class="list">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">Status</th>
          <th scope="col">Symbols</th>
          <th scope="col">Errors</th>
          <th scope="col" class="num">
            Data points
          </th>
          <th scope="col" class="num">
            API calls
          </th>
          <th scope="col" class="num">
            Duration
          </th>
          <TimeHead title="Started" class="num" />
        </tr>
      </thead>
      <tbody>
        {runs.map(({ run, failure }) => (
          <tr>
            <th scope="row" class="named">
              <a href={`/runs/${encodeURIComponent(run.id)}`}>{runTitle(run)}</a>
            </th>
            <td>
              <RunState state={run.state} gaps={run.gaps} counts={run.counts} held={isHeld(run)} />
            </td>
            <td class="run-counts">
              {COUNTED.filter((state) => run.counts[state] > 0).map((state) => (
                <span class="count">
                  <Icon name={STATE_ICONS[state]} /> <span class="num">{formatCount(run.counts[state])}</span> {state}
                </span>
              ))}
            </td>
            <td class="run-error" title={failure?.commonest}>
              {failure === null ? "–" : failure.commonest}
              {failure !== null && failure.reasons > 1 ? (
                <span class="muted"> and {formatCount(failure.reasons - 1)} more</span>
              ) : null}
            </td>
            <td class="num">{formatCount(run.dataPoints)}</td>
            <td class="num">{formatCount(run.apiCalls)}</td>
            <td class="num">
              {run.finishedAt === null ? "–" : formatExactDuration((run.finishedAt - run.createdAt) / 1_000)}
            </td>
            <td class="num">
              <Moment at={run.createdAt} style="column" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

/** The address of the list with its present filter and more parameters. */
function runListAddress({ values }: RunListForm, more: Readonly<Record<string, string>>): string {
  const given = RUN_LIST_FIELDS.filter((name) => values[name] !== "").map((name) => [name, values[name]]);
  return `/runs?${new URLSearchParams([...given, ...Object.entries(more)] as [string, string][])}`;
}
