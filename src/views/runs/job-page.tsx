/** @jsxImportSource hono/jsx */
/** The job page: why it waits, its coverage, timing and log. */

import type { LogLine } from "../../domain/log.ts";
import { BATCH_STATES } from "../../domain/runs/coverage.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";
import { runTitle } from "../../domain/runs/run-title.ts";
import { type StageTimes, TIMED_STAGES, type TimedStage } from "../../domain/runs/stage-times.ts";
import { isActive } from "../../domain/runs/states.ts";
import type { Condition } from "../../domain/runs/wait-reason.ts";
import { formatDuration, formatExactDuration } from "../../domain/time.ts";
import { JobActions } from "../jobs/job-menu.tsx";
import { JobTable, type RunView } from "../jobs/job-table.tsx";
import { Crumbs, Moment } from "../ui/components.tsx";
import { dom, jobAddress } from "../ui/dom.ts";
import { formatCount, formatEta, plural, secondsUntil } from "../ui/format.ts";
import { Layout, type PageContext } from "../ui/layout.tsx";
import { type BatchGroup, BatchList, describeGroup, failuresOf } from "./batch-list.tsx";
import { LogPanel } from "./log-panel.tsx";

export interface JobView {
  readonly run: RunView["run"];
  readonly job: JobProgress;
  readonly waiting: readonly Condition[];
  /** A cell for each batch, or for several if there are too many. */
  readonly coverage: readonly BatchGroup[];
  /** The same in as few cells as in the row. */
  readonly groups: readonly BatchGroup[];
  /** Milliseconds spent on requests to the provider. */
  readonly fetchMs: number;
  /** Milliseconds of each stage, as far as they are known. */
  readonly stageMs: StageTimes;
  readonly attempts: number;
  /** Workers that crashed on it. */
  readonly workerCrashes: number;
  /** Epoch milliseconds. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly logs: readonly LogLine[];
  /** The search in the log; empty for all lines. */
  readonly searched: string;
}

export const JobPage = ({ page, view, stream }: { page: PageContext; view: JobView; stream: string }) => (
  <Layout page={page} title={`${view.job.symbol} in ${runTitle(view.run)}`} stream={stream}>
    <header class="page-head">
      <Crumbs
        trail={[
          ["Runs", "/runs"],
          [runTitle(view.run), `/runs/${encodeURIComponent(view.run.id)}`],
        ]}
      />
      <h1>{view.job.symbol}</h1>
    </header>
    <div class="monitor">
      <div class="monitor-main">
        <div class="run run-one">
          <JobTable label={runTitle(view.run)} run={view.run} job={view.job} />
        </div>
        <JobDetails view={view} />
      </div>
      <div class="monitor-side">
        <LogPanel lines={view.logs} search={{ text: view.searched, page: jobAddress(view.run.id, view.job.symbol) }} />
      </div>
    </div>
  </Layout>
);

/** Everything about the job that is not in its row; polled while the job is active. */
export const JobDetails = ({ view }: { view: JobView }) => (
  <div
    id={dom.jobDetails}
    {...(isActive(view.job.state) && {
      "hx-get": `${jobAddress(view.run.id, view.job.symbol)}?details`,
      "hx-trigger": "every 2s",
      "hx-swap": "outerHTML",
    })}
  >
    <JobActions job={view.job} />
    {view.waiting.length > 0 ? <Waiting conditions={view.waiting} /> : null}
    <Coverage view={view} />
    <section class="details">
      <h2>Timing</h2>
      <dl class="facts">
        <Fact name="Attempts">{formatCount(view.attempts)}</Fact>
        <Fact name="Worker crashes">{formatCount(view.workerCrashes)}</Fact>
        <Fact name="Provider time">{formatExactDuration(view.fetchMs / 1_000)}</Fact>
        {TIMED_STAGES.filter((stage) => view.stageMs[stage] !== undefined).map((stage) => (
          <Fact name={STAGE_WORDS[stage]}>{milliseconds(view.stageMs[stage]!)}</Fact>
        ))}
        <Fact name="Started">{view.startedAt === null ? "–" : <Moment at={view.startedAt} />}</Fact>
        <Fact name="Ended">{view.finishedAt === null ? "–" : <Moment at={view.finishedAt} />}</Fact>
      </dl>
    </section>
  </div>
);

/** Most stages other than fetching take less than 0.1 s. */
const milliseconds = (ms: number) => (ms < 100 ? `${ms}ms` : formatExactDuration(ms / 1_000));

/** Counted over the work intervals that have ended. Provider time is a part of fetching. */
const STAGE_WORDS: Readonly<Record<TimedStage, string>> = {
  fetch: "Fetching",
  waiting: "Held up",
  engineer: "Engineering",
  create: "Creating",
  store: "Storing",
};

const Fact = ({ name, children }: { name: string; children?: unknown }) => (
  <div>
    <dt>{name}</dt>
    <dd class="num">{children as string}</dd>
  </div>
);

/** Why a job does not progress: the conditions in the order in which they must clear. */
export const Waiting = ({ conditions }: { conditions: readonly Condition[] }) => (
  <section class="details" id="why">
    <h2>Why it waits</h2>
    <ol class="conditions">
      {conditions.map((condition) => (
        <li>
          {condition.why} <Clears {...condition} />{" "}
          {condition.setAt === undefined ? null : <a href={condition.setAt}>Limits</a>}
        </li>
      ))}
    </ol>
  </section>
);

/** When a condition clears: a time with a countdown, or an estimate. */
const Clears = ({ clearsAt, clearsIn }: Condition) => {
  if (clearsAt === undefined) {
    return clearsIn === null ? null : <span class="muted">Clears in {formatEta(clearsIn)}.</span>;
  }
  const left = secondsUntil(clearsAt);
  return (
    <span class="muted">
      Clears at <Moment at={clearsAt} style={left > 86_400 ? "minute" : "second"} />, in{" "}
      <span class="num" data-until={clearsAt}>
        {formatDuration(left)}
      </span>
      .
    </span>
  );
};

/** Reasons of failed batches that are shown. */
const FAILURES = 5;

/** Each batch of the range as a cell: shape and colour show its state, the title its dates and bars. */
const Coverage = ({ view: { run, job, coverage, groups } }: { view: JobView }) => {
  const counts = Map.groupBy(coverage, ({ state }) => state);
  const failures = failuresOf(coverage);
  return coverage.length === 0 ? null : (
    <section class="details" id="coverage">
      <h2>Coverage</h2>
      <ol class="coverage" aria-label="Batches">
        {coverage.map((group) => (
          <li class={`cell cell-${group.state}`} title={describeGroup(group)}>
            <span class="visually-hidden">{describeGroup(group)}</span>
          </li>
        ))}
      </ol>
      <p class="legend">
        {BATCH_STATES.filter((state) => counts.has(state)).map((state) => (
          <span>
            <i class={`cell cell-${state}`} /> {formatCount(counts.get(state)!.length)}{" "}
            {state === "not_in_plan" ? "not in the plan" : state}
          </span>
        ))}
      </p>
      {failures.slice(0, FAILURES).map((group) => (
        <p class="error">{describeGroup(group)}</p>
      ))}
      {failures.length > FAILURES ? (
        <p class="error">{plural(failures.length - FAILURES, "other failure")}: see each batch</p>
      ) : null}
      {isActive(job.state) ? null : (
        <details>
          <summary>Details of each batch</summary>
          <BatchList runId={run.id} symbol={job.symbol} groups={groups} again={true} />
        </details>
      )}
    </section>
  );
};
