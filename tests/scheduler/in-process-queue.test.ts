import { describe } from "bun:test";
import { InProcessQueue } from "../../src/scheduler/queue/in-process-queue.ts";
import { engineContract } from "./job-queue.contract.ts";

describe("the in-process queue", () => engineContract((onError) => new InProcessQueue(onError)));
