/** A worker that only reports: a number of feature steps per job, as fast as it can send them. */

import type { FromWorker, ToWorker } from "../../src/pipeline/messages.ts";

declare const self: Worker;

const ROUNDS = 100;
const TOTAL = 200;

const say = (message: FromWorker) => self.postMessage([message]);

self.onmessage = ({ data }: MessageEvent<readonly ToWorker[]>) => {
  for (const message of data) void obey(message);
};

async function obey(data: ToWorker): Promise<void> {
  if (data.type === "open") say({ type: "ready" });
  if (data.type === "close") process.exit();
  if (data.type !== "task") return;
  const { jobId } = data.task;
  for (let round = 0; round < ROUNDS; round++) {
    for (let done = 1; done <= TOTAL; done++) {
      say({ type: "stage", jobId, stage: { stage: "engineer", done, total: TOTAL }, dataPoints: round, apiCalls: 24 });
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  say({ type: "outcome", jobId, outcome: { kind: "failed", reason: "nothing was done" } });
}
