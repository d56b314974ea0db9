/** A Redis of the campaign's own, which is stopped, killed and started again with nothing in it. */

import { createServer } from "node:net";
import { redisProgram } from "../fakes/queue/servers.ts";

const PASSWORD = "campaign";
/** How long it may take to answer after its start, ms. */
const START_MS = 20_000;

async function freePort(host: string): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, host, resolve);
  await promise;
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

export class Redis implements AsyncDisposable {
  #process: Bun.Subprocess | null = null;

  private constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly folder: string,
  ) {}

  /** `null` if this machine has no Redis. */
  static async start(host: string, folder: string): Promise<Redis | null> {
    if (redisProgram === null) return null;
    const redis = new Redis(host, await freePort(host), folder);
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://:${PASSWORD}@${this.host}:${this.port}/0`;
  }

  /** Starts it, and resolves when it answers. */
  async start(): Promise<void> {
    const options = ["--port", `${this.port}`, "--bind", this.host, "--save", "", "--appendonly", "no"];
    this.#process = Bun.spawn([redisProgram!, ...options, "--dir", this.folder, "--requirepass", PASSWORD], {
      ...{ stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    });
    for (const end = performance.now() + START_MS; ; await Bun.sleep(20)) {
      const client = new Bun.RedisClient(this.url, { autoReconnect: false, connectionTimeout: 1_000 });
      try {
        await client.connect();
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
      } finally {
        client.close();
      }
    }
  }

  /** As if its machine lost power: nothing is saved. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
  }

  suspend(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
