/** A worker thread: one job at a time, on a database connection and with providers of its own. */

import { messageOf, ProviderError } from "../../domain/errors.ts";
import { type Calendar, createCalendar } from "../../domain/market/calendar.ts";
import type { Stage, Wait } from "../../domain/runs/progress.ts";
import type { Permit, Provider } from "../../providers/provider.ts";
import { createProvider, secretsOf } from "../../providers/registry.ts";
import { redactor } from "../../redact.ts";
import { WriteLock } from "../../storage/connection/write-lock.ts";
import { type Database, openDatabase } from "../../storage/db.ts";
import { Stopped } from "../job-context.ts";
import type { FromWorker, SymbolTask, ToWorker, WorkerSettings } from "../messages.ts";
import { runSymbol } from "./process-symbol.ts";
import { redactingProvider } from "./redacting-provider.ts";

declare const self: Worker;

/** How long a request under way may delay a shutdown, milliseconds; the server exits after nine seconds. */
const GRACE_MS = 5_000;

const send = (message: FromWorker) => self.postMessage(message);

let settings: WorkerSettings;
let redact = (text: string) => text;
let db: Database;
/** Closing waits for it: a thread must not end inside a call of the driver. */
let opening: Promise<Database | undefined> = Promise.resolve(undefined);
/** Stops the job at its next checkpoint, and its waits for a permit. */
let stop = new AbortController();
/** Aborts requests that are under way. */
let cut = new AbortController();
let cutTimer: ReturnType<typeof setTimeout> | undefined;
let calendar: Calendar;
let requests = 0;
const waiting = new Map<number, { granted(): void; held(wait: Wait): void; refused(error: Error): void }>();
const providers = new Map<string, Provider>();

/** Applies the providers' variables; providers are built again when they are next needed. */
function configure(providerValues: WorkerSettings["providerValues"]): void {
  settings = { ...settings, providerValues };
  redact = redactor(secretsOf(providerValues));
  providers.clear();
}

function providerOf(name: string): Provider {
  const known = providers.get(name);
  if (known) return known;
  const provider = redactingProvider(createProvider(name, settings.providerValues, calendar), redact);
  providers.set(name, provider);
  return provider;
}

/** Reserves one request in the limiter on the main thread; rejects when the job is stopped. */
function acquire(provider: string, cost: number, held: (wait: Wait) => void): Promise<Permit> {
  requests += 1;
  const request = requests;
  const { signal } = stop;
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      waiting.delete(request);
      send({ type: "release", request });
      reject(signal.reason);
    };
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const answered = () => {
      waiting.delete(request);
      signal.removeEventListener("abort", onAbort);
    };
    waiting.set(request, {
      held,
      granted() {
        answered();
        resolve({ settle: (report) => send({ type: "settle", request, report }) });
      },
      refused(error) {
        answered();
        reject(error);
      },
    });
    send({ type: "acquire", request, provider, cost });
  });
}

/** Stops the job. On shutdown a request under way may still be answered, so that its batch is stored. */
function halt(reason: Stopped): void {
  stop.abort(reason);
  clearTimeout(cutTimer);
  if (reason.reason === "shutdown") cutTimer = setTimeout(() => cut.abort(reason), GRACE_MS);
  else cut.abort(reason);
}

/** What a stage quotes of its provider is redacted like everything that leaves the worker. */
function withoutSecrets(stage: Stage): Stage {
  if (stage.stage !== "waiting") return "reason" in stage ? { ...stage, reason: redact(stage.reason) } : stage;
  const { wait } = stage;
  return wait.cause === "retry" ? { ...stage, wait: { ...wait, reason: redact(wait.reason) } } : stage;
}

async function work(task: SymbolTask): Promise<void> {
  clearTimeout(cutTimer);
  stop = new AbortController();
  cut = new AbortController();
  let last = { dataPoints: 0, apiCalls: 0 };
  try {
    const outcome = await runSymbol(task, {
      db,
      provider: providerOf(task.provider),
      repairProvider: task.repairProvider === null ? null : providerOf(task.repairProvider),
      calendar,
      signal: stop.signal,
      requestSignal: cut.signal,
      log: (level, message) => send({ type: "log", level, message: redact(message) }),
      alert: () => send({ type: "alert" }),
      acquire: (provider, cost = 1) =>
        acquire(provider, cost, (wait) => send({ type: "stage", stage: { stage: "waiting", wait }, ...last })),
      coverage: (coverage) => send({ type: "coverage", coverage }),
      stage: (stage, counters) => {
        last = counters;
        send({ type: "stage", stage: withoutSecrets(stage), ...counters });
      },
    });
    send({ type: "outcome", outcome });
  } catch (error) {
    if (error instanceof Stopped) return send({ type: "outcome", outcome: { kind: "stopped", reason: error.reason } });
    send({
      type: "log",
      level: "error",
      message: redact(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    send({ type: "outcome", outcome: { kind: "failed", reason: redact(`internal error: ${messageOf(error)}`) } });
  }
}

self.onmessage = async ({ data: message }: MessageEvent<ToWorker>) => {
  switch (message.type) {
    case "open": {
      settings = message.settings;
      calendar = createCalendar(settings.sessions);
      configure(settings.providerValues);
      const opened = openDatabase(settings.dbUrl, settings.dbToken, new WriteLock(settings.writeLock));
      opening = opened;
      db = await opened;
      return send({ type: "ready" });
    }
    case "configure":
      return configure(message.providerValues);
    case "task":
      return work(message.task);
    case "stop":
      return halt(new Stopped(message.reason));
    case "granted":
      return waiting.get(message.request)?.granted();
    case "held":
      return waiting.get(message.request)?.held(message.wait);
    case "refused":
      return waiting
        .get(message.request)
        ?.refused(new ProviderError(message.kind, message.message, message.retryAfter));
    case "close":
      clearTimeout(cutTimer);
      (await opening.catch(() => undefined))?.close();
      return self.terminate();
  }
};
