/**
 * Takes keys of jobs from the job queue and claims each at the server, which alone knows whether and where its job begins.
 * The queue is done with a key when the server has heard of it.
 */

import { type QueuePlace, queuePlaceName } from "../../config/places.ts";
import type { QueueState } from "../../domain/hosts/host-state.ts";
import type { ClaimAnswer } from "../../pipeline/remote/protocol.ts";
import { type BullMqQueue, openBullMqQueue } from "../../scheduler/queue/bullmq/bullmq-queue.ts";
import { GivenBack } from "../../scheduler/queue/job-queue.ts";
import type { JobLoad } from "./job-load.ts";

/** For how long keys are left to others after one whose job is not for this worker, from the first to the last: milliseconds. */
const PAUSE_MS = [20, 2_000] as const;
/** How often it is looked whether keys may be taken again, milliseconds. */
const LOOK_MS = 100;
const TIMES = {
  /** For how long a key is the worker's until it is claimed: if the worker dies, others get it after that. */
  lock: 10_000,
  /** How often the mark of the server's queue is looked for; it may be away for a moment while a server starts. */
  look: 2_000,
};
/** Milliseconds. */
export type KeyTimes = Partial<typeof TIMES>;
const MISSES = 2;

const ADVICE =
  "set BARKEEP_QUEUE here to the same address as there, or remove it. The server hands out the jobs until then";

interface Dependencies {
  readonly place: QueuePlace;
  readonly load: JobLoad;
  /** Keys that may be claimed at once. */
  readonly most: number;
  /** Milliseconds; tests shorten them. */
  readonly times?: KeyTimes | undefined;
  /** Tells the server of a key; resolves with `null` if it has not heard of it. */
  claim(key: string): Promise<ClaimAnswer | null>;
  /** Whether the server lets the worker take keys. */
  mayTake(): boolean;
  /** Whether the server answers: one that ends takes its mark away. */
  isHeard(): boolean;
  /** The state has changed. */
  onChange(): void;
  print(line: string): void;
}

export class KeyTaker {
  #queue: BullMqQueue | null = null;
  /** Of the queue that is used; not yet known before the first stay at the server. */
  #name: string | null | undefined;
  /** What the queue of the server has in it. */
  #mark: string | null = null;
  /** How often in a row the mark was not found. */
  #misses = 0;
  #look: ReturnType<typeof setTimeout> | undefined;
  /** Keys in a row whose jobs were not for this worker. */
  #refusals = 0;
  /** Milliseconds of `performance.now()`. */
  #pausedUntil = 0;
  #isClosed = false;
  #opening: Promise<void> = Promise.resolve();

  constructor(private readonly dependencies: Dependencies) {}

  /** Whether the queue can be reached; `null` while there is none to take keys from. */
  get state(): QueueState | null {
    if (this.#name == null) return null;
    if (this.#queue === null || this.#queue.trouble() !== null) return "down";
    return this.#misses >= MISSES ? "other" : "up";
  }

  /** Takes keys from the queue with this name and mark; `null`: the server has none. */
  use(name: string | null, mark: string | null): Promise<void> {
    this.#mark = mark;
    this.#misses = 0;
    this.#opening = this.#opening.then(() => this.#open(name));
    return this.#opening;
  }

  /** Takes no more keys; those that were taken are claimed or given back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#look);
    await this.#opening.catch(() => {});
    await this.#queue?.close();
  }

  /** @throws Error if a package is not installed */
  async #open(name: string | null): Promise<void> {
    if (name === this.#name || this.#isClosed) return;
    const { place, print, onChange, most, times } = this.dependencies;
    const before = this.#queue;
    this.#name = name;
    this.#queue = null;
    await before?.close();
    if (name === null) return print("The server has no job queue outside: it hands out the jobs");
    const { look, ...queueTimes } = { ...TIMES, ...times };
    const queue = await openBullMqQueue({ place, name, isOwner: false, times: queueTimes });
    this.#queue = queue;
    let said: QueueState | null = null;
    const say = () => {
      const { state } = this;
      if (said === state || this.#queue !== queue) return;
      said = state;
      const trouble = queue.trouble();
      if (trouble !== null) print(`${trouble.what} (${trouble.detail}): the server hands out the jobs until it does`);
      else if (state === "other")
        print(`The job queue, ${queuePlaceName(place)}, is not that of the server: ${ADVICE}`);
      else print(`Takes jobs from the job queue, ${queuePlaceName(place)}`);
      onChange();
    };
    queue.watch(say);
    say();
    void this.#watchMark(queue, say, look);
    queue.work(
      (key) => this.#take(key),
      most,
      () => this.#place(queue),
    );
  }

  /** Looks whether the queue is that of the server: one of the same name elsewhere, or an old one, never has a key. */
  async #watchMark(queue: BullMqQueue, say: () => void, look: number): Promise<void> {
    const mark = this.#mark;
    // One that cannot be asked now says so itself.
    const isThere = mark === null ? null : await queue.hasMark(mark).catch(() => null);
    if (this.#queue !== queue || this.#isClosed) return;
    const isKnown = isThere === true || (isThere === false && this.dependencies.isHeard());
    if (mark === this.#mark && isKnown) this.#misses = isThere ? 0 : this.#misses + 1;
    say();
    this.#look = setTimeout(() => void this.#watchMark(queue, say, look), look);
  }

  async #take(key: string): Promise<void> {
    const { load, claim } = this.dependencies;
    load.claim();
    const answer = await claim(key);
    if (answer?.isHere) {
      this.#refusals = 0;
      return;
    }
    load.unclaim();
    const [least, most] = PAUSE_MS;
    this.#pausedUntil = performance.now() + (answer === null ? most : Math.min(most, least * 2 ** this.#refusals));
    this.#refusals = Math.min(10, this.#refusals + 1);
    if (answer === null) throw new GivenBack();
  }

  async #place(queue: BullMqQueue): Promise<void> {
    const { load, mayTake } = this.dependencies;
    while (this.#queue === queue && !this.#isClosed) {
      if (mayTake() && performance.now() >= this.#pausedUntil && load.hasPlace()) return;
      await Promise.race([load.change(), Bun.sleep(LOOK_MS)]);
    }
  }
}
