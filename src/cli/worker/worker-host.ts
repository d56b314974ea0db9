/** A worker: threads that do jobs of a server on another machine. It keeps no data of its own. */

import { availableParallelism, totalmem } from "node:os";
import type { QueuePlace } from "../../config/places.ts";
import { threadModule } from "../../installation.ts";
import { LeasedPermits } from "../../pipeline/leased-permits.ts";
import type { FromWorker, RemoteSettings, ServerAddress, ToWorker } from "../../pipeline/messages.ts";
import type { Order, Registered, Registration } from "../../pipeline/remote/protocol.ts";
import { type Away, ServerConnection } from "../../pipeline/remote/server-connection.ts";
import { RULES } from "../../scheduler/hosts/rules.ts";
import { JobLoad } from "./job-load.ts";
import { KeyTaker, type KeyTimes } from "./key-taker.ts";
import { ServerLink } from "./server-link.ts";

/** Threads that ended in a row without a job's end, after which the worker gives up. */
const MAX_CRASHES = 20;
/** How long the end of the worker waits until its jobs have stored what is under way, milliseconds. */
const LEAVE_MS = 30_000;

export interface HostSettings extends Pick<Registration, "version" | "host" | "jobs" | "providers" | "intervals"> {
  readonly server: ServerAddress;
  readonly threads: number;
  /** Where the job queue is; without it the server hands out the jobs. */
  readonly queue?: QueuePlace | undefined;
  readonly keyTimes?: KeyTimes;
  print(line: string): void;
}

