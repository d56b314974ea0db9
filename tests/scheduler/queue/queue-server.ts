import { afterAll, afterEach, beforeAll } from "bun:test";
import { startCuttingProxy } from "../../fakes/proxies/cutting-proxy.ts";
import type { QueueServer } from "../../fakes/queue/servers.ts";

type Proxy = Awaited<ReturnType<typeof startCuttingProxy>>;

export interface QueueAtProxy {
  readonly proxy: Proxy;
  /** The server's URL behind the proxy. */
  readonly url: string;
  /** A second way to the same server, which is disturbed alone. */
  another(): Promise<{ readonly proxy: Proxy; readonly url: string } & AsyncDisposable>;
  /** Another server of the same kind. */
  elsewhere(): Promise<{ readonly url: string } & AsyncDisposable>;
}

/** One server for the tests around, behind a proxy: started before them and ended after them. */
export function queueServer(start: () => Promise<QueueServer>): QueueAtProxy {
  let server: QueueServer;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await start();
    proxy = await startCuttingProxy(server.socket);
  });
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await proxy.close();
    await server[Symbol.asyncDispose]();
  });
  return {
    get proxy() {
      return proxy;
    },
    get url() {
      return server.urlAt(proxy.port);
    },
    async another() {
      const own = await startCuttingProxy(server.socket);
      return { proxy: own, url: server.urlAt(own.port), [Symbol.asyncDispose]: () => own.close() };
    },
    async elsewhere() {
      const other = await start();
      const own = await startCuttingProxy(other.socket);
      return {
        url: other.urlAt(own.port),
        async [Symbol.asyncDispose]() {
          await own.close();
          await other[Symbol.asyncDispose]();
        },
      };
    },
  };
}
