/**
 * Decides which mails are to be made of the events that wait: pure, so that every rule can be tried on a clock.
 *
 * - What a person can do something about at once (a run that ended, a quota) is mailed at once, and whatever follows
 *   within the digest window is one mail at its end.
 * - What comes in flocks (failed symbols, revisions, gaps, missed schedules) is collected for one window from its
 *   first event on.
 * - A failed symbol is told in the mail of its run. It has a mail of its own only if its run has none, or goes on for
 *   longer than a day.
 * - In quiet hours no mail is made; what happened is told after them.
 */

import { ALERT_KINDS, type AlertEvent, type AlertKind, type AlertRules, type QuietHours } from "../domain/alerts.ts";
import type { PendingEvent } from "../storage/alerts/outbox.ts";

const MINUTE = 60_000;
/** A failed symbol waits no longer than this for its run to end. */
const LONGEST_WAIT = 24 * 60 * MINUTE;

/** Kinds that are mailed at once if nothing of them was mailed lately. */
const PROMPT: readonly AlertKind[] = ["run_failed", "run_finished", "quota_level"];

export interface MailPlan {
  /** Events that make one mail each, all of one kind. */
  readonly mails: readonly { readonly kind: AlertKind; readonly events: readonly PendingEvent[] }[];
  /** Events of which no mail will be made. */
  readonly muted: readonly number[];
  /** When to look again, epoch milliseconds; `null` = when there are new events. */
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
  const ended = new Set(pending.flatMap(({ event }) => ("run" in event ? [event.run.id] : [])));
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
    const dueAt = dueTime(kind, events[0]!.event, rules, lastMails.get(kind));
    if (dueAt <= now) mails.push({ kind, events });
    else nextAt = Math.min(nextAt ?? dueAt, dueAt);
  }
  return { mails, muted, nextAt };
}

/** Whether a failed run has a mail of its own: a rule for all runs that end is one for failed ones too. */
const mailsRuns = ({ on }: AlertRules) => on.run_failed || on.run_finished;

function isWanted({ kind }: AlertEvent, rules: AlertRules): boolean {
  return kind === "run_failed" ? mailsRuns(rules) : rules.on[kind];
}

function dueTime(kind: AlertKind, first: AlertEvent, rules: AlertRules, lastMail = Number.NEGATIVE_INFINITY): number {
  const window = rules.digestMinutes * MINUTE;
  if (PROMPT.includes(kind)) return Math.max(first.at, lastMail + window);
  return first.at + (kind === "job_failed" && mailsRuns(rules) ? Math.max(window, LONGEST_WAIT) : window);
}

/** Whether `now` lies in the quiet hours, by the clocks of their zone; they may go over midnight. */
export function isQuiet(quiet: QuietHours | null, now: number): boolean {
  if (quiet === null || quiet.from === quiet.to) return false;
  const { from, to, zone } = quiet;
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(now);
  return from < to ? from <= clock && clock < to : from <= clock || clock < to;
}
