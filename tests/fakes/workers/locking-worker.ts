/** A thread that adds to a number shared with others, under the lock that it is given. */

import { WriteLock } from "../../../src/storage/connection/file/write-lock.ts";

declare const self: Pick<Worker, "onmessage" | "postMessage">;

self.onmessage = async ({
  data,
}: MessageEvent<{ lock: SharedArrayBuffer; total: SharedArrayBuffer; turns: number }>) => {
  const lock = new WriteLock(data.lock);
  const total = new Int32Array(data.total);
  for (let turn = 0; turn < data.turns; turn++) {
    await lock.acquire();
    // Two steps: another holder in between would make one of the additions disappear.
    const before = total[0]!;
    for (let i = 0; i < 2_000; i++) Math.sqrt(i);
    total[0] = before + 1;
    lock.release();
    if (turn % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  self.postMessage(null);
};
