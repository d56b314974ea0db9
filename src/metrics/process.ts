/** Figures of the operating system about this process, under the names that all Prometheus clients use. */

import { readdir } from "node:fs/promises";
import { type Sample, sample } from "./exposition.ts";

/** Where Linux lists the open files of a process. */
const OPEN_FILES = "/proc/self/fd";

export async function processSamples(): Promise<Sample[]> {
  const { user, system } = process.cpuUsage();
  const files = await readdir(OPEN_FILES).catch(() => null);
  return [
    sample("process_resident_memory_bytes", {}, process.memoryUsage.rss()),
    sample("process_cpu_seconds_total", {}, (user + system) / 1e6),
    ...(files === null ? [] : [sample("process_open_fds", {}, files.length)]),
    sample("process_start_time_seconds", {}, Math.round(Date.now() / 1_000 - process.uptime())),
  ];
}
