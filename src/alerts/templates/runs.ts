/** Mails about runs that ended and symbols that failed. */

import type { JobFailed, JobReport, RunEnded, RunRecovered, RunReport } from "../../domain/alerts.ts";
import { utcMinute } from "../../domain/time.ts";
import { count, duration, names, plural } from "./format.ts";
import type { MailContent, Section } from "./layout.ts";

/** Rows of the symbols that went well, in the summary of a run; all that failed are always shown. */
const SHOWN = 50;
/** Rows of single failures that have no mail of their run. */
const SHOWN_FAILURES = 500;

export function runMail(events: readonly RunEnded[], base: string): MailContent {
  const runs = events.map(({ run }) => run);
  const [first, ...others] = runs as [RunReport, ...RunReport[]];
  const failed = runs.filter(({ state }) => state === "failed");
  const one = others.length === 0;
  return {
    subject: one
      ? subjectOf(first)
      : `${plural(runs.length, "run")} ended${failed.length ? `, ${failed.length} failed` : ""}`,
    lead: one ? leadOf(first) : `${plural(runs.length, "run")} ended: ${runs.map(outcomeOf).join("; ")}.`,
    sections: runs.flatMap((run) => sectionsOf(run, one ? undefined : titleOf(run))),
    advice:
      failed.length > 0
        ? "Open the run to see each symbol's log, and press Retry at a symbol when its cause is out of the way. Batches that are stored already are not fetched again."
        : "There is nothing to do.",
    link: one
      ? { title: "Open the run", url: `${base}/runs/${first.id}` }
      : { title: "Open the runs", url: `${base}/runs` },
  };
}

const titleOf = ({ name, mode, interval, provider, createdAt }: RunReport) =>
  `${name ?? "Run"} of ${utcMinute(createdAt)} (${mode}, ${interval}, ${provider})`;

/** The run at the beginning of a subject or sentence. */
const runOf = ({ name }: Pick<RunReport, "name">) => name ?? "Run";

const outcomeOf = ({ state, counts, total }: RunReport) =>
  state === "failed"
    ? `${count(counts.failed)} of ${plural(total, "symbol")} failed`
    : `${plural(total, "symbol")} complete`;

function subjectOf(run: RunReport): string {
  const failures = run.jobs.filter(({ state }) => state === "failed");
  return run.state === "failed"
    ? `${runOf(run)} failed: ${outcomeOf(run)} (${names(failures.map(({ symbol }) => symbol))})`
    : `${runOf(run)} finished: ${plural(run.counts.complete, "symbol")} in ${duration(run.finishedAt - run.createdAt)}`;
}

function leadOf(run: RunReport): string {
  const took = `after ${duration(run.finishedAt - run.createdAt)}`;
  const what = run.name ? `The run “${run.name}”` : `The ${run.mode} run`;
  if (run.state !== "failed") return `${what} of ${plural(run.total, "symbol")} is complete ${took}.`;
  const causes = Map.groupBy(
    run.jobs.filter(({ state }) => state === "failed"),
    ({ error }) => error,
  );
  const common = causes.size === 1 && run.counts.failed > 1 ? " All for the same reason." : "";
  return `${what} ended ${took}: ${outcomeOf(run)}.${common}`;
}

function sectionsOf(run: RunReport, title: string | undefined): Section[] {
  const { counts } = run;
  const failures = run.jobs.filter(({ state }) => state === "failed");
  const others = run.jobs.filter(({ state }) => state !== "failed");
  const left = counts.skipped + counts.cancelled;
  const summary: Section = {
    ...(title !== undefined && { title }),
    facts: [
      ["Complete", `${count(counts.complete)} of ${count(run.total)}`],
      ["Failed", count(counts.failed)],
      ...(left > 0 ? [["Skipped or cancelled", count(left)] as const] : []),
      ["Data points", count(run.dataPoints)],
      ["API calls", count(run.apiCalls)],
      ["Interval and provider", `${run.interval}, ${run.provider}`],
      ["Started", utcMinute(run.createdAt)],
      ["Ended", utcMinute(run.finishedAt)],
    ],
  };
  return [
    summary,
    ...(failures.length > 0
      ? [
          {
            title: "Failed",
            table: tableOf(failures, counts.failed, ["Symbol", "Why"], ({ symbol, error }) => [symbol, error ?? ""]),
          },
        ]
      : []),
    ...(others.length > 0
      ? [
          {
            title: failures.length > 0 ? "The others" : "Symbols",
            table: tableOf(
              others.slice(0, SHOWN),
              run.total - counts.failed,
              ["Symbol", "Status", "Data points", "API calls", "Duration"],
              (job) => [
                job.symbol,
                job.state,
                count(job.dataPoints),
                count(job.apiCalls),
                duration(job.seconds * 1000),
              ],
            ),
          },
        ]
      : []),
  ];
}

