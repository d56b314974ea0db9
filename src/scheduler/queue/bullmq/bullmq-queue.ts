/**
 * The job queue in Redis or PostgreSQL, through BullMQ, so that processes on other hosts can take jobs. After an outage the
 * connection is made anew, and its owner empties the queue: it enqueues again what has not been delivered.
 */

import { type QueuePlace, queuePlaceName, queueSecrets } from "../../../config/places.ts";
import { messageOf, onOneLine, type QueueTrouble } from "../../../domain/errors.ts";
import { redactor } from "../../../redact.ts";
import type { JobQueue, KeyHandler, KeyPlace, QueueCounts } from "../job-queue.ts";
import { Link, type LinkTimes } from "./link.ts";
import { type BullMqModule, loadBullMq } from "./packages.ts";

export interface BullMqOptions {
  readonly place: QueuePlace;
  /** One for each database, so that two servers may share a Redis. */
  readonly name: string;
  /** Whether the queue is emptied whenever a connection begins: the server's, which knows what belongs in it. */
  readonly isOwner: boolean;
  /** Milliseconds; tests shorten them. */
  readonly times?: Partial<Times>;
}

interface Times extends LinkTimes {
  /** How often an idle connection is checked. */
  readonly check: number;
  /** The first and the longest pause before the next attempt to connect. */
  readonly pause: number;
  readonly longestPause: number;
}

const TIMES: Times = { command: 10_000, lock: 30_000, stalled: 5_000, check: 2_000, pause: 250, longestPause: 5_000 };

const WHAT = "The job queue does not answer";
const ADVICE = "Check that server, BARKEEP_QUEUE and the network to it.";
/** Reasons are cut to so many characters. */
const MAX_REASON = 160;

/**
 * Opens the queue. One that does not answer now is in trouble, and is connected to as soon as it does.
 * @throws Error if a package is not installed
 */
export async function openBullMqQueue(options: BullMqOptions): Promise<BullMqQueue> {
  const queue = new BullMqQueue(await loadBullMq(options.place.kind), options);
  await queue.connect();
  return queue;
}

export class BullMqQueue implements JobQueue {
  readonly name: string;
  readonly mark: string | null;
  #link: Link | null = null;
  #trouble: QueueTrouble | null = null;
  readonly #listeners: ((trouble: QueueTrouble | null) => void)[] = [];
  #work: { readonly handler: KeyHandler; readonly concurrency: number; readonly place: KeyPlace } | null = null;
  /** What each key that is active here ends with. */
  readonly #active = new Map<string, Promise<void>>();
  /** Keys to be added with the next command, and what says that they were. */
  #next: { readonly keys: string[]; readonly added: Promise<void> } | null = null;
  #adding: Promise<void> = Promise.resolve();
  /** The check that is under way; it never fails. */
  #checking: Promise<void> = Promise.resolve();
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;
  readonly #times: Times;

  constructor(
    private readonly bullmq: BullMqModule,
    private readonly options: BullMqOptions,
  ) {
    this.name = options.name;
    this.mark = options.isOwner ? crypto.randomUUID() : null;
    this.#times = { ...TIMES, ...options.times };
  }

