/** Loads lists of companies on a thread of its own: tens of thousands of lines would block the live pages. */

import { messageOf, ProviderError, Refusal } from "../../domain/errors.ts";
import type { LogLevel } from "../../domain/log.ts";
import { describeWait } from "../../domain/runs/progress.ts";
import { threadModule } from "../../installation.ts";
import type { QuotaReport } from "../../providers/provider.ts";
import { refused, type WorkerSettings } from "../messages.ts";
import type { Gate } from "../workers/gate.ts";
import type { CompanyTask, FromLoader, Loaded, ToLoader } from "./worker.ts";

const WORKER = threadModule("pipeline/companies");

/** Lists at work and waiting; each may be a text of 16 MB. */
const MAX_QUEUED = 4;
/** When a refused client should ask again, seconds. */
const RETRY_AFTER = 10;

/** The run that the limiter counts requests for lists under. */
const COMPANY_RUN = "companies";

interface Dependencies {
  readonly gate: Gate;
  /** The settings as they are now: keys can change while the server runs. */
  settings(): WorkerSettings;
  log(level: LogLevel, message: string): void;
}

export class CompanyLoader {
  /** Lists are loaded one after the other; loading the same one twice at a time would only repeat the work. */
  #last: Promise<unknown> = Promise.resolve();
  #queued = 0;
  readonly #stop = new AbortController();

  constructor(private readonly dependencies: Dependencies) {}

  /**
   * Reads or fetches a list and stores it.
   * @throws ProviderError when the provider could not answer
   * @throws Refusal if too many lists wait
   */
  async load(companyTask: CompanyTask): Promise<Loaded> {
    this.refuseIfFull();
    this.#queued += 1;
    const loaded = this.#last.then(() => this.#load(companyTask));
    this.#last = loaded.catch(() => {});
    try {
      return await loaded;
    } finally {
      this.#queued -= 1;
    }
  }

  /** @throws Refusal if too many lists wait */
  refuseIfFull(): void {
    if (this.#queued < MAX_QUEUED) return;
    const detail = `${this.#queued} lists of companies are being loaded: try again in ${RETRY_AFTER} seconds`;
    throw new Refusal("unavailable", detail, [], RETRY_AFTER);
  }

  /** Stops the list under way; it is stored whole or not at all. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the server stops"));
    await this.#last;
  }

  async #load(companyTask: CompanyTask): Promise<Loaded> {
    const { signal } = this.#stop;
    signal.throwIfAborted();
    const thread = new Worker(WORKER, { name: "barkeep-companies" });
    const closed = new Promise<void>((resolve) => thread.addEventListener("close", () => resolve(), { once: true }));
    const end = Promise.withResolvers<Loaded>();
    const permits = new Map<number, (report: QuotaReport) => void>();
    const onAbort = () => thread.postMessage({ type: "stop", reason: messageOf(signal.reason) } satisfies ToLoader);
    signal.addEventListener("abort", onAbort, { once: true });
    thread.addEventListener("error", ({ message }) => end.reject(new Error(message)));
    thread.addEventListener("close", () => end.reject(new Error("The thread that loads companies ended")));
    thread.addEventListener("message", ({ data }: MessageEvent<FromLoader>) => {
      switch (data.type) {
        case "acquire":
          return void this.#grant(thread, data, permits);
        case "settle":
          return permits.get(data.request)?.(data.report);
        case "log":
          return this.dependencies.log(data.level, data.message);
        case "done":
          return end.resolve(data.loaded);
        case "failed":
          return end.reject(data.kind ? new ProviderError(data.kind, data.message) : new Error(data.message));
      }
    });
    thread.postMessage({ type: "load", settings: this.dependencies.settings(), companyTask } satisfies ToLoader);
    try {
      return await end.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      await closed;
    }
  }

  async #grant(
    thread: Worker,
    { request, provider, cost }: { request: number; provider: string; cost: number },
    permits: Map<number, (report: QuotaReport) => void>,
  ): Promise<void> {
    const send = (message: ToLoader) => thread.postMessage(message);
    try {
      const task = { runId: COMPANY_RUN, jobId: 0 };
      const permit = await this.dependencies.gate.acquire({
        provider,
        cost,
        task,
        signal: this.#stop.signal,
        held: (wait) => this.dependencies.log("info", `Companies of ${provider}: ${describeWait(wait, Date.now())}`),
      });
      permits.set(request, permit.settle);
      send({ type: "granted", request });
    } catch (error) {
      send(refused(request, error));
    }
  }
}
