import { describe, expect, test } from "bun:test";
import {
  eventually,
  hasJobs,
  hostOf,
  ORDER,
  startServer,
  startWorker,
  stored,
  storedAlone,
} from "../../cli/worker/workers.ts";

import { redisProgram, startPostgres } from "../../fakes/queue/servers.ts";
import { bullMqContract } from "./bullmq.contract.ts";
import { queueServer } from "./queue-server.ts";
import { serverContract } from "./server.contract.ts";
import { workerContract } from "./worker.contract.ts";

describe("a job queue in PostgreSQL", () => {
  const server = queueServer(startPostgres);
  bullMqContract("postgres", server);
  serverContract(server, redisProgram === null);
  workerContract(server, redisProgram === null);

  test("jobs go through the queue to a worker on another machine, and an outage leaves those at work there alone", async () => {
    await using app = await startServer({ env: { BARKEEP_QUEUE: server.url, DEMO_LATENCY_MS: "80" } });
    await using _ = startWorker(app.url, app.secret);
    await eventually(() => hostOf(app)?.threads === 1);
    const id = await app.start(ORDER);
    await hasJobs(app);
    const began = new Promise<void>((resolve) => app.app.queue.watch((now) => now !== null && resolve()));
    server.proxy.cut();
    await began;
    await eventually(() => app.app.dispatcher.counts().active === 0);
    expect((await app.app.runs.read(id)).run.counts.failed).toBe(0);
    server.proxy.heal();
    await app.waitForRun(id, "complete");
    expect(hostOf(app)!.ended).toBeGreaterThan(0);
    expect(await stored(app.app.db)).toEqual(await storedAlone());
  });
});