  /** Connects, and goes on trying if the server does not answer. Resolves after the first attempt. */
  async connect(): Promise<void> {
    this.#timer = null;
    let opened: Link | null = null;
    try {
      const { place, name, isOwner } = this.options;
      const link = await Link.open(this.bullmq, {
        ...{ kind: place.kind, url: place.url, name, times: this.#times },
        // One that fails before it is open says so by throwing.
        onFailure: (error) => opened !== null && this.#failed(opened, error),
      });
      opened = link;
      if (isOwner) await link.empty();
      if (this.#closed) return await link.close();
      if (this.mark !== null) await link.leaveMark(this.mark);
      if (!link.isOpen) throw new Error("the connection was closed");
      this.#link = link;
      this.#begin(link);
      this.#check(link);
      this.#failures = 0;
      this.#setTrouble(null);
    } catch (error) {
      await opened?.close();
      this.#failed(null, error);
    }
  }

  async enqueue(keys: readonly string[]): Promise<void> {
    if (this.#next !== null) {
      this.#next.keys.push(...keys);
      return this.#next.added;
    }
    const next = { keys: [...keys], added: this.#adding.then(() => this.#add()) };
    this.#next = next;
    this.#adding = next.added.catch(() => {});
    return next.added;
  }

  cancel(key: string): Promise<boolean> {
    return this.#command((link) => link.cancel(key));
  }

  /** Whether the queue is the one in which its owner leaves this mark. @throws Error if it cannot be reached */
  hasMark(mark: string): Promise<boolean> {
    return this.#command((link) => link.hasMark(mark));
  }

  counts(): Promise<QueueCounts> {
    return this.#command((link) => link.counts());
  }

  work(handler: KeyHandler, concurrency: number, place: KeyPlace = async () => {}): void {
    this.#work = { handler, concurrency, place };
    if (this.#link !== null) this.#begin(this.#link);
  }

  trouble(): QueueTrouble | null {
    return this.#trouble;
  }

  watch(listener: (trouble: QueueTrouble | null) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const link = this.#link;
    link?.stop();
    while (this.#active.size > 0) await Promise.all(this.#active.values());
    // One that is being left again would stay.
    await this.#checking;
    if (this.mark !== null) await link?.removeMark(this.mark);
    await link?.close();
    this.#link = null;
  }

  #begin(link: Link): void {
    if (this.#work === null) return;
    const { concurrency, place } = this.#work;
    link.work((key) => this.#deliver(key), concurrency, place);
  }

  /** A key that is delivered again while it is active here waits for that: its lock was lost meanwhile. */
  async #deliver(key: string): Promise<void> {
    const { handler } = this.#work!;
    const before = this.#active.get(key);
    // Begun at once otherwise: whether there is a place for one more is asked when this returns.
    const handled = before === undefined ? handler(key) : before.then(() => handler(key));
    const ended = handled.catch(() => {});
    this.#active.set(key, ended);
    await ended;
    if (this.#active.get(key) === ended) this.#active.delete(key);
    await handled;
  }

  async #add(): Promise<void> {
    const { keys } = this.#next!;
    this.#next = null;
    await this.#command((link) => link.add(keys));
  }

  /** @throws Error if there is no connection, or the command fails: the connection counts as lost then */
  async #command<T>(send: (link: Link) => Promise<T>): Promise<T> {
    const link = this.#link;
    if (link === null) throw new Error(this.#trouble === null ? "The job queue is closed" : WHAT);
    try {
      return await send(link);
    } catch (error) {
      link.fail(error);
      throw error;
    }
  }

  #check(link: Link): void {
    this.#timer = setTimeout(() => {
      // Also the mark, which is lost when somebody else empties the queue.
      this.#checking = (this.mark === null ? link.counts() : link.leaveMark(this.mark)).then(
        () => {
          if (this.#link === link && !this.#closed) this.#check(link);
        },
        (error) => link.fail(error),
      );
    }, this.#times.check);
  }

  #failed(link: Link | null, error: unknown): void {
    if (this.#closed || (link !== null && link !== this.#link)) return;
    this.#link = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#setTrouble(this.#reasonOf(error));
    const { pause, longestPause } = this.#times;
    const milliseconds = Math.min(longestPause, pause * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#timer = setTimeout(() => void this.connect(), milliseconds);
  }

  #reasonOf(error: unknown): string {
    const reason = redactor(queueSecrets(this.options.place))(onOneLine(messageOf(error))).slice(0, MAX_REASON);
    return `${queuePlaceName(this.options.place)}: ${reason}`;
  }

  #setTrouble(detail: string | null): void {
    if (detail === (this.#trouble?.detail ?? null)) return;
    const since = this.#trouble?.since ?? Date.now();
    this.#trouble = detail === null ? null : { kind: "queue", what: WHAT, detail, advice: ADVICE, since };
    for (const listener of this.#listeners) listener(this.#trouble);
  }
}
