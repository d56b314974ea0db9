/** Time that passes: a pause that an abort ends early, and the length of a request. */

import { after } from "../clock.ts";
import type { RequestEnd } from "./provider.ts";

/**
 * Resolves after `milliseconds`, however many.
 * @throws the signal's reason as soon as it is aborted.
 */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (milliseconds <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const stop = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = after(milliseconds, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Starts to time a request; the returned function says how it ended. */
export function timeRequest(attempt = 1): (code: string | number) => RequestEnd {
  const startedAt = performance.now();
  return (code) => ({
    code: String(code),
    seconds: (performance.now() - startedAt) / 1_000,
    isRetry: attempt > 1,
  });
}
