/** Records what is doubtful about the scale of a series: when bars or actions have changed, and after an upgrade. */

import type { RevisionFound } from "../../domain/alerts.ts";
import {
  type DayPrices,
  describeFinding,
  type Finding,
  findScaleChanges,
  isDoubt,
  volumesNeeded,
} from "../../domain/market/anomalies/scale-changes.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import type { FetchContext } from "../../providers/provider.ts";
import type { SeriesStore } from "../store/job-store.ts";

/** Days before a changed bar whose findings may change with it, and days before those that are read for comparison. */
const JUDGED_DAYS = 35;
const COMPARED_DAYS = 35;

/** The series whose findings are recorded. */
interface Examined {
  readonly id: number;
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  readonly adjustment: string;
  /** All of its days, if they are known; `null`: they are read. */
  readonly days?: readonly DayPrices[] | null;
}

const keyOf = ({ kind, date, ratio, jumpDate }: Finding) => [kind, date, ratio, jumpDate].join(" ");

/**
 * Compares a series whose bars from `from` (epoch seconds) on have changed with its actions, and records what has become
 * doubtful or is no longer so. `io.alert` is called when an event was recorded with it.
 */
export async function recordFindings(
  store: SeriesStore,
  series: Examined,
  from: number,
  io: { readonly log: FetchContext["log"]; alert(): void },
): Promise<void> {
  const start = Math.floor(from / DAY) * DAY - JUDGED_DAYS * DAY;
  const days = await daysOf(store, series, start - COMPARED_DAYS * DAY);
  const actions = await store.listActions(series.provider, series.symbol);
  const before = await store.listFindings(series.id);
  const earlier = before.flatMap((finding) => partBefore(finding, start));
  const found = findScaleChanges(days, actions, series.adjustment, start, earlier);
  const known = new Set(before.map(keyOf));
  const now = new Set(found.map(keyOf));
  const fresh = found.filter((finding) => !known.has(keyOf(finding)));
  const gone = before.filter((finding) => !now.has(keyOf(finding)));
  if (fresh.length + gone.length === 0) return;
  const doubts = fresh.filter(isDoubt);
  const events = doubts.map((finding) => eventOf(series, finding));
  await store.replaceFindings(series.id, { fresh, gone }, events);
  if (events.length > 0) io.alert();
  for (const finding of doubts.slice(-3)) io.log("warn", `suspicious prices: ${describeFinding(finding)}`);
  if (gone.length > fresh.length) io.log("info", `${gone.length - fresh.length} earlier findings no longer hold`);
}

/** What remains of a finding when days from `start` on are judged again; of a pair it may be one half. */
function partBefore(finding: Finding, start: number): Finding[] {
  const { kind, date, jumpDate } = finding;
  if (kind !== "split_off_date" || jumpDate === null) return date < start ? [finding] : [];
  if (date < start && jumpDate < start) return [finding];
  if (date < start) return [{ ...finding, kind: "split_without_jump", jumpDate: null }];
  return jumpDate < start ? [{ ...finding, kind: "scale_change", date: jumpDate, jumpDate: null }] : [];
}

/** The days of a series with the volumes that decide something: adding up all minutes would take long. */
async function daysOf(store: SeriesStore, { id, interval, days: known }: Examined, from: number): Promise<DayPrices[]> {
  if (known) return known.filter(({ date }) => date >= from);
  const days = await store.readDays(id, interval, from);
  if (interval === "1d") return days;
  const volumes = new Map<number, number>();
  for (const { first, last } of volumesNeeded(days)) {
    const known = await store.readVolumes(id, days[first]!.date, days[last]!.date + DAY);
    for (const [date, volume] of known) volumes.set(date, volume);
  }
  return volumes.size === 0 ? days : days.map((day) => ({ ...day, volume: volumes.get(day.date) ?? day.volume }));
}

function eventOf({ symbol, interval, provider }: Examined, finding: Finding): RevisionFound {
  const { date, jumpDate } = finding;
  const [from, to] = [Math.min(date, jumpDate ?? date), Math.max(date, jumpDate ?? date)];
  const detail = describeFinding(finding);
  return {
    kind: "revision_found",
    at: Date.now(),
    symbol,
    interval,
    provider,
    what: "scale",
    bars: 1,
    from,
    to,
    detail,
  };
}
