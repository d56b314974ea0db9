import { expect, test } from "bun:test";
import { Hono } from "hono";
import { Refusal } from "../../../src/domain/errors.ts";
import { ProgressHub } from "../../../src/hub.ts";
import { ExportQueue } from "../../../src/pipeline/exports/export-queue.ts";
import { exported, streamed, withoutBodyForHead } from "../../../src/routes/http/stream-body.ts";
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

test("work that fails before its first piece is refused with its words, and later it is broken off", async () => {
  const app = new Hono();
  const failing = (pieces: number) => {
    const next = async () => {
      if (pieces === 0) throw new Refusal("unavailable", "No temporary file can be written");
      pieces -= 1;
      return { bytes: new Uint8Array([65]), isLast: false };
    };
    return new ExportQueue().body(() => ({ next, stop() {} }));
  };
  app.get("/:pieces", (c) => exported(c, () => failing(Number(c.req.param("pieces"))), {}));
  app.onError((error, c) => c.text(error.message, error instanceof Refusal ? error.status : 500));
  await using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request, own) => app.fetch(request, own) });
  const refused = await fetch(new URL("/0", server.url));
  expect([refused.status, await refused.text()]).toEqual([503, "No temporary file can be written"]);
  const cut = await fetch(new URL("/2", server.url))
    .then((response) => response.text())
    .catch(() => "cut off");
  expect(cut).toBe("cut off");
  // Who reads it in this process learns why.
  const own = await app.request("/2");
  expect(own.status).toBe(200);
  expect(await own.text().catch((error: Error) => error.message)).toBe("No temporary file can be written");
});
