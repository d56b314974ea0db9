/** Executes what workers on other machines ask of the job store, each write once, and only for the job that they have. */

import { messageOf } from "../../domain/errors.ts";
import { firstFault } from "../../schemas.ts";
import { type Database, storageFault } from "../../storage/db.ts";
import { barsIdOf } from "../../storage/market/bars.ts";
import { readSeries } from "../../storage/market/series.ts";
import { guardWrites, JobLost } from "../../storage/runs/attempts.ts";
import type { SymbolTask } from "../messages.ts";
import { directJobStore } from "../store/direct-store.ts";
import type { JobStore } from "../store/job-store.ts";
import { BadMessage, decode, encode } from "./codec.ts";
import { OPERATIONS, type OperationName, type Subject } from "./operations.ts";
import { ANSWER_MS, type StoreFailure, type StoreRequest, type StoreResult, storeRequest } from "./store-request.ts";

/** A job in the hands of a worker on another machine, as the server knows it. */
export interface HeldJob
  extends Pick<SymbolTask, "jobId" | "runId" | "symbol" | "interval" | "provider" | "repairProvider"> {
  readonly attempt: string;
}

/** What a request is answered with; `null`: it is still at work, and is to be sent again. */
export interface ExecutedRequest {
  readonly answer: Uint8Array<ArrayBuffer> | null;
  /** Bars that it has stored. */
  readonly bars: number;
}

/** What is kept of an attempt: its writes by number, until their answers are known to have arrived. */
interface Kept {
  readonly writes: Map<number, Promise<StoreResult>>;
  /** All writes before this number have been answered. */
  answered: number;
  /** Series that were found to be the job's. */
  readonly series: Set<number>;
}

type Operation = StoreRequest["operations"][number];

export class StoreExecutor {
  readonly #kept = new Map<string, Kept>();
  readonly #store: JobStore;
  readonly #guarded: ReturnType<typeof guardWrites>;

  constructor(
    private readonly db: Database,
    private readonly answerMs = ANSWER_MS,
  ) {
    this.#guarded = guardWrites(db);
    this.#store = directJobStore(this.#guarded.db);
  }

  /**
   * Executes the operations of a request in their order; a write that has been executed before is only answered again.
   * @throws BadMessage if it is not one for this job
   */
  async execute(job: HeldJob, bytes: Uint8Array): Promise<ExecutedRequest> {
    const parsed = storeRequest.safeParse(decode(bytes));
    if (!parsed.success) throw new BadMessage(`not a request: ${firstFault(parsed.error, "the message")}`);
    const { attempt, operations, answered } = parsed.data;
    if (attempt !== job.attempt) throw new BadMessage("the request is of another attempt");
    const kept = this.#keptOf(attempt);
    for (const number of [...kept.writes.keys()]) if (number < answered) kept.writes.delete(number);
    kept.answered = Math.max(kept.answered, answered);
    // One that was held up on its way, and was sent and answered again meanwhile.
    if (operations.some(({ number }) => number > 0 && number < kept.answered))
      throw new BadMessage("the request was answered before");
    const checked = operations.map((each) => ({ ...each, args: checkedArgs(each) }));
    // Checked before the first of them is begun: a request is executed as a whole, or refused.
    for (const each of checked) await this.#checkSubject(job, kept, each);
    let bars = 0;
    const results = checked.map((each) => {
      if (each.number === 0) return this.#run(job, each);
      const known = kept.writes.get(each.number);
      if (known !== undefined) return known;
      bars += barsOf(each);
      const written = this.#run(job, each);
      kept.writes.set(each.number, written);
      return written;
    });
    // Whoever sent them waits for all of them.
    this.db.flush();
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(() => late.resolve(null), this.answerMs);
    const settled = await Promise.race([Promise.all(results), late.promise]);
    clearTimeout(timer);
    return { answer: settled === null ? null : encode(settled), bars };
  }

  /** Forgets an attempt that has ended. */
  end(attempt: string): void {
    this.#kept.delete(attempt);
  }

  #keptOf(attempt: string): Kept {
    return this.#kept.getOrInsertComputed(attempt, () => ({ writes: new Map(), answered: 0, series: new Set() }));
  }

  async #run({ jobId, attempt }: HeldJob, { name, args }: Operation): Promise<StoreResult> {
    try {
      const operate = this.#store[name as OperationName] as (...args: readonly unknown[]) => Promise<unknown>;
      return { value: await this.#guarded.during({ jobId, attempt }, () => operate(...args)) };
    } catch (error) {
      return { failure: failureOf(error) };
    }
  }

  async #checkSubject(job: HeldJob, kept: Kept, { name, args }: Operation): Promise<void> {
    const { series = [], barsId, ...rest } = OPERATIONS[name as OperationName].subject(args);
    const refuse = (what: string) => new BadMessage(`${name}: ${what} is not of this job`);
    const wrong = wrongIn(rest, job);
    if (wrong !== null) throw refuse(wrong);
    for (const id of series) {
      if (kept.series.has(id)) continue;
      const row = await readSeries(this.db, id).catch(() => null);
      const isOwn = row?.symbol === job.symbol && row.interval === job.interval && row.provider === job.provider;
      if (!isOwn) throw refuse(`series ${id}`);
      kept.series.add(id);
    }
    if (barsId !== undefined && barsId !== (await barsIdOf(this.db, series[0]!))) throw refuse("the id of the bars");
  }
}

function checkedArgs({ name, args }: Operation): unknown[] {
  if (!Object.hasOwn(OPERATIONS, name)) throw new BadMessage("there is no such operation");
  const checked = OPERATIONS[name as OperationName].args.safeParse(args);
  if (checked.success) return [...checked.data];
  throw new BadMessage(`${name}: ${firstFault(checked.error, "its arguments")}`);
}

/** What of a subject is not the job's; `null` if all of it is. */
function wrongIn(subject: Omit<Subject, "series" | "barsId">, job: HeldJob): string | null {
  const providers = [job.provider, ...(job.repairProvider === null ? [] : [job.repairProvider])];
  const { job: jobId, run, symbol, interval, provider, account } = subject;
  if (jobId !== undefined && jobId !== job.jobId) return `job ${jobId}`;
  if (run !== undefined && run !== job.runId) return "the run";
  if (symbol !== undefined && symbol !== job.symbol) return "the symbol";
  if (interval !== undefined && interval !== job.interval) return "the interval";
  if (provider !== undefined && provider !== job.provider) return "the provider";
  if (account !== undefined && !providers.some((each) => account.startsWith(`${each}:`))) return "the account";
  return null;
}

function failureOf(error: unknown): StoreFailure {
  if (error instanceof JobLost) return { kind: "lost" };
  const fault = storageFault(error);
  return fault === null ? { kind: "failed", message: messageOf(error) } : { kind: "unavailable", fault };
}

/** The bars that a batch stores. */
function barsOf({ name, args }: Operation): number {
  if (name !== "saveBatch") return 0;
  const [{ write, bars }] = args as Parameters<JobStore["saveBatch"]>;
  return (write ?? bars).ts.length;
}
