/**
 * The real worker, which crashes on every job of the symbol `CRASHES`, and on the first job of `CRASHES-ONCE`. A file
 * beside the database records that crash, because the thread cannot.
 */

import { existsSync, writeFileSync } from "node:fs";
import type { ToWorker } from "../../../src/pipeline/messages.ts";
import "../../../src/pipeline/workers/worker.ts";

declare const self: Worker;

const work = self.onmessage!;
let record = "";

self.onmessage = (event: MessageEvent<readonly ToWorker[]>) => {
  for (const message of event.data) crashOn(message);
  work.call(self, event);
};

function crashOn(message: ToWorker): void {
  if (message.type === "open" && "dbUrl" in message.settings)
    record = `${message.settings.dbUrl.slice("file:".length)}.crashed`;
  if (message.type === "task") {
    const { symbol } = message.task;
    if (symbol === "CRASHES") throw new Error("crashed on purpose");
    if (symbol === "CRASHES-ONCE" && !existsSync(record)) {
      writeFileSync(record, "");
      throw new Error("crashed on purpose");
    }
  }
}
