import { expect, test } from "bun:test";
import { after } from "../../src/clock.ts";
import { pause } from "../../src/providers/sleep.ts";

test("waits of a month and more do not end at once", async () => {
  const stop = new AbortController();
  let ended = 0;
  const cancel = after(30 * 86_400_000, () => ended++);
  const paused = pause(10 * 365 * 86_400_000, stop.signal).then(
    () => ended++,
    (reason) => reason,
  );
  await Bun.sleep(30);
  expect(ended).toBe(0);
  cancel();
  stop.abort("stopped");
  expect(await paused).toBe("stopped");
});

test("a wait ends when it is over, and not when it was cancelled", async () => {
  await new Promise<void>((resolve) => after(5, resolve));
  let ended = false;
  after(5, () => {
    ended = true;
  })();
  await Bun.sleep(20);
  expect(ended).toBe(false);
});
