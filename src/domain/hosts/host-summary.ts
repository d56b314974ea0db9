/** What is shown of a host. */

import type { Interval } from "../market/interval.ts";
import type { HostState, QueueState } from "./host-state.ts";

export interface HostSummary {
  /** `null` for the server itself, and for a worker that is lost. */
  readonly id: number | null;
  readonly name: string;
  readonly isServer: boolean;
  readonly state: HostState;
  /** Whether it takes no more jobs until it is resumed, also when it is silent, or lost and comes back. */
  readonly isDraining: boolean;
  readonly version: string;
  /** Where a worker sends from, and the name of its token. */
  readonly address: string | null;
  readonly token: string | null;
  readonly cores: number;
  /** Bytes: of the machine, and of the process. */
  readonly machineMemory: number;
  readonly memory: number;
  readonly threads: number;
  readonly jobs: number;
  readonly maxJobs: number;
  /** Jobs that have ended there since it came. */
  readonly ended: number;
  /** Whether it reaches the job queue; `null`: the server hands it its jobs. */
  readonly queue: QueueState | null;
  /** Jobs that it has taken from the queue itself since it came. */
  readonly taken: number;
  readonly barsPerSecond: number;
  /** What it takes; `null`: all. */
  readonly providers: readonly string[] | null;
  readonly intervals: readonly Interval[] | null;
  /** Since when it is there, and when it was last heard of: epoch milliseconds. */
  readonly since: number;
  readonly lastSeen: number;
}

/** A host as programs read it. */
export const hostToWire = (host: HostSummary) => ({
  id: host.id,
  name: host.name,
  is_server: host.isServer,
  status: host.state,
  is_draining: host.isDraining,
  version: host.version,
  address: host.address,
  token: host.token,
  cores: host.cores,
  machine_memory_bytes: host.machineMemory,
  memory_bytes: host.memory,
  threads: host.threads,
  jobs: host.jobs,
  max_jobs: host.maxJobs,
  jobs_ended: host.ended,
  jobs_taken: host.taken,
  queue: host.queue,
  bars_per_second: Math.round(host.barsPerSecond * 10) / 10,
  providers: host.providers && [...host.providers],
  intervals: host.intervals && [...host.intervals],
  since: new Date(host.since).toISOString(),
  last_seen: new Date(host.lastSeen).toISOString(),
});
