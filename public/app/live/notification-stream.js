// The notifications that the server sends.

/** @typedef {{ kind: string, title: string, body: string, path: string, tag: string }} Notice */

// Milliseconds without a message after which a connection is taken for broken; the server sends one every 20 s.
const SILENT = 60_000;

export class NotificationStream {
  #onNotice;
  /** @type {EventSource | null} */
  #source = null;
  /** The id of the last message: a new connection continues after it. */
  #last = "";
  #lastMessage = 0;

  /** @param {(notice: Notice) => void} onNotice */
  constructor(onNotice) {
    this.#onNotice = onNotice;
  }

  /** Follows the server until `signal` aborts. @param {AbortSignal} signal @returns {Promise<void>} */
  follow(signal) {
    this.#connect();
    const watch = setInterval(() => {
      if (performance.now() - this.#lastMessage > SILENT) this.#connect();
    }, SILENT / 2);
    const { promise, resolve } = Promise.withResolvers();
    signal.addEventListener("abort", () => {
      clearInterval(watch);
      this.#source?.close();
      resolve(undefined);
    });
    return promise;
  }

  #connect() {
    this.#source?.close();
    this.#lastMessage = performance.now();
    const { base } = document.documentElement.dataset;
    this.#source = new EventSource(`${base}events/notifications?since=${encodeURIComponent(this.#last)}`);
    this.#source.addEventListener("heartbeat", (event) => this.#note(event));
    this.#source.addEventListener("notification", (event) => {
      this.#note(event);
      this.#onNotice(JSON.parse(event.data));
    });
  }

  /** @param {MessageEvent} event */
  #note({ lastEventId }) {
    this.#last = lastEventId;
    this.#lastMessage = performance.now();
  }
}
