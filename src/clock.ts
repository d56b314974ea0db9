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
