/**
 * Threads of the application that are used again. To load a worker's modules costs more processor time than most tests
 * take otherwise, and code that ran for a second only is never compiled. What a worker does and how it ends stays as it
 * is; real threads are started by whoever spawns a server, and by the tests of the pool.
 */

import { WORKER_FUNCTIONS } from "./programs.ts";

export type ToHost =
  | { readonly type: "start"; readonly id: number; readonly module: string }
  | { readonly type: "message"; readonly id: number; readonly message: unknown };

export type FromHost = { readonly type: "message"; readonly message: unknown } | { readonly type: "ended" };

/** A thread that lives as long as this process, and the workers that it has run. */
class Host {
  readonly thread = new Worker(new URL("./host.ts", import.meta.url), { ref: false });
  readonly known = new Set<string>();
  worker: ReusedWorker | null = null;

  constructor() {
    this.thread.addEventListener("message", ({ data }: MessageEvent<FromHost>) => {
      const { worker } = this;
      if (data.type === "message") worker?.dispatchEvent(new MessageEvent("message", { data: data.message }));
      else this.#end(worker, idle);
    });
    this.thread.addEventListener("error", ({ message }) =>
      this.worker?.dispatchEvent(new ErrorEvent("error", { message })),
    );
    this.thread.addEventListener("close", () => {
      idle.delete(this);
      this.#end(this.worker);
    });
  }

  #end(worker: ReusedWorker | null, then?: Set<Host>): void {
    this.worker = null;
    then?.add(this);
    worker?.dispatchEvent(new CloseEvent("close"));
  }
}

/** Threads without a worker; the one that was used last is the last. */
const idle = new Set<Host>();

/** An idle thread, if possible one that has run this worker before. */
function takeHost(module: string): Host {
  const host = [...idle].findLast(({ known }) => known.has(module)) ?? [...idle].at(-1) ?? new Host();
  idle.delete(host);
  host.known.add(module);
  return host;
}

let started = 0;

/** What the application sees of a worker. */
export class ReusedWorker extends EventTarget {
  readonly #host: Host;
  readonly #id = ++started;

  constructor(module: string) {
    super();
    this.#host = takeHost(module);
    this.#host.worker = this;
    this.#send({ type: "start", id: this.#id, module });
  }

  #send(message: ToHost, transfer: ArrayBuffer[] = []): void {
    if (this.#host.worker === this) this.#host.thread.postMessage(message, transfer);
  }

  postMessage(message: unknown, transfer?: ArrayBuffer[]): void {
    this.#send({ type: "message", id: this.#id, message }, transfer);
  }

  /** Ends the thread, in the middle of whatever it does. */
  terminate(): void {
    if (this.#host.worker === this) this.#host.thread.terminate();
  }
}

/** A worker of the application on a thread that may have run others before; `null` for any other script. */
export function reusedWorker(script: string): Worker | null {
  const module = WORKER_FUNCTIONS.get(script);
  return module === undefined ? null : (new ReusedWorker(module.href) as unknown as Worker);
}
