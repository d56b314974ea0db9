/** How good the bars of a series are, month by month. Pure. */

/** From the best to the worst; a month has the worst that applies. */
export const CELL_STATES = [
  "complete",
  "no_calendar",
  "unchecked",
  "revised",
  "stale",
  "not_in_plan",
  "holes",
  "suspicious",
] as const;
export type CellState = (typeof CELL_STATES)[number];

/** Name and meaning of each. */
export const CELL_WORDS: Readonly<Record<CellState, readonly [name: string, meaning: string]>> = {
  complete: ["Complete", "every session is there as far as the calendar and the symbol's own pattern tell"],
  no_calendar: ["No calendar", "there are bars, but the sessions are not known, so missing ones cannot be found"],
  unchecked: ["Not checked", "stored by an earlier release: holes inside sessions are looked for at the next run"],
  revised: ["Revised", "the provider changed stored bars of this month"],
  stale: ["Stale", "sessions that closed a day ago or more have no bars yet"],
  not_in_plan: ["Not in plan", "the provider's plan leaves out a part of this month"],
  holes: ["Holes", "sessions are missing, cut short or have holes, or a batch was not answered"],
  suspicious: [
    "Suspicious",
    "bars outside the sessions, prices that contradict the splits, or an implausible answer in the last 7 days",
  ],
};

/** A month as a number: those of successive months are successive. */
export const monthOf = (ts: number): number => {
  const date = new Date(ts * 1_000);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};

/** Midnight UTC of the first day of a month, epoch seconds. */
export const monthStart = (month: number): number => Date.UTC(Math.floor(month / 12), month % 12) / 1_000;

/** `2026-03` */
export const monthText = (month: number): string =>
  `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, "0")}`;

/** The month of a text such as `2026-03`; `null` for any other text. */
export function parseMonth(text: string): number | null {
  const parts = /^(19|20|21)(\d\d)-(0[1-9]|1[0-2])$/.exec(text);
  return parts === null ? null : Number(parts[1]! + parts[2]!) * 12 + Number(parts[3]) - 1;
}

/** What is known of a series by month. */
export interface MonthFacts {
  /** Starts of the first and the last bar, epoch seconds. */
  readonly firstBar: number;
  readonly lastBar: number;
  /** Whether its sessions are known, and were compared by the present rules. */
  readonly hasCalendar: boolean;
  readonly isChecked: boolean;
  /** Epoch seconds: the series is stale if its last bar starts earlier. */
  readonly staleBefore: number;
  /** The month of an implausible answer of the last days. */
  readonly suspectMonth: number | null;
  readonly holes: ReadonlySet<number>;
  readonly outside: ReadonlySet<number>;
  readonly notInPlan: ReadonlySet<number>;
  readonly revised: ReadonlySet<number>;
}

/** The state of each of `months` at `now` (epoch seconds); `null` where the series has no bars and none are expected. */
export function cellsOf(facts: MonthFacts, months: readonly number[], now: number): (CellState | null)[] {
  const [first, last, present] = [monthOf(facts.firstBar), monthOf(facts.lastBar), monthOf(now)];
  const isStale = facts.lastBar < facts.staleBefore;
  return months.map((month) => {
    if (facts.outside.has(month) || facts.suspectMonth === month) return "suspicious";
    if (facts.holes.has(month)) return "holes";
    if (facts.notInPlan.has(month)) return "not_in_plan";
    if (isStale && month >= last && month <= present) return "stale";
    if (month < first || month > last) return null;
    if (facts.revised.has(month)) return "revised";
    if (!facts.hasCalendar) return "no_calendar";
    return facts.isChecked ? "complete" : "unchecked";
  });
}

/** Counts over all series of a provider. */
export interface ProviderScore {
  readonly provider: string;
  readonly series: number;
  /** Sessions that are missing, cut short or have holes; and those that three repairs in a row have not changed. */
  readonly holes: number;
  readonly confirmed: number;
  /** Bars that it changed after they were stored. */
  readonly revisions: number;
  /** Rejected rows. */
  readonly refused: number;
  /** Series that are overdue, and the sum of their overdue days. */
  readonly late: number;
  readonly lateDays: number;
}
