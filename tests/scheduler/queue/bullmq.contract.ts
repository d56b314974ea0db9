/** What the two kinds of job queues in other processes have in common: the contract, deaths and outages. */

import { afterEach, describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import type { QueueTrouble } from "../../../src/domain/errors.ts";
import { type BullMqOptions, BullMqQueue, openBullMqQueue } from "../../../src/scheduler/queue/bullmq/bullmq-queue.ts";
import { loadBullMq, type QueueKind } from "../../../src/scheduler/queue/bullmq/packages.ts";
import { QUEUE_PASSWORD } from "../../fakes/queue/servers.ts";
import { CHILD_ENV } from "../../helpers/server.ts";
import { jobQueueContract } from "./job-queue.contract.ts";
import { inTime, ManualHandler } from "./manual-handler.ts";
import type { QueueAtProxy } from "./queue-server.ts";

const PROCESS = fileURLToPath(new URL("../../fakes/queue/worker-process.ts", import.meta.url));
const TIMES = { command: 3_000, lock: 600, stalled: 200, check: 50, pause: 20, longestPause: 50 };

/** Resolves when trouble begins (`true`) or is over. */
const troubleOf = (queue: BullMqQueue, begins: boolean) =>
  inTime(
    new Promise<QueueTrouble | null>((resolve) => {
      if ((queue.trouble() !== null) === begins) resolve(queue.trouble());
      queue.watch((trouble) => (trouble !== null) === begins && resolve(trouble));
    }),
    () => `trouble to ${begins ? "begin" : "end"}; it is: ${queue.trouble()?.detail ?? "none"}`,
  );

export function bullMqContract(kind: QueueKind, at: QueueAtProxy): void {
  let count = 0;
  const optionsOf = (more: Partial<BullMqOptions> = {}): BullMqOptions => ({
    place: { kind, url: at.url },
    name: `jobs-test-${count}`,
    isOwner: true,
    times: TIMES,
    ...more,
  });
  /** What a test leaves open, also when it fails: it would take the keys of the next ones. */
  const opened: BullMqQueue[] = [];
  const handlers: ManualHandler<void>[] = [];
  const open = async (more: Partial<BullMqOptions> = {}) => {
    const queue = await openBullMqQueue(optionsOf(more));
    opened.push(queue);
    return queue;
  };
  const handler = () => {
    const made = new ManualHandler<void>(undefined);
    handlers.push(made);
    return made;
  };
  afterEach(async () => {
    count += 1;
    const closed = opened.splice(0).map((queue) => queue.close());
    for (const each of handlers.splice(0)) each.finish();
    await inTime(Promise.all(closed), () => "the queues of a test to close");
  });

  /** Starts a process that works on these keys, and waits until it has one. */
  async function startProcess(keys: readonly string[], isOwner: boolean) {
    const child = Bun.spawn([process.execPath, "--no-env-file", PROCESS], {
      env: { ...CHILD_ENV, QUEUE: JSON.stringify({ ...optionsOf({ isOwner }), keys }) },
      stdout: "pipe",
      stderr: "inherit",
    });
    const { value } = await inTime(child.stdout.getReader().read(), () => "a process to get a key");
    return {
      key: new TextDecoder().decode(value).trim(),
      async kill() {
        child.kill("SIGKILL");
        await child.exited;
      },
    };
  }

  describe("contract", () =>
    jobQueueContract({
      open: () => openBullMqQueue(optionsOf()),
      async crash(keys) {
        const { key, kill } = await startProcess(keys, true);
        expect(key).toBe(keys[0]!);
        await kill();
      },
    }));

  test("a key whose process was killed is delivered to another one", async () => {
    const queue = await open();
    await queue.enqueue(["orphan"]);
    const { key, kill } = await startProcess([], false);
    expect(key).toBe("orphan");
    const keys = handler();
    queue.work(keys.begin, 2);
    await queue.enqueue(["other"]);
    await keys.taken(1);
    expect(keys.begun).toEqual(["other"]);
    await kill();
    await keys.taken(2);
    expect(keys.begun).toEqual(["other", "orphan"]);
    keys.finish();
    await queue.close();
  });

  test("the mark of the owner is found by others, again after an outage, that of another owner is not, and none is delivered", async () => {
    const queue = await open();
    const other = await open({ isOwner: false });
    const keys = handler();
    other.work(keys.begin, 4);
    expect([await other.hasMark(queue.mark!), await other.hasMark("another")]).toEqual([true, false]);
    expect(other.mark).toBeNull();
    const gone = troubleOf(queue, true);
    at.proxy.cut();
    await gone;
    at.proxy.heal();
    await Promise.all([troubleOf(queue, false), troubleOf(other, false)]);
    expect(await other.hasMark(queue.mark!)).toBe(true);
    await queue.enqueue(["key"]);
    await keys.taken(1);
    expect([keys.begun, await queue.counts()]).toEqual([["key"], { waiting: 0, active: 1 }]);
    keys.finish();
    // One that ends in order takes its mark with it.
    await queue.close();
    expect(await other.hasMark(queue.mark!)).toBe(false);
    await other.close();
    // Another process of the same server: what was in the queue is gone.
    const next = await open();
    expect([await next.hasMark(queue.mark!), await next.hasMark(next.mark!)]).toEqual([false, true]);
    await next.close();
  });

  test("a key goes to the process that has a place for it, and one without takes none", async () => {
    const queue = await open();
    const other = await open({ isOwner: false });
    const [here, elsewhere] = [handler(), handler()];
    const place = Promise.withResolvers<void>();
    // Asked when the first key has begun: one more that is taken then would wait here while others are idle.
    queue.work(here.begin, 4, () => (here.begun.length === 1 ? place.promise : Promise.resolve()));
    await queue.enqueue(["first"]);
    await here.taken(1);
    other.work(elsewhere.begin, 4);
    await queue.enqueue(["a", "b", "c"]);
    await elsewhere.taken(3);
    expect([here.begun, elsewhere.begun]).toEqual([["first"], ["a", "b", "c"]]);
    place.resolve();
    elsewhere.finish();
    await other.close();
    await queue.enqueue(["d"]);
    await here.taken(2);
    expect(here.begun).toEqual(["first", "d"]);
    here.finish();
    await queue.close();
  });

  test("an outage refuses keys, leaves those at work alone, and ends by itself with an empty queue", async () => {
    const queue = await open();
    const keys = handler();
    queue.work(keys.begin, 1);
    await queue.enqueue(["at work", "waiting"]);
    await keys.taken(1);
    const began = troubleOf(queue, true);
    at.proxy.cut();
    const trouble = await began;
    expect(trouble!.detail).toStartWith(`${kind}://127.0.0.1:${at.proxy.port}`);
    expect(queue.enqueue(["refused"])).rejects.toThrow("The job queue does not answer");
    expect(queue.counts()).rejects.toThrow("The job queue does not answer");
    await inTime(at.proxy.refusals(3), () => "three more attempts to connect");
    expect(keys.working).toEqual(["at work"]);
    const over = troubleOf(queue, false);
    at.proxy.heal();
    await over;
    expect(await queue.counts()).toEqual({ waiting: 0, active: 0 });
    await queue.enqueue(["later"]);
    keys.end("at work");
    await keys.taken(2);
    expect(keys.begun).toEqual(["at work", "later"]);
    keys.finish();
    await queue.close();
  });

  test("a network that swallows everything is an outage too", async () => {
    const queue = await open({ times: { ...TIMES, command: 200 } });
    const keys = handler();
    queue.work(keys.begin, 1);
    const began = troubleOf(queue, true);
    at.proxy.deafen();
    expect((await began)!.detail).toContain("no answer");
    const over = troubleOf(queue, false);
    at.proxy.heal();
    await over;
    await queue.enqueue(["a"]);
    await keys.drain(1);
    await queue.close();
  });

  test("a server that is away when the queue is opened is connected to when it comes", async () => {
    at.proxy.cut();
    const queue = await open();
    expect(queue.trouble()!.what).toContain("does not answer");
    const keys = handler();
    queue.work(keys.begin, 1);
    const over = troubleOf(queue, false);
    at.proxy.heal();
    await over;
    await queue.enqueue(["a"]);
    await keys.drain(1);
    await queue.close();
  });

  test("outages leave no connection behind", async () => {
    const queue = await open();
    queue.work(async () => {}, 2);
    await queue.enqueue(["a"]);
    for (let outage = 0; outage < 10; outage++) {
      const began = troubleOf(queue, true);
      at.proxy.cut();
      await began;
      const over = troubleOf(queue, false);
      at.proxy.heal();
      await over;
    }
    // A client of Redis that was not ended comes back after a second.
    await Bun.sleep(1_500);
    expect(at.proxy.clients).toBeLessThanOrEqual(10);
    await queue.close();
  });

  test("connections that break at any moment of their beginning throw nothing, and the queue works in the end", async () => {
    const queue = await open();
    const keys = handler();
    queue.work(keys.begin, 1);
    for (let moment = 0; moment < 25; moment++) {
      at.proxy.cut();
      await Bun.sleep(5);
      at.proxy.heal();
      queue.enqueue([`k${moment}`]).catch(() => {});
      await Bun.sleep(4 * moment);
    }
    await troubleOf(queue, false);
    keys.endAll();
    await queue.enqueue(["last"]);
    while (!keys.begun.includes("last")) await keys.drain(1);
    await queue.close();
  });

  test("a queue in trouble closes at once, and tries no more", async () => {
    const queue = await open();
    queue.work(async () => {}, 1);
    const began = troubleOf(queue, true);
    at.proxy.cut();
    await began;
    await queue.close();
    at.proxy.heal();
    expect(queue.enqueue(["a"])).rejects.toThrow("The job queue does not answer");
  });

  test("neither trouble nor errors show the password", async () => {
    const place = { kind, url: at.url.replace("/0", "/99").replace("/postgres", "/nowhere") };
    const queue = new BullMqQueue(await loadBullMq(kind), optionsOf({ place }));
    await queue.connect();
    expect(queue.trouble()).not.toBeNull();
    const error = await queue.enqueue(["a"]).catch(String);
    for (const text of [queue.trouble()!.detail, String(error)]) {
      expect(text).not.toContain(QUEUE_PASSWORD);
      expect(text).not.toContain(decodeURIComponent(QUEUE_PASSWORD));
    }
    await queue.close();
  });
}
