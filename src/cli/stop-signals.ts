/** The signals that stop a server, a worker or a command: the first lets it finish what is under way, a later one ends it at once. */

/**
 * How soon after the first a signal is still the same one, milliseconds: Ctrl-C on a terminal reaches this process by itself
 * and once more through npm or `bun run`, which pass it on.
 */
const SAME_MS = 1_000;

/**
 * @param stop begins to stop; it is called once
 * @returns what takes the listeners away
 */
export function onStopSignals(stop: (signal: "SIGINT" | "SIGTERM") => void): () => void {
  let stoppedAt: number | null = null;
  const listeners = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    const listener = () => {
      if (stoppedAt === null) {
        stoppedAt = performance.now();
        stop(signal);
      } else if (performance.now() - stoppedAt >= SAME_MS) process.exit(1);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const off of listeners) off();
  };
}
