/**
 * A server for `bench/machines.ts`: with THREADS threads of its own, also none. It prints its address like the real one, and answers
 * each message with its figures so far.
 */

import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { listProviders } from "../../src/providers/registry.ts";
import { IDLE_SECONDS } from "../../src/routes/http/timeouts.ts";

export interface ServerFigures {
  /** Milliseconds of processor time since the process began. */
  readonly cpu: number;
  /** Requests of workers to the job store that were answered. */
  readonly stores: number;
  /** Requests of workers in all. */
  readonly requests: number;
}

const threads = Number(process.env.THREADS);
const config = { ...readConfig(process.env, listProviders(process.env)), workers: threads };
const app = await createApp(config, { print() {} });
let stores = 0;
let requests = 0;
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: IDLE_SECONDS,
  async fetch(request, own) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/api/worker/")) requests += 1;
    const answer = await app.fetch(request, own);
    if (pathname === "/api/worker/store" && answer.status === 200) stores += 1;
    return answer;
  },
});
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send!({ cpu: (user + system) / 1_000, stores, requests } satisfies ServerFigures);
});
process.on("SIGTERM", () => void app.close().then(() => process.exit(0)));
console.log(`Barkeep listening on ${server.url.href.replace(/\/$/, "")}`);
