/**
 * Decides which job may run next, and then gives its key to the job queue: groups, limits, order and delays are kept in
 * the server's memory and rebuilt from the run tables when it starts. Whoever works on the keys needs to know none of it.
 */

import { after } from "../../clock.ts";
import { withoutWaitLimit } from "../../storage/connection/wait-limit.ts";
import type { JobQueue, QueueCounts } from "./job-queue.ts";

export interface QueuedTask {
  /** Enqueuing a waiting key does nothing; an active one is handled once more afterwards. */
  readonly key: string;
  /** Tasks of one group share its limit; groups share the places at work fairly. */
  readonly group: string;
}

/** What happens after a handler returns: nothing, or the task is enqueued again after `afterMs`. */
export type TaskResult = { readonly again: false } | { readonly again: true; readonly afterMs: number };

/** @param taker the worker that took the task's key from the queue; `null`: this process did */
export type TaskHandler = (task: QueuedTask, taker: object | null) => Promise<TaskResult>;

/** Which of a group's tasks may start, and what wants to know that one did. */
export interface DispatchRules {
  /** Whether the next task of a group may be dispatched now: it is asked before every one. */
  admits(group: string): boolean;
  /** A task of the group is dispatched; the function it returns is called when that task is no longer at work. */
  dispatched(group: string): () => void;
  /** Resolves when this process is to take a key; until then it is left to other processes. */
  place?(): Promise<void>;
}

/** What run control needs of the dispatcher. */
export interface JobDispatcher {
  enqueue(tasks: readonly QueuedTask[]): void;
  /** Limits how many tasks of a group are at work at once. */
  limitGroup(group: string, limit: number): void;
  /** Puts a waiting task before all others of its group; false if it does not wait. */
  promote(key: string): boolean;
  /** Removes a waiting task; true if it was waiting. One whose handler has begun is not affected. */
  cancel(key: string): boolean;
  /** Tasks that wait here or in the job queue, and those whose handler has begun. */
  counts(): QueueCounts;
}

interface Group {
  limit: number;
  /** Tasks that were dispatched and have not ended. */
  active: number;
  readonly waiting: Map<string, QueuedTask>;
  /** Tasks to be enqueued again after a delay, by key: what stops their timers. */
  readonly later: Map<string, () => void>;
}

/** A task whose key was given to the job queue. */
interface Dispatched {
  readonly task: QueuedTask;
  readonly group: Group;
  /** Whether its handler has begun. */
  begun: boolean;
  /** `performance.now()` */
  at: number;
  readonly ended: () => void;
}

/** After how long without a delivery a key is enqueued once more, milliseconds: the queue may have lost it. */
const REMIND_MS = 30_000;

const NO_RULES: DispatchRules = { admits: () => true, dispatched: () => () => {} };

/**
 * First come, first served within a group; between groups the one with the fewest tasks at work goes first, so that a
 * run of three symbols is not starved behind one of five thousand.
 */
export class Dispatcher implements JobDispatcher {
  readonly #groups = new Map<string, Group>();
  readonly #dispatched = new Map<string, Dispatched>();
  /** Tasks enqueued while their handler was at work. */
  readonly #again = new Map<string, QueuedTask>();
  #begun = 0;
  #handler: TaskHandler | null = null;
  #concurrency = 0;
  #rules = NO_RULES;
  #closed = false;
  #onIdle: (() => void) | null = null;
  #reminder: ReturnType<typeof setInterval> | null = null;

  /**
   * @param onError called when a handler throws; its task counts as done
   * @param remindMs tests shorten it
   */
  constructor(
    private readonly queue: JobQueue,
    private readonly onError: (task: QueuedTask, error: unknown) => void,
    private readonly remindMs = REMIND_MS,
  ) {
    queue.watch((trouble) => {
      if (trouble !== null) return;
      this.#remind(0);
      this.#next();
    });
  }

