/**
 * The progress hub: the last state of every job. `stream()` delivers every event through a bounded queue; `onFrame()`
 * delivers what changed, newest per job, once for all viewers. Reporting never waits for a viewer.
 */

import { type LogLine, logToWire } from "./domain/log.ts";
import type { JobProgress } from "./domain/runs/progress.ts";
import { progressToWire, type RunSummary, runToWire } from "./domain/runs/run-summary.ts";

/** Shortest time between two frames, milliseconds. */
export const FRAME_MS = 100;
/**
 * After a frame with more events than this, the next one comes `BUSY_FRAME_MS` later: nobody can read that fast, and
 * each frame costs a browser as much layout and paint as a whole page of text.
 */
const BUSY_FRAME_EVENTS = 50;
export const BUSY_FRAME_MS = 250;
/** Events a stream may fall behind before it reports that it lagged. */
export const STREAM_LIMIT = 4_096;
/** Log lines kept for viewers that connect later. */
const LOG_LIMIT = 1_000;

export type HubEvent =
  | { readonly type: "progress"; readonly seq: number; readonly job: JobProgress }
  | { readonly type: "log"; readonly seq: number; readonly line: LogLine }
  | { readonly type: "run"; readonly seq: number; readonly run: RunSummary }
  | { readonly type: "metrics"; readonly seq: number; readonly data: Readonly<Record<string, unknown>> }
  | { readonly type: "usage"; readonly seq: number; readonly data: readonly Readonly<Record<string, unknown>>[] };

/** What changed since the last frame: the newest state per job and run, and every log line. */
export interface Frame {
  readonly seq: number;
  readonly jobs: readonly JobProgress[];
  readonly runs: readonly RunSummary[];
  readonly logs: readonly LogLine[];
}

export interface Snapshot {
  readonly seq: number;
  readonly runs: readonly RunSummary[];
  readonly jobs: readonly JobProgress[];
  readonly logs: readonly LogLine[];
}

export const jobKey = (runId: string, symbol: string) => `${runId}:${symbol}`;

type EventBody = HubEvent extends infer E ? (E extends HubEvent ? Omit<E, "seq"> : never) : never;

export class ProgressHub {
  /** Distinguishes this start of the server from earlier ones in event ids (`<epoch>-<seq>`). */
  readonly epoch = crypto.randomUUID().slice(0, 8);
  #seq = 0;
  #lineId = 0;
  readonly #jobs = new Map<string, JobProgress>();
  readonly #runs = new Map<string, RunSummary>();
  /** The sequence number of each run's last change. */
  readonly #runSeqs = new Map<string, number>();
  readonly #logs: LogLine[] = [];
  readonly #streams = new Set<EventStream>();
  readonly #frameListeners = new Set<(frame: Frame) => void>();
  readonly #dirtyJobs = new Set<string>();
  readonly #dirtyRuns = new Set<string>();
  #newLogs: LogLine[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** The last event of the last frame, and the milliseconds to the next frame. */
  #lastFrameSeq = 0;
  #nextMs: number;
  #closed = false;

  /** @param frameMs the shortest time between two frames, milliseconds */
  constructor(private readonly frameMs = FRAME_MS) {
    this.#nextMs = frameMs;
  }

  get seq(): number {
    return this.#seq;
  }

  job(runId: string, symbol: string): JobProgress | undefined {
    return this.jobByKey(jobKey(runId, symbol));
  }

  jobByKey(key: string): JobProgress | undefined {
    return this.#jobs.get(key);
  }

