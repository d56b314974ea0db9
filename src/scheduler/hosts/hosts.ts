/**
 * The workers on other machines: who is there, what they report, and what they are told. To the pool each of their threads is
 * a thread like its own; a worker that is not heard of for a while is gone, and its jobs are tried again elsewhere.
 */

import { newSecret } from "../../auth.ts";
import { messageOf, Refusal, type StorageTrouble } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import type { FromWorker, Outcome, SymbolTask, ToWorker, WorkerSettings } from "../../pipeline/messages.ts";
import type { Registered, Registration, Report, SyncAnswer, SyncRequest } from "../../pipeline/remote/protocol.ts";
import { StorageThreads } from "../../pipeline/remote/storage-threads.ts";
import type { HeldJob } from "../../pipeline/remote/store-executor.ts";
import type { WorkerPool } from "../../pipeline/workers/pool.ts";
import { WorkerCrashed, WorkerLost } from "../../pipeline/workers/worker-handle.ts";
import { valuesForThreads } from "../../providers/registry.ts";
import { withoutWaitLimit } from "../../storage/connection/wait-limit.ts";
import { type Database, storageFault } from "../../storage/db.ts";
import { newAttempt } from "../../storage/runs/attempts.ts";
import type { DrainedNames } from "./drained-names.ts";
import { Host, type HostOptions, type JobLabels, RemoteThread } from "./host.ts";
import { factsOf, type HostFacts } from "./host-facts.ts";
import { KeyClaims } from "./key-claims.ts";
import { LostHosts } from "./lost-hosts.ts";
import { mayLeave, variablesOf } from "./provider-keys.ts";
import { RULES } from "./rules.ts";
import { TokenNames } from "./token-names.ts";

/** How long a worker may be silent until its jobs are tried elsewhere, milliseconds. */
const LEASE_MS = 20_000;
/** Parts of that: how long its requests for orders are held back, and after which silence others begin jobs in its place. */
const HOLD = 0.15;
const SILENT = 0.3;
/** How often silence is looked for. */
const LOOK = 0.05;
const MAX_HOSTS = 1_000;
/** Threads that read and write for workers: few, because only one at a time writes. */
const STORAGE_THREADS = 2;

const otherQueue = (name: string) =>
  `Worker ${name} takes jobs from another job queue than that of this server: set BARKEEP_QUEUE there to the same address, or remove it. Until then it is handed its jobs`;

interface Dependencies extends Pick<ConstructorParameters<typeof KeyClaims>[0], "labelsOf" | "claim"> {
  readonly db: Database;
  readonly log: Log;
  readonly pool: Pick<WorkerPool, "attach" | "detach" | "receive" | "silenceChanged" | "fewestJobs">;
  readonly drained: Pick<DrainedNames, "has" | "list" | "set">;
  readonly version: string;
  /** How long a worker may be silent, milliseconds. */
  readonly leaseMs?: number | undefined;
  /** The settings of threads. */
  settings(): WorkerSettings;
  /** Where workers may take keys themselves, if it is not in this process. */
  jobQueue(): { readonly name: string | null; readonly mark: string | null };
  /** An alert event was recorded. */
  onAlert?(): void;
  /** Called when the writes of a thread begin to wait for the database, and with `null` when that is over. */
  onStorage(thread: object, trouble: StorageTrouble | null): void;
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
  readonly #lost: LostHosts;
  readonly #names = new TokenNames();
  readonly #timer: ReturnType<typeof setInterval>;
  #count = 0;
  #isClosed = false;

  readonly #leaseMs: number;
  readonly keys: KeyClaims;

  constructor(private readonly dependencies: Dependencies) {
    const { settings, onStorage, leaseMs = LEASE_MS } = dependencies;
    this.#leaseMs = leaseMs;
    this.#lost = new LostHosts(dependencies);
    this.#storage = new StorageThreads(STORAGE_THREADS, settings, onStorage);
    this.#timer = setInterval(() => this.#look(), leaseMs * LOOK);
    this.#timer.unref();
    this.keys = new KeyClaims({
      ...dependencies,
      hosts: () => this.#present,
      hostOf: (session) => this.#hosts.get(session)?.host,
      mayTake: (host, labels) => this.#mayTake(host, labels),
    });
  }

