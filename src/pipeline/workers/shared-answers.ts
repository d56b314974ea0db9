/**
 * Answers that the jobs of a run share: fetched once per run, by the first job that requests them, and kept on the main
 * thread until the run ends. Each job is sent its own symbol's part only.
 */

import {
  type JobReport,
  plainError,
  providerError,
  type SharedValue,
  type SymbolTask,
  type ToWorker,
} from "../messages.ts";

/** The open requests of a job for shared answers, by their number. */
export type Shares = Map<number, { readonly key: string; readonly requester: Requester }>;

/** A job, and its open requests. */
interface SharingJob {
  readonly task: Pick<SymbolTask, "runId" | "jobId">;
  readonly shares: Shares;
}

type ShareReport = Extract<JobReport, { readonly share: number }>;

/** A job that requests a part. */
interface Requester {
  /** The job is to fetch the answer; afterwards `done` or `failed` is called with this requester. */
  lead(): void;
  /** Sends its part; `undefined` if the answer has none of that name. */
  answer(value: SharedValue | undefined): void;
  refuse(error: unknown): void;
}

interface Waiter {
  readonly requester: Requester;
  readonly part: string;
}

interface Entry {
  leader: Requester | null;
  waiters: Waiter[];
  parts: ReadonlyMap<string, SharedValue> | null;
}

/** Runs of which answers are kept; the run without a request for the longest time is dropped. */
const MAX_RUNS = 16;

export class SharedAnswers {
  readonly #runs = new Map<string, Map<string, Entry>>();

  /** Takes a worker's report on behalf of one of its jobs; `changed` is called when it requests, and when it is answered. */
  receive(message: ShareReport, job: SharingJob, worker: { send(answer: ToWorker): void }, changed: () => void): void {
    const { runId } = job.task;
    const { share } = message;
    if (message.type === "share") {
      const end = (answer: ToWorker) => {
        job.shares.delete(share);
        changed();
        worker.send(answer);
      };
      const requester: Requester = {
        lead: () => worker.send({ type: "share_lead", share }),
        answer: (value) => end({ type: "share_answer", share, value }),
        refuse: (error) => end({ type: "share_refused", share, error: plainError(error) }),
      };
      job.shares.set(share, { key: message.key, requester });
      this.request(runId, message.key, message.part, requester);
      changed();
      return;
    }
    const open = job.shares.get(share);
    if (open === undefined) return;
    if (message.type === "share_made") this.done(runId, open.key, open.requester, message.parts);
    else if (message.type === "share_failed")
      this.failed(runId, open.key, open.requester, providerError(message.error));
    else {
      job.shares.delete(share);
      this.leave(runId, open.requester);
      changed();
    }
  }

  /** Removes the open requests of a job that has ended. */
  leaveAll({ task, shares }: SharingJob): void {
    for (const { requester } of shares.values()) this.leave(task.runId, requester);
    shares.clear();
  }

  /** Requests the part of an answer. The first requester is the leader, which fetches it. */
  request(runId: string, key: string, part: string, requester: Requester): void {
    const run = this.#runs.get(runId) ?? new Map<string, Entry>();
    this.#runs.delete(runId);
    this.#runs.set(runId, run);
    this.#dropOldest();
    const entry = run.get(key);
    if (entry === undefined) {
      run.set(key, { leader: requester, waiters: [{ requester, part }], parts: null });
      requester.lead();
    } else if (entry.parts === null) entry.waiters.push({ requester, part });
    else requester.answer(entry.parts.get(part));
  }

  /** The leader has fetched the answer. */
  done(runId: string, key: string, leader: Requester, parts: ReadonlyMap<string, SharedValue>): void {
    const entry = this.#entryOf(runId, key, leader);
    if (entry === undefined) return;
    entry.leader = null;
    entry.parts = parts;
    for (const { requester, part } of entry.waiters.splice(0)) requester.answer(parts.get(part));
  }

  /** The leader could not fetch it: all waiting requests are refused, and the next requester becomes the leader. */
  failed(runId: string, key: string, leader: Requester, error: unknown): void {
    const entry = this.#entryOf(runId, key, leader);
    if (entry === undefined) return;
    this.#runs.get(runId)!.delete(key);
    for (const { requester } of entry.waiters.splice(0)) requester.refuse(error);
  }

  /** Removes a requester; if it was the leader, the next waiting one becomes the leader. */
  leave(runId: string, requester: Requester): void {
    for (const [key, entry] of this.#runs.get(runId) ?? []) {
      entry.waiters = entry.waiters.filter((waiter) => waiter.requester !== requester);
      if (entry.leader !== requester) continue;
      entry.leader = entry.waiters[0]?.requester ?? null;
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

  #entryOf(runId: string, key: string, leader: Requester): Entry | undefined {
    const entry = this.#runs.get(runId)?.get(key);
    return entry?.leader === leader ? entry : undefined;
  }

  #dropOldest(): void {
    for (const [runId, entries] of this.#runs) {
      if (this.#runs.size <= MAX_RUNS) return;
      // It has open requests.
      if (!entries.values().some(({ parts }) => parts === null)) this.#runs.delete(runId);
    }
  }
}
