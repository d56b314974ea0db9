/** Schedules: what runs when, and the result of each due time. */

import type { Interval } from "./market/interval.ts";
import type { Mode, RunState } from "./runs/states.ts";

/** What happens to turns missed while the server was down: one run catches up with all of them, or they are skipped. */
export const MISSED_POLICIES = ["catch_up", "skip"] as const;
export type MissedPolicy = (typeof MISSED_POLICIES)[number];

/** Which symbols a schedule runs: those it names, those of a watchlist, or all that have a stored profile. */
export const SCHEDULE_SCOPES = ["symbols", "watchlist", "stored"] as const;
export type ScheduleScope = (typeof SCHEDULE_SCOPES)[number];

/** Why a turn ran: it was due, it catches up with missed ones, or somebody pressed "Run now". */
export const TURN_CAUSES = ["due", "catch_up", "by_hand"] as const;
export type TurnCause = (typeof TURN_CAUSES)[number];

/** The result of a turn: a run was started, skipped, missed while the server was down, or refused. */
export const TURN_OUTCOMES = ["started", "skipped", "missed", "refused"] as const;
type TurnOutcome = (typeof TURN_OUTCOMES)[number];

/** A schedule as people write it. */
export interface ScheduleInput {
  readonly name: string;
  /** Five fields, or six with the seconds first. */
  readonly cron: string;
  /** An IANA name. */
  readonly timeZone: string;
  readonly scope: ScheduleScope;
  /** For the scope `symbols`; empty otherwise. */
  readonly symbols: readonly string[];
  /** For the scope `watchlist`; `null` otherwise, and when the watchlist was deleted. */
  readonly watchlistId: number | null;
  readonly interval: Interval;
  /** `null`: the server's default. */
  readonly provider: string | null;
  readonly mode: Mode;
  /** How far back a full run goes, and the first run of a symbol without history. */
  readonly years: number | "all";
  readonly enabled: boolean;
  readonly onMissed: MissedPolicy;
}

export interface Schedule extends ScheduleInput {
  readonly id: number;
  /** Every turn up to this moment (epoch milliseconds) has been processed. */
  readonly checkedAt: number;
}

/** One time a schedule was due, or was run manually. Times are epoch milliseconds. */
export interface Turn {
  readonly dueAt: number;
  readonly at: number;
  readonly cause: TurnCause;
  readonly outcome: TurnOutcome;
  /** A remark in one sentence; may be empty. */
  readonly note: string;
  /** The run it started, unless that was deleted. */
  readonly run: {
    readonly id: string;
    readonly state: RunState;
    readonly complete: number;
    readonly failed: number;
    /** Its duration; `null` while it is unfinished. */
    readonly seconds: number | null;
  } | null;
}

/** Usual times, offered by the form. */
export const CRON_PRESETS = [
  { key: "close", title: "After the US close", cron: "30 18 * * 1-5", timeZone: "America/New_York" },
  // The first bar of an hour ends at 10:30, the last one at 16:00.
  { key: "session", title: "Every hour in session", cron: "35 10-16 * * 1-5", timeZone: "America/New_York" },
  { key: "daily", title: "Daily", cron: "15 0 * * *", timeZone: "UTC" },
  { key: "weekly", title: "Weekly", cron: "0 6 * * 6", timeZone: "UTC" },
] as const;
