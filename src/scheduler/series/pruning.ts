/** Deletes bars before a date, by choice, on a thread in the background; a restart goes on with what is left. */

import { messageOf, Refusal } from "../../domain/errors.ts";
import type { SeriesSelection } from "../../domain/series/selection.ts";
import { isoDate } from "../../domain/time.ts";
import { threadModule } from "../../installation.ts";
import type { Log } from "../../log.ts";
import { auditStatement } from "../../storage/access/audit.ts";
import type { Database } from "../../storage/db.ts";
import { type PruneBegun, prunedProfiles, unprunedSeries } from "../../storage/series/prune.ts";
import { reprocess } from "../runs/renew.ts";
import type { RunService } from "../runs/run-service.ts";
import type { FromPruner, NewPruning, ToPruner } from "./worker.ts";

const WORKER = threadModule("scheduler/series");
/** Milliseconds until what failed is tried again. */
const RETRY_MS = 60_000;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly runs: RunService;
  settings(): Extract<ToPruner, { type: "prune" }>["settings"];
  /** Called when bars have been deleted: the lake follows, and free pages are returned to the disk. */
  onDeleted(): void;
}

/** A confirmed deletion. */
export interface PruningRequest {
  readonly selection: SeriesSelection;
  /** Midnight UTC of a day, epoch seconds. */
  readonly before: number;
  /** Series and bars, as they were confirmed. */
  readonly expect: number;
  readonly bars: number;
  readonly symbols: readonly string[];
}

export interface PruneProgress {
  readonly done: number;
  readonly total: number;
}

export class Pruning {
  #progress: PruneProgress | null = null;
  #work: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: string | null = null;
  #closed = false;
  #stop = () => {};

  constructor(private readonly dependencies: Dependencies) {}

  /** How far a deletion is; `null` if none is under way. */
  get progress(): PruneProgress | null {
    return this.#progress;
  }

  /** Why the last attempt failed, which is made again; `null` if it did not. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Goes on with what an earlier process has left. */
  async start(): Promise<void> {
    const left = (await unprunedSeries(this.dependencies.db)).length;
    if (left > 0) {
      this.dependencies.log.write("info", `Deleting old bars of ${left} series goes on, in the background`);
      this.#run(null, left);
    } else {
      this.#work = this.#recompute();
    }
  }

  /** Resolves when nothing is under way any more. */
  idle(): Promise<void> {
    return this.#work;
  }

  /**
   * Begins a deletion; resolves when it is recorded, with the number of series.
   * @throws Refusal while another one is under way, while a job of a series is active, or if other series match meanwhile
   */
  async begin({ selection, before, expect, bars, symbols }: PruningRequest): Promise<number> {
    if (this.#closed) throw new Refusal("unavailable", "The server stops");
    if (this.#progress !== null)
      throw new Refusal("conflict", "Old bars are being deleted already: wait until that is done");
    const subject = symbols.length === 1 ? symbols[0]! : `${expect} series`;
    const after = { before: isoDate(before), series: expect, bars, symbols };
    const audit = auditStatement({ action: "storage.prune", subject, after });
    const begun = await this.#run({ selection, before, expect, now: Date.now(), audit }, expect);
    if (begun.kind === "busy") throw new Refusal("conflict", busyText(begun.busy, begun.symbols));
    if (begun.kind === "changed") {
      throw new Refusal(
        "conflict",
        `It would concern ${begun.series} series now, not ${expect}: look at it again first`,
      );
    }
    const what = `bars before ${isoDate(before)} of ${begun.series} series`;
    this.dependencies.log.write("info", `Deleting ${what}, in the background`);
    return begun.series;
  }

  /** Ends after the step under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stop();
    await this.#work;
  }

  /** Starts the thread; resolves when it has recorded the request. */
  #run(request: NewPruning | null, total: number): Promise<PruneBegun> {
    clearTimeout(this.#timer);
    const { log, settings, onDeleted } = this.dependencies;
    this.#progress = { done: 0, total };
    const begun = Promise.withResolvers<PruneBegun>();
    begun.promise.catch(() => {});
    const thread = new Worker(WORKER, { name: "barkeep-pruning" });
    const closed = new Promise<void>((resolve) => thread.addEventListener("close", () => resolve(), { once: true }));
    const end = Promise.withResolvers<void>();
    let isBegun = request === null;
    thread.addEventListener("error", ({ message }) => end.reject(new Error(message)));
    thread.addEventListener("close", () => end.reject(new Error("the thread ended")));
    thread.addEventListener("message", ({ data }: MessageEvent<FromPruner>) => {
      if (data.type === "begun") {
        isBegun = data.begun.kind === "begun";
        begun.resolve(data.begun);
      } else if (data.type === "left") {
        const known = Math.max(total, data.left);
        this.#progress = { done: known - data.left, total: known };
      } else if (data.type === "done") end.resolve();
      else end.reject(new Error(data.message));
    });
    const send = (message: ToPruner) => thread.postMessage(message);
    this.#stop = () => send({ type: "stop" });
    send({ type: "prune", settings: settings(), request });
    const work = async () => {
      try {
        await end.promise;
        this.#failure = null;
        if (!isBegun || this.#closed) return;
        onDeleted();
        log.write("info", `Old bars of ${total} series deleted`);
        await this.#recompute();
      } catch (error) {
        begun.reject(error);
        if (!isBegun) return;
        this.#failure = messageOf(error);
        const what = "Old bars could not all be deleted, which is tried again every minute";
        log.write("error", what, null, null, this.#failure);
        if (!this.#closed) this.#timer = setTimeout(() => void this.#run(null, total), RETRY_MS);
      } finally {
        await closed;
        this.#progress = null;
        this.#stop = () => {};
      }
    };
    this.#work = work();
    return begun.promise;
  }

  /** Starts runs that compute the features again that follow from deleted bars too. */
  async #recompute(): Promise<void> {
    const { db, log, runs } = this.dependencies;
    try {
      await reprocess(db, runs, await prunedProfiles(db));
    } catch (error) {
      log.write("warn", `Features of pruned series are outdated and were not computed again: ${messageOf(error)}`);
    }
  }
}

/** Why series with active jobs keep their bars. */
export function busyText(busy: number, symbols: readonly string[]): string {
  const more = busy > symbols.length ? " and others" : "";
  const which = `${symbols.join(", ")}${more}`;
  return `Jobs of ${which} wait, run or are paused: let them end, or cancel them, before their old bars are deleted`;
}
