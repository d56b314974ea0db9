/**
 * The real worker, struck by lightning: it dies on every job whose symbol is `DIES`, and on the first job of one
 * called `DIES-ONCE`. A folder beside the database remembers the deaths, since the thread cannot.
 */

import { existsSync, writeFileSync } from "node:fs";
import type { ToWorker } from "../../../src/pipeline/messages.ts";
import "../../../src/pipeline/workers/worker.ts";

declare const self: Worker;

const work = self.onmessage!;
let memory = "";

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.type === "open") memory = `${message.settings.dbUrl.slice("file:".length)}.died`;
  if (message.type === "task") {
    const { symbol } = message.task;
    if (symbol === "DIES") throw new Error("struck by lightning");
    if (symbol === "DIES-ONCE" && !existsSync(memory)) {
      writeFileSync(memory, "");
      throw new Error("struck by lightning");
    }
  }
  work.call(self, event);
};
