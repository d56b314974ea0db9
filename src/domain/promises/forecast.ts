/** Whether the next deadline of a promise will be kept, and why not. Pure. */

import { formatDuration, utcMinute } from "../time.ts";
import type { ForecastState, FreshnessCounts } from "./promise.ts";

/** What endangers a deadline. */
export const RISK_CAUSES = ["schedule", "quota", "provider", "speed", "gaps", "storage"] as const;
type RiskCause = (typeof RISK_CAUSES)[number];

export interface Reason {
  readonly cause: RiskCause;
  readonly state: Exclude<ForecastState, "fresh">;
  /** In one sentence without a full stop. */
  readonly text: string;
  /** How many symbols it concerns; 0 for the promise as a whole. */
  readonly symbols: number;
}

/** One limit of a provider, and what is used of it. */
export interface Allowance {
  readonly period: "minute" | "hour" | "day" | "month";
  readonly counts: "requests" | "units";
  readonly used: number;
  readonly limit: number;
  /** Epoch seconds; `null` for the minute, which slides. */
  readonly resetsAt: number | null;
}

/** The work that will bring symbols up to date. Times are epoch seconds. */
export interface PlannedWork {
  readonly by: "run" | "schedule";
  /** `Nightly`, as in "the schedule Nightly". */
  readonly name: string;
  /** When it goes on: now for a run at work. */
  readonly startsAt: number;
  /** Seconds from then to the end, as expected and at worst; `null`: not known yet. */
  readonly seconds: { readonly expected: number; readonly worst: number } | null;
  /** What it still needs of the provider's limits; `null`: nothing that is known. */
  readonly needs: { readonly requests: number; readonly units: number } | null;
  readonly isPaused: boolean;
  /** What determines its end. */
  readonly limitedBy: "speed" | "rate" | "quota" | "hold";
}

/** Missing symbols with the same provider and the same work planned. */
export interface MissingGroup {
  readonly symbols: number;
  readonly provider: string;
  /** When the provider has the final bar, epoch seconds. */
  readonly readyAt: number;
  readonly work: PlannedWork | null;
  /** A paused schedule that would bring them up to date; empty if there is none. */
  readonly pausedSchedule: string;
  /** Why the provider cannot answer at all; `null` if it can. */
  readonly unusable: string | null;
  /** When it refused its key (epoch milliseconds), with no complete run since; `null` if it did not. */
  readonly refusedAt: number | null;
  /** Epoch seconds. */
  readonly hold: { readonly until: number; readonly reason: string } | null;
  readonly limits: readonly Allowance[];
}

export interface ForecastInput {
  /** Epoch seconds. */
  readonly now: number;
  readonly deadline: number;
  readonly counts: FreshnessCounts;
  readonly groups: readonly MissingGroup[];
  readonly gaps: {
    readonly open: number;
    /** Those that repairs could not fill. */
    readonly confirmed: number;
    readonly most: number;
  };
  /** What keeps the database from being written; `null` if nothing does. */
  readonly trouble: string | null;
}

export interface Forecast {
  readonly state: ForecastState;
  /** The worst first. */
  readonly reasons: readonly Reason[];
}

const RANK: readonly ForecastState[] = ["fresh", "on_track", "unknown", "at_risk", "will_be_missed"];
const worse = (a: ForecastState, b: ForecastState) => (RANK.indexOf(a) >= RANK.indexOf(b) ? a : b);

export function forecast(input: ForecastInput): Forecast {
  const { counts, groups, gaps, trouble } = input;
  const reasons = together(groups.map((group) => afterRefusal(group, reasonOf(group, input))));
  const allowed = `at most ${gaps.most} ${gaps.most === 1 ? "is" : "are"} allowed`;
  if (gaps.confirmed > gaps.most) {
    const text = `${gaps.confirmed} gaps that repairs could not fill: ${allowed}`;
    reasons.push({ cause: "gaps", state: "will_be_missed", symbols: 0, text });
  } else if (gaps.confirmed + gaps.open > gaps.most) {
    const text = `${gaps.confirmed + gaps.open} gaps: ${allowed}, a repair may fill ${gaps.open}`;
    reasons.push({ cause: "gaps", state: "at_risk", symbols: 0, text });
  }
  if (trouble !== null && counts.missing > 0)
    reasons.push({ cause: "storage", state: "at_risk", symbols: 0, text: trouble });
  let state: ForecastState = counts.total === 0 || counts.unknown > 0 ? "unknown" : "fresh";
  for (const reason of reasons) state = worse(state, reason.state);
  return { state, reasons: reasons.toSorted((a, b) => RANK.indexOf(b.state) - RANK.indexOf(a.state)) };
}

/** Reasons that say the same of different groups as one: symbols of two providers may lack a run alike. */
function together(reasons: readonly Reason[]): Reason[] {
  const found = new Map<string, Reason>();
  for (const reason of reasons) {
    const key = `${reason.cause} ${reason.state} ${reason.text}`;
    found.set(key, { ...reason, symbols: reason.symbols + (found.get(key)?.symbols ?? 0) });
  }
  return [...found.values()];
}