export class WorkerHost {
  readonly #threads = new Map<number, Worker>();
  /** The threads that take jobs. */
  readonly #ready = new Set<number>();
  /** The threads of the jobs at work, by their attempts. */
  readonly #jobs = new Map<string, { readonly jobId: number; readonly thread: number }>();
  readonly #link: ServerLink;
  readonly #load: JobLoad;
  readonly #taker: KeyTaker | null;
  readonly #permits = new LeasedPermits({
    report: (thread, report) => this.#link.report({ thread, report }),
    tell: (thread, message) => this.#tell(thread, message),
  });
  #sessions: RemoteSettings["sessions"] = {};
  #started = 0;
  #crashes = 0;
  readonly #gaveUp = Promise.withResolvers<never>();
  /** Called when a job has ended. */
  #onJobEnd = () => {};
  #isLeaving = false;

  constructor(private readonly settings: HostSettings) {
    const { server, threads, queue: place, keyTimes: times, print, ...about } = settings;
    this.#load = new JobLoad(threads, settings.jobs);
    const registration = { ...about, rules: RULES, cores: availableParallelism(), memory: totalmem() };
    this.#link = new ServerLink(new ServerConnection(server), registration, {
      onSession: (registered) => this.#begin(registered),
      onOrder: (order, until) => this.#obey(order, until),
      onAway: (why) => print(wordsOfAway(why)),
      queueState: () => this.#taker?.state ?? null,
    });
    const keys = {
      claim: (key: string) => this.#link.claim(key),
      mayTake: () => this.#link.mayTake,
      isHeard: () => this.#link.isHeard,
      onChange: () => this.#link.announce(),
    };
    this.#taker =
      place === undefined
        ? null
        : new KeyTaker({ place, load: this.#load, most: settings.jobs, times, print, ...keys });
  }

  /**
   * Works until `leave` has ended, or the server sends it away.
   * @throws RefusedByServer if the server refuses it for good; Error if its threads end by themselves
   */
  async run(): Promise<void> {
    await Promise.race([this.#link.run(), this.#gaveUp.promise]);
  }

  /** Gives the jobs back and ends: those that are at work store what is under way. */
  async leave(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const closing = this.#taker?.close();
    this.#link.leave();
    const end = performance.now() + LEAVE_MS;
    while ((this.#jobs.size > 0 || this.#link.isBehind) && performance.now() < end) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onJobEnd = resolve;
      await Promise.race([promise, Bun.sleep(100)]);
    }
    this.#permits.clear();
    await closing;
    await this.#link.close();
    await this.#closeThreads();
  }

  async #closeThreads(): Promise<void> {
    const threads = [...this.#threads.values()];
    this.#threads.clear();
    await Promise.all(
      threads.map((thread) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        thread.addEventListener("close", () => resolve(), { once: true });
        thread.postMessage([{ type: "close" }] satisfies ToWorker[]);
        return promise;
      }),
    );
  }

  /** A new stay at the server: the jobs of an earlier one are another's now. */
  #begin({ sessions, queue, queueMark }: Registered): void {
    this.#sessions = sessions;
    this.#taker?.use(queue, queueMark).catch((error) => this.#gaveUp.reject(error));
    for (const attempt of this.#jobs.keys()) this.#load.end(attempt);
    this.#permits.clear();
    for (const { jobId, thread } of this.#jobs.values()) this.#tell(thread, { type: "stop", jobId, reason: "cancel" });
    this.#jobs.clear();
    for (const number of this.#ready) this.#link.report({ thread: number, report: { type: "thread_started" } });
    while (this.#threads.size < this.settings.threads) this.#start();
    const { server, threads, print } = this.settings;
    print(`Connected to ${server.url} with ${threads} ${threads === 1 ? "thread" : "threads"}`);
  }

  #obey({ thread, order }: Order, until: number): void {
    if (order.type === "leave") {
      this.settings.print("The server sends this worker away");
      void this.leave();
      return;
    }
    if (order.type === "task") {
      const { jobId, attempt = "" } = order.task;
      this.#jobs.set(attempt, { jobId, thread });
      this.#load.begin(attempt, thread);
    } else this.#load.ordered(thread, order);
    if (this.#permits.ordered(thread, order, until)) return;
    this.#tell(thread, order.type === "granted" ? { ...order, until } : order);
  }

  #tell(thread: number, message: ToWorker): void {
    this.#threads.get(thread)?.postMessage([message]);
  }

  #start(): void {
    this.#started += 1;
    const number = this.#started;
    const thread = new Worker(threadModule("pipeline/workers"), { name: "barkeep-worker" });
    this.#threads.set(number, thread);
    thread.addEventListener("message", ({ data }: MessageEvent<FromWorker[]>) => {
      for (const message of data) this.#pass(number, message);
    });
    thread.addEventListener("error", (event) => this.#onExit(number, event.message));
    thread.addEventListener("close", () => this.#onExit(number, "the thread ended"));
    const { server } = this.settings;
    this.#tell(number, {
      type: "open",
      settings: { server, sessions: this.#sessions, providerValues: {}, secrets: [] },
    });
  }

  /** Passes on what a thread reports. */
  #pass(thread: number, report: FromWorker): void {
    if (report.type === "storage") return;
    if (report.type === "ready") {
      this.#ready.add(thread);
      this.#link.report({ thread, report: { type: "thread_started" } });
      return;
    }
    if (report.type === "outcome") {
      this.#crashes = 0;
      this.#jobs.delete(report.attempt ?? "");
      this.#load.end(report.attempt ?? "");
      this.#onJobEnd();
    } else this.#load.reported(report);
    this.#permits.reported(thread, report);
  }

  /** Replaces a thread that ended by itself. */
  #onExit(number: number, why: string): void {
    if (!this.#threads.delete(number)) return;
    this.#ready.delete(number);
    this.#crashes += 1;
    for (const [attempt, { jobId, thread }] of this.#jobs) {
      if (thread !== number) continue;
      this.#jobs.delete(attempt);
      this.#load.end(attempt);
      this.#permits.end({ jobId, attempt });
    }
    this.#link.report({ thread: number, report: { type: "thread_ended", why: why.slice(0, 2_000) } });
    this.settings.print(`A thread has ended: ${why.trim().split("\n")[0]}`);
    if (this.#crashes >= MAX_CRASHES) this.#gaveUp.reject(new Error(`${this.#crashes} threads have ended in a row`));
    else this.#start();
  }
}

function wordsOfAway(why: Away | null): string {
  if (why === null) return "The server answers";
  const { reason, isRefusal } = why;
  return `${isRefusal ? "The server does not take this worker now" : "The server does not answer"}: ${reason.replace(/\.$/, "")}. Trying again`;
}
