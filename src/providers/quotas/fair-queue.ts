/**
 * A queue that is fair between runs, and within a run between its jobs: start-time fair queueing (Goyal, Vin and Cheng,
 * 1996). The flow that has been served least, weighted by cost, comes next; a new flow starts at the virtual time, so a
 * small run alternates with a large one instead of waiting behind it.
 */

export interface Queued {
  readonly run: string;
  readonly job: string;
  readonly cost: number;
}

export class FairQueue<T extends Queued> {
  readonly #runs = new Flows<Flows<T[]>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    this.#runs
      .enter(item.run, () => new Flows<T[]>())
      .enter(item.job, () => [])
      .push(item);
    this.#size++;
  }

  /** The items that may come next, fairest first: the head of every job. The queue must not change during the iteration. */
  *candidates(): Generator<T> {
    for (const jobs of this.#runs.fairestFirst()) for (const waiting of jobs.fairestFirst()) yield waiting[0]!;
  }

  /** Removes an item that was served and charges its cost to its run and job. */
  serve(item: T): void {
    this.#take(item, item.cost);
  }

  /** Removes an item that stopped waiting; false if it was not in the queue. */
  remove(item: T): boolean {
    return this.#take(item, 0);
  }

  #take(item: T, cost: number): boolean {
    const jobs = this.#runs.get(item.run);
    const waiting = jobs?.get(item.job);
    const at = waiting?.indexOf(item) ?? -1;
    if (!jobs || !waiting || at < 0) return false;
    waiting.splice(at, 1);
    jobs.charge(item.job, cost, waiting.length === 0);
    this.#runs.charge(item.run, cost, jobs.size === 0);
    this.#size--;
    return true;
  }
}

/** Most idle flows that are kept; with more, those not ahead of the virtual time are dropped. */
const MAX_IDLE_FLOWS = 1_000;

/** Competing flows and the cost that each has been served. */
class Flows<Content> {
  readonly #active = new Map<string, { content: Content; served: number }>();
  /** The served cost of idle flows, so that leaving and returning brings no advantage. */
  readonly #idle = new Map<string, number>();
  /** The virtual time: the served cost of the last flow just before it was served. */
  #time = 0;

  get size(): number {
    return this.#active.size;
  }

  get(name: string): Content | undefined {
    return this.#active.get(name)?.content;
  }

  /** The content of an active flow; one that was idle starts with what `create` makes. */
  enter(name: string, create: () => Content): Content {
    const active = this.#active.get(name);
    if (active) return active.content;
    const flow = { content: create(), served: Math.max(this.#time, this.#idle.get(name) ?? 0) };
    this.#idle.delete(name);
    this.#active.set(name, flow);
    return flow.content;
  }

  charge(name: string, cost: number, leaves: boolean): void {
    const flow = this.#active.get(name)!;
    if (cost > 0) this.#time = Math.max(this.#time, flow.served);
    flow.served += cost;
    if (!leaves) return;
    this.#active.delete(name);
    this.#idle.set(name, flow.served);
    if (this.#idle.size > MAX_IDLE_FLOWS)
      for (const [idle, served] of this.#idle) if (served <= this.#time) this.#idle.delete(idle);
  }

  *fairestFirst(): Generator<Content> {
    // Usually only the first is needed: it is found without sorting.
    let first: { content: Content; served: number } | undefined;
    for (const flow of this.#active.values()) if (!first || flow.served < first.served) first = flow;
    if (!first) return;
    yield first.content;
    const others = [...this.#active.values()].filter((flow) => flow !== first);
    for (const { content } of others.sort((a, b) => a.served - b.served)) yield content;
  }
}
