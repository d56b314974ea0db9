/** What happens when the machine's clock is set, while the server runs or while it does not. */

import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { CLOCK_SET_MS, type Clock, ClockWatch } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Database } from "../storage/db.ts";
import { type ClockMark, readClockMark, saveClockMark } from "../storage/quotas/limiter-state.ts";

/** How often the place of the clocks is stored, milliseconds. */
const MARK_MS = 60_000;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly clock: Clock;
  /** How long this machine has been up, and which boot that was; tests replace it. */
  readonly boot?: () => Omit<ClockMark, "wall">;
}

export class ClockChanges {
  #timer: ReturnType<typeof setInterval> | undefined;
  #watch: ClockWatch | undefined;
  readonly #boot: () => Omit<ClockMark, "wall">;

  constructor(private readonly dependencies: Dependencies) {
    this.#boot = dependencies.boot ?? bootOfMachine;
  }

  /** How far the clock was set since it was last marked, milliseconds; 0 if it was not, or that cannot be known. */
  async sinceLastStart(): Promise<number> {
    const { db, log, clock } = this.dependencies;
    const mark = await readClockMark(db);
    const { boot, uptime } = this.#boot();
    if (mark === null || boot === null || mark.boot !== boot) return 0;
    const by = clock.now() - mark.wall - (uptime - mark.uptime);
    if (Math.abs(by) < CLOCK_SET_MS) return 0;
    log.write("warn", `The clock of this machine was set ${describe(by)} while Barkeep did not run. ${EFFECT}`);
    return by;
  }

  /** Watches from now on; `onSet` gets how far it was set, milliseconds, after the log has it. */
  async start(onSet: (by: number) => void): Promise<void> {
    const { log, clock } = this.dependencies;
    await this.#mark();
    this.#timer = setInterval(() => this.#markLater(), MARK_MS);
    this.#watch = new ClockWatch(clock, (by) => {
      log.write("warn", `The clock of this machine was set ${describe(by)}. ${EFFECT}`);
      this.#markLater();
      onSet(by);
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#watch?.close();
  }

  #mark(): Promise<void> {
    const { db, clock } = this.dependencies;
    return saveClockMark(db, { ...this.#boot(), wall: clock.now() });
  }

  #markLater(): void {
    // It is marked again in a minute.
    this.#mark().catch(() => {});
  }
}

const EFFECT =
  "Quotas count by the old and the new time, schedules go by the new one. A step forwards makes nothing old enough to be " +
  "deleted until Barkeep is restarted.";

function describe(by: number): string {
  const seconds = Math.round(Math.abs(by) / 1_000);
  const [unit, size] = (
    [
      ["day", 86_400],
      ["hour", 3_600],
      ["minute", 60],
    ] as const
  ).find(([, size]) => seconds >= size) ?? ["second", 1];
  const count = Math.round((10 * seconds) / size) / 10;
  return `${by > 0 ? "forwards" : "back"} by ${count} ${unit}${count === 1 ? "" : "s"}`;
}

function bootOfMachine(): Omit<ClockMark, "wall"> {
  try {
    return { boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), uptime: uptime() * 1_000 };
  } catch {
    return { boot: null, uptime: 0 };
  }
}
