/** A worker whose jobs end only when they are stopped: those of the symbol `WAITS` wait for a permit, all others compute. */

import type { FromWorker, ToWorker } from "../../../src/pipeline/messages.ts";

declare const self: Pick<Worker, "onmessage" | "postMessage">;

const send = (message: FromWorker) => self.postMessage([message]);

self.onmessage = ({ data }: MessageEvent<readonly ToWorker[]>) => {
  for (const message of data) obey(message);
};

function obey(message: ToWorker): void {
  if (message.type === "open") send({ type: "ready" });
  if (message.type === "task" && message.task.symbol === "WAITS") {
    const { jobId, provider } = message.task;
    send({ type: "acquire", jobId, request: jobId, provider, cost: 1 });
  }
  if (message.type === "stop") {
    const { jobId, reason } = message;
    send({ type: "outcome", jobId, outcome: { kind: "stopped", reason } });
  }
  if (message.type === "close") process.exit();
}