  runs(): RunSummary[] {
    return [...this.#runs.values()];
  }

  /** The sequence number of the last report that changed a run; 0 for a run that is not in memory. */
  runChangedAt(runId: string): number {
    return this.#runSeqs.get(runId) ?? 0;
  }

  /** The newest log lines, oldest first. */
  lines(): readonly LogLine[] {
    return this.#logs;
  }

  /** The id of the newest log line; 0 before the first. */
  get lastLine(): number {
    return this.#lineId;
  }

  /** The last known states of a run's jobs, in the order in which they were first reported. */
  jobsOf(runId: string): JobProgress[] {
    return [...this.#jobs.values()].filter((job) => job.runId === runId);
  }

  snapshot(): Snapshot {
    return {
      seq: this.#seq,
      runs: [...this.#runs.values()],
      jobs: [...this.#jobs.values()],
      logs: [...this.#logs],
    };
  }

  /** Records the new state of a job and publishes it; returns it with its sequence number. */
  report(state: Omit<JobProgress, "seq">): JobProgress {
    const job = { ...state, seq: this.#seq + 1 };
    const key = jobKey(job.runId, job.symbol);
    this.#jobs.set(key, job);
    if (this.#hasFrameListeners) this.#dirtyJobs.add(key);
    this.#publish({ type: "progress", job });
    return job;
  }

  reportRun(run: RunSummary): void {
    if (!Bun.deepEquals(run, this.#runs.get(run.id))) this.#runSeqs.set(run.id, this.#seq + 1);
    this.#runs.set(run.id, run);
    if (this.#hasFrameListeners) this.#dirtyRuns.add(run.id);
    this.#publish({ type: "run", run });
  }

  log(line: Omit<LogLine, "id">): LogLine {
    this.#lineId += 1;
    const numbered = { ...line, id: this.#lineId };
    this.#logs.push(numbered);
    if (this.#logs.length > LOG_LIMIT) this.#logs.shift();
    if (this.#hasFrameListeners) this.#newLogs.push(numbered);
    this.#publish({ type: "log", line: numbered });
    return numbered;
  }

  metrics(data: Readonly<Record<string, unknown>>): void {
    this.#publish({ type: "metrics", data });
  }

  usage(data: readonly Readonly<Record<string, unknown>>[]): void {
    this.#publish({ type: "usage", data });
  }

  /** Drops a run and its jobs from memory (they stay in the database). */
  forget(runId: string): void {
    this.#runs.delete(runId);
    this.#runSeqs.delete(runId);
    for (const [key, job] of this.#jobs) if (job.runId === runId) this.#jobs.delete(key);
  }

  /** Follows what changed, coalesced; returns the function that stops it. */
  onFrame(listener: (frame: Frame) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  /** Follows every event, or with `latest` only the newest per job. */
  stream(options: { latest?: boolean; limit?: number } = {}): EventStream {
    const stream = new EventStream(options, () => this.#streams.delete(stream));
    if (this.#closed) stream.close();
    else this.#streams.add(stream);
    return stream;
  }

  /** Ends all streams; later reports are recorded but go nowhere. */
  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#frameListeners.clear();
    for (const stream of [...this.#streams]) stream.close();
  }

  /** Whether anybody follows every event; otherwise only the newest of a job matters. */
  get hasStreams(): boolean {
    return this.#streams.size > 0;
  }

  /** Whether anybody follows frames; otherwise nothing is collected for them. */
  get #hasFrameListeners(): boolean {
    return this.#frameListeners.size > 0;
  }

  #publish(body: EventBody): void {
    this.#seq += 1;
    const event = { ...body, seq: this.#seq } as HubEvent;
    for (const stream of this.#streams) stream.push(event);
    if (!this.#closed && this.#timer === null && this.#hasFrameListeners) {
      this.#timer = setTimeout(() => this.#flush(), this.#nextMs);
    }
  }

  #flush(): void {
    this.#timer = null;
    this.#nextMs = this.#seq - this.#lastFrameSeq > BUSY_FRAME_EVENTS ? BUSY_FRAME_MS : this.frameMs;
    this.#lastFrameSeq = this.#seq;
    const pick = <T>(keys: Set<string>, from: Map<string, T>) =>
      [...keys].flatMap((key) => from.get(key) ?? ([] as T[]));
    const frame: Frame = {
      seq: this.#seq,
      jobs: pick(this.#dirtyJobs, this.#jobs),
      runs: pick(this.#dirtyRuns, this.#runs),
      logs: this.#newLogs,
    };
    this.#dirtyJobs.clear();
    this.#dirtyRuns.clear();
    this.#newLogs = [];
    for (const listener of this.#frameListeners) listener(frame);
  }
}

/** What a stream returns next: the events since the last call, and how many were skipped before them. */
export interface StreamChunk {
  /** Events that were skipped because the viewer was too slow; if not 0, it needs a new snapshot. */
  readonly lagged: number;
  readonly events: readonly HubEvent[];
}

/** One viewer's bounded queue of events. */
export class EventStream {
  #queue: HubEvent[] = [];
  #lagged = 0;
  #notify: (() => void) | null = null;
  #closed = false;
  readonly #limit: number;
  readonly #latest: boolean;
  readonly #onClose: () => void;

  constructor(options: { latest?: boolean; limit?: number }, onClose: () => void) {
    this.#limit = options.limit ?? STREAM_LIMIT;
    this.#latest = options.latest ?? false;
    this.#onClose = onClose;
  }

  push(event: HubEvent): void {
    if (this.#queue.length >= this.#limit) this.#overflow();
    this.#queue.push(event);
    this.#notify?.();
    this.#notify = null;
  }

  /** Waits for events, at most `maxWaitMs` (then the chunk is empty); `null` when the stream is closed. */
  async next(maxWaitMs: number): Promise<StreamChunk | null> {
    if (this.#queue.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, maxWaitMs);
        this.#notify = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#notify = null;
    }
    if (this.#queue.length === 0 && this.#closed) return null;
    const chunk = { lagged: this.#lagged, events: this.#latest ? newestPerJob(this.#queue) : this.#queue };
    this.#queue = [];
    this.#lagged = 0;
    return chunk;
  }

  close(): void {
    this.#closed = true;
    this.#onClose();
    this.#notify?.();
    this.#notify = null;
  }

  /** Makes room: keeps the newest log lines; everything else is superseded by the snapshot that follows. */
  #overflow(): void {
    const kept = newestPerJob(this.#queue).filter((event) => event.type === "log");
    const logs = kept.length > this.#limit / 2 ? kept.slice(-this.#limit / 2) : kept;
    this.#lagged += this.#queue.length - logs.length;
    this.#queue = logs;
  }
}

/** Leaves out each progress event that a later one of the same job supersedes; keeps the order. */
function newestPerJob(events: readonly HubEvent[]): HubEvent[] {
  const newest = new Map<string, number>();
  for (const event of events) {
    if (event.type === "progress") newest.set(jobKey(event.job.runId, event.job.symbol), event.seq);
  }
  return events.filter(
    (event) => event.type !== "progress" || newest.get(jobKey(event.job.runId, event.job.symbol)) === event.seq,
  );
}

const encoded = new WeakMap<HubEvent, string>();

/** An event in the wire form of `GET /api/events`; encoded once for all streams. */
export function encodeEvent(epoch: string, event: HubEvent): string {
  let text = encoded.get(event);
  if (text === undefined) {
    text = `event: ${event.type}\nid: ${epoch}-${event.seq}\ndata: ${JSON.stringify(wireOf(event))}\n\n`;
    encoded.set(event, text);
  }
  return text;
}

function wireOf(event: HubEvent) {
  switch (event.type) {
    case "progress":
      return progressToWire(event.job);
    case "log":
      return logToWire(event.line);
    case "run":
      return runToWire(event.run);
    default:
      return event.data;
  }
}
