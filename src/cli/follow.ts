/** Follows a run to its end: a bar on a terminal, a line for each step elsewhere. */

import { onOneLine } from "../domain/errors.ts";
import type { progressToWire, runToWire } from "../domain/runs/run-summary.ts";
import { formatDuration, formatExactDuration } from "../domain/time.ts";
import { plural } from "../views/ui/format.ts";
import { type ApiClient, ApiError, NoAnswer } from "./api-client.ts";
import { onStopSignals } from "./stop-signals.ts";

export type RunWire = ReturnType<typeof runToWire> & {
  readonly jobs: readonly (ReturnType<typeof progressToWire> & { readonly error: string | null })[];
};
type Event =
  | { readonly type: "progress"; readonly data: ReturnType<typeof progressToWire> }
  | { readonly type: "run"; readonly data: ReturnType<typeof runToWire> }
  | { readonly type: "snapshot" | "other" };

/** A signal has ended the command, not the run. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
}

const BAR = 24;
/** Shortest time between two drawings of the bar, milliseconds. */
const DRAW_MS = 100;

/** The lines of a stream. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** The events of a stream; those that are not used here are `other`. */
async function* eventsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const type = /^event: (\w+)$/m.exec(part)?.[1];
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if ((type === "progress" || type === "run") && data !== undefined) yield { type, data: JSON.parse(data) };
      else yield { type: type === "snapshot" ? type : "other" };
    }
  }
}

/** What is shown while a run goes on. */
export interface ProgressOutput {
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** `████████░░░░  45%`; `percent` from 0 to 100. */
export function progressBar(percent: number): string {
  const full = Math.round((percent / 100) * BAR);
  return `${"█".repeat(full)}${"░".repeat(BAR - full)} ${String(Math.floor(percent)).padStart(3)}%`;
}

/** `████████░░░░  45%  9 of 20 symbols, 1 failed, 12s left` */
function barOf({ progress, counts, total, eta_seconds: eta }: RunWire | ReturnType<typeof runToWire>): string {
  const ended = counts.complete + counts.failed + counts.cancelled + counts.skipped;
  const parts = [
    `${ended} of ${plural(total, "symbol")}`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(eta === null ? [] : [`${formatDuration(Math.round(eta))} left`]),
  ];
  return `${progressBar(progress)}  ${parts.join(", ")}`;
}

/**
 * Follows a run.
 * @param begin starts or finds it, once the events are followed; returns its id
 * @param output `null`: nothing is shown
 */
export async function followRun(
  client: ApiClient,
  begin: () => Promise<string>,
  output: ProgressOutput | null,
): Promise<RunWire> {
  const abort = new AbortController();
  const response = await client.request("/api/events?latest=1", { signal: abort.signal });
  const id = await begin();
  const read = async (): Promise<RunWire> => {
    const answer = await client.request(`/api/runs/${encodeURIComponent(id)}`);
    return ((await answer.json()) as { run: RunWire }).run;
  };
  let drawnAt = 0;
  const draw = (run: ReturnType<typeof runToWire>) => {
    if (!output?.isTerminal || performance.now() - drawnAt < DRAW_MS) return;
    drawnAt = performance.now();
    output.write(`\r\x1b[K${barOf(run)}`);
  };
  const follow = async (): Promise<RunWire> => {
    let run = await read();
    if (run.finished_at !== null) return run;
    for await (const event of eventsOf(response.body!)) {
      if (event.type === "progress" && event.data.run_id === id && output !== null && !output.isTerminal) {
        const { symbol, status, micro_stage: step, progress } = event.data;
        // As in the log: stages and batches, not every feature.
        if (!step.startsWith("Feature "))
          output.write(`${onOneLine(`${symbol}: ${status} - ${step} (${progress}%)`)}\n`);
      }
      if (event.type === "run" && event.data.id === id) draw(event.data);
      const isOver = event.type === "run" && event.data.id === id && event.data.finished_at !== null;
      // A snapshot may come instead of events that were missed.
      if (!isOver && event.type !== "snapshot") continue;
      run = await read();
      if (run.finished_at !== null) return run;
    }
    run = await read();
    if (run.finished_at === null) throw new NoAnswer("the stream of events has ended");
    return run;
  };
  const interrupted = Promise.withResolvers<never>();
  const off = onStopSignals((signal) => interrupted.reject(new Interrupted(interruptionOf(client, id, signal))));
  try {
    const run = await Promise.race([follow(), interrupted.promise]).catch((error) => {
      if (output?.isTerminal) output.write("\n");
      // A refusal is an error of its own, everything else an interruption.
      if (error instanceof ApiError || error instanceof Interrupted) throw error;
      const text = `The server ended before the run did. It goes on with the next start: barkeep watch ${id}`;
      throw client.address === null ? error : new Error(text, { cause: error });
    });
    drawnAt = 0;
    draw(run);
    if (output?.isTerminal) output.write("\n");
    return run;
  } finally {
    off();
    abort.abort();
    await response.body?.cancel().catch(() => {});
  }
}

/** What is said of a run that somebody stops to follow: it was not cancelled. */
function interruptionOf({ address }: ApiClient, id: string, signal: string): string {
  return address === null
    ? `${signal}: the current batches are finished, and the rest is done by the next start: barkeep serve`
    : `${signal}: the run goes on at ${address}, where it can be cancelled too: barkeep watch ${id}`;
}

/** A few lines about a run that has ended. */
export function summaryOf(run: RunWire): string {
  const { counts, total, data_points: bars, api_calls: calls, created_at: from, finished_at: to } = run;
  const seconds = to === null ? 0 : (Date.parse(to) - Date.parse(from)) / 1_000;
  const failed = run.jobs.filter(({ state }) => state === "failed");
  return [
    `${counts.complete} of ${plural(total, "symbol")} complete in ${(seconds < 60 ? formatExactDuration : formatDuration)(seconds)}: ${plural(bars, "bar")}, ${plural(calls, "API call")}`,
    ...failed.map(({ symbol, error, micro_stage: step }) => `  ${withSymbol(symbol, error ?? step)}`),
  ]
    .map(onOneLine)
    .join("\n");
}

/** `AAPL: the key was refused`; many messages begin with the symbol themselves. */
const withSymbol = (symbol: string, text: string) => (text.startsWith(`${symbol}: `) ? text : `${symbol}: ${text}`);