  /** Jobs that all workers may have at once, without those that are silent. */
  get capacity(): number {
    return this.#present.reduce((sum, { isSilent, options }) => sum + (isSilent ? 0 : options.registration.jobs), 0);
  }

  get #present(): Host[] {
    return [...this.#hosts.values()].map(({ host }) => host);
  }

  /** All workers in the order in which they came. */
  list(): HostFacts[] {
    return [...this.#hosts.values()].map(factsOf);
  }

  /** Workers that were given up, by the last of each name, until one of that name comes or they are forgotten. */
  lost(): HostFacts[] {
    return this.#lost.list().map((facts) => ({ ...facts, isDraining: this.dependencies.drained.has(facts.name) }));
  }

  /** The names of workers that take no jobs when they come, and are neither here nor lost. */
  drainedElsewhere(): string[] {
    const shown = new Set([...this.list(), ...this.lost()].map(({ name }) => name));
    return this.dependencies.drained.list().filter((name) => !shown.has(name));
  }

  /** Shows a lost worker no longer. @throws Refusal if there is none of this name */
  forget(name: string): void {
    if (!this.#lost.forget(name)) throw new Refusal("not_found", "No worker of this name is lost");
  }

  /**
   * A worker takes no more jobs, or takes them again: all of its name do, and those that come later.
   * @throws Refusal if there is none with this id
   */
  async setDraining(id: number, isDraining: boolean): Promise<void> {
    await this.#setDrained(this.#find(id).name, isDraining);
  }

  /** Workers of a name take jobs again. @throws Refusal if they were not drained */
  async resume(name: string): Promise<void> {
    if (!this.dependencies.drained.has(name)) throw new Refusal("not_found", "No worker of this name is drained");
    await this.#setDrained(name, false);
  }

  async #setDrained(name: string, isDraining: boolean): Promise<void> {
    await this.dependencies.drained.set(name, isDraining);
    for (const host of this.#present) {
      if (host.name !== name || host.isLeaving) continue;
      host.isDraining = isDraining;
      // The answer says so.
      host.wake();
    }
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
    const { log, version, settings, jobQueue } = this.dependencies;
    if (Object.entries(RULES).some(([rule, value]) => registration.rules[rule] !== value)) {
      const both = `This worker is Barkeep ${registration.version}, the server ${version}`;
      throw new Refusal("conflict", `${both}: they do not fit together. Install the same version on both`);
    }
    if (this.#isClosed || this.#hosts.size >= MAX_HOSTS)
      throw new Refusal("unavailable", "The server takes no more workers", [], 5);
    const { host: name, cores } = registration;
    const now = Date.now();
    this.#names.take(from.token, name, this.#present.filter(({ options }) => options.token === from.token).length, now);
    const session = newSecret();
    this.#count += 1;
    const host = new Host({ ...from, session, registration, now });
    host.isDraining = this.dependencies.drained.has(name);
    this.#hosts.set(session, { id: this.#count, host });
    this.#lost.forget(name);
    log.write("info", `Worker ${name} (${registration.version}, ${cores} cores) has come`, null, null, from.address);
    if (host.isDraining) log.write("info", `Worker ${name} was drained: it takes no jobs until it is resumed`);
    if (!from.mayHaveKeys)
      log.write("warn", `Worker ${name} is sent no keys: it is reached neither over TLS nor in a private network`);
    return {
      session,
      leaseMs: this.#leaseMs,
      holdMs: this.#leaseMs * HOLD,
      sessions: settings().sessions,
      queue: jobQueue().name,
      queueMark: jobQueue().mark,
    };
  }

  /** Takes reports and returns orders, at once or when there are some; `null` for a worker that is not known (any more). */
  async sync(request: SyncRequest): Promise<SyncAnswer | null> {
    const host = this.#hosts.get(request.session)?.host;
    if (host === undefined) return null;
    host.heard(Date.now(), request.memory);
    if (host.isSilent) this.#setSilent(host, false);
    if (request.queue === "other" && host.queue !== "other") this.dependencies.log.write("warn", otherQueue(host.name));
    host.queue = request.queue;
    // What this causes is no part of the request: it does not give up when the request would.
    withoutWaitLimit(() => {
      if (request.isLeaving && !host.isLeaving) this.#giveBack(host);
      for (const { thread, report } of host.fresh(request.first, request.reports)) this.#take(host, thread, report);
    });
    if (request.mayWait && host.ordersAfter(request.ordered).length === 0) await host.nextOrder(this.#leaseMs * HOLD);
    return {
      received: host.received,
      orders: host.ordersAfter(request.ordered),
      mayTake: !host.isDraining && !host.isLeaving,
    };
  }

  /** A worker ends; it has given its jobs back. */
  leave(session: string): void {
    const host = this.#hosts.get(session)?.host;
    if (host === undefined) return;
    this.#remove(host, "it has left");
    this.dependencies.log.write("info", `Worker ${host.name} has left`);
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

  #mayTake(host: Host, task: JobLabels): boolean {
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
        if (thread.jobs.get(jobId)?.taker === thread.host) thread.host.taken += 1;
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
    const values = valuesForThreads(variablesOf(known, this.dependencies.settings().providerValues));
    thread.host.order(thread.number, { type: "configure", ...values });
  }

  /** Variables of providers have changed: they are sent again, to whoever has them. */
  configure(): void {
    const values = this.dependencies.settings().providerValues;
    for (const { host } of this.#hosts.values()) {
      for (const thread of host.threads.values()) {
        const known = this.#configured.get(thread);
        if (known === undefined) continue;
        host.order(thread.number, { type: "configure", ...valuesForThreads(variablesOf(known, values)) });
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

  /** Gives up workers that have been silent for long, and leaves the jobs of others out of account. */
  #look(): void {
    const lost = [];
    for (const { id, host } of [...this.#hosts.values()]) {
      if (!host.isSilent && host.silence > this.#leaseMs * SILENT) this.#setSilent(host, true);
      if (!host.isGone(this.#leaseMs)) continue;
      const { name, jobs } = host;
      if (!host.hasReported) {
        // The answer to its registration was lost: the worker has registered again.
        this.#remove(host, "it has never reported");
        continue;
      }
      if (!this.#isReplaced(host)) this.#lost.note(factsOf({ id, host }));
      lost.push({ at: host.lastSeen, name, jobs });
      this.#remove(host, `its worker ${name} is not heard of any more`);
      this.dependencies.log.write(
        "warn",
        `Worker ${name} is not heard of any more: ${jobs} of its jobs are tried again`,
      );
    }
    this.#lost.alert(lost);
  }

  #setSilent(host: Host, isSilent: boolean): void {
    host.isSilent = isSilent;
    for (const thread of host.threads.values()) this.dependencies.pool.silenceChanged(thread);
  }

  /** Whether a worker of the same name came after the last sign of life of this one: it was started again. */
  #isReplaced({ lastHeardAt, name }: Host): boolean {
    return this.#present.some((host) => host.name === name && host.cameAt > lastHeardAt);
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

const isOfJob = (report: FromWorker): report is Extract<FromWorker, { readonly jobId: number }> => "jobId" in report;

/** Whether a request for a permit is for a provider of the job. */
function isProviderOf(thread: RemoteThread, report: Extract<FromWorker, { type: "acquire" }>): boolean {
  const { provider, repairProvider } = thread.jobs.get(report.jobId)?.task ?? {};
  return report.provider === provider || report.provider === repairProvider;
}
