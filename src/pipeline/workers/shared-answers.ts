/**
 * Answers that the jobs of a run share: each is made once in a run, by the first job that needs it, and kept on the main
 * thread until the run ends. A job is sent the part of its own symbol only.
 */

import {
  type JobReport,
  plainError,
  providerError,
  type SharedValue,
  type SymbolTask,
  type ToWorker,
} from "../messages.ts";

/** The requests of a job for shared answers that are still open, by their number. */
export type Shares = Map<number, { readonly key: string; readonly asker: Asker }>;

/** A job with its open requests. */
interface AskingJob {
  readonly task: Pick<SymbolTask, "runId" | "jobId">;
  readonly shares: Shares;
}

type ShareReport = Extract<JobReport, { readonly share: number }>;

/** One open request of a job. */
interface Asker {
  /** Makes its job make the answer; afterwards `done` or `failed` is called with this request. */
  lead(): void;
  /** Sends its part; `undefined` if the answer has none of that name. */
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

/** Runs of which answers are kept; those of the run whose last request is the oldest are dropped, and made again if needed. */
const MAX_RUNS = 16;

export class SharedAnswers {
  readonly #runs = new Map<string, Map<string, Entry>>();

  /** Handles a worker's report about one of its jobs; `changed` is called when the job's open requests have changed. */
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
    const open = job.shares.get(share);
    if (open === undefined) return;
    if (message.type === "share_made") this.done(runId, open.key, open.asker, message.parts);
    else if (message.type === "share_failed") this.failed(runId, open.key, open.asker, providerError(message.error));
    else {
      job.shares.delete(share);
      this.leave(runId, open.asker);
      changed();
    }
  }

  /** Removes all requests of a job that has ended. */
  leaveAll({ task, shares }: AskingJob): void {
    for (const { asker } of shares.values()) this.leave(task.runId, asker);
    shares.clear();
  }

  /** Requests a part of an answer. If no other job makes it, this one does. */
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

  /** The leader could not make it: all that wait get its error, and the next request makes it again. */
  failed(runId: string, key: string, leader: Asker, error: unknown): void {
    const entry = this.#entryOf(runId, key, leader);
    if (entry === undefined) return;
    this.#runs.get(runId)!.delete(key);
    for (const { asker } of entry.waiters.splice(0)) asker.refuse(error);
  }

  /** Removes a request. If it was to make an answer, the next one that waits makes it. */
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

  /** The number of runs of which something is kept. */
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
      // A run that waits for an answer keeps its own.
      if (!entries.values().some(({ parts }) => parts === null)) this.#runs.delete(runId);
    }
  }
}
