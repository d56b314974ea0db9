/** Records events that no job notices: series that went stale or are doubtful, a disk that fills up, the daily summary. */

import { type AlertEvent, type AlertRules, alertKey, type DailySummary, type SeriesHealth } from "../domain/alerts.ts";
import { messageOf } from "../domain/errors.ts";
import type { Calendar } from "../domain/market/calendar.ts";
import { HEALTHS, type Health, healthClock } from "../domain/profiles/health.ts";
import type { Log } from "../log.ts";
import { lastDay } from "../storage/alerts/last-day.ts";
import { recordStatements } from "../storage/alerts/outbox.ts";
import type { Space } from "../storage/connection/space.ts";
import { chunks, type Database } from "../storage/db.ts";
import type { ProfileColumns } from "../storage/profiles/profile-columns.ts";

const CHECK_MS = 60_000;
/** Time between two examinations of all series, milliseconds. */
const HEALTH_MS = 60 * 60_000;
/** Less free space than this is low: absolutely, and as a share of the database. */
const LOW_BYTES = 2e9;
const LOW_SHARE = 0.1;

/** The healths that are worth an event. */
const KINDS: Readonly<Partial<Record<Health, SeriesHealth["kind"]>>> = {
  stale: "series_stale",
  suspicious: "quality_found",
};

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly profiles: ProfileColumns;
  readonly calendar: Calendar;
  /** The rules of mail and of every channel. */
  rules(): readonly AlertRules[];
  /** The rules that say when the summary is made. */
  summary(): AlertRules["summary"];
  /** `null` for a remote database. */
  space(): Promise<Pick<Space, "used" | "free"> | null>;
  onAlert(): void;
}

export class AlertWatch {
  #timer: ReturnType<typeof setInterval> | undefined;
  #checking: Promise<void> = Promise.resolve();
  #examinedAt = Number.NEGATIVE_INFINITY;
  /** Recorded since the start; the database keeps others from being recorded twice. */
  readonly #known = new Set<string>();

  constructor(
    private readonly dependencies: Dependencies,
    private readonly now: () => number = Date.now,
  ) {}

  /** Checks every minute until it is closed. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#checking = this.#checking.then(() => this.check());
    }, CHECK_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  /** Checks what some rule asks for, and records what is new. */
  async check(): Promise<void> {
    const { db, log, onAlert } = this.dependencies;
    try {
      const found = [...(await this.#disk()), ...(await this.#series()), ...(await this.#summary())];
      const fresh = found.filter((event) => !this.#known.has(alertKey(event)));
      if (fresh.length === 0) return;
      for (const part of chunks(fresh)) await db.write(recordStatements(part));
      for (const event of fresh) this.#known.add(alertKey(event));
      onAlert();
    } catch (error) {
      log.write("warn", `Alerts could not be checked and will be again: ${messageOf(error)}`);
    }
  }

  #wants(...kinds: readonly AlertEvent["kind"][]): boolean {
    return this.dependencies.rules().some(({ on }) => kinds.some((kind) => on[kind]));
  }

  async #disk(): Promise<AlertEvent[]> {
    const space = this.#wants("disk_low") ? await this.dependencies.space() : null;
    if (space === null || space.free >= Math.max(LOW_BYTES, LOW_SHARE * space.used)) return [];
    return [{ kind: "disk_low", at: this.now(), free: space.free, database: space.used }];
  }

  async #series(): Promise<AlertEvent[]> {
    const now = this.now();
    // Examined in the future: the clock was set back since.
    const isRecent = now >= this.#examinedAt && now - this.#examinedAt < HEALTH_MS;
    if (isRecent || !this.#wants("series_stale", "quality_found")) return [];
    this.#examinedAt = now;
    const { profiles, calendar } = this.dependencies;
    const entries = await profiles.all();
    const healths = await profiles.healthsOf(entries, healthClock(calendar, now));
    return entries.flatMap(({ symbol, interval, provider, lastBar }, at): AlertEvent[] => {
      const kind = KINDS[healths[at]!];
      return kind === undefined ? [] : [{ kind, at: now, symbol, interval, provider, lastBar }];
    });
  }

  async #summary(): Promise<DailySummary[]> {
    if (!this.#wants("daily_summary")) return [];
    const now = this.now();
    const { at, zone } = this.dependencies.summary();
    const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
    const [day = "", time = ""] = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, ...parts }).format(now).split(" ");
    if (time < at || this.#known.has(`daily_summary:${day}`)) return [];
    const { db, profiles, calendar } = this.dependencies;
    const healths = await profiles.healthsOf(await profiles.all(), healthClock(calendar, now));
    const series = Object.fromEntries(
      HEALTHS.map((each) => [each, healths.filter((health) => health === each).length]),
    );
    return [{ kind: "daily_summary", at: now, day, series, ...(await lastDay(db, now)) }];
  }
}
