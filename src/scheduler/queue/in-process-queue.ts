/** The job queue inside the server's process. It stores nothing: the run tables are the source of truth. */

import { after } from "../../clock.ts";
import { unhurried } from "../../storage/connection/patience.ts";
import type { JobQueue, QueueCounts, QueuedTask, TaskResult } from "./job-queue.ts";

interface Group {
  limit: number;
  active: number;
  readonly waiting: Map<string, QueuedTask>;
  /** Tasks to be enqueued again after a delay, by key: what stops their timers. */
  readonly later: Map<string, () => void>;
}

/**
 * First come, first served within a group; between groups the one with the fewest active tasks goes first, so that a
 * run of three symbols is not starved behind one of five thousand.
 */
export class InProcessQueue implements JobQueue {
  readonly #groups = new Map<string, Group>();
  readonly #active = new Set<string>();
  /** Tasks enqueued while they were active. */
  readonly #again = new Map<string, QueuedTask>();
  #handler: ((task: QueuedTask) => Promise<TaskResult>) | null = null;
  #concurrency = 0;
  #admits: (group: string) => boolean = () => true;
  #closed = false;
  #onIdle: (() => void) | null = null;

  /** @param onError called when a handler throws; its task counts as done */
  constructor(private readonly onError: (task: QueuedTask, error: unknown) => void) {}

  enqueue(tasks: readonly QueuedTask[]): void {
    for (const task of tasks) {
      if (this.#active.has(task.key)) {
        this.#again.set(task.key, task);
        continue;
      }
      const group = this.#group(task.group);
      this.#takeTimer(group, task.key);
      if (!group.waiting.has(task.key)) group.waiting.set(task.key, task);
    }
    this.#next();
  }

  limitGroup(group: string, limit: number): void {
    this.#group(group).limit = limit;
    this.#next();
  }

  work(
    handler: (task: QueuedTask) => Promise<TaskResult>,
    concurrency: number,
    admits: (group: string) => boolean = () => true,
  ): void {
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#admits = admits;
    this.#next();
  }

  poll(): void {
    this.#next();
  }

  promote(key: string): boolean {
    for (const { waiting } of this.#groups.values()) {
      const task = waiting.get(key);
      if (task === undefined) continue;
      const others = [...waiting].filter(([other]) => other !== key);
      waiting.clear();
      for (const [each, one] of [[key, task] as const, ...others]) waiting.set(each, one);
      return true;
    }
    return false;
  }

  cancel(key: string): boolean {
    let found = this.#again.delete(key);
    for (const [name, group] of this.#groups) {
      const waited = group.waiting.delete(key);
      if (!this.#takeTimer(group, key) && !waited) continue;
      found = true;
      this.#removeIfEmpty(name, group);
    }
    return found;
  }

  counts(): QueueCounts {
    let waiting = this.#again.size;
    for (const group of this.#groups.values()) waiting += group.waiting.size + group.later.size;
    return { waiting, active: this.#active.size };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { later } of this.#groups.values()) for (const stop of later.values()) stop();
    if (this.#active.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { limit: Number.POSITIVE_INFINITY, active: 0, waiting: new Map(), later: new Map() };
      this.#groups.set(name, group);
    }
    return group;
  }

  /** Removes a group and its limit when it is empty. */
  #removeIfEmpty(name: string, group: Group): void {
    if (group.active + group.waiting.size + group.later.size === 0) this.#groups.delete(name);
  }

  #takeTimer(group: Group, key: string): boolean {
    group.later.get(key)?.();
    return group.later.delete(key);
  }

  #next(): void {
    while (!this.#closed && this.#handler !== null && this.#active.size < this.#concurrency) {
      let chosen: [string, Group] | null = null;
      for (const entry of this.#groups) {
        const [name, group] = entry;
        if (group.waiting.size === 0 || group.active >= group.limit) continue;
        if ((chosen === null || group.active < chosen[1].active) && this.#admits(name)) chosen = entry;
      }
      if (chosen === null) return;
      const [name, group] = chosen;
      const task = group.waiting.values().next().value!;
      group.waiting.delete(task.key);
      // Moved to the end: among equals, the group served longest ago goes first.
      this.#groups.delete(name);
      this.#groups.set(name, group);
      const handler = this.#handler;
      // A request may have made it begin, but does not wait for it.
      unhurried(() => void this.#run(task, group, handler));
    }
  }

  async #run(task: QueuedTask, group: Group, handler: (task: QueuedTask) => Promise<TaskResult>): Promise<void> {
    this.#active.add(task.key);
    group.active += 1;
    let result: TaskResult = { again: false };
    try {
      result = await handler(task);
    } catch (error) {
      this.onError(task, error);
    }
    this.#active.delete(task.key);
    group.active -= 1;
    const again = this.#again.get(task.key);
    this.#again.delete(task.key);
    if (again) this.#group(again.group).waiting.set(again.key, again);
    else if (result.again) this.#later(task, group, result.afterMs);
    this.#removeIfEmpty(task.group, group);
    if (this.#active.size === 0) this.#onIdle?.();
    this.#next();
  }

  #later(task: QueuedTask, group: Group, afterMs: number): void {
    if (this.#closed) return;
    group.later.set(
      task.key,
      after(afterMs, () => this.enqueue([task])),
    );
  }
}
