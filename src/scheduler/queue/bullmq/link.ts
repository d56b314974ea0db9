/**
 * One connection to a queue in Redis or PostgreSQL, from its opening to its first failure. It is not mended: BullMQ's own
 * attempts differ between the two, and its worker for PostgreSQL takes up a whole thread while the server is away.
 */

import type { IRedisClient, Queue, QueueOptions, Worker, WorkerOptions } from "bullmq";
import { RedisClient } from "bun";
import { messageOf } from "../../../domain/errors.ts";
import type { KeyHandler, KeyPlace, QueueCounts } from "../job-queue.ts";
import { redisFault } from "./connection-faults.ts";
import { Consumer, type KeyData, LOST_JOB } from "./consumer.ts";
import type { BullMqModule, QueueKind } from "./packages.ts";

/** Of a queue's keys in Redis, and the schema of its tables in PostgreSQL. */
const PREFIX = "barkeep";
const SCHEMA = "barkeep_queue";
/** How long opening, emptying and closing may take, milliseconds. */
const OPEN_MS = 8_000;
const EMPTY_MS = 30_000;
const CLOSE_MS = 3_000;
/** A job whose process has died is never given up: the server counts the crashes. */
const MAX_STALLED = 1_000_000;
/**
 * A mark is a job that would begin after this time, milliseconds: its key would be one that nobody has enqueued. One that a
 * killed server leaves stays until the next start of a server with its database empties the queue.
 */
const MARK_MS = 10 * 24 * 60 * 60_000;
/** Entries of the stream of events, which nobody reads. */
const MAX_EVENTS = 100;

/** Milliseconds. */
export interface LinkTimes {
  /** How long one command may take. */
  readonly command: number;
  /** How long a job may go without a sign of its process. */
  readonly lock: number;
  /** How often jobs without one are looked for. */
  readonly stalled: number;
}

export interface LinkOptions {
  readonly kind: QueueKind;
  readonly url: string;
  readonly name: string;
  readonly times: LinkTimes;
  /** Called with the first failure, at most once; the link is closed then. */
  onFailure(error: unknown): void;
}

const markId = (mark: string) => `mark-${mark}`;

type Connection = Pick<QueueOptions, "connection" | "prefix">;

export class Link {
  #consumer: Consumer | null = null;
  #failed = false;
  /** Ends the waits for answers: a client that is closed leaves its commands without one. */
  readonly #waits: Waits = new Set();

  private constructor(
    private readonly bullmq: BullMqModule,
    private readonly options: LinkOptions,
    private readonly connection: Connection,
    private readonly queue: Queue<KeyData>,
    private readonly disconnect: () => void,
  ) {
    queue.on("error", (error) => this.fail(error));
  }

  /** @throws Error if the server cannot be reached, or refuses the login */
  static async open(bullmq: BullMqModule, options: LinkOptions): Promise<Link> {
    const link = options.kind === "redis" ? await openRedis(bullmq, options) : openPostgres(bullmq, options);
    const made = new Link(bullmq, options, link.connection, link.queue, link.disconnect);
    try {
      await made.#within(link.queue.waitUntilReady(), OPEN_MS);
      return made;
    } catch (error) {
      made.#failed = true;
      await made.close();
      throw error;
    }
  }

  /** Removes all jobs, those that are active elsewhere too. */
  async empty(): Promise<void> {
    await this.#within(this.queue.obliterate({ force: true }), EMPTY_MS);
    await this.#within(this.queue.resume(), this.#commandMs);
  }

  async add(keys: readonly string[]): Promise<void> {
    const jobs = keys.map((key) => ({
      name: "job",
      data: { key },
      opts: {
        // Kept for as long as the job is, so that one that is added while it is active runs again afterwards.
        deduplication: { id: key, keepLastIfActive: true },
        removeOnComplete: true,
        removeOnFail: true,
      },
    }));
    await this.#within(this.queue.addBulk(jobs), this.#commandMs);
  }

