/** The worker's side of shared answers: requests them from the main thread, and makes those that no other job has made. */

import { type JobReport, plainError, type SharedValue } from "../messages.ts";

interface Pending {
  readonly lead: () => void;
  readonly resolve: (value: SharedValue | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class SharedRequests {
  readonly #pending = new Map<number, Pending>();
  #count = 0;

  /**
   * The part of an answer that the whole run shares; `make` fetches it if no other job has.
   * @throws what `make` threw, here or in the job that made it; the signal's reason when it is aborted
   */
  request(
    { key, part, signal }: { readonly key: string; readonly part: string; readonly signal: AbortSignal },
    make: () => Promise<ReadonlyMap<string, SharedValue>>,
    report: (message: JobReport) => void,
  ): Promise<SharedValue | undefined> {
    this.#count += 1;
    const share = this.#count;
    const { promise, resolve, reject } = Promise.withResolvers<SharedValue | undefined>();
    const stop = () => {
      this.#pending.delete(share);
      report({ type: "share_left", share });
      reject(signal.reason);
    };
    if (signal.aborted) return Promise.reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    const end = () => {
      this.#pending.delete(share);
      signal.removeEventListener("abort", stop);
    };
    this.#pending.set(share, {
      lead: async () => {
        try {
          report({ type: "share_made", share, parts: await make() });
        } catch (error) {
          end();
          report({ type: "share_failed", share, error: plainError(error) });
          reject(error);
        }
      },
      resolve(value) {
        end();
        resolve(value);
      },
      reject(error) {
        end();
        reject(error);
      },
    });
    report({ type: "share", share, key, part });
    return promise;
  }

  lead(share: number): void {
    this.#pending.get(share)?.lead();
  }

  answer(share: number, value: SharedValue | undefined): void {
    this.#pending.get(share)?.resolve(value);
  }

  refuse(share: number, error: unknown): void {
    this.#pending.get(share)?.reject(error);
  }
}
