/** Which answers of a server, or of a proxy before it, end a worker's request, and which are tried again. */

import { expect, test } from "bun:test";
import { Away, RefusedByServer, ServerConnection } from "../../../src/pipeline/remote/server-connection.ts";

const problem = (status: number, detail: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ detail }), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
const page = (status: number) => new Response("<html></html>", { status, headers: { "Content-Type": "text/html" } });

/** A server that gives these answers, one after the other, and the connection to it. */
function answering(...answers: (() => Response)[]) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => answers.shift()?.() ?? new Response("done"),
  });
  const connection = new ServerConnection(
    { url: `http://127.0.0.1:${server.port}`, token: "bk_test" },
    { pauseMs: [0, 1] },
  );
  return { connection, [Symbol.asyncDispose]: () => server.stop(true) };
}

const scope = { "WWW-Authenticate": 'Bearer realm="Barkeep", error="insufficient_scope", scope="worker"' };

test("only a refused version or token refuses a worker for good, and only if Barkeep itself says it", async () => {
  const outcomes = async (answer: () => Response) => {
    await using server = answering(answer);
    const found = await server.connection.try("sync", new Uint8Array()).catch((error) => error);
    if (found instanceof RefusedByServer)
      return found.isFinal ? `final: ${found.message}` : `refused: ${found.message}`;
    return found instanceof Away ? `away: ${found.reason}` : found;
  };
  expect(await outcomes(() => problem(401, "Sign in"))).toBe("final: Sign in");
  expect(await outcomes(() => problem(409, "Another version"))).toBe("final: Another version");
  expect(await outcomes(() => problem(403, "Needs a scope", scope))).toBe("final: Needs a scope");
  // The address may be allowed, the body's limit raised.
  expect(await outcomes(() => problem(403, "Not as this host"))).toBe("refused: Not as this host");
  expect(await outcomes(() => problem(422, "reports: too many"))).toBe("refused: reports: too many");
  expect(await outcomes(() => page(413))).toBe("refused: HTTP 413");
  for (const status of [400, 401, 403, 404, 409, 429, 500, 502, 503])
    expect(await outcomes(() => page(status))).toBe(`away: HTTP ${status}`);
  expect(await outcomes(() => problem(503, "The database is away"))).toBe("away: The database is away");
  expect(await outcomes(() => problem(429, "Too many names"))).toBe("away: Too many names");
  expect(await outcomes(() => problem(410, "Gone"))).toBe("lost");
});

test("a request is sent until it is answered, whatever a proxy answers meanwhile, and fails only where it would for ever", async () => {
  await using server = answering(
    () => page(401),
    () => page(403),
    () => problem(403, "Not as this host"),
    () => problem(503, "The database is away"),
    () => new Response(null, { status: 202 }),
  );
  expect(new TextDecoder().decode((await server.connection.post("store", new Uint8Array())) as Uint8Array)).toBe(
    "done",
  );
  for (const answer of [() => problem(422, "operations: too many"), () => problem(401, "Sign in"), () => page(413)]) {
    await using other = answering(answer);
    await expect(other.connection.post("store", new Uint8Array())).rejects.toBeInstanceOf(RefusedByServer);
  }
});

test("a server that cannot be reached is away, for a reason that is said", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const url = `http://127.0.0.1:${server.port}`;
  await server.stop(true);
  const found = await new ServerConnection({ url, token: "bk_test" }).try("sync", new Uint8Array());
  expect(found).toBeInstanceOf(Away);
  expect((found as Away).reason).toMatch(/connect/i);
  expect((found as Away).isRefusal).toBe(false);
});