  async cancel(key: string): Promise<boolean> {
    const id = await this.#within(this.queue.getDeduplicationJobId(key), this.#commandMs);
    return id !== null && (await this.#within(this.queue.remove(id), this.#commandMs)) === 1;
  }

  async counts(): Promise<QueueCounts> {
    const { wait = 0, active = 0 } = await this.#within(this.queue.getJobCounts("wait", "active"), this.#commandMs);
    return { waiting: wait, active };
  }

  /** Leaves a mark in the queue, if it is not there. */
  async leaveMark(mark: string): Promise<void> {
    const options = { jobId: markId(mark), delay: MARK_MS, removeOnComplete: true, removeOnFail: true };
    await this.#within(this.queue.add("mark", { key: "" }, options), this.#commandMs);
  }

  /** Removes it: its owner ends, and a next one leaves its own. A server that is away is not waited for. */
  async removeMark(mark: string): Promise<void> {
    if (this.#failed) return;
    await this.#within(this.queue.remove(markId(mark)), CLOSE_MS).catch(() => {});
  }

  async hasMark(mark: string): Promise<boolean> {
    return (await this.#within(this.queue.getJob(markId(mark)), this.#commandMs)) !== undefined;
  }

  work(handler: KeyHandler, concurrency: number, place: KeyPlace): void {
    const { name, times } = this.options;
    const options: WorkerOptions = {
      ...this.connection,
      concurrency,
      lockDuration: times.lock,
      stalledInterval: times.stalled,
      maxStalledCount: MAX_STALLED,
      autorun: false,
    };
    const worker: Worker<KeyData> = this.#isPostgres
      ? new this.bullmq.Worker(name, null, options as never, this.bullmq.createPostgresBackend as never)
      : new this.bullmq.Worker(name, null, options);
    worker.on("error", (error) => {
      if (!LOST_JOB.test(error.message)) this.fail(error);
    });
    const onFailure = (error: unknown) => this.fail(error);
    this.#consumer = new Consumer(worker, { handler, concurrency, place, lockMs: times.lock, onFailure });
  }

  /** Nothing works any more: tells the owner once, and lets go of everything without waiting. */
  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    // Before anything is awaited: a client that has lost its connection would make a new one by itself.
    this.disconnect();
    for (const end of this.#waits) end(error);
    void this.close();
    this.options.onFailure(error);
  }

  /** Takes no more jobs; one that comes all the same is left to other processes. */
  stop(): void {
    this.#consumer?.stop();
  }

  /** Lets go of everything; jobs whose handlers have ended are done, unless the server is away. */
  async close(): Promise<void> {
    const force = this.#failed;
    this.#failed = true;
    const settled = (closing: Promise<unknown> | undefined) =>
      within(Promise.resolve(closing), CLOSE_MS).catch(() => {});
    await settled(this.#consumer?.close(force));
    await settled(this.queue.close());
    this.disconnect();
  }

  /** @throws Error if there is no answer in time, or the connection has failed meanwhile */
  #within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
    return within(work, milliseconds, this.#waits);
  }

  get isOpen(): boolean {
    return !this.#failed;
  }

  get #commandMs(): number {
    return this.options.times.command;
  }

  get #isPostgres(): boolean {
    return this.options.kind === "postgres";
  }
}

interface Opened {
  readonly connection: Connection;
  readonly queue: Queue<KeyData>;
  disconnect(): void;
}

async function openRedis(bullmq: BullMqModule, { url, name }: LinkOptions): Promise<Opened> {
  const raw = new RedisClient(url, { autoReconnect: false, connectionTimeout: OPEN_MS });
  try {
    await within(raw.connect(), OPEN_MS);
  } catch (error) {
    raw.close();
    // The client does not say why.
    throw new Error((await redisFault(url, OPEN_MS)) ?? messageOf(error), { cause: error });
  }
  const raws = tracked(raw);
  const client = bullmq.createBunRedisClient(raw as never, { lazyConnect: false } as never);
  const clients = keptQuiet(client);
  const connection = { connection: client as never, prefix: PREFIX };
  const queue = new bullmq.Queue<KeyData>(name, { ...connection, streams: { events: { maxLen: MAX_EVENTS } } });
  const disconnect = () => {
    for (const each of clients) {
      each.disconnect();
      // One that is closed already ignores that and would connect again, by itself or for a worker that ends.
      each.status = "end";
      each.connect = () => Promise.reject(new Error("Connection is closed."));
    }
    raws.close();
  };
  return { connection, queue, disconnect };
}

/** Closes a client of Bun and all its duplicates, also those that are still being made: nobody else would. */
function tracked(raw: RedisClient) {
  const all = new Set([raw]);
  let isClosed = false;
  const close = (each: RedisClient) => {
    // The client throws into the call that closes it, so that comes later.
    setImmediate(() => each.close());
  };
  const track = (each: RedisClient) => {
    const duplicate = each.duplicate.bind(each);
    each.duplicate = async () => {
      const made = await duplicate();
      all.add(made);
      track(made);
      if (isClosed) close(made);
      return made;
    };
  };
  track(raw);
  return {
    close() {
      isClosed = true;
      for (const each of all) close(each);
    },
  };
}

/**
 * BullMQ listens to its clients until it is closed; an error that one of them reports later would end the process.
 * @returns the client and, as they are made, its duplicates
 */
function keptQuiet(client: IRedisClient, all: IRedisClient[] = []): IRedisClient[] {
  all.push(client);
  client.on("error", () => {});
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (...given) => {
    const made = duplicate(...given);
    keptQuiet(made, all);
    return made;
  };
  return all;
}

function openPostgres(bullmq: BullMqModule, { url, name }: LinkOptions): Opened {
  const pool = { connectionString: url, schema: SCHEMA, max: 4, connectionTimeoutMillis: OPEN_MS };
  const queue = new bullmq.Queue(
    name,
    { connection: { ...pool, migrate: true } as never, streams: { events: { maxLen: MAX_EVENTS } } },
    bullmq.createPostgresBackend as never,
  ) as unknown as Queue<KeyData>;
  return { connection: { connection: pool as never }, queue, disconnect() {} };
}

type Waits = Set<(error: unknown) => void>;

/**
 * @param waits gets what ends this wait before its time, for as long as it lasts
 * @throws Error if there is no answer in time
 */
async function within<T>(work: Promise<T>, milliseconds: number, waits?: Waits): Promise<T> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error("no answer")), milliseconds);
  waits?.add(limit.reject);
  try {
    return await Promise.race([work, limit.promise]);
  } finally {
    clearTimeout(timer);
    waits?.delete(limit.reject);
    work.catch(() => {});
  }
}
