import { describe } from "bun:test";
import { redisProgram, startRedis } from "../../fakes/queue/servers.ts";
import { bullMqContract } from "./bullmq.contract.ts";
import { queueServer } from "./queue-server.ts";
import { serverContract } from "./server.contract.ts";
import { workerContract } from "./worker.contract.ts";

const isHere = redisProgram !== null;

describe.skipIf(!isHere)(
  `a job queue in Redis${isHere ? "" : " (skipped: no redis-server or valkey-server here)"}`,
  () => {
    const server = queueServer(startRedis);
    bullMqContract("redis", server);
    serverContract(server, true);
    workerContract(server, true);
  },
);
