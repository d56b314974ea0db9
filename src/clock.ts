/** The clock of the limiter, the schedules and the mails; tests pass their own. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `action` once, after `milliseconds` (at most an hour); the returned function cancels it. */
  after(milliseconds: number, action: () => void): () => void;
}

/** Longest single timer, milliseconds; callers that wait for longer set another one. */
const MAX_TIMER_MS = 3_600_000;

export const systemClock: Clock = {
  now: Date.now,
  after(milliseconds, action) {
    const timer = setTimeout(action, Math.min(Math.max(0, milliseconds), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/**
 * Calls `action` once, after `milliseconds`, however many: a timer of the system overflows after 24.8 days and fires at once.
 * @returns cancels it
 */
export function after(milliseconds: number, action: () => void): () => void {
  const end = performance.now() + milliseconds;
  let cancel = () => {};
  const wait = () => {
    const left = end - performance.now();
    cancel = systemClock.after(left, left > MAX_TIMER_MS ? wait : action);
  };
  wait();
  return () => cancel();
}
