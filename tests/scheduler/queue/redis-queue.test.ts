import { describe } from "bun:test";
import { redisProgram, startRedis } from "../../fakes/queue/servers.ts";
import { bullMqContract } from "./bullmq.contract.ts";
import { queueServer } from "./queue-server.ts";
import { serverContract } from "./server.contract.ts";
import { workerContract } from "./worker.contract.ts";

describe.skipIf(redisProgram === null)("a job queue in Redis (skipped: no redis-server or valkey-server here)", () => {
  const server = queueServer(startRedis);
  bullMqContract("redis", server);
  serverContract(server);
  workerContract(server);
});
