/** A TCP proxy on loopback that breaks connections at chosen points of their requests, as bad networks do. */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** `before`: the request does not arrive; `after`: its answer is lost; `half`: the answer ends in the middle. */
export const DROPS = ["before", "after", "half"] as const;
export type Drop = (typeof DROPS)[number];

/** @param choose what happens to the next piece that a client sends; `null` lets it pass */
export async function startDroppingProxy(target: string, choose: () => Drop | null) {
  const { port } = new URL(target);
  const sockets = new Set<Socket>();
  const dropped: Record<Drop, number> = { before: 0, after: 0, half: 0 };
  const server = createServer((client) => {
    const upstream = connect(Number(port), "127.0.0.1");
    let fate: Drop | null = null;
    const end = (drop: Drop) => {
      dropped[drop] += 1;
      client.destroy();
      upstream.destroy();
    };
    for (const [each, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(each);
      each.on("error", () => {});
      each.on("close", () => {
        sockets.delete(each);
        other.destroy();
      });
    }
    client.on("data", (data) => {
      fate ??= choose();
      if (fate === "before") end(fate);
      else upstream.write(data);
    });
    upstream.on("data", (data: Buffer) => {
      if (fate === null) client.write(data);
      else if (fate === "after") end(fate);
      else {
        const drop = fate;
        client.write(data.subarray(0, data.length >> 1), () => end(drop));
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How many connections were broken at each point. */
    dropped,
    async close() {
      for (const each of sockets) each.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
