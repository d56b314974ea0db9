/** The dispatcher above the embedded queue, and above one whose deliveries, losses and outages the test decides. */

import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import type { QueueTrouble } from "../../../src/domain/errors.ts";
import { Dispatcher, type QueuedTask, type TaskResult } from "../../../src/scheduler/queue/dispatcher.ts";
import { EmbeddedQueue } from "../../../src/scheduler/queue/embedded-queue.ts";
import type { JobQueue, KeyHandler } from "../../../src/scheduler/queue/job-queue.ts";
import { ManualHandler } from "./manual-handler.ts";

const task = (key: string, group = "g"): QueuedTask => ({ key, group });
const DONE: TaskResult = { again: false };
const handlerOf =
  ({ begin }: ManualHandler<TaskResult>) =>
  ({ key }: QueuedTask) =>
    begin(key);

/** Lets everything run that is due now. */
const quietly = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Waits until the queue has nothing more to do without a further call. */
const quiet = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

const create = (onError: (task: QueuedTask, error: unknown) => void) => new Dispatcher(new EmbeddedQueue(), onError);

describe("above the embedded queue", () => {
  let dispatcher: Dispatcher;
  let tasks: ManualHandler<TaskResult>;
  let errors: unknown[];
  beforeEach(() => {
    errors = [];
    dispatcher = create((_, error) => void errors.push(error));
    tasks = new ManualHandler<TaskResult>(DONE);
  });
  afterEach(async () => {
    const closed = dispatcher.close();
    tasks.endAll();
    await closed;
  });

  test("a key that already waits is handled once", async () => {
    dispatcher.enqueue([task("a"), task("b"), task("a")]);
    dispatcher.enqueue([task("b")]);
    expect(dispatcher.counts()).toEqual({ waiting: 2, active: 0 });
    dispatcher.work(handlerOf(tasks), 1);
    await tasks.drain(2);
    await quiet();
    expect(tasks.begun).toEqual(["a", "b"]);
    expect(dispatcher.counts()).toEqual({ waiting: 0, active: 0 });
  });

  test("a key enqueued while it is active is handled once more, after it", async () => {
    dispatcher.work(handlerOf(tasks), 4);
    dispatcher.enqueue([task("a")]);
    await tasks.taken(1);
    dispatcher.enqueue([task("a")]);
    dispatcher.enqueue([task("a")]);
    await quiet();
    expect(tasks.begun).toEqual(["a"]);
    await tasks.drain(2);
    await quiet();
    expect(tasks.begun).toEqual(["a", "a"]);
  });

  test("a result of `again` enqueues the task again, and an enqueue of its own does not double it", async () => {
    dispatcher.work(handlerOf(tasks), 4);
    dispatcher.enqueue([task("a")]);
    await tasks.taken(1);
    tasks.end("a", { again: true, afterMs: 1 });
    await tasks.taken(2);
    tasks.end("a", { again: true, afterMs: 60_000 });
    await quiet();
    expect(dispatcher.counts()).toEqual({ waiting: 1, active: 0 });
    dispatcher.enqueue([task("a")]);
    await tasks.taken(3);
    tasks.end("a");
    await quiet();
    expect(tasks.begun).toEqual(["a", "a", "a"]);
    expect(dispatcher.counts()).toEqual({ waiting: 0, active: 0 });
  });

  test("a cancelled task is not handled: waiting, delayed, or enqueued once more", async () => {
    dispatcher.work(handlerOf(tasks), 1);
    dispatcher.enqueue([task("a"), task("b")]);
    await tasks.taken(1);
    dispatcher.enqueue([task("a")]);
    expect(dispatcher.cancel("b")).toBe(true);
    expect(dispatcher.cancel("a")).toBe(true);
    expect(dispatcher.cancel("a")).toBe(false);
    expect(dispatcher.cancel("nobody")).toBe(false);
    tasks.end("a", { again: true, afterMs: 60_000 });
    await quiet();
    expect(dispatcher.cancel("a")).toBe(true);
    expect(dispatcher.counts()).toEqual({ waiting: 0, active: 0 });
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
          const floor = new ManualHandler<TaskResult>(DONE);
          for (const [g, limit] of limits.entries()) own.limitGroup(`g${g}`, limit);
          const tasks = picks.map((pick, i) => task(`g${pick % limits.length}:${i}`, `g${pick % limits.length}`));
          own.enqueue(tasks);
          own.work(handlerOf(floor), concurrency);
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
    dispatcher.enqueue(Array.from({ length: 500 }, (_, i) => task(`large${i}`, "large")));
    dispatcher.enqueue([task("small0", "small"), task("small1", "small"), task("small2", "small")]);
    dispatcher.work(handlerOf(tasks), 1);
    await tasks.drain(8);
    expect(tasks.begun.slice(0, 8).filter((key) => key.startsWith("small")).length).toBe(3);
  });

  test("a group keeps its limit while one of its tasks waits for another try", async () => {
    dispatcher.limitGroup("g", 1);
    dispatcher.work(handlerOf(tasks), 4);
    dispatcher.enqueue([task("a"), task("b"), task("c")]);
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
    dispatcher.enqueue([task("a"), task("b")]);
    dispatcher.work(async (each) => {
      if (each.key === "a") throw new Error("handler failed");
      return tasks.begin(each.key);
    }, 1);
    await tasks.drain(1);
    await quiet();
    expect(tasks.begun).toEqual(["b"]);
    expect(errors.map(String)).toEqual(["Error: handler failed"]);
    expect(dispatcher.counts()).toEqual({ waiting: 0, active: 0 });
  });

  test("closing hands out nothing more and waits for active tasks", async () => {
    dispatcher.work(handlerOf(tasks), 1);
    dispatcher.enqueue([task("a"), task("b")]);
    await tasks.taken(1);
    let closed = false;
    const closing = dispatcher.close().then(() => {
      closed = true;
    });
    await quiet();
    expect(closed).toBe(false);
    tasks.end("a", { again: true, afterMs: 0 });
    await closing;
    await quiet();
    expect(tasks.begun).toEqual(["a"]);
  });
});

