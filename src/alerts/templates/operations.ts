/** Mails about the service itself: quotas, schedules, and the test mail. */

import type { QuotaLevel, ScheduleMissed } from "../../domain/alerts.ts";
import { utcMinute } from "../../domain/time.ts";
import { count, names, plural } from "./format.ts";
import type { MailContent } from "./layout.ts";

const share = ({ used, limit }: QuotaLevel) => `${Math.floor((100 * used) / limit)}%`;

export function quotaMail(events: readonly QuotaLevel[], base: string): MailContent {
  const first = events[0]!;
  const one = events.length === 1;
  return {
    subject: one
      ? `${first.provider}: ${share(first)} of the ${first.period}'s quota is used`
      : `Quota of ${names(events.map(({ provider }) => provider))} is nearly used`,
    lead: one
      ? `${first.provider} has answered ${count(first.used)} of the ${count(first.limit)} ${first.counts} that your plan allows per ${first.period}.`
      : `${plural(events.length, "quota")} reached the level you chose.`,
    sections: [
      {
        table: {
          head: ["Provider", "Period", "Used", "Limit", "Share", "Resets at"],
          rows: events.map((each) => [
            each.provider,
            each.period,
            count(each.used),
            count(each.limit),
            share(each),
            each.resetsAt === null ? "" : utcMinute(each.resetsAt * 1000),
          ]),
        },
      },
    ],
    advice:
      "When a quota is used up, jobs wait for its reset and go on by themselves. To be done sooner, cancel runs that can wait, or use another provider.",
    link: { title: "Open the monitor", url: `${base}/` },
  };
}

export function scheduleMail(events: readonly ScheduleMissed[], base: string): MailContent {
  const first = events[0]!;
  const one = events.length === 1;
  return {
    subject: one ? `Schedule missed: ${first.name}` : `${plural(events.length, "scheduled run")} missed`,
    lead: one
      ? `The schedule “${first.name}” was due at ${utcMinute(first.dueAt)} and did not run: ${first.reason}.`
      : `${plural(events.length, "scheduled run")} did not start when they were due: ${names(events.map(({ name }) => name))}.`,
    sections: [
      {
        table: {
          head: ["Schedule", "Was due", "Caught up", "Why"],
          rows: events.map(({ name, dueAt, caughtUp, reason }) => [
            name,
            utcMinute(dueAt),
            caughtUp ? "yes" : "no",
            reason,
          ]),
        },
      },
    ],
    advice: events.every(({ caughtUp }) => caughtUp)
      ? "A later run has caught up; there is nothing to do."
      : "To catch up now, press Run now on the schedule.",
    link: { title: "Open the schedules", url: `${base}/schedules` },
  };
}

export function testMail(base: string, now: number): MailContent {
  return {
    subject: "Test mail from Barkeep",
    lead: "This is the test mail you asked for: Barkeep's mails reach you.",
    sections: [{ facts: [["Asked for", utcMinute(now)]] }],
    advice: "There is nothing to do.",
    link: { title: "Open the alerts", url: `${base}/alerts` },
  };
}
