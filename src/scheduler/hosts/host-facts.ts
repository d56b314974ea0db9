/** What is shown of a worker on another machine. */

import type { Registration } from "../../pipeline/remote/protocol.ts";
import type { Host } from "./host.ts";

export interface HostFacts
  extends Pick<Registration, "version" | "cores" | "providers" | "intervals">,
    Pick<Host, "queue" | "taken"> {
  readonly id: number;
  readonly name: string;
  readonly address: string;
  /** The name of its token. */
  readonly token: string;
  readonly threads: number;
  readonly jobs: number;
  readonly maxJobs: number;
  /** The symbols of its jobs. */
  readonly symbols: readonly string[];
  /** Bytes: of the machine, and of its process. */
  readonly machineMemory: number;
  readonly memory: number;
  /** Bars that it has stored, and jobs that have ended there, since it came. */
  readonly bars: number;
  readonly ended: number;
  /** Over the last minute. */
  readonly barsPerSecond: number;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly lastSeen: number;
  readonly isDraining: boolean;
  readonly isSilent: boolean;
}

export function factsOf({ id, host }: { readonly id: number; readonly host: Host }): HostFacts {
  const { registration, address, token, now } = host.options;
  const { version, host: name, cores, providers, intervals, memory: machineMemory, jobs: maxJobs } = registration;
  const { jobs, memory, bars, ended, barsPerSecond, lastSeen, isDraining, isSilent, threads, queue, taken } = host;
  const symbols = [...threads.values()].flatMap((thread) => [...thread.jobs.values()].map(({ task }) => task.symbol));
  return {
    ...{ id, name, version, address, token, cores, machineMemory, maxJobs, providers, intervals, symbols },
    ...{ threads: threads.size, jobs, memory, bars, ended, barsPerSecond, since: now, lastSeen, isDraining, isSilent },
    ...{ queue, taken },
  };
}
