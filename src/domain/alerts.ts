/** Alert events, and the rules that decide which are mailed. */

import type { Interval } from "./market/interval.ts";
import type { JobState, Mode, RunState } from "./runs/states.ts";
import { isoDate } from "./time.ts";

export const ALERT_KINDS = [
  "job_failed",
  "run_failed",
  "run_finished",
  "quota_level",
  "revision_found",
  "gap_found",
  "schedule_missed",
  "run_recovered",
  "key_refused",
  "series_stale",
  "quality_found",
  "disk_low",
  "backup_failed",
  "worker_lost",
  "queue_down",
  "freshness_at_risk",
  "freshness_missed",
  "freshness_recovered",
  "daily_summary",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** One symbol of a run that has ended. */
export interface JobReport {
  readonly symbol: string;
  readonly state: JobState;
  readonly dataPoints: number;
  readonly apiCalls: number;
  /** Seconds worked. */
  readonly seconds: number;
  /** Why it failed, or `null`. */
  readonly error: string | null;
}

/** A run that has ended. */
export interface RunReport {
  readonly id: string;
  /** Missing in events of earlier versions. */
  readonly name?: string | null;
  readonly mode: Mode;
  readonly interval: Interval;
  readonly provider: string;
  readonly state: RunState;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly finishedAt: number;
  readonly counts: Readonly<Record<JobState, number>>;
  readonly total: number;
  readonly dataPoints: number;
  readonly apiCalls: number;
  /** At most `REPORTED_JOBS`, those that failed first. */
  readonly jobs: readonly JobReport[];
}

/** Rows of a run that its report carries; the page of the run has them all. */
export const REPORTED_JOBS = 500;

interface About<Kind extends AlertKind> {
  readonly kind: Kind;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface JobFailed extends About<"job_failed"> {
  readonly runId: string;
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  readonly reason: string;
}

export interface RunEnded extends About<"run_failed" | "run_finished"> {
  readonly run: RunReport;
}

export interface QuotaLevel extends About<"quota_level"> {
  readonly provider: string;
  readonly period: string;
  readonly counts: string;
  readonly used: number;
  readonly limit: number;
  /** Epoch seconds. */
  readonly resetsAt: number | null;
}

export interface RevisionFound extends About<"revision_found"> {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  /** What the comparison classified it as. */
  readonly what: "split" | "dividend" | "correction" | "suspicious" | "scale";
  /** Bars that differ, or are missing from a suspicious answer; 1 of a doubt about the scale. */
  readonly bars: number;
  /** The first and the last of them, epoch seconds. */
  readonly from: number;
  readonly to: number;
  /** What was found and what was done about it, in one sentence. */
  readonly detail: string;
}

export interface GapFound extends About<"gap_found"> {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  /** What is missing, e.g. `3 sessions`. */
  readonly missing: string;
  /** The first and the last session concerned, midnight UTC of the trading date in epoch seconds. */
  readonly from: number;
  readonly to: number;
}

export interface ScheduleMissed extends About<"schedule_missed"> {
  readonly scheduleId: string;
  readonly name: string;
  /** When it was due, epoch milliseconds. */
  readonly dueAt: number;
  /** Whether it was caught up with, or skipped. */
  readonly caughtUp: boolean;
  readonly reason: string;
}

/** A run is complete that failed before, or whose schedule's last run failed. */
export interface RunRecovered extends About<"run_recovered"> {
  readonly run: Omit<RunReport, "jobs">;
}

/** A provider refused the key: none of its jobs can succeed. */
export interface KeyRefused extends About<"key_refused"> {
  readonly provider: string;
  readonly reason: string;
}

/** A series whose health became worse: no bars of a session that closed a day ago, or implausible ones. */
export interface SeriesHealth extends About<"series_stale" | "quality_found"> {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  /** Start of its last bar, epoch seconds. */
  readonly lastBar: number;
}

export interface DiskLow extends About<"disk_low"> {
  /** Bytes. */
  readonly free: number;
  readonly database: number;
}

/** A backup could not be made. */
export interface BackupFailed extends About<"backup_failed"> {
  readonly folder: string;
  /** Clauses: what went wrong, and what to do about it. */
  readonly reason: string;
  readonly advice: string;
}

/** A worker on another machine is not heard of any more, and had not said that it ends. */
export interface WorkerLost extends About<"worker_lost"> {
  readonly name: string;
  /** Jobs that it had: others do them. */
  readonly jobs: number;
  /** Workers that were lost at the same time, if they are too many for an alert each. */
  readonly others?: readonly { readonly name: string; readonly at: number; readonly jobs: number }[];
}

/** The job queue has not answered for a minute. */
export interface QueueDown extends About<"queue_down"> {
  /** A clause and a sentence; where it is and what it said, without a secret. */
  readonly what: string;
  readonly detail: string;
  readonly advice: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** The deadline of a promise that is in danger, that was missed, or whose symbols are up to date after all. */
export interface PromiseEvent extends About<"freshness_at_risk" | "freshness_missed" | "freshness_recovered"> {
  readonly promiseId: number;
  readonly name: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
  readonly total: number;
  readonly missing: number;
  /** The first of the missing symbols. */
  readonly symbols: readonly string[];
  /** Why, in one sentence without a full stop; empty for one that recovered. */
  readonly reason: string;
}

/** What happened in the 24 hours before a chosen time of the day. */
export interface DailySummary extends About<"daily_summary"> {
  /** The day in the zone of the rules: `2026-01-15`. */
  readonly day: string;
  readonly runs: Readonly<Partial<Record<RunState, number>>>;
  readonly jobs: Readonly<Partial<Record<JobState, number>>>;
  readonly requests: number;
  /** Series by health. */
  readonly series: Readonly<Record<string, number>>;
}

export type AlertEvent =
  | JobFailed
  | RunEnded
  | QuotaLevel
  | RevisionFound
  | GapFound
  | ScheduleMissed
  | RunRecovered
  | KeyRefused
  | SeriesHealth
  | DiskLow
  | BackupFailed
  | WorkerLost
  | QueueDown
  | PromiseEvent
  | DailySummary;

const utcDay = (at: number) => isoDate(at / 1_000);

/** The identity of an event: recorded twice, it counts once. */
export function alertKey(event: AlertEvent): string {
  switch (event.kind) {
    case "job_failed":
      return `${event.kind}:${event.runId}:${event.symbol}:${event.at}`;
    case "run_failed":
    case "run_finished":
      return `${event.kind}:${event.run.id}:${event.run.finishedAt}`;
    case "quota_level":
      return `${event.kind}:${event.provider}:${event.period}:${event.counts}:${event.resetsAt ?? event.at}`;
    case "revision_found": {
      const key = `${event.kind}:${event.symbol}:${event.interval}:${event.provider}:${event.what}`;
      // A doubt is reported once, also if it is found again later.
      if (event.what === "scale") return `${key}:${event.from}:${event.to}`;
      // An answer that lacks stored bars will lack them until the overlap has moved past them.
      return event.what === "suspicious" ? `${key}:${event.to}` : `${key}:${event.from}:${event.to}:${event.at}`;
    }
    case "gap_found":
      return `${event.kind}:${event.symbol}:${event.interval}:${event.provider}:${event.from}:${event.to}`;
    case "schedule_missed":
      return `${event.kind}:${event.scheduleId}:${event.dueAt}`;
    case "run_recovered":
      return `${event.kind}:${event.run.id}:${event.run.finishedAt}`;
    case "key_refused":
      return `${event.kind}:${event.provider}:${utcDay(event.at)}`;
    case "series_stale":
    case "quality_found":
      // Once until it has newer bars.
      return `${event.kind}:${event.symbol}:${event.interval}:${event.provider}:${event.lastBar}`;
    case "disk_low":
      return `${event.kind}:${utcDay(event.at)}`;
    case "backup_failed":
      return `${event.kind}:${event.at}`;
    case "worker_lost":
      return `${event.kind}:${lostNames(event)}:${utcDay(event.at)}`;
    case "queue_down":
      return `${event.kind}:${event.since}`;
    case "freshness_at_risk":
    case "freshness_missed":
    case "freshness_recovered":
      return `${event.kind}:${event.promiseId}:${event.deadline}`;
    case "daily_summary":
      return `${event.kind}:${event.day}`;
  }
}

/** The name, or the first of several and how many there are. */
function lostNames({ name, others = [] }: WorkerLost): string {
  const [first] = [name, ...others.map((each) => each.name)].sort();
  return others.length === 0 ? name : `${first} and ${others.length} more`;
}

/** The run an event belongs to, or `null`. */
export function alertRun(event: AlertEvent): string | null {
  if (event.kind === "job_failed") return event.runId;
  return "run" in event ? event.run.id : null;
}

/** Hours of the day in which no mail is sent, e.g. from `22:00` to `07:00` in `Europe/Berlin`. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
  /** IANA time zone. */
  readonly zone: string;
}

export interface AlertRules {
  /** The kinds that are mailed. */
  readonly on: Readonly<Record<AlertKind, boolean>>;
  /** Share of a day's or month's quota at which a mail is sent, percent. */
  readonly quotaPercent: number;
  /** How long events of a kind are collected into one mail, minutes. */
  readonly digestMinutes: number;
  readonly quiet: QuietHours | null;
  /** When the daily summary is made: `18:00` in an IANA time zone. */
  readonly summary: { readonly at: string; readonly zone: string };
}

export const DEFAULT_ALERT_RULES: AlertRules = {
  on: {
    job_failed: true,
    run_failed: true,
    run_finished: false,
    quota_level: true,
    revision_found: true,
    gap_found: false,
    schedule_missed: true,
    run_recovered: true,
    key_refused: true,
    series_stale: false,
    quality_found: false,
    disk_low: true,
    backup_failed: true,
    worker_lost: true,
    queue_down: true,
    freshness_at_risk: true,
    freshness_missed: true,
    freshness_recovered: true,
    daily_summary: false,
  },
  quotaPercent: 80,
  digestMinutes: 15,
  quiet: null,
  summary: { at: "18:00", zone: "UTC" },
};

/** `waiting`: to be sent at its time. `sending`: being sent. `failed`: given up, with the reason. */
export const MAIL_STATES = ["waiting", "sending", "sent", "failed"] as const;

/** Kinds whose texts say where backups go or the job queue is, which admins see. */
const NAMES_PLACES: ReadonlySet<string> = new Set<AlertKind>(["backup_failed", "queue_down"]);
export const namesPlaces = (kind: string): boolean => NAMES_PLACES.has(kind);

/** A text without the mail addresses in it, for the log. */
export const withoutMailAddresses = (text: string): string =>
  text.replace(/[^\s<>"'(),;:@]+@[^\s<>"'(),;:@]+/g, "(an address)");

/** Where alerts go besides mail. */
export const CHANNEL_KINDS = ["webhook", "slack", "discord", "telegram", "ntfy"] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];
