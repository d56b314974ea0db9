/** @jsxImportSource hono/jsx */
/** The monitor: start a run, watch every symbol, read the log. */

import type { LogLine } from "../../domain/log.ts";
import { FilterBar, type FilterView, matchingOf } from "../jobs/filter-bar.tsx";
import type { RunView } from "../jobs/job-table.tsx";
import { type PanelPromise, PromisePanel } from "../promises/promise-panel.tsx";
import { LastHourPanel, type LastHourView } from "../quotas/last-hour.tsx";
import { QuotaPanel, type QuotaView } from "../quotas/quota-gauges.tsx";
import { dom } from "../ui/dom.ts";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { LogPanel } from "./log-panel.tsx";
import { RunForm, type RunFormView } from "./run-form.tsx";
import { RunSection } from "./run-section.tsx";
import { RunStrip, type StripView } from "./run-strip.tsx";

export interface MonitorView {
  readonly form: RunFormView;
  /** The open run; empty if there is none. */
  readonly runs: readonly RunView[];
  readonly strip: StripView;
  /** In the order in which they were written. */
  readonly logs: readonly LogLine[];
  readonly filter: FilterView;
  /** Of the providers in use. */
  readonly quotas: readonly QuotaView[];
  /** Those with a deadline that is near, the most urgent first. */
  readonly promises: readonly PanelPromise[];
  /** The last hour; `null` when there was no work in it. */
  readonly lastHour: LastHourView | null;
  /** The address of the live updates after this rendering. */
  readonly stream: string;
}

export const MonitorPage = ({ page, view }: { page: PageContext; view: MonitorView }) => (
  <Layout page={page} title="Monitor" stream={view.stream}>
    <h1 class="visually-hidden">Monitor</h1>
    <div class="monitor">
      <div class="monitor-main">
        <NewRun view={view} />
        <RunStrip view={view.strip} />
        <FilterBar filter={view.filter} matching={matchingOf(view.runs)} />
        <div id={dom.runs} class="runs">
          <Runs runs={view.runs} onPage={true} />
        </div>
      </div>
      <div class="monitor-side">
        <PromisePanel promises={view.promises} />
        <QuotaPanel quotas={view.quotas} now={page.now} />
        <LastHourPanel view={view.lastHour} />
        <LogPanel lines={view.logs} />
      </div>
    </div>
  </Layout>
);

/** The run form, folded away on a narrow page while there are runs; a wide page always shows it. */
const NewRun = ({ view: { form, runs } }: { view: MonitorView }) => (
  <details class="order" open={runs.length === 0 || Object.keys(form.errors).length > 0}>
    <summary>New run</summary>
    <RunForm form={form} />
  </details>
);

/** The open run, or a hint if there is none; `onPage`: as part of a whole page. */
export const Runs = ({ runs, onPage = false }: { runs: readonly RunView[]; onPage?: boolean }) =>
  runs.length > 0 ? (
    runs.map((view) => <RunSection {...view} onMonitor={true} onPage={onPage} />)
  ) : (
    <Empty title="Nothing is running">
      <span data-changes>
        Type a few symbols above, such as <b>AAPL, MSFT, GOOGL</b>, and press <b>Start run</b>. The demo provider needs
        no key: each symbol is fetched in batches, engineered into features and stored as a profile while you watch.
      </span>
    </Empty>
  );
