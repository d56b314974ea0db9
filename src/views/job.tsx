/** @jsxImportSource hono/jsx */
/** One symbol of a run, looked at closely: why it waits, what was fetched, how long it took, what it said. */

import type { JobProgress } from "../domain/progress.ts";
import { isActive } from "../domain/run.ts";
import type { LogLine } from "../domain/telemetry.ts";
import type { Condition } from "../domain/waiting.ts";
import { type Frame, Page } from "./layout.tsx";
import { LogPanel } from "./log-panel.tsx";
import { JobTable, type RunView } from "./queue.tsx";
import { runTitle } from "./run-head.tsx";
import { dom, formatCount, formatDuration, formatEta, jobAddress, Moment, plural } from "./ui.tsx";

type CellStatus = "ok" | "empty" | "failed" | "pending";

/** One batch of the job, as the coverage strip shows it. */
export interface CoverageCell {
  /** Half-open window, epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly status: CellStatus;
  readonly bars: number;
  readonly rejected: number;
  readonly attempts: number;
  readonly error: string | null;
}

export interface JobView {
  readonly run: RunView["run"];
  readonly job: JobProgress;
  readonly waiting: readonly Condition[];
  readonly coverage: readonly CoverageCell[];
  /** Milliseconds spent asking the provider. */
  readonly fetchMs: number;
  readonly attempts: number;
  /** Workers that died on it. */
  readonly deaths: number;
  /** Epoch milliseconds. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly logs: readonly LogLine[];
}

export const JobPage = ({ frame, view, stream }: { frame: Frame; view: JobView; stream: string }) => (
  <Page frame={frame} title={`${view.job.symbol} in ${runTitle(view.run)}`} stream={stream}>
    <header class="page-head">
      <p class="crumbs">
        <a href="/runs">Runs</a>
      </p>
      <p class="crumbs">
        <a href={`/runs/${encodeURIComponent(view.run.id)}`}>{runTitle(view.run)}</a>
      </p>
      <h1>{view.job.symbol}</h1>
    </header>
    <div class="monitor">
      <div class="monitor-main">
        <div class="run">
          <JobTable run={view.run} job={view.job} />
        </div>
        <JobDetails view={view} />
      </div>
      <LogPanel lines={view.logs} />
    </div>
  </Page>
);

/** Everything about the job that is not in its row; asks for itself again while the job is active. */
export const JobDetails = ({ view }: { view: JobView }) => (
  <div
    id={dom.jobDetails}
    {...(isActive(view.job.state) && {
      "hx-get": `${jobAddress(view.run.id, view.job.symbol)}?details`,
      "hx-trigger": "every 2s",
      "hx-swap": "outerHTML",
    })}
  >
    {view.waiting.length > 0 ? <Waiting conditions={view.waiting} /> : null}
    <Coverage cells={view.coverage} />
    <section class="details">
      <h2>Work</h2>
      <dl class="facts">
        <Fact name="Attempts">{formatCount(view.attempts)}</Fact>
        <Fact name="Workers lost">{formatCount(view.deaths)}</Fact>
        <Fact name="Asking the provider">{formatDuration(view.fetchMs / 1_000, true)}</Fact>
        <Fact name="Everything else">
          {formatDuration(Math.max(0, view.job.duration - view.fetchMs / 1_000), true)}
        </Fact>
        <Fact name="Started">{view.startedAt === null ? "–" : <Moment at={view.startedAt} />}</Fact>
        <Fact name="Ended">{view.finishedAt === null ? "–" : <Moment at={view.finishedAt} />}</Fact>
      </dl>
    </section>
  </div>
);

const Fact = ({ name, children }: { name: string; children?: unknown }) => (
  <div>
    <dt>{name}</dt>
    <dd class="num">{children as string}</dd>
  </div>
);

const Waiting = ({ conditions }: { conditions: readonly Condition[] }) => (
  <section class="details">
    <h2>Why it waits</h2>
    <ol class="conditions">
      {conditions.map(({ why, clearsIn }) => (
        <li>
          {why} {clearsIn === null ? null : <span class="muted">Clears in {formatEta(clearsIn)}.</span>}
        </li>
      ))}
    </ol>
  </section>
);

const CELL_WORDS: Readonly<Record<CellStatus, string>> = {
  ok: "fetched",
  empty: "no bars",
  failed: "failed",
  pending: "not yet",
};

const day = (ts: number) => new Date(ts * 1_000).toISOString().slice(0, 10);

/** Each batch of the range as a cell: its shape and colour say what came of it, its title the dates and the count. */
const Coverage = ({ cells }: { cells: readonly CoverageCell[] }) => {
  const counts = Map.groupBy(cells, ({ status }) => status);
  return cells.length === 0 ? null : (
    <section class="details">
      <h2>Coverage</h2>
      <ol class="coverage" aria-label="Batches">
        {cells.map((cell) => (
          <li class={`cell cell-${cell.status}`} title={describe(cell)}>
            <span class="visually-hidden">{describe(cell)}</span>
          </li>
        ))}
      </ol>
      <p class="legend">
        {(Object.keys(CELL_WORDS) as CellStatus[])
          .filter((status) => counts.has(status))
          .map((status) => (
            <span>
              <i class={`cell cell-${status}`} /> {formatCount(counts.get(status)!.length)} {CELL_WORDS[status]}
            </span>
          ))}
      </p>
      {(counts.get("failed") ?? []).slice(0, 5).map((cell) => (
        <p class="error">{describe(cell)}</p>
      ))}
    </section>
  );
};

function describe(cell: CoverageCell): string {
  const dates = `${day(cell.from)} to ${day(cell.to - 1)}`;
  const bars = cell.status === "ok" ? `: ${plural(cell.bars, "bar")}` : `: ${CELL_WORDS[cell.status]}`;
  const rejected = cell.rejected > 0 ? `, ${formatCount(cell.rejected)} rejected` : "";
  const attempts = cell.attempts > 1 ? `, attempt ${cell.attempts}` : "";
  return `${dates}${bars}${rejected}${attempts}${cell.error ? `, ${cell.error}` : ""}`;
}