function tableOf(jobs: readonly JobReport[], all: number, head: string[], cells: (job: JobReport) => string[]) {
  const more = all - jobs.length;
  return { head, rows: jobs.map(cells), more: more > 0 ? `and ${count(more)} more` : undefined };
}

export function recoveryMail(events: readonly RunRecovered[], base: string): MailContent {
  const { id, name, mode, interval, provider, total, finishedAt } = events[0]!.run;
  const what = name ? `The run “${name}”` : `The ${mode} run`;
  const one = events.length === 1;
  return {
    subject: one
      ? `${name ? `${name} recovered` : "Recovered"}: ${plural(total, "symbol")} complete`
      : `${plural(events.length, "run")} recovered`,
    lead: one
      ? `${what} (${interval}, ${provider}) is complete since ${utcMinute(finishedAt)}; it or the one before it had failed.`
      : `${plural(events.length, "run")} are complete that failed before.`,
    sections: [],
    advice: "There is nothing to do.",
    link: one ? { title: "Open the run", url: `${base}/runs/${id}` } : { title: "Open the runs", url: `${base}/runs` },
  };
}

export function failureMail(events: readonly JobFailed[], base: string): MailContent {
  const first = events[0]!;
  const one = events.length === 1;
  const runs = new Set(events.map(({ runId }) => runId));
  return {
    subject: one
      ? `${first.symbol} failed: ${first.reason}`
      : `${plural(events.length, "symbol")} failed: ${names(events.map(({ symbol }) => symbol))}`,
    lead: one
      ? `${first.symbol} (${first.interval}, ${first.provider}) failed at ${utcMinute(first.at)}.`
      : `${plural(events.length, "symbol")} failed since ${utcMinute(first.at)}, in ${plural(runs.size, "run")}.`,
    sections: [
      {
        table: {
          head: ["Symbol", "Interval", "Provider", "Why"],
          rows: events
            .slice(0, SHOWN_FAILURES)
            .map(({ symbol, interval, provider, reason }) => [symbol, interval, provider, reason]),
          more: events.length > SHOWN_FAILURES ? `and ${count(events.length - SHOWN_FAILURES)} more` : undefined,
        },
      },
    ],
    advice:
      "Press Retry at a symbol when its cause is out of the way. Batches that are stored already are not fetched again.",
    link:
      runs.size === 1
        ? { title: "Open the run", url: `${base}/runs/${first.runId}` }
        : { title: "Open the runs", url: `${base}/runs` },
  };
}

/** Every symbol of some runs as CSV, for a spreadsheet. */
export function runTable(events: readonly RunEnded[]): string {
  const head = ["run", "symbol", "interval", "provider", "state", "data_points", "api_calls", "seconds", "error"];
  const rows = events.flatMap(({ run: { id, interval, provider, jobs } }) =>
    jobs.map(({ symbol, state, dataPoints, apiCalls, seconds, error }) =>
      [id, symbol, interval, provider, state, dataPoints, apiCalls, seconds, error ?? ""].map(csvCell).join(","),
    ),
  );
  return `${[head.join(","), ...rows].join("\r\n")}\r\n`;
}

/** A text that begins like a formula would be one in a spreadsheet: it gets an apostrophe. */
function csvCell(value: string | number): string {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
