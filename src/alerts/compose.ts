/** Composes one mail from events of one kind. */

import type { AlertEvent, AlertKind } from "../domain/alerts.ts";
import { gapMail, healthMail, revisionMail } from "./templates/data-quality.ts";
import { type MailContent, type RenderedMail, renderMail } from "./templates/layout.ts";
import {
  backupMail,
  diskMail,
  keyMail,
  queueMail,
  quotaMail,
  scheduleMail,
  summaryMail,
  workerMail,
} from "./templates/operations.ts";
import { promiseMail, promiseRecoveryMail } from "./templates/promises.ts";
import { failureMail, recoveryMail, runMail, runTable } from "./templates/runs.ts";

/** The events of a kind; two kinds may share their shape. */
type EventOf<Kind extends AlertKind> = AlertEvent extends infer Each
  ? Each extends { kind: infer K }
    ? Kind extends K
      ? Each
      : never
    : never
  : never;

const TEMPLATES: { readonly [Kind in AlertKind]: (events: readonly EventOf<Kind>[], base: string) => MailContent } = {
  job_failed: failureMail,
  run_failed: runMail,
  run_finished: runMail,
  quota_level: quotaMail,
  revision_found: revisionMail,
  gap_found: gapMail,
  schedule_missed: scheduleMail,
  run_recovered: recoveryMail,
  key_refused: keyMail,
  series_stale: healthMail,
  quality_found: healthMail,
  disk_low: diskMail,
  backup_failed: backupMail,
  worker_lost: workerMail,
  queue_down: queueMail,
  freshness_at_risk: promiseMail,
  freshness_missed: promiseMail,
  freshness_recovered: promiseRecoveryMail,
  daily_summary: summaryMail,
};

/**
 * @param events at least one, all of this kind
 * @param base the address of the server, for links
 */
export function composeMail(kind: AlertKind, events: readonly AlertEvent[], base: string): RenderedMail {
  const template = TEMPLATES[kind] as (events: readonly AlertEvent[], base: string) => MailContent;
  const attachment = kind === "run_failed" ? runTable(events as EventOf<"run_failed">[]) : null;
  return { ...renderMail(template(events, base), base), attachment };
}
