/** Mails about the service itself: quotas, schedules, and the test mail. */

import type {
  BackupFailed,
  DailySummary,
  DiskLow,
  KeyRefused,
  QueueDown,
  QuotaLevel,
  ScheduleMissed,
  WorkerLost,
} from "../../domain/alerts.ts";
import { utcMinute } from "../../domain/time.ts";
import { count, names, plural } from "./format.ts";
import type { MailContent } from "./layout.ts";

/** Rows of a table, at most. */
const SHOWN = 200;

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

export function keyMail(events: readonly KeyRefused[], base: string): MailContent {
  const first = events[0]!;
  return {
    subject: `Key refused: ${names(events.map(({ provider }) => provider))}`,
    lead: `${first.provider} refused the key at ${utcMinute(first.at)}; its jobs have stopped: ${first.reason}`,
    sections:
      events.length === 1
        ? []
        : [{ table: { head: ["Provider", "Why"], rows: events.map(({ provider, reason }) => [provider, reason]) } }],
    advice: "Check or replace the key on the settings page, then press Retry on the runs that failed.",
    link: { title: "Open the settings", url: `${base}/settings` },
  };
}

/** `1.4 GB` */
const gigabytes = (bytes: number) => `${count(bytes / 1e9)} GB`;

export function diskMail(events: readonly DiskLow[], base: string): MailContent {
  const { free, database } = events.at(-1)!;
  return {
    subject: `Disk nearly full: ${gigabytes(free)} left`,
    lead: `${gigabytes(free)} are left on the disk of the database, which has ${gigabytes(database)}.`,
    sections: [],
    advice:
      "When the disk is full nothing can be stored and runs fail. Free space, or move the database to a larger disk.",
    link: { title: "Open the monitor", url: `${base}/` },
  };
}

export function workerMail(events: readonly WorkerLost[], base: string): MailContent {
  const lost = events.flatMap(({ others = [], ...each }) => [each, ...others]);
  const first = lost[0]!;
  const workers = [...new Set(lost.map(({ name }) => name))];
  return {
    subject: `Lost: ${workers.length === 1 ? "worker" : "workers"} ${names(workers)}`,
    lead:
      lost.length === 1
        ? `The worker ${first.name} has not been heard of since ${utcMinute(first.at)}. Others do its ${plural(first.jobs, "job")}.`
        : `${plural(workers.length, "worker")} are not heard of any more. Others do their jobs.`,
    sections:
      lost.length === 1
        ? []
        : [
            {
              table: {
                head: ["Worker", "Last heard of", "Jobs"],
                rows: lost.slice(0, SHOWN).map((each) => [each.name, utcMinute(each.at), count(each.jobs)]),
                more: lost.length > SHOWN ? `and ${count(lost.length - SHOWN)} more` : undefined,
              },
            },
          ],
    advice: "Check that machine and its network. A worker comes back by itself when it reaches the server again.",
    link: { title: "Open the hosts", url: `${base}/hosts` },
  };
}

export function queueMail(events: readonly QueueDown[], base: string): MailContent {
  const { what, detail, advice, since } = events.at(-1)!;
  return {
    subject: "The job queue is down",
    lead: `${what}, since ${utcMinute(since)} (${detail}). No new jobs begin; nothing is lost.`,
    sections: [],
    advice: `${advice} The work goes on by itself when it answers.`,
    link: { title: "Open the hosts", url: `${base}/hosts` },
  };
}

export function backupMail(events: readonly BackupFailed[], base: string): MailContent {
  const { at, folder, reason, advice } = events.at(-1)!;
  return {
    subject: "Backup failed",
    lead: `The backup of ${utcMinute(at)} to ${folder} was not made: ${reason}.`,
    sections:
      events.length === 1
        ? []
        : [
            {
              table: {
                head: ["When", "Folder", "Why"],
                rows: events.map((each) => [utcMinute(each.at), each.folder, each.reason]),
              },
            },
          ],
    advice: `${advice} Earlier backups were kept.`,
    link: { title: "Open the settings", url: `${base}/settings#backups` },
  };
}

export function summaryMail(events: readonly DailySummary[], base: string): MailContent {
  const { day, runs, jobs, requests, series } = events.at(-1)!;
  const failed = jobs.failed ?? 0;
  const all = Object.values(series).reduce((sum, each) => sum + each, 0);
  const worse = Object.entries(series).filter(([health, each]) => health !== "ok" && each > 0);
  return {
    subject: `Summary of ${day}: ${failed === 0 ? "nothing failed" : `${plural(failed, "symbol")} failed`}`,
    lead: `In the 24 hours before this message ${plural(runs.complete ?? 0, "run")} completed and ${count(runs.failed ?? 0)} failed.`,
    sections: [
      {
        facts: [
          ["Symbols complete", count(jobs.complete ?? 0)],
          ["Symbols failed", count(failed)],
          ["API calls", count(requests)],
          ["Stored series", count(all)],
          ...worse.map(([health, each]) => [`Of these ${health}`, count(each)] as const),
        ],
      },
    ],
    advice:
      failed === 0 ? "There is nothing to do." : "Open the runs and press Retry where the cause no longer exists.",
    link: { title: "Open the runs", url: `${base}/runs` },
  };
}

export function testMail(base: string, now: number): MailContent {
  return {
    subject: "Test mail from Barkeep",
    lead: "This is the test you asked for: Barkeep's alerts reach you.",
    sections: [{ facts: [["Asked for", utcMinute(now)]] }],
    advice: "There is nothing to do.",
    link: { title: "Open the alerts", url: `${base}/alerts` },
  };
}
