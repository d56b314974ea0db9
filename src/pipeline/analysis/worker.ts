/** The analysis thread: computes what pages ask for from whole histories, one task after the other. */

import { messageOf } from "../../domain/errors.ts";
import { type Calendar, createCalendar } from "../../domain/market/calendar.ts";
import type { PrunePreview } from "../../domain/series/prune-preview.ts";
import { SharedConnection } from "../../storage/db.ts";
import type { ExportContext } from "../exports/series/read-bars.ts";
import type { WorkerSettings } from "../messages.ts";
import { type DerivedProfile, type DerivedTask, deriveProfile } from "./derive-profile.ts";
import { type FeatureReport, type FeatureReportTask, reportFeatures } from "./feature-report.ts";
import { type PrunePreviewTask, previewPruning } from "./prune-preview.ts";
import { reportSeries, type SeriesReport, type SeriesReportTask } from "./series-report.ts";
import { listStoredSeries, type SeriesListTask, type SeriesPage } from "./stored-series.ts";

export type AnalysisTask = DerivedTask | FeatureReportTask | SeriesReportTask | SeriesListTask | PrunePreviewTask;

/** What comes of each kind of task: `null` without bars. */
interface Results {
  readonly profile: DerivedProfile | null;
  readonly features: FeatureReport | null;
  readonly series: SeriesReport | null;
  readonly stored: SeriesPage;
  readonly prune: PrunePreview;
}

export type ResultOf<Task extends AnalysisTask> = Results[Task["kind"]];

export type ToAnalysis =
  | { readonly type: "open"; readonly settings: WorkerSettings }
  | {
      readonly type: "start";
      readonly id: number;
      readonly task: AnalysisTask;
      /** Becomes 1 when nobody waits for the result any more. */
      readonly stopped: Int32Array<SharedArrayBuffer>;
    }
  | { readonly type: "close" };

/** The result of a task, or why there is none. */
export type FromAnalysis = { readonly id: number } & (
  | { readonly result: ResultOf<AnalysisTask> }
  | { readonly error: string }
);

declare const self: Pick<Worker, "onmessage" | "postMessage">;

let connection: SharedConnection;
let calendar: Calendar;

async function work({ id, task, stopped }: Extract<ToAnalysis, { type: "start" }>): Promise<void> {
  const throwIfStopped = () => {
    if (Atomics.load(stopped, 0) === 1) throw new Error("nobody waits for it any more");
  };
  const answer = (message: FromAnalysis) => self.postMessage(message);
  try {
    const db = await connection.open();
    answer({ id, result: await compute({ db, calendar, throwIfStopped }, task) });
  } catch (error) {
    answer({ id, error: messageOf(error) });
  }
}

function compute(context: ExportContext, task: AnalysisTask): Promise<ResultOf<AnalysisTask>> {
  switch (task.kind) {
    case "profile":
      return deriveProfile(context, task);
    case "features":
      return reportFeatures(context, task);
    case "series":
      return reportSeries(context, task);
    case "stored":
      return listStoredSeries(context, task);
    case "prune":
      return previewPruning(context, task);
  }
}

self.onmessage = async ({ data: message }: MessageEvent<ToAnalysis>) => {
  switch (message.type) {
    case "open":
      calendar = createCalendar(message.settings.sessions);
      connection = new SharedConnection(message.settings);
      break;
    case "start":
      await work(message);
      break;
    case "close":
      await connection.close();
      process.exit();
  }
};
