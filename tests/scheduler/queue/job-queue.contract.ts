/** The contract of all job queues. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { GivenBack, type JobQueue } from "../../../src/scheduler/queue/job-queue.ts";
import { ManualHandler } from "./manual-handler.ts";

export interface QueueUnderTest {
  /** A queue of the one name that this suite uses, opened by its owner: empty. */
  open(): Promise<JobQueue>;
  /** Lets a process enqueue these keys, begin the first one, and die without a word. */
  crash(keys: readonly string[]): Promise<void>;
}

export function jobQueueContract({ open, crash }: QueueUnderTest): void {
  let queue: JobQueue;
  let keys: ManualHandler<void>;
  beforeEach(async () => {
    queue = await open();
    keys = new ManualHandler<void>(undefined);
  });
  afterEach(async () => {
    const closed = queue.close();
    keys.finish();
    await closed;
  });

  test("keys are delivered in the order in which they were enqueued, one that waits only once", async () => {
    await queue.enqueue(["a", "b", "a"]);
    await queue.enqueue(["b", "c"]);
    expect(await queue.counts()).toEqual({ waiting: 3, active: 0 });
    queue.work(keys.begin, 1);
    await keys.drain(3);
    await queue.enqueue(["last"]);
    await keys.drain(1);
    expect(keys.begun).toEqual(["a", "b", "c", "last"]);
  });

  test("a key enqueued while it is active is delivered once more after it, and never beside itself", async () => {
    queue.work(keys.begin, 4);
    await queue.enqueue(["a"]);
    await keys.taken(1);
    await queue.enqueue(["a"]);
    await queue.enqueue(["a", "other"]);
    await keys.taken(2);
    expect(keys.working).toEqual(["a", "other"]);
    keys.end("a");
    await keys.taken(3);
    keys.end("a");
    await queue.enqueue(["last"]);
    await keys.taken(4);
    expect(keys.begun).toEqual(["a", "other", "a", "last"]);
  });

  test("a cancelled key that waits is not delivered, and can be enqueued again", async () => {
    queue.work(keys.begin, 1);
    await queue.enqueue(["a"]);
    await keys.taken(1);
    await queue.enqueue(["b", "c"]);
    expect(await queue.cancel("b")).toBe(true);
    expect(await queue.cancel("b")).toBe(false);
    expect(await queue.cancel("nobody")).toBe(false);
    expect(await queue.cancel("a")).toBe(false);
    expect(keys.working).toEqual(["a"]);
    await keys.drain(2);
    expect(keys.begun).toEqual(["a", "c"]);
    await queue.enqueue(["b"]);
    await keys.drain(1);
    expect(keys.begun).toEqual(["a", "c", "b"]);
  });

  test("no more keys are active than allowed", async () => {
    queue.work(keys.begin, 3);
    await queue.enqueue(Array.from({ length: 12 }, (_, i) => `k${i}`));
    await keys.taken(3);
    await keys.drain(12);
    expect(keys.most).toBe(3);
    expect(new Set(keys.begun).size).toBe(12);
  });

  test("a handler that throws ends its key, and nothing else", async () => {
    queue.work(async (key) => {
      if (key === "a") throw new Error("handler failed");
      await keys.begin(key);
    }, 1);
    await queue.enqueue(["a", "b"]);
    await keys.drain(1);
    await queue.enqueue(["c"]);
    await keys.drain(1);
    expect(keys.begun).toEqual(["b", "c"]);
  });

  test("a key that its handler gives back is delivered again, and is done when it is handled", async () => {
    let refusals = 2;
    queue.work(async (key) => {
      if (key === "a" && refusals-- > 0) throw new GivenBack();
      await keys.begin(key);
    }, 1);
    await queue.enqueue(["a", "b"]);
    await keys.drain(2);
    expect(keys.begun.toSorted()).toEqual(["a", "b"]);
    expect(refusals).toBe(-1);
    await queue.enqueue(["a", "last"]);
    await keys.drain(2);
    expect(keys.begun.slice(2).toSorted()).toEqual(["a", "last"]);
  });

  test("closing delivers nothing more and waits for active keys", async () => {
    queue.work(keys.begin, 1);
    await queue.enqueue(["a", "b"]);
    await keys.taken(1);
    let isClosed = false;
    const closing = queue.close().then(() => {
      isClosed = true;
    });
    await Bun.sleep(30);
    expect(isClosed).toBe(false);
    keys.end("a");
    await closing;
    expect(keys.begun).toEqual(["a"]);
  });

  test("after the process that owned the queue died, the next owner's keys are delivered once each", async () => {
    await queue.close();
    await crash(["dead", "a", "b"]);
    queue = await open();
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 });
    queue.work(keys.begin, 1);
    await queue.enqueue(["dead", "a", "b", "c"]);
    await keys.drain(4);
    await queue.enqueue(["last"]);
    await keys.drain(1);
    expect(keys.begun).toEqual(["dead", "a", "b", "c", "last"]);
  });
}
