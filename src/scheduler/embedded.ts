/** The engine inside the server's own process. It keeps nothing on disk: the run tables do. */

import type { EngineCounts, EngineTask, JobEngine, Verdict } from "./engine.ts";

interface Group {
  limit: number;
  active: number;
  readonly waiting: Map<string, EngineTask>;
}

/**
 * First come, first served within a group; between groups the one with the fewest tasks in work goes first, so that a
 * run of three symbols is not starved behind one of five thousand.
 */
export class EmbeddedEngine implements JobEngine {
  readonly #groups = new Map<string, Group>();
  readonly #active = new Set<string>();
  /** Tasks enqueued while they were in work. */
  readonly #again = new Map<string, EngineTask>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #handler: ((task: EngineTask) => Promise<Verdict>) | null = null;
  #concurrency = 0;
  #closed = false;
  #onIdle: (() => void) | null = null;

  enqueue(tasks: readonly EngineTask[]): void {
    for (const task of tasks) {
      if (this.#active.has(task.key)) this.#again.set(task.key, task);
      else this.#group(task.group).waiting.set(task.key, task);
    }
    this.#next();
  }

  limitGroup(group: string, limit: number): void {
    this.#group(group).limit = limit;
    this.#next();
  }

  work(handler: (task: EngineTask) => Promise<Verdict>, concurrency: number): void {
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#next();
  }

  cancel(key: string): boolean {
    let found = this.#again.delete(key);
    for (const group of this.#groups.values()) found = group.waiting.delete(key) || found;
    return found;
  }

  counts(): EngineCounts {
    let waiting = 0;
    for (const group of this.#groups.values()) waiting += group.waiting.size;
    return { waiting, active: this.#active.size };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#active.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { limit: Number.POSITIVE_INFINITY, active: 0, waiting: new Map() };
      this.#groups.set(name, group);
    }
    return group;
  }

  #next(): void {
    while (!this.#closed && this.#handler !== null && this.#active.size < this.#concurrency) {
      let chosen: Group | null = null;
      for (const group of this.#groups.values()) {
        const open = group.waiting.size > 0 && group.active < group.limit;
        if (open && (chosen === null || group.active < chosen.active)) chosen = group;
      }
      const task = chosen?.waiting.values().next().value;
      if (chosen === null || task === undefined) return;
      chosen.waiting.delete(task.key);
      void this.#run(task, chosen, this.#handler);
    }
  }

  async #run(task: EngineTask, group: Group, handler: (task: EngineTask) => Promise<Verdict>): Promise<void> {
    this.#active.add(task.key);
    group.active += 1;
    let verdict: Verdict = { again: false };
    try {
      verdict = await handler(task);
    } finally {
      this.#active.delete(task.key);
      group.active -= 1;
      const again = this.#again.get(task.key);
      this.#again.delete(task.key);
      if (again) this.#group(again.group).waiting.set(again.key, again);
      else if (verdict.again) this.#later(task, verdict.afterMs);
      else if (group.active === 0 && group.waiting.size === 0) this.#groups.delete(task.group);
      if (this.#active.size === 0) this.#onIdle?.();
      this.#next();
    }
  }

  #later(task: EngineTask, afterMs: number): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.enqueue([task]);
    }, afterMs);
    this.#timers.add(timer);
  }
}
