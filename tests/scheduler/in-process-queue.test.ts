import { describe } from "bun:test";
import { InProcessQueue } from "../../src/scheduler/queue/in-process-queue.ts";
import { jobQueueContract } from "./job-queue.contract.ts";

describe("the in-process queue", () => jobQueueContract((onError) => new InProcessQueue(onError)));
