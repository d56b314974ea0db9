/** The stay of a worker at a server that refuses what it is sent. */

import { expect, spyOn, test } from "bun:test";
import { type LinkHandlers, ServerLink } from "../../../src/cli/worker/server-link.ts";
import { encode } from "../../../src/pipeline/remote/codec.ts";
import type { Registration } from "../../../src/pipeline/remote/protocol.ts";
import { ServerConnection } from "../../../src/pipeline/remote/server-connection.ts";
import { RULES } from "../../../src/scheduler/hosts/rules.ts";

const registration: Registration = {
  ...{ rules: RULES, version: "0.0.0", host: "h", cores: 1, memory: 1, jobs: 1, providers: null, intervals: null },
};
const problem = (status: number, detail: string) =>
  new Response(JSON.stringify({ detail }), { status, headers: { "Content-Type": "application/problem+json" } });

/** A server whose answers to `sync` are given, one after the other, and then wait for ever; and a link to it. */
function linkTo(refuse: (path: string, count: number) => Response | null) {
  const counts = new Map<string, number>();
  const sessions: string[] = [];
  const said: (string | null)[] = [];
  const heard = Promise.withResolvers<void>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const path = new URL(request.url).pathname.split("/").at(-1)!;
      const count = (counts.get(path) ?? 0) + 1;
      counts.set(path, count);
      const refused = refuse(path, count);
      if (refused !== null) return refused;
      if (path === "register") {
        sessions.push(`s${count}`);
        return new Response(encode({ session: `s${count}`, leaseMs: 20_000, holdMs: 50, sessions: {} }));
      }
      return new Response(encode({ received: 0, orders: [] }));
    },
  });
  const handlers: LinkHandlers = {
    onSession: () => {},
    onOrder: () => {},
    queueState: () => null,
    onAway(why) {
      said.push(why?.reason ?? null);
      if (why === null) heard.resolve();
    },
  };
  const url = `http://127.0.0.1:${server.port}`;
  const link = new ServerLink(new ServerConnection({ url, token: "bk_test" }), registration, handlers);
  return { link, said, sessions, heard: heard.promise, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("a worker whose reports or registration are refused comes again until they are taken, and says why once", async () => {
  // The pauses between attempts are not waited for.
  using _ = spyOn(Bun, "sleep").mockImplementation(() => new Promise((resolve) => setImmediate(resolve)));
  await using server = linkTo((path, count) => {
    if (path === "register" && count <= 3) return problem(429, "Too many names");
    if (path === "sync" && count === 1) return problem(403, "Not as this host");
    return path === "sync" && count === 3 ? problem(422, "reports: wrong") : null;
  });
  const ended = server.link.run();
  await server.heard;
  while (server.sessions.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await server.link.close();
  await ended;
  // The second stay began because the reports of the first would have been refused for ever.
  expect(server.sessions.length).toBe(2);
  expect(server.said.filter((reason) => reason === "Too many names").length).toBe(1);
  expect(server.said).toContain("Not as this host");
  expect(server.said).toContain("reports: wrong");
});

test("a worker that is closed while the server answers its registration leaves the stay that has just begun, and ends", async () => {
  const paths: string[] = [];
  const closings: Promise<void>[] = [];
  await using server = linkTo((path) => {
    paths.push(path);
    if (path === "register") closings.push(server.link.close());
    return null;
  });
  await server.link.run();
  await Promise.all(closings);
  expect(paths).toEqual(["register", "leave"]);
});

test("a worker whose token is revoked or whose version differs ends with the server's words, also in the middle of its stay", async () => {
  for (const [status, words] of [
    [401, "Sign in"],
    [409, "They do not fit together"],
  ] as const) {
    await using server = linkTo((path, count) => (path === "sync" && count > 2 ? problem(status, words) : null));
    await expect(server.link.run()).rejects.toThrow(words);
  }
});
