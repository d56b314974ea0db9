/** How threads end that have had no work for long. */

/** How long a thread stays without work, milliseconds: a start takes 150 ms of processor time. */
const THREAD_IDLE_MS = 5 * 60_000;

export class IdleTimer {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onIdle called once for each time that `start` was called and `stop` was not, `ms` later */
  constructor(
    private readonly onIdle: () => void,
    private readonly ms = THREAD_IDLE_MS,
  ) {}

  /** There is no work from now on. */
  start(): void {
    this.stop();
    this.#timer = setTimeout(this.onIdle, this.ms);
    this.#timer.unref();
  }

  /** There is work, or nothing left to end. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Sends a thread the message that makes it close itself, and resolves when it has. */
export async function closeThread(thread: Worker, message: unknown): Promise<void> {
  const closed = new Promise<void>((resolve) => thread.addEventListener("close", () => resolve(), { once: true }));
  thread.postMessage(message);
  await closed;
}
