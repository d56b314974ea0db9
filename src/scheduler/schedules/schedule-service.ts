/** Lists, reads, creates, changes, deletes and runs schedules. */

import { type Clock, waitAtMost } from "../../clock.ts";
import { invalid, Refusal } from "../../domain/errors.ts";
import type { Schedule, ScheduleInput, Turn } from "../../domain/schedules.ts";
import type { Provider } from "../../providers/provider.ts";
import { whyNotUsable } from "../../providers/registry.ts";
import { patchedFields } from "../../schemas.ts";
import { record } from "../../storage/access/audit.ts";
import { requireWatchlist } from "../../storage/companies/watchlists.ts";
import type { Database } from "../../storage/db.ts";
import {
  deleteSchedule,
  insertSchedule,
  readSchedules,
  requireSchedule,
  turnsOf,
  updateSchedule,
} from "../../storage/schedules.ts";
import { readCron } from "./cron.ts";
import { inputToWire, parseScheduleInput, type SchedulePatch } from "./schedule-request.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";

/** Number of next and of past turns returned with a schedule. */
const NEXT_TURNS = 5;
const PAST_TURNS = 30;

/** A schedule with its expression in words, its next turns and its last ones. */
export interface ScheduleStatus extends Schedule {
  /** The expression in words. */
  readonly words: string;
  /** The next turns, epoch milliseconds; for a paused schedule, as if it were active. */
  readonly nextRuns: readonly number[];
  readonly lastTurn: Turn | null;
  /** The last turns, newest first. */
  readonly turns: readonly Turn[];
}

interface Dependencies {
  readonly db: Database;
  readonly scheduleRunner: ScheduleRunner;
  readonly clock: Clock;
  readonly defaultProvider: string;
  provider(name: string): Provider | undefined;
}

/** How long an answer may wait for what is due at once, milliseconds: it goes on without the answer. */
const SOON_MS = 1_000;
const soon = (work: Promise<void>) => waitAtMost(work, SOON_MS);

export class ScheduleService {
  constructor(private readonly dependencies: Dependencies) {}

  async list(): Promise<ScheduleStatus[]> {
    const schedules = await readSchedules(this.dependencies.db);
    return Promise.all(schedules.map((schedule) => this.#status(schedule)));
  }

  /** @throws Refusal if there is no such schedule */
  async read(id: number): Promise<ScheduleStatus> {
    return this.#status(await requireSchedule(this.dependencies.db, id));
  }

  /**
   * Stores a new schedule (`null`), or one in the place of the schedule `id`.
   * @throws Refusal if there is no such schedule, or with what is wrong, by field
   */
  async save(id: number | null, body: unknown): Promise<ScheduleStatus> {
    const input = await this.#checked(parseScheduleInput(body));
    return id === null ? this.#insert(input) : this.#replace(id, input);
  }

  /** @throws Refusal if there is no such schedule, or with what is wrong, by field */
  async change(id: number, patch: SchedulePatch): Promise<ScheduleStatus> {
    const before = await requireSchedule(this.dependencies.db, id);
    const { enabled, ...others } = patch;
    if (Object.keys(others).length > 0) return this.save(id, patchedFields(inputToWire(before), patch));
    // Pausing must be possible even for a schedule that could not be saved any more.
    return this.#replace(id, { ...before, enabled: enabled ?? before.enabled });
  }

  /** @throws Refusal if there is no such schedule */
  async remove(id: number): Promise<void> {
    const { db } = this.dependencies;
    await deleteSchedule(db, await requireSchedule(db, id));
  }

  /** @throws Refusal if there is no such schedule, or its run cannot start now */
  async runNow(id: number): Promise<{ schedule: ScheduleStatus; turn: Turn }> {
    const schedule = await requireSchedule(this.dependencies.db, id);
    const turn = await this.dependencies.scheduleRunner.runNow(schedule);
    if (turn.outcome !== "started") throw new Refusal("conflict", `Nothing was started. ${turn.note}`);
    await record(this.dependencies.db, {
      action: "schedule.run",
      subject: schedule.name,
      after: { run: turn.run?.id },
    });
    return { schedule: await this.read(id), turn };
  }

  async #insert(input: ScheduleInput): Promise<ScheduleStatus> {
    const { db, clock, scheduleRunner: runner } = this.dependencies;
    const id = await insertSchedule(db, input, clock.now());
    await soon(runner.poll());
    return this.read(id);
  }

  async #replace(id: number, input: ScheduleInput): Promise<ScheduleStatus> {
    const { db, clock, scheduleRunner: runner } = this.dependencies;
    const before = await requireSchedule(db, id);
    const isRescheduled =
      (input.enabled && !before.enabled) || input.cron !== before.cron || input.timeZone !== before.timeZone;
    // Turns while it was paused, or of another expression, do not count as missed.
    await updateSchedule(db, before, { ...input, id, checkedAt: isRescheduled ? clock.now() : before.checkedAt });
    await soon(runner.poll());
    return this.read(id);
  }

  async #status(schedule: Schedule): Promise<ScheduleStatus> {
    const { db, clock } = this.dependencies;
    const { words, next } = readCron(schedule.cron, schedule.timeZone);
    const turns = await turnsOf(db, schedule.id, PAST_TURNS);
    return { ...schedule, words, nextRuns: next(clock.now(), NEXT_TURNS), lastTurn: turns[0] ?? null, turns };
  }

  /** Checks that need the server: providers and watchlists. */
  async #checked(input: ScheduleInput): Promise<ScheduleInput> {
    const name = input.provider ?? this.dependencies.defaultProvider;
    const provider = this.dependencies.provider(name);
    if (provider === undefined) throw invalid("provider", whyNotUsable(name));
    if (!provider.intervals.includes(input.interval)) {
      const { title, intervals } = provider;
      throw invalid("interval", `${title} has no ${input.interval} bars, only ${intervals.join(", ")}`);
    }
    if (input.watchlistId !== null) {
      await requireWatchlist(this.dependencies.db, input.watchlistId).catch((error) => {
        if (error instanceof Refusal) throw invalid("watchlist_id", error.message);
        throw error;
      });
    }
    return input;
  }
}