/** A provider that refused its key may do so again. */
function afterRefusal({ refusedAt, provider, symbols }: MissingGroup, reason: Reason): Reason {
  if (refusedAt === null || reason.state === "will_be_missed") return reason;
  const text = `${provider} refused its key at ${utcMinute(refusedAt)}, and no run of it was complete since`;
  return { cause: "provider", state: "at_risk", symbols, text };
}

/** What is to be expected of a group, by the first cause that decides it. */
function reasonOf(group: MissingGroup, { now, deadline }: ForecastInput): Reason {
  const { symbols, provider, readyAt, work, hold } = group;
  const say = (cause: RiskCause, state: Reason["state"], text: string): Reason => ({ cause, state, symbols, text });
  const by = (ts: number) => utcMinute(ts * 1_000);
  if (group.unusable !== null) return say("provider", "will_be_missed", group.unusable);
  if (readyAt > deadline) {
    return say("provider", "will_be_missed", `${provider} has the final bar at ${by(readyAt)}, after the deadline`);
  }
  if (hold !== null && hold.until >= deadline) {
    return say("provider", "will_be_missed", `${provider} takes no requests before ${by(hold.until)}: ${hold.reason}`);
  }
  if (work === null) {
    const paused = group.pausedSchedule === "" ? "" : `: the schedule “${group.pausedSchedule}” is paused`;
    return say("schedule", "will_be_missed", `no run is planned before the deadline${paused}`);
  }
  const name = work.by === "run" ? `the run “${work.name}”` : `the schedule “${work.name}”`;
  if (work.isPaused) return say("schedule", "will_be_missed", `${name} is paused`);
  const startsAt = Math.max(work.startsAt, hold?.until ?? 0, now);
  const short = shortage(group.limits, work.needs, { now, from: startsAt, to: deadline });
  if (short !== null) {
    const { limit, needed, available } = short;
    const reset = limit.resetsAt === null ? "" : `, next reset at ${by(limit.resetsAt)}`;
    const text = `${name} needs ${whole(needed)} ${limit.counts} of ${provider}, ${whole(available)} are left until the deadline${reset}`;
    return say("quota", "will_be_missed", text);
  }
  if (work.seconds === null) return say("speed", "unknown", `${name} brings them, its end cannot be estimated yet`);
  const expected = startsAt + work.seconds.expected;
  const worst = startsAt + work.seconds.worst;
  const ends = `${name} ${work.by === "schedule" ? `starts at ${by(work.startsAt)} and ` : ""}ends at about ${by(expected)}`;
  const cause = ({ speed: "speed", rate: "quota", quota: "quota", hold: "provider" } as const)[work.limitedBy];
  if (expected > deadline) return say(cause, "will_be_missed", `${ends}, after the deadline`);
  if (worst > deadline) {
    const late = formatDuration(worst - deadline);
    return say(cause, "at_risk", `${ends}, and may be up to ${late} late`);
  }
  if (hold !== null && hold.until > now)
    return say("provider", "at_risk", `${provider} takes no requests before ${by(hold.until)}; ${ends}`);
  return say("schedule", "on_track", ends);
}

const whole = (value: number) => Math.round(value).toLocaleString("en-US");

/** What a limit allows between two moments (epoch seconds), with its resets; `used` is what is used at `now`. */
export function allowedBetween(
  { period, used, limit, resetsAt }: Allowance,
  { now, from, to }: { readonly now: number; readonly from: number; readonly to: number },
): number {
  if (to <= from) return 0;
  if (resetsAt === null) return (from > now ? limit : Math.max(0, limit - used)) + (limit * (to - from)) / 60;
  const length = { minute: 60, hour: 3_600, day: 86_400, month: 30 * 86_400 }[period];
  const resets = (until: number) => (until < resetsAt ? 0 : 1 + Math.floor((until - resetsAt) / length));
  // What is left when the work starts, and the full limit at each reset during it.
  const left = resets(from) > 0 ? limit : Math.max(0, limit - used);
  return left + limit * (resets(to) - resets(from));
}

/** The limit that allows least of what is needed; `null` if all allow it. */
function shortage(
  limits: readonly Allowance[],
  needs: PlannedWork["needs"],
  times: { readonly now: number; readonly from: number; readonly to: number },
): { limit: Allowance; needed: number; available: number } | null {
  if (needs === null) return null;
  let worst: { limit: Allowance; needed: number; available: number } | null = null;
  for (const limit of limits) {
    const needed = needs[limit.counts];
    const available = allowedBetween(limit, times);
    if (needed <= available) continue;
    if (worst === null || available / needed < worst.available / worst.needed) worst = { limit, needed, available };
  }
  return worst;
}
