/** A worker thread: many jobs at once, with a way to the store and providers of its own. */

import { messageOf, traceOf, withoutPaths } from "../../domain/errors.ts";
import { type Calendar, createCalendar } from "../../domain/market/calendar.ts";
import type { Stage, Wait } from "../../domain/runs/progress.ts";
import { accountWith, buildProvider, type ProviderEntry } from "../../providers/entry.ts";
import { loadEntry } from "../../providers/load-entry.ts";
import type { Provider } from "../../providers/provider.ts";
import { redactor } from "../../redact.ts";
import { storageFault } from "../../storage/db.ts";
import { JobLost } from "../../storage/runs/attempts.ts";
import { Stopped } from "../job-context.ts";
import { LeasedPermits } from "../leased-permits.ts";
import {
  type FromWorker,
  type JobReport,
  type ProviderVariables,
  providerError,
  type RemoteSettings,
  type SymbolTask,
  type ToWorker,
  type WorkerSettings,
} from "../messages.ts";
import { PermitRequests } from "../permit-requests.ts";
import { openStore, type StoreAccess } from "../remote/store-access.ts";
import { planMemory } from "../store/plan-memory.ts";
import { JobSignals } from "./job-signals.ts";
import { Mutex } from "./mutex.ts";
import { runSymbol } from "./process-symbol.ts";
import { redactingProvider } from "./redacting-provider.ts";
import { SharedRequests } from "./shared-requests.ts";

declare const self: Pick<Worker, "onmessage" | "postMessage">;

/** The number of this thread among those that lease permits together. */
const THREAD = 0;
/** How long a database in trouble may delay a shutdown, milliseconds; the server exits after nine seconds. */
const LAST_WRITE_MS = 3_000;

/** What all jobs report in one turn of the event loop is sent together: a message costs more than its content. */
let unsent: FromWorker[] = [];

function send(message: FromWorker): void {
  unsent.push(message);
  if (unsent.length === 1) setImmediate(sendAll);
}

function sendAll(): void {
  const messages = unsent;
  unsent = [];
  if (messages.length > 0) self.postMessage(messages);
}

let settings: WorkerSettings | RemoteSettings;
let redact = (text: string) => text;
let access: StoreAccess;
/** Closing waits for it: a thread must not end inside a call of the driver. */
let opening: Promise<StoreAccess | undefined> = Promise.resolve(undefined);
let isClosing = false;
let calendar: Calendar;
/** The providers of which this thread has had jobs; they stay when their variables change. */
const entries = new Map<string, ProviderEntry>();
const providers = new Map<string, Provider>();
/** The account names of providers with their keys. */
const accounts = new Map<string, string>();
/** The jobs at work, by id. */
const jobs = new Map<number, JobSignals>();
const permits = new PermitRequests();
/** Those leased ahead; on another machine its main thread leases them, for all of its threads. */
const leased = new LeasedPermits({
  report: (_thread, report) => send(report),
  tell: (_thread, order) => void obey(order),
});
const sharedRequests = new SharedRequests();
/** Computing features holds a whole series in memory: one job of this thread at a time. */
const engineerMutex = new Mutex();

/** Applies the providers' variables; providers are built again when they are next needed. */
function configure({ providerValues, secrets }: ProviderVariables): void {
  settings = { ...settings, providerValues, secrets };
  redact = redactor(secrets);
  providers.clear();
  accounts.clear();
}

const accountOf = (provider: string) =>
  accounts.getOrInsertComputed(provider, () => accountWith(provider, entries.get(provider), settings.providerValues));

/** @throws RangeError for an unknown name, or naming the required variables that are empty */
async function providerOf(name: string): Promise<Provider> {
  const known = providers.get(name);
  if (known) return known;
  const entry = entries.get(name) ?? (await loadEntry(name));
  // Under its present name too: that is what the provider says of itself.
  entries.set(name, entry).set(entry.name, entry);
  // Another job may have built it meanwhile, or the variables may have changed.
  return providers.getOrInsertComputed(name, () =>
    redactingProvider(buildProvider(entry, settings.providerValues, calendar), redact),
  );
}

/** What a stage quotes of its provider is redacted like everything that leaves the worker. */
function withoutSecrets(stage: Stage): Stage {
  if (stage.stage !== "waiting") return "reason" in stage ? { ...stage, reason: redact(stage.reason) } : stage;
  const { wait } = stage;
  return wait.cause === "retry" ? { ...stage, wait: { ...wait, reason: redact(wait.reason) } } : stage;
}

