/** The clock of the limiter, the schedules and the mails; tests pass their own. */

import { uptime } from "node:os";

export interface Clock {
  /** Epoch milliseconds, as the machine's clock says: it may be set, forwards or back. */
  now(): number;
  /** Milliseconds that only ever grow, at the pace of time; from any beginning. Compare them with each other only. */
  steady(): number;
  /** Calls `action` once, after `milliseconds` (at most an hour); the returned function cancels it. */
  after(milliseconds: number, action: () => void): () => void;
}

/** Longest single timer, milliseconds; callers that wait for longer set another one. */
const MAX_TIMER_MS = 3_600_000;

/** How much the time since boot must be ahead of `performance.now()` to show that the machine slept, milliseconds. */
const SLEPT_MS = 3_000;
/** How much time may pass by either clock until the time since boot is read again, milliseconds. */
const LOOK_MS = 250;
const bootLead = () => uptime() * 1_000 - performance.now();
let slept = 0;
const firstLead = bootLead();
const looked = { wall: Date.now(), at: performance.now() };

/**
 * `performance.now()` stands still while a Linux machine is suspended: the time since boot shows for how long. To read that
 * is a call of the system, and not needed where the machine's clock says that hardly any time has passed.
 */
function steady(): number {
  const [wall, at] = [Date.now(), performance.now()];
  if (Math.abs(wall - looked.wall) < LOOK_MS && at - looked.at < LOOK_MS) return at + slept;
  looked.wall = wall;
  looked.at = at;
  const lag = bootLead() - firstLead - slept;
  if (lag > SLEPT_MS) slept += lag;
  return at + slept;
}

/** Lets the event loop handle what has come in between two parts of a long work. */
export const yieldToEvents = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Waits until `work` ends or `milliseconds` have passed; `work` goes on. @throws what `work` throws meanwhile */
export async function waitAtMost(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, milliseconds);
  try {
    await Promise.race([work, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

export const systemClock: Clock = {
  now: Date.now,
  steady,
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

/** How often a watch compares the clocks, milliseconds. */
const WATCH_MS = 5_000;
/** A difference below this is no setting of a clock, milliseconds. */
export const CLOCK_SET_MS = 5_000;

/** Notices when the machine's clock is set. */
export class ClockWatch {
  #offset: number;
  #cancel: () => void;

  /** @param onSet gets how far it was set, milliseconds; negative for back */
  constructor(
    private readonly clock: Clock,
    private readonly onSet: (by: number) => void,
  ) {
    this.#offset = clock.now() - clock.steady();
    this.#cancel = clock.after(WATCH_MS, () => this.#look());
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const offset = this.clock.now() - this.clock.steady();
    const by = offset - this.#offset;
    this.#offset = offset;
    this.#cancel = this.clock.after(WATCH_MS, () => this.#look());
    if (Math.abs(by) >= CLOCK_SET_MS) this.onSet(by);
  }
}
