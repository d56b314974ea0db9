/** A thread that deletes old rows and tidies the file once, and ends: a million rows take half a minute. */

import { messageOf } from "../../domain/errors.ts";
import type { WorkerSettings } from "../../pipeline/messages.ts";
import { deleteMails } from "../../storage/alerts/outbox.ts";
import { type Database, openShared, type SharedDatabase } from "../../storage/db.ts";
import { type DeleteLimits, deleteBefore, refreshStatistics, tidyFile } from "../../storage/maintenance.ts";

export type ToMaintenanceWorker =
  | {
      readonly type: "tidy";
      readonly settings: Pick<WorkerSettings, "lease" | keyof SharedDatabase>;
      readonly before: DeleteLimits;
      /** What refreshes the statistics of the connection that asks, see `staleStatistics`. */
      readonly statistics: readonly string[];
    }
  /** Jobs have begun: free pages stay in the file. */
  | { readonly type: "jobs" }
  /** The server ends: what is left is deleted next time. */
  | { readonly type: "stop" };

export type FromMaintenanceWorker =
  | { readonly type: "done"; readonly logs: number; readonly runs: number; readonly mails: number }
  | { readonly type: "failed"; readonly message: string };

declare const self: Pick<Worker, "onmessage" | "postMessage">;

let isIdle = true;
let isStopped = false;

async function tidy(db: Database, before: DeleteLimits, statistics: readonly string[]): Promise<FromMaintenanceWorker> {
  const goesOn = () => !isStopped;
  const deleted = await deleteBefore(db, before, goesOn);
  const mails = goesOn() ? await deleteMails(db, before.logs) : 0;
  await tidyFile(db, () => isIdle && goesOn());
  if (goesOn()) await refreshStatistics(db, statistics);
  return { type: "done", ...deleted, mails };
}

self.onmessage = async ({ data: message }: MessageEvent<ToMaintenanceWorker>) => {
  if (message.type === "stop") isStopped = true;
  if (message.type === "jobs") isIdle = false;
  if (message.type !== "tidy") return;
  const { settings, before, statistics } = message;
  let db: Database | undefined;
  let answer: FromMaintenanceWorker;
  try {
    db = await openShared(settings);
    db.fence(settings.lease);
    answer = await tidy(db, before, statistics);
  } catch (error) {
    answer = { type: "failed", message: messageOf(error) };
  }
  db?.close();
  self.postMessage(answer);
  process.exit();
};
