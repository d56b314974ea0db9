/** The coverage of a job: the result of each of its batches, in as few cells as fit into a row of the queue. */

/**
 * The result of a batch. `not_in_plan`: the provider's plan leaves out the window or a part of it; `retrying`: it failed and is being requested again; `pending`: it was not requested yet.
 */
export const BATCH_STATES = ["fetched", "empty", "not_in_plan", "pending", "retrying", "failed"] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** Most cells of a strip; with more batches a cell stands for several. */
export const MAX_CELLS = 24;

const LETTERS: Readonly<Record<BatchState, string>> = {
  fetched: "f",
  empty: "e",
  not_in_plan: "p",
  pending: ".",
  retrying: "r",
  failed: "x",
};
const STATE_OF: Readonly<Record<string, BatchState>> = Object.fromEntries(
  BATCH_STATES.map((state) => [LETTERS[state], state]),
);

export interface Coverage {
  /** One letter per cell, in order of time. */
  readonly cells: string;
  /** The number of all batches. */
  readonly total: number;
  /** Batches that were answered, with or without bars. */
  readonly answered: number;
  readonly failed: number;
}

/** Which batches (`from` to before `to`, counted from 0) the cell `cell` of a strip of at most `most` stands for. */
export function batchesOfCell(cell: number, total: number, most = MAX_CELLS): { from: number; to: number } {
  const cells = Math.min(total, most);
  return { from: Math.floor((cell * total) / cells), to: Math.floor(((cell + 1) * total) / cells) };
}

/** The strip of a job's batches; where a cell stands for several, the worst of their states wins. */
export function coverageOf(states: readonly BatchState[]): Coverage {
  const total = states.length;
  let cells = "";
  for (let cell = 0; cell < Math.min(total, MAX_CELLS); cell++) {
    const { from, to } = batchesOfCell(cell, total);
    cells += LETTERS[worst(states.slice(from, to))];
  }
  const count = (...wanted: BatchState[]) => states.filter((state) => wanted.includes(state)).length;
  return {
    cells,
    total,
    answered: count("fetched", "empty"),
    failed: count("failed"),
  };
}

/** The worst of some states; of none, `pending`. */
export function worst(states: readonly BatchState[]): BatchState {
  if (states.length === 0) return "pending";
  return BATCH_STATES[Math.max(...states.map((state) => BATCH_STATES.indexOf(state)))]!;
}

/** The state of each cell, in order. */
export const cellStates = ({ cells }: Coverage): BatchState[] => [...cells].map((letter) => STATE_OF[letter]!);

/** `22 of 24 batches fetched, 1 failed, some not in the plan` */
export function coverageWords({ total, answered, failed, cells }: Coverage): string {
  const batches = total === 1 ? "batch" : "batches";
  const plan = cells.includes(LETTERS.not_in_plan) ? ", some not in the plan" : "";
  return `${answered} of ${total} ${batches} fetched${failed > 0 ? `, ${failed} failed` : ""}${plan}`;
}
