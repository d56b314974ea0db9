/** A server as a process of its own, with what it costs, read from the system. */

import type { Client } from "../../tests/helpers/http.ts";
import { type ServerProcess, spawnCommand } from "../../tests/helpers/server.ts";

const ROOT = `${import.meta.dir}/../..`;

/** Runs Bun with the settings that `npm start` has. */
export const START = [`${ROOT}/bun.sh`, "--no-env-file"];

/** Starts a server of this checkout: two threads, the demo provider without latency, and more settings. */
export function startServer(dbUrl: string, settings: Readonly<Record<string, string>> = {}): ServerProcess {
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
    BARKEEP_DB_URL: dbUrl,
    BARKEEP_WORKERS: "2",
    DEMO_LATENCY_MS: "0",
    ...settings,
  };
  return spawnCommand([...START, "src/server.ts"], env, ROOT);
}

/** Starts a run and waits until it is complete; the run as it is then. @throws Error if it ends otherwise */
export async function runToEnd(client: Client, order: object, lookMs: number) {
  const { status, text, body } = await client.post("/api/runs", order);
  if (status !== 202) throw new Error(text);
  for (;;) {
    await Bun.sleep(lookMs);
    const { run } = (await client.get(`/api/runs/${body.run.id}`)).body;
    if (run.status === "complete") return run;
    if (run.status !== "running") throw new Error(`the run is ${run.status}`);
  }
}

const numberIn = (pid: number, file: string, pattern: RegExp) =>
  Bun.file(`/proc/${pid}/${file}`)
    .text()
    .then((text) => Number(pattern.exec(text)?.[1]));

/** Bytes that a process has handed to the disk. */
export const writtenBytes = (pid: number) => numberIn(pid, "io", /^write_bytes: (\d+)/m);
/** Memory of a process now, and the most that it has had, MB. */
export const residentMb = async (pid: number) => (await numberIn(pid, "smaps_rollup", /^Rss:\s+(\d+)/m)) / 1_000;
export const peakMb = async (pid: number) => (await numberIn(pid, "status", /^VmHWM:\s+(\d+)/m)) / 1_000;

/** Processor time of a process, milliseconds. */
export async function processorMs(pid: number): Promise<number> {
  const fields = (await Bun.file(`/proc/${pid}/stat`).text()).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
