/** The coverage strip of a row: the state of each batch in one SVG. Rendered for every update, so a plain template. */

import { type BatchState, type Coverage, cellStates, coverageWords } from "../../domain/runs/coverage.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";

/** Width and height of a cell, in SVG units. */
const WIDTH = 4;
const HEIGHT = 16;

/**
 * The lines of each state, by their y: states differ in shape as well as in colour. Dashes cut a line into cells
 * (`public/css/areas/coverage-strip.css`), so that neighbours in one state are one stroke.
 */
const LINES: Readonly<Record<BatchState, readonly number[]>> = {
  /** A full block. */
  fetched: [8],
  /** A hollow block. */
  empty: [3.5, 12.5],
  /** A mark at the top. */
  not_in_plan: [1],
  /** A mark at the bottom. */
  pending: [15],
  /** A low block in the middle. */
  retrying: [8],
  /** Taller than the others, and split in two. */
  failed: [3.5, 12.5],
};

/** Coverage stays the same object until a batch ends, so its SVG is reused for many updates of a row. */
const drawn = new WeakMap<Coverage, string>();

/** The strip of `job`, which opens its batches; empty for a job that has none. */
export function CoverageStrip({ job }: { job: JobProgress }): string {
  if (job.coverage === null) return "";
  return (
    `<button type="button" class="strip" data-card="batches" aria-label="${coverageWords(job.coverage)}">` +
    `${drawing(job.coverage)}</button>`
  );
}

function drawing(coverage: Coverage): string {
  const known = drawn.get(coverage);
  if (known !== undefined) return known;
  const states = cellStates(coverage);
  const paths = new Map<BatchState, string>();
  for (let start = 0; start < states.length; ) {
    const state = states[start]!;
    let end = start;
    while (states[end] === state) end += 1;
    const length = (end - start) * WIDTH;
    const lines = LINES[state].map((y) => `M${start * WIDTH} ${y}h${length}`);
    paths.set(state, (paths.get(state) ?? "") + lines.join(""));
    start = end;
  }
  const svg =
    `<svg viewBox="0 0 ${states.length * WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">` +
    `${[...paths].map(([state, d]) => `<path class="s-${state}" d="${d}"/>`).join("")}</svg>`;
  drawn.set(coverage, svg);
  return svg;
}
