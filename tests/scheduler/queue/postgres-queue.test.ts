import { describe } from "bun:test";
import { startPostgres } from "../../fakes/queue/servers.ts";
import { bullMqContract } from "./bullmq.contract.ts";
import { queueServer } from "./queue-server.ts";
import { serverContract } from "./server.contract.ts";

describe("a job queue in PostgreSQL", () => {
  const server = queueServer(startPostgres);
  bullMqContract("postgres", server);
  serverContract(server);
});
