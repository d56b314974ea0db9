import { expect, test } from "bun:test";
import { Hono } from "hono";
import { ProgressHub } from "../../../src/hub.ts";
import { LiveBroadcaster } from "../../../src/routes/live/broadcaster.ts";
import { streamRoutes } from "../../../src/routes/live/stream.ts";

test("a stream is compressed for readers that accept it, and plain for others", async () => {
  const hub = new ProgressHub();
  const broadcaster = new LiveBroadcaster(hub);
  const app = new Hono().route("/", streamRoutes(broadcaster));
  const [packed, plain] = await Promise.all(
    ["gzip, br", "identity"].map(async (accepted) => {
      const abort = new AbortController();
      const headers = { "Accept-Encoding": accepted };
      const { headers: answered } = await app.request("/events", { headers, signal: abort.signal });
      abort.abort();
      return [answered.get("Content-Encoding"), answered.get("Vary")];
    }),
  );
  broadcaster.close();
  hub.close();
  expect(packed).toEqual(["gzip", "Accept-Encoding"]);
  expect(plain).toEqual([null, "Accept-Encoding"]);
});
