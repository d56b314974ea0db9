/**
 * What one job of a run has asked for on behalf of others: made once in a run, by the first job that wants it, and kept on
 * the main thread until the run ends. Each job is sent its own symbol's part only.
 */

import {
  type JobReport,
  plainError,
  providerError,
  type SharedValue,
  type SymbolTask,
  type ToWorker,
} from "../messages.ts";

/** What a job has asked for and not been given, by the number of its question. */
export type Shares = Map<number, { readonly key: string; readonly asker: Asker }>;

/** A job, and its questions. */
interface AskingJob {
  readonly task: Pick<SymbolTask, "runId" | "jobId">;
  readonly shares: Shares;
}

type ShareReport = Extract<JobReport, { readonly share: number }>;

/** A job that asks. */
interface Asker {
  /** Tells it to make the answer; afterwards `done` or `failed` is called with this asker. */
  lead(): void;
  /** Gives it its part; `undefined` if the answer has none of that name. */
  answer(value: SharedValue | undefined): void;
  refuse(error: unknown): void;
}

interface Waiter {
  readonly asker: Asker;
  readonly part: string;
}

interface Entry {
  leader: Asker | null;
  waiters: Waiter[];
  parts: ReadonlyMap<string, SharedValue> | null;
}

/** Runs of which answers are kept; those of the one that asked longest ago are dropped, and asked for again. */
const MAX_RUNS = 16;

export class SharedAnswers {
  readonly #runs = new Map<string, Map<string, Entry>>();

  /** Takes a worker's report on behalf of one of its jobs; `changed` is called when it asks, and when it is answered. */
  receive(message: ShareReport, job: AskingJob, worker: { send(answer: ToWorker): void }, changed: () => void): void {
    const { runId } = job.task;
    const { share } = message;
    if (message.type === "share") {
      const end = (answer: ToWorker) => {
        job.shares.delete(share);
        changed();
        worker.send(answer);
      };
      const asker: Asker = {
        lead: () => worker.send({ type: "share_lead", share }),
        answer: (value) => end({ type: "share_answer", share, value }),
        refuse: (error) => end({ type: "share_refused", share, error: plainError(error) }),
      };
      job.shares.set(share, { key: message.key, asker });
      this.ask(runId, message.key, message.part, asker);
      changed();
      return;
    }
    const asked = job.shares.get(share);
    if (asked === undefined) return;
    if (message.type === "share_made") this.done(runId, asked.key, asked.asker, message.parts);
    else if (message.type === "share_failed") this.failed(runId, asked.key, asked.asker, providerError(message.error));
    else {
      job.shares.delete(share);
      this.leave(runId, asked.asker);
      changed();
    }
  }

  /** A job has ended: it waits for nothing more. */
  leaveAll({ task, shares }: AskingJob): void {
    for (const { asker } of shares.values()) this.leave(task.runId, asker);
    shares.clear();
  }

  /** Asks for the part of an answer. If nobody has made it, the asker leads. */
  ask(runId: string, key: string, part: string, asker: Asker): void {
    const run = this.#runs.get(runId) ?? new Map<string, Entry>();
    this.#runs.delete(runId);
    this.#runs.set(runId, run);
    this.#dropOldest();
    const entry = run.get(key);
    if (entry === undefined) {
      run.set(key, { leader: asker, waiters: [{ asker, part }], parts: null });
      asker.lead();
    } else if (entry.parts === null) entry.waiters.push({ asker, part });
    else asker.answer(entry.parts.get(part));
  }

  /** The leader has made the answer. */
  done(runId: string, key: string, leader: Asker, parts: ReadonlyMap<string, SharedValue>): void {
    const entry = this.#entryOf(runId, key, leader);
    if (entry === undefined) return;
    entry.leader = null;
    entry.parts = parts;
    for (const { asker, part } of entry.waiters.splice(0)) asker.answer(parts.get(part));
  }

  /** The leader could not make it: all that wait are refused, and the next one that asks leads. */
  failed(runId: string, key: string, leader: Asker, error: unknown): void {
    const entry = this.#entryOf(runId, key, leader);
    if (entry === undefined) return;
    this.#runs.get(runId)!.delete(key);
    for (const { asker } of entry.waiters.splice(0)) asker.refuse(error);
  }

  /** An asker is gone: it waits for nothing, and what it was to make another one makes. */
  leave(runId: string, asker: Asker): void {
    for (const [key, entry] of this.#runs.get(runId) ?? []) {
      entry.waiters = entry.waiters.filter((waiter) => waiter.asker !== asker);
      if (entry.leader !== asker) continue;
      entry.leader = entry.waiters[0]?.asker ?? null;
      if (entry.leader === null) this.#runs.get(runId)!.delete(key);
      else entry.leader.lead();
    }
  }

  /** Drops what a run that has ended has shared. */
  forget(runId: string): void {
    this.#runs.delete(runId);
  }

  /** The runs of which something is kept. */
  get size(): number {
    return this.#runs.size;
  }

  #entryOf(runId: string, key: string, leader: Asker): Entry | undefined {
    const entry = this.#runs.get(runId)?.get(key);
    return entry?.leader === leader ? entry : undefined;
  }

  #dropOldest(): void {
    for (const [runId, entries] of this.#runs) {
      if (this.#runs.size <= MAX_RUNS) return;
      // Somebody still waits for it.
      if (!entries.values().some(({ parts }) => parts === null)) this.#runs.delete(runId);
    }
  }
}
