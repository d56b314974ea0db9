/** What a connection has not been sent yet. */

import type { LogLine } from "../../domain/log.ts";
import { LOG_PANEL_LINES } from "../../views/runs/log-panel.tsx";

/** Holds the keys of rows, not rows: each is rendered as it is when it is sent. */
export interface PendingUpdate {
  /** All runs and rows, for a page that is too old for single updates. */
  readonly whole: boolean;
  /** Whether the view shows other runs, and which of them came. */
  readonly sections: boolean;
  readonly cameRuns: readonly string[];
  /** Whether the view shows other rows, or another order of them. */
  readonly rows: boolean;
  /** The keys of the jobs whose rows came. */
  readonly came: readonly string[];
  readonly jobs: readonly string[];
  readonly runs: readonly string[];
  /** Whether other runs are in the strip, or in another order. */
  readonly strip: boolean;
  /** Runs whose cards in the strip changed. */
  readonly cards: readonly string[];
  readonly logs: readonly LogLine[];
  readonly wholeLog: boolean;
  /** The quotas of the providers in use. */
  readonly quota: boolean;
  readonly promises: boolean;
  /** The last hour. */
  readonly lastHour: boolean;
  /** For screen readers. */
  readonly sentence: string;
}

export const NOTHING: PendingUpdate = {
  whole: false,
  sections: false,
  cameRuns: [],
  rows: false,
  came: [],
  jobs: [],
  runs: [],
  strip: false,
  cards: [],
  logs: [],
  wholeLog: false,
  quota: false,
  promises: false,
  lastHour: false,
  sentence: "",
};

export const isEmpty = (update: PendingUpdate) =>
  !update.whole &&
  !update.sections &&
  !update.rows &&
  !update.wholeLog &&
  !update.quota &&
  !update.promises &&
  !update.lastHour &&
  !update.strip &&
  update.jobs.length + update.runs.length + update.cards.length + update.logs.length === 0 &&
  update.sentence === "";

/** Merges two updates: newest per job, bounded log. */
export function merge(before: PendingUpdate | null, after: PendingUpdate): PendingUpdate {
  if (before === null) return after;
  const whole = before.whole || after.whole;
  const union = (name: "cameRuns" | "came" | "jobs" | "runs") =>
    whole ? [] : [...new Set([...before[name], ...after[name]])];
  const logs = [...before.logs, ...after.logs];
  const wholeLog = before.wholeLog || logs.length >= LOG_PANEL_LINES;
  return {
    whole,
    sections: !whole && (before.sections || after.sections),
    cameRuns: union("cameRuns"),
    rows: !whole && (before.rows || after.rows),
    came: union("came"),
    jobs: union("jobs"),
    runs: union("runs"),
    strip: before.strip || after.strip,
    cards: [...new Set([...before.cards, ...after.cards])],
    logs: wholeLog ? [] : logs,
    wholeLog,
    quota: before.quota || after.quota,
    promises: before.promises || after.promises,
    lastHour: before.lastHour || after.lastHour,
    sentence: after.sentence || before.sentence,
  };
}
