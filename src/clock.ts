/** Time as the limiter sees it; tests bring their own. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `action` once after `milliseconds`; the answer calls it off. */
  after(milliseconds: number, action: () => void): () => void;
}

/** Longest single timer (ms); longer waits are made of several. */
const LONGEST = 3_600_000;

export const systemClock: Clock = {
  now: Date.now,
  after(milliseconds, action) {
    const timer = setTimeout(action, Math.min(Math.max(0, milliseconds), LONGEST));
    return () => clearTimeout(timer);
  },
};
