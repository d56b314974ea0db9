/** What the workers reach the server through: an address that stays while servers come and go, and a record of late writes. */

import { decode } from "../../src/pipeline/remote/codec.ts";
import type { Registered, Registration, SyncAnswer, SyncRequest } from "../../src/pipeline/remote/protocol.ts";
import { ATTEMPT_HEADER } from "../../src/pipeline/remote/store-request.ts";
import type { Network } from "./network.ts";

/** A job as one worker has it. */
interface Attempt {
  readonly worker: string;
  /** Whether the server has taken the job from the worker. */
  isOver: boolean;
}

export class Front implements AsyncDisposable {
  /** The server's address, if there is one now. */
  target: string | null = null;
  /** What workers sent for jobs that they had lost, and was refused. */
  late = 0;
  /** A sentence for each such request that was not refused. */
  readonly faults: string[] = [];
  readonly #workers = new Map<string, string>();
  readonly #attempts = new Map<string, Attempt>();
  readonly #server: Bun.Server<undefined>;

  constructor(network: Network) {
    const fetch = (request: Request) => this.#pass(request);
    const { listen } = network;
    this.#server =
      "unix" in listen ? Bun.serve({ ...listen, fetch }) : Bun.serve({ ...listen, idleTimeout: 60, fetch });
  }

  get port(): number | undefined {
    return this.#server.port;
  }

  /** The server has taken all jobs from a worker, or from all of them: it is another server now. */
  takeFrom(worker?: string): void {
    for (const attempt of this.#attempts.values())
      if (worker === undefined || attempt.worker === worker) attempt.isOver = true;
  }

  async #pass(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const away = () => new Response(null, { status: 502 });
    const { target } = this;
    if (target === null) return away();
    const { method } = request;
    const headers = new Headers(request.headers);
    // Without a password the server answers as localhost only.
    headers.delete("Host");
    const attempt = this.#attempts.get(headers.get(ATTEMPT_HEADER) ?? "");
    const isLate = attempt?.isOver === true;
    try {
      const body = await request.arrayBuffer();
      const answer = await fetch(target + path, { method, headers, body });
      const bytes = await answer.arrayBuffer();
      // Another server has come meanwhile: as from a server that is gone, nothing arrives.
      if (target !== this.target) return away();
      if (answer.status === 200) this.#learn(path, new Uint8Array(body), new Uint8Array(bytes));
      if (isLate && answer.status === 410) this.late += 1;
      else if (isLate && answer.status < 500)
        this.faults.push(`${attempt.worker} was answered ${answer.status} for a job that it had lost`);
      return new Response(bytes, answer);
    } catch {
      return away();
    }
  }

  /** Notes which worker has which jobs. */
  #learn(path: string, body: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): void {
    if (path.endsWith("/register")) {
      this.#workers.set((decode(bytes) as Registered).session, (decode(body) as Registration).host);
    } else if (path.endsWith("/sync")) {
      const worker = this.#workers.get((decode(body) as SyncRequest).session) ?? "a worker";
      for (const { order } of (decode(bytes) as SyncAnswer).orders)
        if (order.type === "task" && order.task.attempt !== undefined && !this.#attempts.has(order.task.attempt))
          this.#attempts.set(order.task.attempt, { worker, isOver: false });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}
