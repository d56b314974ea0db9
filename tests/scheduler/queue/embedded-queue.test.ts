import { describe } from "bun:test";
import { EmbeddedQueue } from "../../../src/scheduler/queue/embedded-queue.ts";
import { jobQueueContract } from "./job-queue.contract.ts";
import { putFirstContract } from "./server.contract.ts";

describe("the embedded queue", () =>
  jobQueueContract({
    open: async () => new EmbeddedQueue(),
    // What a process held is gone with it.
    async crash(keys) {
      const gone = new EmbeddedQueue();
      gone.work(() => new Promise(() => {}), 1);
      await gone.enqueue(keys);
    },
  }));

describe("a server with the embedded queue", () => putFirstContract(() => ({})));
