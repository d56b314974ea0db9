/** Cuts a range into batches: pure arithmetic on whole days. */

import { DAY } from "../market/interval.ts";

/** One batch of a job: the half-open window `from` <= ts < `to` (epoch seconds), the n-th (from 1) of `total`. */
export interface Batch {
  readonly n: number;
  readonly total: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Batches that cover `from` to `to` (epoch seconds, whole days apart) once, without gap or overlap: as many as
 * `days / batchDays` rounds to, at least one, with the days distributed evenly. 730 days in batches of 30 are 24.
 */
export function planBatches(from: number, to: number, batchDays: number): Batch[] {
  const days = Math.round((to - from) / DAY);
  if (days <= 0) return [];
  const total = Math.min(days, Math.max(1, Math.round(days / batchDays)));
  const edge = (n: number) => from + Math.floor((n * days) / total) * DAY;
  return Array.from({ length: total }, (_, i) => ({ n: i + 1, total, from: edge(i), to: edge(i + 1) }));
}

/** The batches of several spans, numbered consecutively. */
export function numberedBatches(spans: readonly Span[], batchDays: number): Batch[] {
  const parts = spans.flatMap(({ from, to }) => planBatches(from, to, batchDays));
  return parts.map((part, index) => ({ ...part, n: index + 1, total: parts.length }));
}

/**
 * Neighbouring batches merged into windows of at most `maxDays`, so that one request serves several.
 * Each batch is still stored and shown by itself.
 */
export function mergeBatches(batches: readonly Batch[], maxDays: number): Batch[][] {
  const groups: Batch[][] = [];
  for (const batch of batches) {
    const group = groups.at(-1);
    const first = group?.[0];
    const adjacent = first !== undefined && group!.at(-1)!.to === batch.from;
    if (adjacent && (batch.to - first.from) / DAY <= maxDays) group!.push(batch);
    else groups.push([batch]);
  }
  return groups;
}

/**
 * Requests for `batches`, when windows of `maxDays` are asked for at once and one of `days` takes `pagesIn(days)` requests.
 */
export function requestsFor(batches: readonly Batch[], maxDays: number, pagesIn = (_days: number) => 1): number {
  const groups = mergeBatches(batches, maxDays);
  return groups.reduce((sum, group) => sum + pagesIn((group.at(-1)!.to - group[0]!.from) / DAY), 0);
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The parts of `range` that none of the `covered` spans covers, ascending. */
export function uncovered(range: Span, covered: readonly Span[]): Span[] {
  const gaps: Span[] = [];
  let reached = range.from;
  for (const span of [...covered].sort((a, b) => a.from - b.from)) {
    if (span.to <= reached) continue;
    if (span.from >= range.to) break;
    if (span.from > reached) gaps.push({ from: reached, to: span.from });
    reached = span.to;
  }
  if (reached < range.to) gaps.push({ from: reached, to: range.to });
  return gaps;
}
