/** What happens when the machine's clock is set, while the server runs or while it does not. */

import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { CLOCK_SET_MS, type Clock, ClockWatch } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Database, Write } from "../storage/db.ts";
import { type ClockMark, clockMarkStatement, limiterWrites, readClockMark } from "../storage/quotas/limiter-state.ts";

/** How often the place of the clocks is stored, milliseconds. */
const MARK_MS = 60_000;
/** A clock that was set by less than this is not marked at once, milliseconds: it may only be kept in step. */
const MARK_AGAIN_MS = 1_000;

/** What has stored times of this machine's clock, which a mark of another time would make old or new. */
type Timed = { rows(): Parameters<typeof limiterWrites>[1] };

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
  /** What the clock was ahead of the time since boot when that was last stored, milliseconds. */
  #marked = Number.NaN;
  readonly #boot: () => Omit<ClockMark, "wall">;
  #timed: Timed = { rows: () => [] };

  constructor(private readonly dependencies: Dependencies) {
    this.#boot = dependencies.boot ?? bootOfMachine;
  }

  /**
   * How far the clock was set since it was last marked, milliseconds; 0 if it was not, or that cannot be known.
   * @param timed its times are stored again with every mark, by the clock of that mark
   */
  async sinceLastStart(timed: Timed): Promise<number> {
    const { db, log, clock } = this.dependencies;
    this.#timed = timed;
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

  /**
   * What a write that stores times of this clock has to store with them, if the clock was set since the last mark: the watch
   * may not have seen it yet, and a server that is killed now would take them for times of the clock before. Call `stored`
   * after the commit.
   */
  mark(): { readonly writes: readonly Write[]; stored(): void } {
    const { clock } = this.dependencies;
    const mark = { ...this.#boot(), wall: clock.now() };
    const lead = mark.wall - mark.uptime;
    const isKnown = Math.abs(lead - this.#marked) < MARK_AGAIN_MS;
    return {
      writes: isKnown ? [] : this.#marking(mark),
      stored: () => {
        if (!isKnown) this.#marked = lead;
      },
    };
  }

  async #mark(): Promise<void> {
    const { db, clock } = this.dependencies;
    const mark = { ...this.#boot(), wall: clock.now() };
    await db.write(this.#marking(mark));
    this.#marked = mark.wall - mark.uptime;
  }

  #marking(mark: ClockMark): Write[] {
    const { db } = this.dependencies;
    return [...limiterWrites(db, this.#timed.rows()), clockMarkStatement(db, mark)];
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
