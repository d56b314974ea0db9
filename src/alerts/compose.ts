/** Makes a mail of events of one kind. */

import type { AlertEvent, AlertKind } from "../domain/alerts.ts";
import { gapLetter, revisionLetter } from "./templates/data-quality.ts";
import { type MailContent, type RenderedMail, renderMail } from "./templates/layout.ts";
import { quotaLetter, scheduleLetter } from "./templates/operations.ts";
import { failureLetter, runLetter } from "./templates/runs.ts";

/** The events of a kind; two kinds may share their shape. */
type EventOf<Kind extends AlertKind> = AlertEvent extends infer Each
  ? Each extends { kind: infer K }
    ? Kind extends K
      ? Each
      : never
    : never
  : never;

const TEMPLATES: { readonly [Kind in AlertKind]: (events: readonly EventOf<Kind>[], base: string) => MailContent } = {
  job_failed: failureLetter,
  run_failed: runLetter,
  run_finished: runLetter,
  quota_level: quotaLetter,
  revision_found: revisionLetter,
  gap_found: gapLetter,
  schedule_missed: scheduleLetter,
};

/**
 * @param events at least one, all of this kind
 * @param base the address of the server, for links
 */
export function composeMail(kind: AlertKind, events: readonly AlertEvent[], base: string): RenderedMail {
  const template = TEMPLATES[kind] as (events: readonly AlertEvent[], base: string) => MailContent;
  return renderMail(template(events, base), base);
}
