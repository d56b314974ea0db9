/** @jsxImportSource hono/jsx */
/** Every run there was, and one of them with its jobs. */

import type { RunSummary } from "../domain/telemetry.ts";
import { FilterBar, type FilterView } from "./filter-bar.tsx";
import { Empty, type Frame, Page } from "./layout.tsx";
import { RunSection, type RunView } from "./queue.tsx";
import { RunState, runTitle } from "./run-head.tsx";
import { dom, formatCount, formatDuration, Moment } from "./ui.tsx";

export const RunsPage = ({ frame, runs }: { frame: Frame; runs: readonly RunSummary[] }) => (
  <Page frame={frame} title="Runs">
    <header class="page-head">
      <h1>Runs</h1>
      <span class="muted num">{formatCount(runs.length)}</span>
    </header>
    {runs.length === 0 ? (
      <Empty title="No run yet">
        Every run is kept here with its symbols, calls and errors. <a href="/">Start the first one</a>.
      </Empty>
    ) : (
      <section class="scroll" tabindex={0} aria-label="Runs">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">State</th>
              <th scope="col" class="num">
                Symbols
              </th>
              <th scope="col" class="num">
                Failed
              </th>
              <th scope="col" class="num">
                Data points
              </th>
              <th scope="col" class="num">
                API calls
              </th>
              <th scope="col" class="num">
                Started
              </th>
              <th scope="col" class="num">
                Took
              </th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr>
                <th scope="row">
                  <a href={`/runs/${encodeURIComponent(run.id)}`}>{runTitle(run)}</a>
                </th>
                <td>
                  <RunState state={run.state} gaps={run.gaps} />
                </td>
                <td class="num">{formatCount(run.total)}</td>
                <td class="num">{formatCount(run.counts.failed)}</td>
                <td class="num">{formatCount(run.dataPoints)}</td>
                <td class="num">{formatCount(run.apiCalls)}</td>
                <td class="num">
                  <Moment at={run.createdAt} />
                </td>
                <td class="num">
                  {run.finishedAt === null ? "–" : formatDuration((run.finishedAt - run.createdAt) / 1_000, true)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    )}
  </Page>
);

/** One run with all its symbols, live while it works. */
export const RunPage = (props: { frame: Frame; view: RunView; filter: FilterView; stream: string }) => {
  const { frame, view, filter, stream } = props;
  return (
    <Page frame={frame} title={runTitle(view.run)} stream={stream}>
      <header class="page-head">
        <p class="crumbs">
          <a href="/runs">Runs</a>
        </p>
        <h1>Run {view.run.id}</h1>
      </header>
      <FilterBar filter={filter} />
      <div id={dom.runs} class="runs">
        <RunSection {...view} />
      </div>
    </Page>
  );
};
