/**
 * The workers on other machines: who is there, what they report, and what they are told. To the pool each of their threads is
 * a thread like its own; a worker that is not heard of for a while is gone, and its jobs are tried again elsewhere.
 */

import { newSecret } from "../../auth.ts";
import type { WorkerLost as WorkerLostEvent } from "../../domain/alerts.ts";
import { messageOf, Refusal, type StorageTrouble } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import type { FromWorker, Outcome, SymbolTask, ToWorker, WorkerSettings } from "../../pipeline/messages.ts";
import type { Registered, Registration, Report, SyncAnswer, SyncRequest } from "../../pipeline/remote/protocol.ts";
import { StorageThreads } from "../../pipeline/remote/storage-threads.ts";
import type { HeldJob } from "../../pipeline/remote/store-executor.ts";
import type { WorkerPool } from "../../pipeline/workers/pool.ts";
import { WorkerCrashed, WorkerLost } from "../../pipeline/workers/worker-handle.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import { withoutWaitLimit } from "../../storage/connection/wait-limit.ts";
import { type Database, storageFault } from "../../storage/db.ts";
import { newAttempt } from "../../storage/runs/attempts.ts";
import { Host, type HostOptions, RemoteThread } from "./host.ts";
import { mayLeave, variablesOf } from "./provider-keys.ts";
import { RULES } from "./rules.ts";

/** How long a worker may be silent, and how long its requests for orders are held back, milliseconds. */
const LEASE_MS = 20_000;
const HOLD_MS = 5_000;
const MAX_HOSTS = 1_000;
/** Lost workers that are remembered. */
const MAX_LOST = 50;
/** Threads that read and write for workers: few, because only one at a time writes. */
const STORAGE_THREADS = 2;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly pool: Pick<WorkerPool, "attach" | "detach" | "receive">;
  readonly version: string;
  /** How long a worker may be silent, milliseconds. */
  readonly leaseMs?: number | undefined;
  /** The settings of threads. */
  settings(): WorkerSettings;
  /** An alert event was recorded. */
  onAlert?(): void;
  /** Called when the writes of a thread begin to wait for the database, and with `null` when that is over. */
  onStorage(thread: object, trouble: StorageTrouble | null): void;
}

/** What is shown of a worker. */
export interface HostFacts extends Pick<Registration, "version" | "cores" | "providers" | "intervals"> {
  readonly id: number;
  readonly name: string;
  readonly address: string;
  /** The name of its token. */
  readonly token: string;
  readonly threads: number;
  readonly jobs: number;
  readonly maxJobs: number;
  /** The symbols of its jobs. */
  readonly symbols: readonly string[];
  /** Bytes: of the machine, and of its process. */
  readonly machineMemory: number;
  readonly memory: number;
  /** Bars that it has stored, and jobs that have ended there, since it came. */
  readonly bars: number;
  readonly ended: number;
  /** Over the last minute. */
  readonly barsPerSecond: number;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly lastSeen: number;
  readonly isDraining: boolean;
}

/** What the main thread answers to a request for the job store. */
export type StoreAnswer =
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  | { readonly kind: "pending" | "lost" }
  | { readonly kind: "wrong" | "unavailable"; readonly message: string };

export class RemoteHosts {
  readonly #hosts = new Map<string, { readonly id: number; readonly host: Host }>();
  readonly #held = new Map<string, { readonly job: HeldJob; readonly thread: RemoteThread }>();
  /** The providers whose variables a thread has been sent. */
  readonly #configured = new WeakMap<RemoteThread, Set<string>>();
  readonly #storage: StorageThreads;
  readonly #lost = new Map<string, HostFacts>();
  readonly #timer: ReturnType<typeof setInterval>;
  #count = 0;
  #isClosed = false;

  readonly #leaseMs: number;

  constructor(private readonly dependencies: Dependencies) {
    const { settings, onStorage, leaseMs = LEASE_MS } = dependencies;
    this.#leaseMs = leaseMs;
    this.#storage = new StorageThreads(STORAGE_THREADS, settings, onStorage);
    this.#timer = setInterval(() => this.#dropSilent(), leaseMs / 4);
    this.#timer.unref();
  }

