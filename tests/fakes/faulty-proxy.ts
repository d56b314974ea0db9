/** A proxy on loopback that fails in chosen ways before a real server. */

/** `pass`; `down`: 502 at once; `lose`: the server gets the request, its answer is lost; `hang`: no answer. */
type Manner = "pass" | "down" | "lose" | "hang";

export function startFaultyProxy(target: string) {
  let manner: Manner = "pass";
  /** How many more requests fail; then all pass. */
  let left = 0;
  let requests = 0;
  const hanging: (() => void)[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      requests += 1;
      const now = left > 0 ? manner : "pass";
      left -= 1;
      if (now === "down") return new Response("Bad gateway", { status: 502 });
      if (now === "hang") {
        const { promise, resolve } = Promise.withResolvers<void>();
        hanging.push(resolve);
        await promise;
        return new Response(null, { status: 504 });
      }
      const { pathname } = new URL(request.url);
      const answer = await fetch(target + pathname, {
        method: request.method,
        headers: request.headers,
        ...(request.method === "POST" && { body: await request.arrayBuffer() }),
      });
      if (now === "lose") return new Response("Bad gateway", { status: 502 });
      return new Response(await answer.arrayBuffer(), {
        status: answer.status,
        headers: { "Content-Type": "application/json" },
      });
    },
  });
  return {
    url: server.url.href.replace(/\/$/, ""),
    /** The next `count` requests fail. */
    fail(how: Exclude<Manner, "pass">, count = Number.POSITIVE_INFINITY) {
      [manner, left] = [how, count];
    },
    heal() {
      left = 0;
    },
    get requests() {
      return requests;
    },
    async close() {
      for (const end of hanging) end();
      await server.stop(true);
    },
  };
}