/** @param hasOthers whether other jobs were at work when it began */
async function work(task: SymbolTask, hasOthers: boolean): Promise<void> {
  const { jobId, attempt } = task;
  const store = access.of(task);
  const signals = new JobSignals();
  jobs.set(jobId, signals);
  const report = (message: JobReport) => {
    if (attempt === undefined) leased.reported(THREAD, { ...message, jobId });
    else send({ ...message, jobId, attempt });
  };
  try {
    const outcome = await runSymbol(task, {
      store,
      provider: await providerOf(task.provider),
      repairProvider: task.repairProvider === null ? null : await providerOf(task.repairProvider),
      calendar,
      signal: signals.job,
      requestSignal: signals.request,
      engineerAlone: (compute, onWait) => engineerMutex.run(signals.job, compute, onWait),
      log: (level, message) => report({ type: "log", level, message: redact(message) }),
      alert: () => report({ type: "alert" }),
      async committing(write) {
        report({ type: "committing", isCommitting: true });
        try {
          return await write(hasOthers || jobs.size > 1);
        } finally {
          report({ type: "committing", isCommitting: false });
        }
      },
      acquire(provider, cost = 1, counters) {
        const held = (wait: Wait) => report({ type: "stage", stage: { stage: "waiting", wait }, ...counters() });
        return permits.acquire({ provider, cost, signal: signals.job, held }, report);
      },
      shared: (key, part, make) => sharedRequests.request({ key, part, signal: signals.job }, make, report),
      coverage: (coverage) => report({ type: "coverage", coverage }),
      leftOut: (cuts) => report({ type: "left_out", cuts }),
      plan: (provider) => planMemory(store, accountOf(provider)),
      stage: (stage, counters) => report({ type: "stage", stage: withoutSecrets(stage), ...counters }),
    });
    report({ type: "outcome", outcome });
  } catch (error) {
    if (error instanceof Stopped) {
      return report({ type: "outcome", outcome: { kind: "stopped", reason: error.reason } });
    }
    if (error instanceof JobLost) return report({ type: "outcome", outcome: { kind: "lost" } });
    const fault = storageFault(error);
    if (fault !== null) {
      if (!fault.canPass) send({ type: "storage", trouble: { ...fault, since: Date.now() } });
      return report({ type: "outcome", outcome: { kind: "held", fault } });
    }
    report({ type: "log", level: "error", message: redact(traceOf(error)) });
    report({
      type: "outcome",
      outcome: { kind: "failed", reason: redact(`internal error: ${withoutPaths(messageOf(error))}`) },
    });
  } finally {
    signals.close();
    // It may have been given to this thread again.
    if (jobs.get(jobId) === signals) jobs.delete(jobId);
  }
}

self.onmessage = ({ data }: MessageEvent<readonly ToWorker[]>) => {
  for (const message of data) if (!leased.ordered(THREAD, message)) void obey(message);
};

async function obey(message: ToWorker): Promise<void> {
  switch (message.type) {
    case "open": {
      settings = message.settings;
      calendar = createCalendar(settings.sessions);
      configure(settings);
      const opened = openStore(
        settings,
        () => isClosing,
        (trouble) => send({ type: "storage", trouble }),
      );
      opening = opened;
      access = await opened;
      return send({ type: "ready" });
    }
    case "configure":
      return configure(message);
    case "task":
      return work(message.task, message.hasOthers);
    case "stop":
      // What cannot be written soon is fetched again after the next start.
      if (message.reason === "shutdown") access.hurry(LAST_WRITE_MS);
      return jobs.get(message.jobId)?.stop(message.reason);
    case "storage_recovered":
      return access.flush();
    case "granted":
      return permits.granted(message.request, message.until);
    case "held":
      return permits.held(message.request, message.wait);
    case "refused":
      return permits.refused(message.request, providerError(message));
    case "share_lead":
      return sharedRequests.lead(message.share);
    case "share_answer":
      return sharedRequests.answer(message.share, message.value);
    case "share_refused":
      return sharedRequests.refuse(message.share, providerError(message.error));
    case "close":
      isClosing = true;
      (await opening.catch(() => undefined))?.close();
      sendAll();
      return process.exit();
  }
}