  /** Jobs that all workers may have at once. */
  get capacity(): number {
    return this.#hosts.values().reduce((sum, { host }) => sum + host.options.registration.jobs, 0);
  }

  /** All workers in the order in which they came. */
  list(): HostFacts[] {
    return [...this.#hosts.values()].map(factsOf);
  }

  /** Workers that were given up, by the last of each name, until one of that name comes or they are forgotten. */
  lost(): HostFacts[] {
    return [...this.#lost.values()];
  }

  /** Shows a lost worker no longer. @throws Refusal if there is none of this name */
  forget(name: string): void {
    if (!this.#lost.delete(name)) throw new Refusal("not_found", "No worker of this name is lost");
  }

  /** A worker takes no more jobs, or takes them again. @throws Refusal if there is none with this id */
  setDraining(id: number, isDraining: boolean): void {
    this.#find(id).isDraining = isDraining;
  }

  /** Tells a worker to store what is under way, give its jobs back and end. @throws Refusal if there is none with this id */
  stop(id: number): void {
    const host = this.#find(id);
    host.isDraining = true;
    host.order(0, { type: "leave" });
  }

  /**
   * Takes a worker in.
   * @throws Refusal if it works by other rules than this server
   */
  register(registration: Registration, from: Pick<HostOptions, "token" | "address" | "mayHaveKeys">): Registered {
    const { log, version, settings } = this.dependencies;
    if (Object.entries(RULES).some(([rule, value]) => registration.rules[rule] !== value)) {
      const both = `This worker is Barkeep ${registration.version}, the server ${version}`;
      throw new Refusal("conflict", `${both}: they do not fit together. Install the same version on both`);
    }
    if (this.#isClosed || this.#hosts.size >= MAX_HOSTS)
      throw new Refusal("unavailable", "The server takes no more workers", [], 5);
    const session = newSecret();
    this.#count += 1;
    const host = new Host({ ...from, session, registration, now: Date.now() });
    this.#hosts.set(session, { id: this.#count, host });
    const { host: name, cores } = registration;
    this.#lost.delete(name);
    log.write("info", `Worker ${name} (${registration.version}, ${cores} cores, ${from.address}) has come`);
    if (!from.mayHaveKeys)
      log.write("warn", `Worker ${name} is sent no keys: it is reached neither over TLS nor in a private network`);
    return {
      session,
      leaseMs: this.#leaseMs,
      holdMs: Math.min(HOLD_MS, this.#leaseMs / 4),
      sessions: settings().sessions,
    };
  }

  /** Takes reports and returns orders, at once or when there are some; `null` for a worker that is not known (any more). */
  async sync(request: SyncRequest): Promise<SyncAnswer | null> {
    const host = this.#hosts.get(request.session)?.host;
    if (host === undefined) return null;
    host.heard(Date.now(), request.memory);
    // What this causes is no part of the request: it does not give up when the request would.
    withoutWaitLimit(() => {
      if (request.isLeaving && !host.isLeaving) this.#giveBack(host);
      for (const { thread, report } of host.fresh(request.first, request.reports)) this.#take(host, thread, report);
    });
    if (request.mayWait && host.ordersAfter(request.ordered).length === 0)
      await host.nextOrder(Math.min(HOLD_MS, this.#leaseMs / 4));
    return { received: host.received, orders: host.ordersAfter(request.ordered) };
  }

  /** A worker ends; it has given its jobs back. */
  leave(session: string): void {
    const host = this.#hosts.get(session)?.host;
    if (host === undefined) return;
    this.#remove(host, "it has left");
    this.dependencies.log.write("info", `Worker ${host.options.registration.host} has left`);
  }

  /** Executes what a job reads or writes. */
  async store(attempt: string, bytes: Uint8Array): Promise<StoreAnswer> {
    const held = this.#held.get(attempt);
    if (held === undefined) return { kind: "lost" };
    const executed = await this.#storage.execute(held.job, bytes);
    if (executed.type === "refused")
      return { kind: executed.isWrong ? "wrong" : "unavailable", message: executed.message };
    held.thread.host.countBars(executed.bars);
    return executed.bytes === null ? { kind: "pending" } : { kind: "answer", bytes: executed.bytes };
  }

  /** The database can be written again: what waits for it is tried now. */
  storageRecovered(): void {
    this.#storage.recovered();
  }

  /** Lets go of all workers; they come back to the next server. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const { host } of [...this.#hosts.values()]) this.#remove(host, "the server stops");
    await this.#storage.close();
  }

  #find(id: number): Host {
    const found = this.#hosts.values().find((each) => each.id === id);
    if (found === undefined) throw new Refusal("not_found", "There is no such worker");
    return found.host;
  }

  #take(host: Host, number: number, report: Report["report"]): void {
    const { pool } = this.dependencies;
    const thread = host.threads.get(number);
    if (report.type === "thread_started") {
      if (thread !== undefined) return;
      const mayTake = (_: Host, task: SymbolTask) => this.#mayTake(host, task);
      const started = new RemoteThread(host, number, mayTake, (own, order) => void this.#begin(own, order));
      host.threads.set(number, started);
      pool.attach(started);
    } else if (thread === undefined) return;
    else if (report.type === "thread_ended") {
      host.threads.delete(number);
      this.#drop(thread, new WorkerCrashed(report.why));
    } else if (isOfJob(report) && thread.attempts.get(report.jobId) === report.attempt) {
      if (report.type === "acquire" && !isProviderOf(thread, report)) return;
      if (report.type === "outcome") this.#endJob(thread, report.jobId);
      pool.receive(thread, report);
    }
  }

  #mayTake(host: Host, task: SymbolTask): boolean {
    const { provider, repairProvider } = task;
    const values = this.dependencies.settings().providerValues;
    const providers = repairProvider === null ? [provider] : [provider, repairProvider];
    return host.takes(task) && providers.every((each) => mayLeave(each, values, host.options.mayHaveKeys));
  }

  /** Gives a job to a thread: with a new attempt, and the settings of its providers. */
  async #begin(thread: RemoteThread, order: Extract<ToWorker, { type: "task" }>): Promise<void> {
    const { task } = order;
    const { jobId, runId, symbol, interval, provider, repairProvider } = task;
    let outcome: Outcome = { kind: "lost" };
    try {
      const attempt = await newAttempt(this.dependencies.db, jobId);
      const reason = thread.stopped.get(jobId);
      if (reason !== undefined) outcome = { kind: "stopped", reason };
      else if (attempt !== null && thread.jobs.has(jobId)) {
        const job = { attempt, jobId, runId, symbol, interval, provider, repairProvider };
        this.#held.set(attempt, { job, thread });
        thread.attempts.set(jobId, attempt);
        this.#configure(thread, repairProvider === null ? [provider] : [provider, repairProvider]);
        return thread.host.order(thread.number, { ...order, task: { ...task, attempt } });
      }
    } catch (error) {
      const fault = storageFault(error);
      outcome = fault === null ? { kind: "failed", reason: messageOf(error) } : { kind: "held", fault };
    } finally {
      thread.stopped.delete(jobId);
    }
    this.dependencies.pool.receive(thread, { type: "outcome", jobId, outcome });
  }

  /** Sends the variables of providers whose jobs a thread gets for the first time, or whose variables have changed. */
  #configure(thread: RemoteThread, providers: readonly string[]): void {
    const known = this.#configured.get(thread) ?? new Set();
    this.#configured.set(thread, known);
    if (providers.every((provider) => known.has(provider))) return;
    for (const provider of providers) known.add(provider);
    const providerValues = variablesOf(known, this.dependencies.settings().providerValues);
    thread.host.order(thread.number, { type: "configure", providerValues });
  }

  /** Variables of providers have changed: they are sent again, to whoever has them. */
  configure(): void {
    const values = this.dependencies.settings().providerValues;
    for (const { host } of this.#hosts.values()) {
      for (const thread of host.threads.values()) {
        const known = this.#configured.get(thread);
        if (known === undefined) continue;
        host.order(thread.number, { type: "configure", providerValues: variablesOf(known, values) });
      }
    }
  }

  /** Stops the jobs of a worker that leaves; others take them. */
  #giveBack(host: Host): void {
    host.isLeaving = true;
    host.isDraining = true;
    for (const thread of host.threads.values())
      for (const jobId of thread.jobs.keys()) thread.send({ type: "stop", jobId, reason: "shutdown" });
  }

  #dropSilent(): void {
    for (const { id, host } of [...this.#hosts.values()]) {
      if (!host.isGone(this.#leaseMs)) continue;
      const { host: name } = host.options.registration;
      const jobs = host.jobs;
      if (!host.hasReported) {
        // The answer to its registration was lost: the worker has registered again.
        this.#remove(host, "it has never reported");
        continue;
      }
      if (!this.#isReplaced(host)) this.#noteLost(factsOf({ id, host }));
      this.#alert({ kind: "worker_lost", at: host.lastSeen, name, jobs });
      this.#remove(host, `its worker ${name} is not heard of any more`);
      this.dependencies.log.write(
        "warn",
        `Worker ${name} is not heard of any more: ${jobs} of its jobs are tried again`,
      );
    }
  }

  /** Whether a worker of the same name came after the last sign of life of this one: it was started again. */
  #isReplaced({ lastHeardAt, options }: Host): boolean {
    return this.#hosts
      .values()
      .some(({ host }) => host.options.registration.host === options.registration.host && host.cameAt > lastHeardAt);
  }

  #alert(event: WorkerLostEvent): void {
    const { db, log, onAlert } = this.dependencies;
    db.write(recordStatements([event])).then(
      () => onAlert?.(),
      (error) => log.write("error", `The loss of ${event.name} could not be recorded: ${messageOf(error)}`),
    );
  }

  #noteLost(facts: HostFacts): void {
    this.#lost.delete(facts.name);
    this.#lost.set(facts.name, facts);
    const [oldest] = this.#lost.keys();
    if (this.#lost.size > MAX_LOST && oldest !== undefined) this.#lost.delete(oldest);
  }

  #remove(host: Host, why: string): void {
    this.#hosts.delete(host.options.session);
    for (const thread of host.threads.values()) this.#drop(thread, new WorkerLost(why));
    host.threads.clear();
    host.wake();
  }

  #drop(thread: RemoteThread, error: Error): void {
    for (const jobId of [...thread.attempts.keys()]) this.#endJob(thread, jobId);
    this.dependencies.pool.detach(thread, error);
  }

  #endJob(thread: RemoteThread, jobId: number): void {
    const attempt = thread.attempts.get(jobId);
    if (attempt === undefined) return;
    thread.attempts.delete(jobId);
    thread.host.ended += 1;
    this.#held.delete(attempt);
    this.#storage.end({ jobId, attempt });
  }
}

function factsOf({ id, host }: { readonly id: number; readonly host: Host }): HostFacts {
  const { registration, address, token, now } = host.options;
  const { version, host: name, cores, providers, intervals, memory: machineMemory, jobs: maxJobs } = registration;
  const { jobs, memory, bars, ended, barsPerSecond, lastSeen, isDraining, threads } = host;
  const symbols = [...threads.values()].flatMap((thread) => [...thread.jobs.values()].map(({ task }) => task.symbol));
  return {
    ...{ id, name, version, address, token, cores, machineMemory, maxJobs, providers, intervals, symbols },
    ...{ threads: threads.size, jobs, memory, bars, ended, barsPerSecond, since: now, lastSeen, isDraining },
  };
}

const isOfJob = (report: FromWorker): report is Extract<FromWorker, { readonly jobId: number }> => "jobId" in report;

/** Whether a request for a permit is for a provider of the job. */
function isProviderOf(thread: RemoteThread, report: Extract<FromWorker, { type: "acquire" }>): boolean {
  const { provider, repairProvider } = thread.jobs.get(report.jobId)?.task ?? {};
  return report.provider === provider || report.provider === repairProvider;
}