/** A job queue that does nothing by itself. */
class ScriptedQueue implements JobQueue {
  readonly name = null;
  readonly mark = null;
  /** Every key that was enqueued, in order. */
  readonly enqueued: string[] = [];
  readonly cancelled: string[] = [];
  #trouble: QueueTrouble | null = null;
  readonly #listeners: ((trouble: QueueTrouble | null) => void)[] = [];
  #handler: KeyHandler | null = null;

  async enqueue(keys: readonly string[]): Promise<void> {
    this.enqueued.push(...keys);
    if (this.#trouble !== null) throw new Error(this.#trouble.what);
  }
  async cancel(key: string): Promise<boolean> {
    this.cancelled.push(key);
    return true;
  }
  work(handler: KeyHandler): void {
    this.#handler = handler;
  }
  async counts() {
    return { waiting: 0, active: 0 };
  }
  trouble() {
    return this.#trouble;
  }
  watch(listener: (trouble: QueueTrouble | null) => void): void {
    this.#listeners.push(listener);
  }
  async close(): Promise<void> {}

  deliver(key: string): Promise<void> {
    return this.#handler!(key);
  }
  setTrouble(what: string | null): void {
    this.#trouble = what === null ? null : { kind: "queue", what, detail: "", advice: "", since: 1 };
    for (const listener of this.#listeners) listener(this.#trouble);
  }
}

describe("above a queue in another process", () => {
  let queue: ScriptedQueue;
  let dispatcher: Dispatcher;
  let tasks: ManualHandler<TaskResult>;
  let atWork: number;
  const rules = {
    admits: () => true,
    dispatched: () => {
      atWork += 1;
      return () => {
        atWork -= 1;
      };
    },
  };
  beforeEach(() => {
    queue = new ScriptedQueue();
    dispatcher = new Dispatcher(queue, () => {});
    tasks = new ManualHandler<TaskResult>(DONE);
    atWork = 0;
  });
  afterEach(async () => {
    const closed = dispatcher.close();
    tasks.endAll();
    await closed;
  });

  test("a key is in the job queue only while it may run", async () => {
    dispatcher.limitGroup("g", 2);
    dispatcher.enqueue([task("a"), task("b"), task("c"), task("d")]);
    dispatcher.work(handlerOf(tasks), 9, rules);
    expect(queue.enqueued).toEqual(["a", "b"]);
    expect(atWork).toBe(2);
    const delivered = queue.deliver("a");
    expect(queue.enqueued).toEqual(["a", "b"]);
    tasks.end("a");
    await delivered;
    expect(queue.enqueued).toEqual(["a", "b", "c"]);
    expect(atWork).toBe(2);
    expect(dispatcher.counts()).toEqual({ waiting: 3, active: 0 });
  });

  test("a key that is delivered twice, too late or from an earlier life of the server is dropped", async () => {
    dispatcher.work(handlerOf(tasks), 9, rules);
    dispatcher.enqueue([task("a")]);
    const delivered = queue.deliver("a");
    await queue.deliver("a");
    await queue.deliver("of an earlier life");
    tasks.end("a");
    await delivered;
    await queue.deliver("a");
    expect(tasks.begun).toEqual(["a"]);
    expect(atWork).toBe(0);
  });

  test("a dispatched key that is cancelled frees its place, and its delivery is dropped", async () => {
    dispatcher.limitGroup("g", 1);
    dispatcher.work(handlerOf(tasks), 9, rules);
    dispatcher.enqueue([task("a"), task("b")]);
    expect(dispatcher.cancel("a")).toBe(true);
    expect(queue.cancelled).toEqual(["a"]);
    expect(queue.enqueued).toEqual(["a", "b"]);
    await queue.deliver("a");
    expect(tasks.begun).toEqual([]);
    expect(atWork).toBe(1);
    expect(dispatcher.cancel("a")).toBe(false);
  });

  test("a task whose handler has begun is not cancelled", async () => {
    dispatcher.work(handlerOf(tasks), 9, rules);
    dispatcher.enqueue([task("a")]);
    const delivered = queue.deliver("a");
    expect(dispatcher.cancel("a")).toBe(false);
    expect(queue.cancelled).toEqual([]);
    tasks.end("a");
    await delivered;
  });

  test("during an outage nothing is dispatched; after it every key that was not delivered is enqueued again, in order", async () => {
    dispatcher.limitGroup("g", 2);
    dispatcher.work(handlerOf(tasks), 9, rules);
    dispatcher.enqueue([task("a"), task("b"), task("c")]);
    const delivered = queue.deliver("a");
    queue.setTrouble("down");
    tasks.end("a");
    await delivered;
    expect(queue.enqueued).toEqual(["a", "b"]);
    queue.setTrouble(null);
    expect(queue.enqueued).toEqual(["a", "b", "b", "c"]);
    expect(tasks.begun).toEqual(["a"]);
  });

  test("a key that the queue did not take keeps its place before those that came later", async () => {
    dispatcher.limitGroup("g", 1);
    dispatcher.work(handlerOf(tasks), 9, rules);
    const taking = spyOn(queue, "enqueue").mockImplementationOnce(async () => {
      queue.setTrouble("down");
      throw new Error("down");
    });
    dispatcher.enqueue([task("a"), task("b")]);
    await quiet();
    expect(atWork).toBe(0);
    expect(dispatcher.counts()).toEqual({ waiting: 2, active: 0 });
    taking.mockRestore();
    queue.setTrouble(null);
    expect(queue.enqueued).toEqual(["a"]);
    expect(atWork).toBe(1);
  });

  test("a key that the queue has lost without a word is enqueued again after a while, one at work is not", async () => {
    const own = new Dispatcher(queue, () => {}, 5);
    own.work(handlerOf(tasks), 9);
    own.enqueue([task("lost"), task("at work")]);
    const delivered = queue.deliver("at work");
    while (queue.enqueued.length < 4) await Bun.sleep(1);
    expect(queue.enqueued.slice(0, 4)).toEqual(["lost", "at work", "lost", "lost"]);
    tasks.end("at work");
    await delivered;
    await own.close();
  });

  test("whatever is enqueued, delivered, cancelled and lost, limits hold and every task that is not cancelled is handled", async () => {
    const commands = fc.array(
      fc.record({ what: fc.constantFrom("enqueue", "deliver", "end", "cancel", "outage"), pick: fc.nat(5) }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        const queue = new ScriptedQueue();
        const tasks = new ManualHandler<TaskResult>(DONE);
        const dispatcher = new Dispatcher(queue, () => {});
        const wanted = new Set<string>();
        dispatcher.limitGroup("g", 2);
        dispatcher.work(handlerOf(tasks), 3);
        for (const { what, pick } of steps) {
          const key = `k${pick}`;
          if (what === "enqueue") {
            wanted.add(key);
            dispatcher.enqueue([task(key)]);
          } else if (what === "deliver") void queue.deliver(key);
          else if (what === "end" && tasks.working.includes(key)) tasks.end(key);
          else if (what === "cancel") {
            wanted.delete(key);
            dispatcher.cancel(key);
          } else if (what === "outage") queue.setTrouble(queue.trouble() === null ? "down" : null);
          await Promise.resolve();
          expect(tasks.working.length).toBeLessThanOrEqual(2);
        }
        queue.setTrouble(null);
        for (let round = 0; dispatcher.counts().waiting + dispatcher.counts().active > 0; round++) {
          expect(round).toBeLessThan(40);
          for (const key of new Set(queue.enqueued)) void queue.deliver(key);
          for (const key of tasks.working) tasks.end(key);
          await quietly();
        }
        for (const key of wanted) expect(tasks.begun).toContain(key);
        await dispatcher.close();
      }),
      { numRuns: 200 },
    );
  });
});
