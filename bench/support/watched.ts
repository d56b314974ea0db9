/** How long this process's thread works in one piece while it answers requests of another process. */

import { readFileSync } from "node:fs";
import type { LoadReport, LoadRequest } from "./load.ts";

/** Milliseconds of processor time of this thread; of the wall clock where the system does not report it. */
export function threadMs(): number {
  try {
    return Number(readFileSync("/proc/self/schedstat", "latin1").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

export interface Watched<T> {
  readonly result: T;
  /** The longest work of this thread in one piece, and all of it: processor time, which a busy machine does not change. */
  readonly stallMs: number;
  readonly workMs: number;
  /** The most memory that came on top. */
  readonly addedMb: number;
}

/** Measures this thread while `work` is done. */
export async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  Bun.gc(true);
  const [memory, start] = [process.memoryUsage.rss(), threadMs()];
  let [last, stallMs, highest] = [start, 0, memory];
  let checks = 0;
  const check = () => {
    const now = threadMs();
    stallMs = Math.max(stallMs, now - last);
    last = now;
    if (++checks % 20 === 0) highest = Math.max(highest, process.memoryUsage.rss());
  };
  const timer = setInterval(check, 1);
  try {
    const result = await work();
    check();
    return { result, stallMs, workMs: last - start, addedMb: (highest - memory) / 1e6 };
  } finally {
    clearInterval(timer);
  }
}

/** Sends requests from another process. */
export async function load(request: LoadRequest): Promise<LoadReport> {
  const { promise, resolve, reject } = Promise.withResolvers<LoadReport>();
  const child = Bun.spawn([process.execPath, "--no-env-file", `${import.meta.dir}/load.ts`], {
    stdout: "inherit",
    stderr: "inherit",
    ipc: (report: LoadReport) => resolve(report),
    onExit: () => reject(new Error(`no answer from ${request.url}`)),
  });
  child.send(request);
  const report = await promise;
  child.kill();
  await child.exited;
  return report;
}
