/** The requests of a thread's jobs to the limiter on the server, and what becomes of its answers. */

import type { Wait } from "../domain/runs/progress.ts";
import type { Permit } from "../providers/provider.ts";
import type { JobReport } from "./messages.ts";

/** What a job requests of the limiter. */
export interface PermitTask {
  readonly provider: string;
  readonly cost: number;
  readonly signal: AbortSignal;
  held(wait: Wait): void;
}

/** A request that waits for the limiter's answer. */
interface WaitingRequest {
  readonly granted: (until: number | undefined) => void;
  readonly held: (wait: Wait) => void;
  readonly refused: (error: Error) => void;
}

export class PermitRequests {
  readonly #waiting = new Map<number, WaitingRequest>();
  #count = 0;

  /**
   * Reserves one request to a provider; rejects when the signal is aborted. A permit that comes too late is given back and
   * requested again: the process was stopped meanwhile, and the server may have given the job to another worker.
   */
  async acquire(task: PermitTask, report: (message: JobReport) => void): Promise<Permit> {
    for (;;) {
      const { request, until } = await this.#request(task, report);
      const settle: Permit["settle"] = (quota) => report({ type: "settle", request, report: quota });
      if (until === undefined || Date.now() < until) return { settle };
      settle({ charged: 0 });
    }
  }

  /** @param until when a permit ends that another machine has granted, epoch milliseconds */
  granted(request: number, until?: number): void {
    this.#waiting.get(request)?.granted(until);
  }

  held(request: number, wait: Wait): void {
    this.#waiting.get(request)?.held(wait);
  }

  refused(request: number, error: Error): void {
    this.#waiting.get(request)?.refused(error);
  }

  #request({ provider, cost, signal, held }: PermitTask, report: (message: JobReport) => void) {
    this.#count += 1;
    const request = this.#count;
    return new Promise<{ request: number; until: number | undefined }>((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(request);
        report({ type: "release", request });
        reject(signal.reason);
      };
      if (signal.aborted) return reject(signal.reason);
      const answered = () => {
        this.#waiting.delete(request);
        signal.removeEventListener("abort", onAbort);
      };
      this.#waiting.set(request, {
        held,
        granted(until) {
          answered();
          resolve({ request, until });
        },
        refused(error) {
          answered();
          reject(error);
        },
      });
      report({ type: "acquire", request, provider, cost });
      // One that was leased ahead is granted at once.
      if (this.#waiting.has(request)) signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