  enqueue(tasks: readonly QueuedTask[]): void {
    for (const task of tasks) {
      const dispatched = this.#dispatched.get(task.key);
      if (dispatched !== undefined) {
        if (dispatched.begun) this.#again.set(task.key, task);
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

  /**
   * Starts to dispatch tasks, at most `concurrency` at a time in all places.
   * @param handler gets those that the queue delivers, to this process or to one that claims them
   */
  work(handler: TaskHandler, concurrency: number, rules: DispatchRules = NO_RULES): void {
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#rules = rules;
    this.#reminder ??= setInterval(() => this.#remind(this.remindMs), this.remindMs);
    this.queue.work((key) => this.#deliver(key, null), concurrency, rules.place?.bind(rules));
    this.#next();
  }

  /** Handles a key that another process has taken from the queue; false if it is to be dropped. */
  claim(key: string, taker: object): boolean {
    if (this.#awaiting(key) === null) return false;
    void this.#deliver(key, taker);
    return true;
  }

  /**
   * What is known of a key whose handler may begin; `null` for one that was cancelled meanwhile, comes from an earlier life
   * of the server, or was delivered before.
   */
  #awaiting(key: string): Dispatched | null {
    const dispatched = this.#dispatched.get(key);
    return dispatched === undefined || dispatched.begun || this.#handler === null || this.#closed ? null : dispatched;
  }

  /** Handles a key that the queue has delivered, or drops it. */
  async #deliver(key: string, taker: object | null): Promise<void> {
    const dispatched = this.#awaiting(key);
    const handler = this.#handler;
    if (dispatched === null || handler === null) return;
    const { task, group, ended } = dispatched;
    dispatched.begun = true;
    this.#begun += 1;
    let result: TaskResult = { again: false };
    try {
      result = await handler(task, taker);
    } catch (error) {
      this.onError(task, error);
    }
    this.#begun -= 1;
    this.#dispatched.delete(key);
    group.active -= 1;
    ended();
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again) this.#group(again.group).waiting.set(key, again);
    else if (result.again) this.#later(task, group, result.afterMs);
    this.#removeIfEmpty(task.group, group);
    if (this.#begun === 0) this.#onIdle?.();
    this.#next();
  }

  /** Dispatches what may go now, after a change of what the rules depend on. */
  poll(): void {
    this.#next();
  }

  promote(key: string): boolean {
    for (const { waiting } of this.#groups.values()) {
      const task = waiting.get(key);
      if (task === undefined) continue;
      putFirst(waiting, task);
      return true;
    }
    return false;
  }

  cancel(key: string): boolean {
    let found = this.#again.delete(key);
    const dispatched = this.#dispatched.get(key);
    if (dispatched?.begun === false) {
      found = true;
      this.#takeBack(dispatched);
      // If it cannot be removed it is delivered, and dropped.
      this.queue.cancel(key).catch(() => {});
    }
    for (const [name, group] of this.#groups) {
      const waited = group.waiting.delete(key);
      if (!this.#takeTimer(group, key) && !waited) continue;
      found = true;
      this.#removeIfEmpty(name, group);
    }
    if (dispatched?.begun === false) this.#next();
    return found;
  }

  counts(): QueueCounts {
    let waiting = this.#again.size + this.#dispatched.size - this.#begun;
    for (const group of this.#groups.values()) waiting += group.waiting.size + group.later.size;
    return { waiting, active: this.#begun };
  }

  /** Dispatches no more tasks, and resolves when the handlers at work have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#reminder !== null) clearInterval(this.#reminder);
    for (const { later } of this.#groups.values()) for (const stop of later.values()) stop();
    if (this.#begun > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.queue.close();
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
    while (this.#maySend() && this.#dispatched.size < this.#concurrency) {
      let chosen: [string, Group] | null = null;
      for (const entry of this.#groups) {
        const [name, group] = entry;
        if (group.waiting.size === 0 || group.active >= group.limit) continue;
        if ((chosen === null || group.active < chosen[1].active) && this.#rules.admits(name)) chosen = entry;
      }
      if (chosen === null) return;
      const [name, group] = chosen;
      const task = group.waiting.values().next().value!;
      group.waiting.delete(task.key);
      // Moved to the end: among equals, the group served longest ago goes first.
      this.#groups.delete(name);
      this.#groups.set(name, group);
      this.#dispatch(task, group);
    }
  }

  #maySend(): boolean {
    return !this.#closed && this.#handler !== null && this.queue.trouble() === null;
  }

  #dispatch(task: QueuedTask, group: Group): void {
    group.active += 1;
    const ended = this.#rules.dispatched(task.group);
    const dispatched: Dispatched = { task, group, begun: false, at: performance.now(), ended };
    this.#dispatched.set(task.key, dispatched);
    // A request may have made it begin, but does not wait for it.
    withoutWaitLimit(() => this.queue.enqueue([task.key])).catch(() => this.#refused(dispatched));
  }

  /** The queue may not have taken a key: it waits here until the queue can be reached. */
  #refused(dispatched: Dispatched): void {
    const { task, group, begun } = dispatched;
    if (begun || this.#dispatched.get(task.key) !== dispatched) return;
    this.#takeBack(dispatched);
    putFirst(group.waiting, task);
    this.#groups.set(task.group, group);
  }

  #takeBack({ task, group, ended }: Dispatched): void {
    this.#dispatched.delete(task.key);
    group.active -= 1;
    ended();
    this.#removeIfEmpty(task.group, group);
  }

  /** Gives the queue the keys again that it has had for longer than `ageMs`; those it still holds are not doubled. */
  #remind(ageMs: number): void {
    if (!this.#maySend()) return;
    const before = performance.now() - ageMs;
    const late = [...this.#dispatched.values()].filter(({ begun, at }) => !begun && at <= before);
    if (late.length === 0) return;
    for (const each of late) each.at = performance.now();
    withoutWaitLimit(() => this.queue.enqueue(late.map(({ task }) => task.key))).catch(() => {});
  }

  #later(task: QueuedTask, group: Group, afterMs: number): void {
    if (this.#closed) return;
    group.later.set(
      task.key,
      after(afterMs, () => this.enqueue([task])),
    );
  }
}

function putFirst(waiting: Map<string, QueuedTask>, task: QueuedTask): void {
  waiting.delete(task.key);
  const others = [...waiting];
  waiting.clear();
  waiting.set(task.key, task);
  for (const [key, other] of others) waiting.set(key, other);
}
