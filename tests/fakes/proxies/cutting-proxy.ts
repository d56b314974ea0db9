/** A TCP proxy on loopback before a server that listens on a Unix socket, so that no port is chosen beforehand. */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export async function startCuttingProxy(target: string) {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isDeaf = false;
  let refused = 0;
  let clients = 0;
  const waiting: (() => void)[] = [];
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      refused += 1;
      for (const wake of waiting.splice(0)) wake();
      return;
    }
    const upstream = connect(target);
    clients += 1;
    client.on("close", () => {
      clients -= 1;
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => isDeaf || to.write(data));
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    /** Open connections of clients. */
    get clients() {
      return clients;
    },
    /** Breaks all connections and refuses new ones. */
    cut() {
      isCut = true;
      for (const each of sockets) each.destroy();
    },
    /** Keeps connections open and passes nothing on, as a network that drops packets does. */
    deafen() {
      isDeaf = true;
    },
    heal() {
      isCut = false;
      if (isDeaf) for (const each of sockets) each.destroy();
      isDeaf = false;
    },
    /** Waits until so many more attempts to connect were refused. */
    async refusals(count: number): Promise<void> {
      for (const until = refused + count; refused < until; ) await new Promise<void>((wake) => waiting.push(wake));
    },
    async close() {
      for (const each of sockets) each.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
