/**
 * Decides which mails to make from pending events. Pure. Prompt kinds are mailed at once, and further events within the
 * digest window together at its end; all other kinds are collected for one window from their first event on. In quiet
 * hours no mail is made; their events are mailed afterwards.
 */

import { ALERT_KINDS, type AlertEvent, type AlertKind, type AlertRules, type QuietHours } from "../domain/alerts.ts";
import type { PendingEvent } from "../storage/alerts/outbox.ts";

const MINUTE = 60_000;
/** A failed symbol is part of its run's mail, but waits no longer than this for the run to end. */
const MAX_WAIT_MS = 24 * 60 * MINUTE;

/** Kinds that are mailed at once unless one of them was mailed within the digest window. */
const PROMPT: readonly AlertKind[] = [
  "run_failed",
  "run_finished",
  "quota_level",
  "run_recovered",
  "key_refused",
  "disk_low",
  "backup_failed",
  "worker_lost",
  "queue_down",
  "freshness_at_risk",
  "freshness_missed",
  "freshness_recovered",
  "daily_summary",
];

export interface MailPlan {
  /** Events that make one mail each, all of one kind. */
  readonly mails: readonly { readonly kind: AlertKind; readonly events: readonly PendingEvent[] }[];
  /** Events that will not be mailed. */
  readonly muted: readonly number[];
  /** When to plan again, epoch milliseconds; `null`: when there are new events. */
  readonly nextAt: number | null;
}

/**
 * @param pending oldest first
 * @param lastMails when the last mail of a kind was made, epoch milliseconds
 */
export function planMails(
  pending: readonly PendingEvent[],
  rules: AlertRules,
  lastMails: ReadonlyMap<string, number>,
  now: number,
): MailPlan {
  const ended = new Set(
    pending.flatMap(({ event }) =>
      event.kind === "run_failed" || event.kind === "run_finished" ? [event.run.id] : [],
    ),
  );
  const muted: number[] = [];
  const wanted = new Map<AlertKind, PendingEvent[]>();
  for (const each of pending) {
    const { event } = each;
    if (!isWanted(event, rules) || (event.kind === "job_failed" && mailsRuns(rules) && ended.has(event.runId))) {
      muted.push(each.id);
    } else {
      const same = wanted.get(event.kind);
      if (same) same.push(each);
      else wanted.set(event.kind, [each]);
    }
  }
  if (wanted.size === 0) return { mails: [], muted, nextAt: null };
  if (isQuiet(rules.quiet, now)) return { mails: [], muted, nextAt: (Math.floor(now / MINUTE) + 1) * MINUTE };

  const mails = [];
  let nextAt: number | null = null;
  for (const kind of ALERT_KINDS) {
    const events = wanted.get(kind);
    if (events === undefined) continue;
    const dueAt = dueTime(kind, Math.min(now, events[0]!.event.at), rules, lastMails.get(kind));
    if (dueAt <= now) mails.push({ kind, events });
    else nextAt = Math.min(nextAt ?? dueAt, dueAt);
  }
  return { mails, muted, nextAt };
}

/** Whether failed runs are mailed: a rule for all finished runs includes failed ones. */
const mailsRuns = ({ on }: AlertRules) => on.run_failed || on.run_finished;

function isWanted({ kind }: AlertEvent, rules: AlertRules): boolean {
  return kind === "run_failed" ? mailsRuns(rules) : rules.on[kind];
}

/** @param first when its first event happened, epoch milliseconds; not in the future, from which a clock may be set back */
function dueTime(kind: AlertKind, first: number, rules: AlertRules, lastMail = Number.NEGATIVE_INFINITY): number {
  const window = rules.digestMinutes * MINUTE;
  if (PROMPT.includes(kind)) return Math.max(first, lastMail + window);
  return first + (kind === "job_failed" && mailsRuns(rules) ? Math.max(window, MAX_WAIT_MS) : window);
}

/** Whether `now` lies in the quiet hours, in their time zone; they may include midnight. */
export function isQuiet(quiet: QuietHours | null, now: number): boolean {
  if (quiet === null || quiet.from === quiet.to) return false;
  const { from, to, zone } = quiet;
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(now);
  return from < to ? from <= clock && clock < to : from <= clock || clock < to;
}
