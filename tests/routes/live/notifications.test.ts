/** What browsers are told of as desktop notifications: ended runs, and promises at risk or missed. */

import { expect, test } from "bun:test";
import type { PromiseEvent } from "../../../src/domain/alerts.ts";
import { ProgressHub } from "../../../src/hub.ts";
import { Notifications } from "../../../src/routes/live/notifications.ts";
import { promised } from "../../helpers/alert-events.ts";
import { startApp } from "../../helpers/app.ts";
import { readEvents } from "../../helpers/sse.ts";

test("a run that ends is told once, with what failed, and a run that ended before the connection is not", async () => {
  await using app = await startApp();
  const ended = Promise.withResolvers<void>();
  const stop = app.app.hub.onFrame(({ runs }) => {
    if (runs.some(({ finishedAt }) => finishedAt !== null)) ended.resolve();
  });
  await app.start({ symbols: ["GOOGL"], years: 1 });
  await ended.promise;
  stop();
  await using events = await readEvents(`${app.url}/events/notifications`);
  expect(await events.next()).toMatchObject({ event: "heartbeat" });
  const done = await app.start({ symbols: ["AAPL", "MSFT"], years: 1, name: "Two" });
  await app.waitForRun(done, "complete");
  expect((await events.next()).data).toMatchObject({
    kind: "run_done",
    title: "Done: Two",
    body: "2 symbols complete",
    path: `runs/${done}`,
  });
  // What is said of it later is no news.
  await app.app.runs.acknowledgeAll();
  const failed = await app.start({ symbols: ["DEMO-FAIL", "NVDA"], years: 1 });
  await app.waitForRun(failed, "failed");
  expect((await events.next()).data).toMatchObject({
    kind: "run_failed",
    body: "1 symbol of 2 failed, 1 complete",
    path: `runs/${failed}`,
  });
  // A retry ends anew.
  await app.post(`/api/runs/${failed}/jobs/DEMO-FAIL/retry`);
  expect((await events.next()).data).toMatchObject({ kind: "run_failed", path: `runs/${failed}` });
});

/** Notifications of a hub without runs, and what reports promises to them. */
function startNotifications(heartbeatMs?: number) {
  const hub = new ProgressHub();
  const listeners = new Set<(event: PromiseEvent) => void>();
  const onPromise = (listener: (event: PromiseEvent) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const notifications = new Notifications({ hub, onPromise }, heartbeatMs);
  notifications.start();
  return {
    hub,
    notifications,
    listeners,
    report: (event: PromiseEvent) => {
      for (const listener of listeners) listener(event);
    },
    [Symbol.dispose]() {
      notifications.close();
      hub.close();
    },
  };
}
const textOf = async (reader: { read(): Promise<{ value?: Uint8Array | undefined }> }) =>
  new TextDecoder().decode((await reader.read()).value);

test("promises at risk and missed are told with their reason, a recovery is not", async () => {
  using world = startNotifications();
  const reader = world.notifications.connect(undefined).getReader();
  await textOf(reader);
  world.report(promised("freshness_recovered"));
  world.report(promised("freshness_at_risk"));
  world.report(promised("freshness_missed"));
  expect(await textOf(reader)).toContain('"kind":"promise_at_risk","title":"Promise at risk: Tech by seven"');
  const missed = await textOf(reader);
  expect(missed).toContain('"kind":"promise_missed"');
  expect(missed).toContain("8 of 50 symbols missing; no run is planned before the deadline");
  expect(missed).toContain('"path":"promises/1"');
  await reader.cancel();
});

test("a browser that connects again gets what it missed, and nothing twice", async () => {
  using world = startNotifications();
  world.report(promised("freshness_at_risk"));
  world.report(promised("freshness_missed"));
  const again = world.notifications.connect(`${world.hub.epoch}-1`).getReader();
  const text = await textOf(again);
  expect(text).toContain('"kind":"promise_missed"');
  expect(text).not.toContain('"kind":"promise_at_risk"');
  const fresh = world.notifications.connect("").getReader();
  expect(await textOf(fresh)).not.toContain("promise_");
  await Promise.all([again.cancel(), fresh.cancel()]);
});

test("a browser that connects again after a restart gets all that was sent since, also if it had got nothing before", async () => {
  using before = startNotifications();
  const first = before.notifications.connect(undefined).getReader();
  const cursor = /^id: (.*)$/m.exec(await textOf(first))![1]!;
  await first.cancel();
  // Both starts lie in one millisecond here, and are told apart all the same.
  using world = startNotifications();
  world.report(promised("freshness_at_risk"));
  world.report(promised("freshness_missed"));
  const again = world.notifications.connect(cursor).getReader();
  const text = await textOf(again);
  expect(text.match(/"kind":"\w+"/g)).toEqual(['"kind":"promise_at_risk"', '"kind":"promise_missed"']);
  // The cursor of the heartbeat that follows is that of the last one.
  expect([...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual(
    [1, 2, 2].map((number) => `${world.hub.epoch}-${number}`),
  );
  await again.cancel();
});

test("a browser that got nothing before it lost the connection gets what was sent meanwhile", async () => {
  using world = startNotifications();
  const first = world.notifications.connect("").getReader();
  const cursor = /^id: (.*)$/m.exec(await textOf(first))![1]!;
  await first.cancel();
  world.report(promised("freshness_missed"));
  const again = world.notifications.connect(cursor).getReader();
  expect(await textOf(again)).toContain('"kind":"promise_missed"');
  await again.cancel();
});

test("a browser that reads nothing is disconnected, and its place is free", async () => {
  using world = startNotifications();
  let ended = 0;
  const stream = world.notifications.connect(undefined, () => () => {
    ended += 1;
  });
  for (let count = 0; count < 200; count++) world.report({ ...promised("freshness_missed"), deadline: count });
  expect(ended).toBe(1);
  const reader = stream.getReader();
  let messages = 0;
  while (!(await reader.read()).done) messages += 1;
  expect(messages).toBeLessThan(200);
});

test("a connection gets heartbeats, and closing stops everything", async () => {
  using world = startNotifications(5);
  const reader = world.notifications.connect(undefined).getReader();
  for (let count = 0; count < 3; count++)
    expect(await textOf(reader)).toBe(`event: heartbeat\nid: ${world.hub.epoch}-0\ndata: {}\n\n`);
  world.notifications.close();
  expect(world.listeners.size).toBe(0);
  await reader.cancel();
});
