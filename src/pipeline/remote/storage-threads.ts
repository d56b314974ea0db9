/** The threads that execute what jobs on other machines read and write: started with the first such job. */

import type { StorageTrouble } from "../../domain/errors.ts";
import { threadModule } from "../../installation.ts";
import type { WorkerSettings } from "../messages.ts";
import type { HeldJob } from "./store-executor.ts";

export type ToStorage =
  | { readonly type: "open"; readonly settings: Omit<WorkerSettings, "providerValues" | "secrets" | "sessions"> }
  | { readonly type: "execute"; readonly request: number; readonly job: HeldJob; readonly bytes: Uint8Array }
  /** An attempt has ended. */
  | { readonly type: "end"; readonly attempt: string }
  /** The database can be written again: what waits for it is tried now. */
  | { readonly type: "recovered" }
  | { readonly type: "close" };

export type FromStorage =
  /** `bytes`: `null` if the request is still at work. */
  | { readonly type: "executed"; readonly request: number; readonly bytes: Uint8Array | null; readonly bars: number }
  /** The request is wrong (`isWrong`), or could not be executed. */
  | { readonly type: "refused"; readonly request: number; readonly message: string; readonly isWrong: boolean }
  | { readonly type: "storage"; readonly trouble: StorageTrouble | null };

type Answered = Exclude<FromStorage, { type: "storage" }>;

/** A thread that ended by itself; its requests are sent again by their workers. */
const ENDED = "the storage thread has ended";

class StorageThread {
  readonly #thread = new Worker(threadModule("pipeline/remote"), { name: "barkeep-storage" });
  readonly #requests = new Map<number, (answer: Answered) => void>();
  readonly #closed = Promise.withResolvers<void>();
  #count = 0;

  constructor(settings: WorkerSettings, onStorage: (thread: object, trouble: StorageTrouble | null) => void) {
    this.#thread.addEventListener("message", ({ data }: MessageEvent<FromStorage>) => {
      if (data.type === "storage") return onStorage(this, data.trouble);
      this.#requests.get(data.request)?.(data);
      this.#requests.delete(data.request);
    });
    this.#thread.addEventListener("close", () => {
      onStorage(this, null);
      for (const [request, answer] of this.#requests)
        answer({ type: "refused", request, message: ENDED, isWrong: false });
      this.#requests.clear();
      this.#closed.resolve();
    });
    const { providerValues: _, secrets: __, sessions: ___, ...database } = settings;
    this.send({ type: "open", settings: database });
  }

  /** Resolves when the thread has ended. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  send(message: ToStorage): void {
    this.#thread.postMessage(message);
  }

  execute(job: HeldJob, bytes: Uint8Array): Promise<Answered> {
    this.#count += 1;
    const request = this.#count;
    return new Promise((resolve) => {
      this.#requests.set(request, resolve);
      this.send({ type: "execute", request, job, bytes });
    });
  }
}

export class StorageThreads {
  readonly #threads: (StorageThread | undefined)[] = [];
  #isClosed = false;

  constructor(
    private readonly size: number,
    private readonly settings: () => WorkerSettings,
    private readonly onStorage: (thread: object, trouble: StorageTrouble | null) => void,
  ) {}

  /** Executes a request of a job. All requests of a job go to one thread, which remembers its answers. */
  async execute(job: HeldJob, bytes: Uint8Array): Promise<Answered> {
    const place = job.jobId % this.size;
    if (this.#isClosed) return { type: "refused", request: 0, message: ENDED, isWrong: false };
    return (this.#threads[place] ?? this.#start(place)).execute(job, bytes);
  }

  /** Forgets an attempt that has ended. */
  end({ jobId, attempt }: Pick<HeldJob, "jobId" | "attempt">): void {
    this.#threads[jobId % this.size]?.send({ type: "end", attempt });
  }

  /** The database can be written again. */
  recovered(): void {
    for (const thread of this.#threads) thread?.send({ type: "recovered" });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const thread of this.#threads) thread?.send({ type: "close" });
    await Promise.all(this.#threads.map((thread) => thread?.closed));
  }

  #start(place: number): StorageThread {
    const thread = new StorageThread(this.settings(), this.onStorage);
    this.#threads[place] = thread;
    void thread.closed.then(() => {
      if (this.#threads[place] === thread) this.#threads[place] = undefined;
    });
    return thread;
  }
}
