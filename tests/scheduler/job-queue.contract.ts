/** The contract of all job queues. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import type { JobQueue, QueuedTask, TaskResult } from "../../src/scheduler/queue/job-queue.ts";

const task = (key: string, group = "g"): QueuedTask => ({ key, group });
const DONE: TaskResult = { again: false };

/** A handler whose tasks end when the test says so. */
class ManualHandler {
  /** Keys in the order in which they were handled. */
  readonly begun: string[] = [];
  readonly #open = new Map<string, (result: TaskResult) => void>();
  #events: (() => void) | null = null;

  readonly handler = ({ key }: QueuedTask): Promise<TaskResult> => {
    this.begun.push(key);
    expect(this.#open.has(key), `${key} is in work twice`).toBe(false);
    this.#events?.();
    return new Promise((resolve) => this.#open.set(key, resolve));
  };

  get working(): string[] {
    return [...this.#open.keys()];
  }

  end(key: string, result: TaskResult = DONE): void {
    const resolve = this.#open.get(key);
    if (resolve === undefined) throw new Error(`${key} is not in work`);
    this.#open.delete(key);
    resolve(result);
  }

  /** Waits until `count` tasks have begun. */
  async taken(count: number): Promise<void> {
    while (this.begun.length < count) {
      await new Promise<void>((resolve) => {
        this.#events = resolve;
      });
    }
  }

  /** Ends tasks in the order in which they begin, until `count` have ended. */
  async drain(count: number): Promise<void> {
    for (let ended = 0; ended < count; ended++) {
      await this.taken(ended + 1);
      this.end(this.working[0]!);
    }
  }
}

/** Waits until the queue has nothing more to do without a further call. */
const quiet = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

/** Runs the suite against the queues that `create` makes. */
export function jobQueueContract(create: (onError: (task: QueuedTask, error: unknown) => void) => JobQueue): void {
  let queue: JobQueue;
  let tasks: ManualHandler;
  let errors: unknown[];
  beforeEach(() => {
    errors = [];
    queue = create((_, error) => void errors.push(error));
    tasks = new ManualHandler();
  });
  afterEach(async () => {
    const closed = queue.close();
    for (const key of tasks.working) tasks.end(key);
    await closed;
  });

  test("a key that already waits is handled once", async () => {
    queue.enqueue([task("a"), task("b"), task("a")]);
    queue.enqueue([task("b")]);
    expect(queue.counts()).toEqual({ waiting: 2, active: 0 });
    queue.work(tasks.handler, 1);
    await tasks.drain(2);
    await quiet();
    expect(tasks.begun).toEqual(["a", "b"]);
    expect(queue.counts()).toEqual({ waiting: 0, active: 0 });
  });

  test("a key enqueued while it is active is handled once more, after it", async () => {
    queue.work(tasks.handler, 4);
    queue.enqueue([task("a")]);
    await tasks.taken(1);
    queue.enqueue([task("a")]);
    queue.enqueue([task("a")]);
    await quiet();
    expect(tasks.begun).toEqual(["a"]);
    await tasks.drain(2);
    await quiet();
    expect(tasks.begun).toEqual(["a", "a"]);
  });

  test("a result of `again` enqueues the task again, and an enqueue of its own does not double it", async () => {
    queue.work(tasks.handler, 4);
    queue.enqueue([task("a")]);
    await tasks.taken(1);
    tasks.end("a", { again: true, afterMs: 1 });
    await tasks.taken(2);
    tasks.end("a", { again: true, afterMs: 60_000 });
    await quiet();
    expect(queue.counts()).toEqual({ waiting: 1, active: 0 });
    queue.enqueue([task("a")]);
    await tasks.taken(3);
    tasks.end("a");
    await quiet();
    expect(tasks.begun).toEqual(["a", "a", "a"]);
    expect(queue.counts()).toEqual({ waiting: 0, active: 0 });
  });

  test("a cancelled task is not handled: waiting, delayed, or enqueued once more", async () => {
    queue.work(tasks.handler, 1);
    queue.enqueue([task("a"), task("b")]);
    await tasks.taken(1);
    queue.enqueue([task("a")]);
    expect(queue.cancel("b")).toBe(true);
    expect(queue.cancel("a")).toBe(true);
    expect(queue.cancel("a")).toBe(false);
    expect(queue.cancel("nobody")).toBe(false);
    tasks.end("a", { again: true, afterMs: 60_000 });
    await quiet();
    expect(queue.cancel("a")).toBe(true);
    expect(queue.counts()).toEqual({ waiting: 0, active: 0 });
    expect(tasks.begun).toEqual(["a"]);
  });

  test("no more tasks are active than allowed, in all and per group", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(30), { minLength: 1, maxLength: 25 }),
        async (concurrency, limits, picks) => {
          const own = create(() => {});
          const floor = new ManualHandler();
          for (const [g, limit] of limits.entries()) own.limitGroup(`g${g}`, limit);
          const tasks = picks.map((pick, i) => task(`g${pick % limits.length}:${i}`, `g${pick % limits.length}`));
          own.enqueue(tasks);
          own.work(floor.handler, concurrency);
          for (let ended = 0; ended < tasks.length; ended++) {
            await floor.taken(ended + 1);
            expect(floor.working.length).toBeLessThanOrEqual(concurrency);
            for (const [g, limit] of limits.entries()) {
              const inGroup = floor.working.filter((key) => key.startsWith(`g${g}:`)).length;
              expect(inGroup).toBeLessThanOrEqual(limit);
            }
            floor.end(floor.working[picks[ended]! % floor.working.length]!);
            await Promise.resolve();
          }
          expect(floor.begun.toSorted()).toEqual(tasks.map(({ key }) => key).toSorted());
          // Within a group: first come, first served.
          for (const g of limits.keys()) {
            const of = (keys: string[]) => keys.filter((key) => key.startsWith(`g${g}:`));
            expect(of(floor.begun)).toEqual(of(tasks.map(({ key }) => key)));
          }
          await own.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a small group is not starved behind a large one, even by a single worker", async () => {
    queue.enqueue(Array.from({ length: 500 }, (_, i) => task(`large${i}`, "large")));
    queue.enqueue([task("small0", "small"), task("small1", "small"), task("small2", "small")]);
    queue.work(tasks.handler, 1);
    await tasks.drain(8);
    expect(tasks.begun.slice(0, 8).filter((key) => key.startsWith("small")).length).toBe(3);
  });

  test("a group keeps its limit while one of its tasks waits for another try", async () => {
    queue.limitGroup("g", 1);
    queue.work(tasks.handler, 4);
    queue.enqueue([task("a"), task("b"), task("c")]);
    await tasks.taken(1);
    tasks.end("a", { again: true, afterMs: 1 });
    await tasks.taken(2);
    tasks.end("b", { again: true, afterMs: 1 });
    await tasks.taken(3);
    tasks.end("c");
    await tasks.taken(4);
    await quiet();
    expect(tasks.working.length).toBe(1);
  });

  test("a handler that throws ends its task, and nothing else", async () => {
    queue.enqueue([task("a"), task("b")]);
    queue.work(async (each) => {
      if (each.key === "a") throw new Error("handler failed");
      return tasks.handler(each);
    }, 1);
    await tasks.drain(1);
    await quiet();
    expect(tasks.begun).toEqual(["b"]);
    expect(errors.map(String)).toEqual(["Error: handler failed"]);
    expect(queue.counts()).toEqual({ waiting: 0, active: 0 });
  });

  test("closing hands out nothing more and waits for active tasks", async () => {
    queue.work(tasks.handler, 1);
    queue.enqueue([task("a"), task("b")]);
    await tasks.taken(1);
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    await quiet();
    expect(closed).toBe(false);
    tasks.end("a", { again: true, afterMs: 0 });
    await closing;
    await quiet();
    expect(tasks.begun).toEqual(["a"]);
  });
}
