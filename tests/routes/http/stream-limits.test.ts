import { expect, test } from "bun:test";
import { Hono } from "hono";
import type { Refusal } from "../../../src/domain/errors.ts";
import { ProgressHub } from "../../../src/hub.ts";
import { streamed, withoutBodyForHead } from "../../../src/routes/http/stream-body.ts";
import { StreamLimits } from "../../../src/routes/http/stream-limits.ts";
import { followHub } from "../../../src/routes/live/json-stream.ts";

const statusOf = (action: () => unknown) => {
  try {
    action();
    return 200;
  } catch (error) {
    return (error as Refusal).status;
  }
};

test("streams are limited for each login and in all, and a stream that has ended makes room", () => {
  const limits = new StreamLimits(2, 3);
  const left = limits.enter("a")(() => {});
  limits.enter("a")(() => {});
  expect(statusOf(() => limits.enter("a"))).toBe(429);
  limits.enter("b")(() => {});
  expect([statusOf(() => limits.enter("c")), statusOf(() => limits.enter())]).toEqual([503, 503]);
  left();
  left();
  expect(limits.total).toBe(2);
  expect(statusOf(() => limits.enter("a"))).toBe(200);
});

test("a stream ends with its login", () => {
  const login = new AbortController();
  let ended = false;
  new StreamLimits().enter(
    "a",
    login.signal,
  )(() => {
    ended = true;
  });
  login.abort();
  expect(ended).toBe(true);
});

test("a stream of events that is never read collects nothing, and one that is no longer read is ended", async () => {
  const hub = new ProgressHub();
  const limits = new StreamLimits();
  followHub(hub, { lifetime: limits.enter(), stallMs: 1 });
  while (limits.total > 0) await Bun.sleep(1);

  const reader = followHub(hub, { lifetime: limits.enter(), stallMs: 1 }).getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toStartWith("event: snapshot");
  while (limits.total > 0) await Bun.sleep(1);
  expect((await reader.read()).done).toBe(true);
  hub.close();
});

test("HEAD opens no stream, and a body that a handler made all the same is cancelled", async () => {
  let [opened, cancelled] = [0, 0];
  const body = () => new ReadableStream({ cancel: () => void cancelled++ });
  const app = new Hono();
  app.use(withoutBodyForHead);
  app.get("/streamed", (c) => {
    const open = () => {
      opened += 1;
      return body();
    };
    return streamed(c, open, { "Content-Type": "text/csv" });
  });
  app.get("/other", (c) => c.body(body()));
  const head = await app.request("/streamed", { method: "HEAD" });
  expect([head.status, head.headers.get("Content-Type"), opened]).toEqual([200, "text/csv", 0]);
  await app.request("/other", { method: "HEAD" });
  expect(cancelled).toBe(1);
});
