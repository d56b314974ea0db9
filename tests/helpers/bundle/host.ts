/** A thread that runs workers one after the other: each begins anew, on code that is loaded and warm. */

import type { FromHost, ToHost } from "./threads.ts";

declare const self: Pick<Worker, "onmessage" | "postMessage">;

/** What a worker takes for the global object of its thread. */
class Scope {
  #onmessage: ((event: MessageEvent) => unknown) | null = null;
  /** What came while its module was loaded. */
  #early: MessageEvent[] = [];

  constructor(readonly id: number) {}

  set onmessage(handle: (event: MessageEvent) => unknown) {
    this.#onmessage = handle;
    for (const event of this.#early.splice(0)) handle(event);
  }

  receive(event: MessageEvent): void {
    if (this.#onmessage === null) this.#early.push(event);
    else this.#onmessage(event);
  }

  postMessage(message: unknown, transfer: ArrayBuffer[] = []): void {
    if (current === this) self.postMessage({ type: "message", message } satisfies FromHost, transfer);
  }

  /** What `process` is to a worker's module: it ends the worker, and not the thread. */
  readonly process = {
    exit: () => {
      if (current !== this) return;
      current = null;
      self.postMessage({ type: "ended" } satisfies FromHost);
    },
  };
}

let current: Scope | null = null;

self.onmessage = async ({ data }: MessageEvent<ToHost>) => {
  if (data.type === "message") {
    if (current?.id === data.id) current.receive(new MessageEvent("message", { data: data.message }));
    return;
  }
  const scope = new Scope(data.id);
  current = scope;
  const { start } = await import(data.module);
  start(scope, scope.process);
};
