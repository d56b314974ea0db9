/** Keys that workers take from the job queue themselves: what they claim, and when the server leaves them one. */

import type { ClaimAnswer, ClaimRequest } from "../../pipeline/remote/protocol.ts";
import type { WorkerPool } from "../../pipeline/workers/pool.ts";
import { withoutWaitLimit } from "../../storage/connection/wait-limit.ts";
import { Host, type JobLabels } from "./host.ts";

/** How often threads are looked at while a key is left to others, milliseconds: they change too often to be told of each. */
const LOOK_MS = 20;
/** For how long a key is left to others at most, milliseconds: one of them may be gone without a word. */
const LEAVE_MS = 1_000;

interface Dependencies {
  readonly pool: Pick<WorkerPool, "fewestJobs">;
  hosts(): Iterable<Host>;
  hostOf(session: string): Host | undefined;
  /** Whether a worker may have a job now. */
  mayTake(host: Host, labels: JobLabels): boolean;
  /** The job of a key, while it is known. */
  labelsOf(key: string): JobLabels | undefined;
  /** Begins the job of a key that a worker has taken; false if the key is to be dropped. */
  claim(key: string, host: object): boolean;
}

const takesKeys = (host: object | null) => host instanceof Host && host.takesKeys;

export class KeyClaims {
  constructor(private readonly dependencies: Dependencies) {}

  /** Begins the job of a key that a worker has taken from the job queue; `null` for a worker that is not known (any more). */
  claim({ session, key }: ClaimRequest): ClaimAnswer | null {
    const { hostOf, labelsOf, mayTake, claim } = this.dependencies;
    const host = hostOf(session);
    if (host === undefined) return null;
    const labels = labelsOf(key);
    const isOwn = labels !== undefined && mayTake(host, labels);
    // What this causes is no part of the request: it does not give up when the request would.
    const begins = withoutWaitLimit(() => claim(key, host));
    if (begins) host.claimed(isOwn);
    return { isHere: begins && isOwn };
  }

  /**
   * Resolves when the server is to take a key: one of its threads is free, or one of a worker that takes no keys, and has
   * no more jobs than those of workers that do; or no worker has taken one for a second.
   */
  async place(): Promise<void> {
    const { pool, hosts } = this.dependencies;
    const end = performance.now() + LEAVE_MS;
    while (performance.now() < end) {
      if (pool.fewestJobs((host) => !takesKeys(host)) <= pool.fewestJobs(takesKeys)) return;
      await Bun.sleep(LOOK_MS);
    }
    for (const host of hosts()) if (host.takesKeys) host.claimed(false);
  }
}
