/** Schedules: what is run when, and what became of each time it was due. */

import type { Interval } from "./market/interval.ts";
import type { Mode, RunState } from "./runs/states.ts";

/** What happens to a turn that was missed because nobody was there: one run makes up for all of them, or none does. */
export const MISSED_POLICIES = ["catch_up", "skip"] as const;
export type MissedPolicy = (typeof MISSED_POLICIES)[number];

/** Which symbols a schedule runs: those it names, those of a watchlist, or all that have a stored profile. */
export const SCHEDULE_SCOPES = ["symbols", "watchlist", "stored"] as const;
export type ScheduleScope = (typeof SCHEDULE_SCOPES)[number];

/** Why a turn was taken: it was due, it makes up for missed ones, or somebody pressed "run now". */
export const TURN_CAUSES = ["due", "catch_up", "by_hand"] as const;
export type TurnCause = (typeof TURN_CAUSES)[number];

/** What became of a turn: a run; nothing, because there was nothing to do or too much; nobody there; or refused. */
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
  /** Epoch milliseconds up to which every turn has been dealt with. */
  readonly checkedAt: number;
}

/** One time a schedule was due, or was run by hand. Times are epoch milliseconds. */
export interface Turn {
  readonly dueAt: number;
  readonly at: number;
  readonly cause: TurnCause;
  readonly outcome: TurnOutcome;
  /** What there is to say about it, in a sentence; may be empty. */
  readonly note: string;
  /** The run it started, unless that is forgotten by now. */
  readonly run: {
    readonly id: string;
    readonly state: RunState;
    readonly complete: number;
    readonly failed: number;
    /** How long it took; `null` while it is not over. */
    readonly seconds: number | null;
  } | null;
}
