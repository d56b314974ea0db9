/**
 * The order in which a set of series is computed, and in which columns. Every node comes after its inputs and is
 * computed once; a column is reused as soon as no later node reads it.
 */

import { LEAVES, type Series } from "./define.ts";

/** Compute one node. The first columns are the leaves, the rest are scratch. */
interface ComputeStep {
  readonly series: Series;
  readonly inputs: readonly number[];
  readonly column: number;
  /** 0-based bar index of the first bar on which all inputs are defined. */
  readonly origin: number;
  /** Values before the span that later nodes read: recomputed by a window, restored for a recursion. */
  readonly back: number;
}

/** Emit the column of a target, by its position in the list of targets. */
interface EmitStep {
  readonly emit: number;
  readonly column: number;
}

type Step = ComputeStep | EmitStep;

export interface ComputePlan {
  readonly steps: readonly Step[];
  /** Values per bar of every column, the leaves included. */
  readonly widths: readonly number[];
  /** Each target's own column, which nothing else uses; −1 for a bar column, a repeated target and one read later. */
  readonly ownColumns: readonly number[];
  /** Values before the span that some node needs: bars to pass before the first new one. */
  readonly margin: number;
  /** Whether some node reads the volume. */
  readonly readsVolume: boolean;
  /** Nodes with state, inputs first, and the number of past values to keep for each. */
  readonly stateful: ReadonlyMap<Series, number>;
}

/** Values that the scratch columns of a pass may hold, so that they stay in the cache, and the bars of a pass this gives. */
const CACHED = 2 ** 17;
const MIN_BARS = 4096;
const MAX_BARS = 131_072;

/** How many bars of a long series to compute at a time. */
export function blockLength(plan: ComputePlan): number {
  const shared = plan.widths.filter((_, column) => column >= LEAVES.length && !plan.ownColumns.includes(column));
  const width = shared.reduce((sum, width) => sum + width, 0);
  return Math.min(MAX_BARS, Math.max(MIN_BARS, Math.floor(CACHED / width)));
}

/** The nodes that `targets` need, inputs first, each once. */
function inOrder(targets: readonly Series[]): Series[] {
  const found = new Set<Series>();
  const visit = (series: Series): void => {
    if (found.has(series)) return;
    series.inputs.forEach(visit);
    found.add(series);
  };
  targets.forEach(visit);
  return [...found];
}

/** Values before the span that each node must provide. A recursion's own are restored, not computed. */
function backOf(nodes: readonly Series[]): Map<Series, number> {
  const back = new Map<Series, number>(nodes.map((series) => [series, 0]));
  for (const series of nodes.toReversed()) {
    const own = series.stateful ? 0 : back.get(series)!;
    series.inputs.forEach((input, index) => {
      back.set(input, Math.max(back.get(input)!, own + series.reach[index]!));
    });
  }
  return back;
}

interface PlanOptions {
  /** Whether the targets are wanted; otherwise only the recursions' state is. */
  readonly emit?: boolean;
  /** Whether targets get columns of their own where they can, which then need not be copied. */
  readonly own?: boolean;
}

/** Plans the computation of `targets`. */
export function planOf(targets: readonly Series[], { emit = true, own = false }: PlanOptions = {}): ComputePlan {
  const back = backOf(inOrder(targets));
  const needed = emit ? targets : [...back.keys()].filter((series) => series.stateful);

  const actions: ({ compute: Series } | { emit: number; series: Series })[] = [];
  const computed = new Set<Series>();
  // Before anything else that reads the volume.
  const witness = needed.find(({ showsUnknown }) => showsUnknown);
  if (witness) {
    computed.add(witness);
    actions.push({ compute: witness });
  }
  needed.forEach((target, index) => {
    for (const series of inOrder([target])) {
      if (computed.has(series) || series.field) continue;
      computed.add(series);
      actions.push({ compute: series });
    }
    if (emit) actions.push({ emit: index, series: target });
  });

  const lastUse = new Map<Series, number>();
  actions.forEach((action, at) => {
    if ("compute" in action) for (const series of [action.compute, ...action.compute.inputs]) lastUse.set(series, at);
    else lastUse.set(action.series, at);
  });

  const columnOf = new Map<Series, number>();
  const free: number[] = [];
  const widths: number[] = LEAVES.map(() => 1);
  const ownColumns = targets.map(() => -1);
  for (const action of own ? actions : []) {
    if (!("emit" in action) || action.series.field || columnOf.has(action.series)) continue;
    if (actions[lastUse.get(action.series)!] !== action) continue;
    ownColumns[action.emit] = widths.push(action.series.width) - 1;
    columnOf.set(action.series, ownColumns[action.emit]!);
  }
  const claim = (width: number) => {
    const at = free.findLastIndex((column) => widths[column] === width);
    return at < 0 ? widths.push(width) - 1 : free.splice(at, 1)[0]!;
  };
  const steps = actions.map((action, at): Step => {
    const used = "compute" in action ? [action.compute, ...action.compute.inputs] : [action.series];
    for (const series of used) {
      if (series.field) columnOf.set(series, LEAVES.indexOf(series.field));
      else if (!columnOf.has(series)) columnOf.set(series, claim(series.width));
    }
    for (const series of new Set(used)) {
      const column = columnOf.get(series)!;
      if (!series.field && lastUse.get(series) === at && !ownColumns.includes(column)) free.push(column);
    }
    const column = columnOf.get(used[0]!)!;
    if ("emit" in action) return { emit: action.emit, column };
    const inputs = action.compute.inputs.map((input) => columnOf.get(input)!);
    const origin = Math.max(0, ...action.compute.inputs.map((input) => input.warmup));
    return { series: action.compute, inputs, column, origin, back: back.get(action.compute)! };
  });

  const stateful = new Map([...back].filter(([series]) => series.stateful));
  const readsVolume = [...back.keys()].some(({ field }) => field === "volume" || field === "volume_or_nan");
  return { steps, widths, ownColumns, margin: Math.max(0, ...back.values()), readsVolume, stateful };
}
