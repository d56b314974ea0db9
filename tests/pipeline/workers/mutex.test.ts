import { expect, test } from "bun:test";
import { Stopped } from "../../../src/pipeline/job-context.ts";
import { JobSignals } from "../../../src/pipeline/workers/job-signals.ts";
import { Mutex } from "../../../src/pipeline/workers/mutex.ts";

const never = new AbortController().signal;
const noWait = () => {};

test("work is done one piece at a time, in the order in which it was requested, also after an error", async () => {
  const mutex = new Mutex();
  const log: string[] = [];
  let inside = 0;
  const take = (name: string, fails = false) =>
    mutex.run(
      never,
      async () => {
        inside += 1;
        expect(inside).toBe(1);
        log.push(name);
        await Bun.sleep(1);
        inside -= 1;
        if (fails) throw new Error(name);
        return name;
      },
      () => void log.push(`${name} waits`),
    );
  const results = await Promise.allSettled([take("a"), take("b", true), take("c")]);
  expect(log).toEqual(["a", "b waits", "c waits", "b", "c"]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await mutex.run(never, async () => "free", noWait)).toBe("free");
});

test("a job that is paused while it waits for its turn stops at once, and the next one begins", async () => {
  const mutex = new Mutex();
  const end = Promise.withResolvers<void>();
  const first = mutex.run(never, () => end.promise, noWait);
  const paused = new JobSignals();
  const second = mutex.run(paused.job, async () => "second", noWait);
  const third = mutex.run(never, async () => "third", noWait);
  paused.stop("pause");
  expect(await second.catch((error) => error)).toEqual(new Stopped("pause"));
  await expect(mutex.run(paused.job, async () => "again", noWait)).rejects.toThrow("stopped: pause");
  end.resolve();
  await first;
  expect(await third).toBe("third");
});

test("a shutdown stops a job at once and leaves its request under way alone for a while; a pause stops both", () => {
  const signals = new JobSignals();
  signals.stop("shutdown");
  expect([signals.job.aborted, signals.request.aborted]).toEqual([true, false]);
  signals.stop("cancel");
  expect(signals.request.aborted).toBe(true);
  signals.close();
});
