/** All hosts that do jobs, the server first, and those workers that were lost. */

import { availableParallelism, hostname, totalmem } from "node:os";
import { hostState } from "../../domain/hosts/host-state.ts";
import type { HostSummary } from "../../domain/hosts/host-summary.ts";
import type { HostFacts } from "./host-facts.ts";
import type { RemoteHosts } from "./hosts.ts";

interface Dependencies {
  readonly hosts: Pick<RemoteHosts, "list" | "lost">;
  readonly version: string;
  readonly threads: number;
  /** Jobs at work in all places, and those that one machine may have at once. */
  jobs(): number;
  readonly maxJobs: number;
  /** Bars stored in all places. */
  barsPerSecond(): number;
}

export class HostList {
  readonly #since = Date.now();

  constructor(private readonly dependencies: Dependencies) {}

  list(now = Date.now()): HostSummary[] {
    const { hosts } = this.dependencies;
    const present = hosts.list();
    const sum = (pick: (host: HostFacts) => number) => present.reduce((total, host) => total + pick(host), 0);
    return [
      this.#own(now, { jobs: sum(({ jobs }) => jobs), rate: sum(({ barsPerSecond }) => barsPerSecond) }),
      ...present.map((host) => ({ ...host, isServer: false, state: hostState(host) })),
      ...hosts.lost().map((host) => ({ ...host, id: null, isServer: false, state: "lost" as const, jobs: 0 })),
    ];
  }

  #own(now: number, elsewhere: { readonly jobs: number; readonly rate: number }): HostSummary {
    const { version, threads, jobs, maxJobs, barsPerSecond } = this.dependencies;
    return {
      id: null,
      name: hostname(),
      isServer: true,
      state: "working",
      isDraining: false,
      version,
      address: null,
      token: null,
      cores: availableParallelism(),
      machineMemory: totalmem(),
      memory: process.memoryUsage.rss(),
      threads,
      jobs: Math.max(0, jobs() - elsewhere.jobs),
      maxJobs,
      ended: 0,
      queue: null,
      taken: 0,
      barsPerSecond: Math.max(0, barsPerSecond() - elsewhere.rate),
      providers: null,
      intervals: null,
      since: this.#since,
      lastSeen: now,
    };
  }
}
