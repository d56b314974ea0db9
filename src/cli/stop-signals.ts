/** The signals that stop a server or a worker: the first lets it finish what is under way, a later one ends it at once. */

/**
 * How soon after the first a signal is still the same one, milliseconds: Ctrl-C on a terminal reaches this process by itself
 * and once more through npm or `bun run`, which pass it on.
 */
const SAME_MS = 1_000;

/** @param stop begins to stop; it is called once */
export function onStopSignals(stop: (signal: string) => void): void {
  let stoppedAt: number | null = null;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stoppedAt === null) {
        stoppedAt = performance.now();
        stop(signal);
      } else if (performance.now() - stoppedAt >= SAME_MS) process.exit(1);
    });
  }
}
