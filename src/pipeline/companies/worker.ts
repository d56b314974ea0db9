/** A thread for one list of companies: parses a file's text or fetches the list from a provider, and stores it. */

import type { BadLine, Company } from "../../domain/companies.ts";
import { messageOf, ProviderError, type ProviderErrorKind } from "../../domain/errors.ts";
import type { LogLevel } from "../../domain/log.ts";
import { createCalendar } from "../../domain/market/calendar.ts";
import type { FetchContext, Permit, Provider, QuotaReport } from "../../providers/provider.ts";
import { createProvider, secretsOf } from "../../providers/registry.ts";
import { redactor } from "../../redact.ts";
import { recordCompanyList, storeCompanies } from "../../storage/companies/companies.ts";
import { openShared } from "../../storage/db.ts";
import type { LimiterAnswer, WorkerSettings } from "../messages.ts";
import { readCompanyFile } from "./parse-file.ts";

/** What to load. */
export type CompanyTask =
  | { readonly source: "file"; readonly text: string }
  | { readonly source: "provider"; readonly provider: string; readonly exchange: string }
  | { readonly source: "facts"; readonly provider: string; readonly symbols: readonly string[] };

export type ToLoader =
  | { readonly type: "load"; readonly settings: WorkerSettings; readonly companyTask: CompanyTask }
  | { readonly type: "stop"; readonly reason: string }
  | LimiterAnswer;

/** The result of a load. */
export interface Loaded {
  /** Companies stored. */
  readonly companies: number;
  /** Lines of a file that were left out. */
  readonly bad: readonly BadLine[];
}

export type FromLoader =
  | { readonly type: "acquire"; readonly request: number; readonly provider: string; readonly cost: number }
  | { readonly type: "settle"; readonly request: number; readonly report: QuotaReport }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string }
  | { readonly type: "done"; readonly loaded: Loaded }
  /** `kind` is the kind of provider error, or `null` for any other error. */
  | { readonly type: "failed"; readonly message: string; readonly kind: ProviderErrorKind | null };

declare const self: Pick<Worker, "onmessage" | "postMessage">;

const send = (message: FromLoader) => self.postMessage(message);
let redact = (text: string) => text;
const stop = new AbortController();
const answers = new Map<number, PromiseWithResolvers<Permit>>();

function contextFor(provider: string): FetchContext {
  return {
    signal: stop.signal,
    waiting: () => {},
    log: (level, message) => send({ type: "log", level, message: redact(message) }),
    acquire(cost = 1) {
      const request = answers.size + 1;
      const answer = Promise.withResolvers<Permit>();
      answers.set(request, answer);
      send({ type: "acquire", request, provider, cost });
      return answer.promise;
    },
  };
}

async function load(settings: WorkerSettings, companyTask: CompanyTask): Promise<Loaded> {
  if (companyTask.source === "file") {
    const { companies, bad } = readCompanyFile(companyTask.text);
    await store(settings, async (db) => storeCompanies(db, companies, "import"));
    return { companies: companies.length, bad };
  }
  const { provider: name } = companyTask;
  const provider = createProvider(name, settings.providerValues, createCalendar(settings.sessions));
  if (companyTask.source === "facts") return lookUp(settings, provider, companyTask.symbols);
  const { exchange } = companyTask;
  const companies = (await provider.listCompanies?.(exchange, contextFor(name))) ?? [];
  await store(settings, async (db) => {
    await storeCompanies(db, companies, name);
    await recordCompanyList(db, { provider: name, exchange, companies: companies.length });
  });
  return { companies: companies.length, bad: [] };
}

/** Companies stored at a time: what was found stays if the rest cannot be. */
const STORED_AT_ONCE = 50;

/**
 * Requests the facts of each symbol. One that the provider does not know is left out.
 * @throws ProviderError for a failure that is not that of one symbol
 */
async function lookUp(settings: WorkerSettings, provider: Provider, symbols: readonly string[]): Promise<Loaded> {
  const { name, fetchFacts } = provider;
  const context = contextFor(name);
  const bad: BadLine[] = [];
  let found: Company[] = [];
  let stored = 0;
  const keep = async () => {
    await store(settings, async (db) => storeCompanies(db, found, name));
    stored += found.length;
    found = [];
  };
  try {
    for (const [at, symbol] of symbols.entries()) {
      try {
        found.push(await fetchFacts!(symbol, context));
      } catch (error) {
        const isOne = error instanceof ProviderError && ONE_SYMBOL.has(error.kind);
        if (!isOne) throw error;
        bad.push({ line: at + 1, reason: `${symbol}: ${redact(error.message)}` });
      }
      if (found.length === STORED_AT_ONCE) await keep();
    }
  } finally {
    if (found.length > 0) await keep();
  }
  return { companies: stored, bad };
}

/** Errors after which another symbol may be answered. */
const ONE_SYMBOL: ReadonlySet<ProviderErrorKind> = new Set([
  "unknown_symbol",
  "no_data",
  "bad_request",
  "invalid_response",
]);

async function store(settings: WorkerSettings, write: (db: Awaited<ReturnType<typeof openShared>>) => Promise<void>) {
  const db = await openShared(settings);
  db.fence(settings.lease);
  try {
    await write(db);
  } finally {
    db.close();
  }
}

self.onmessage = async ({ data: message }: MessageEvent<ToLoader>) => {
  switch (message.type) {
    case "load":
      redact = redactor(secretsOf(message.settings.providerValues));
      try {
        send({ type: "done", loaded: await load(message.settings, message.companyTask) });
      } catch (error) {
        const kind = error instanceof ProviderError ? error.kind : null;
        send({ type: "failed", message: redact(messageOf(error)), kind });
      }
      return process.exit();
    case "stop":
      for (const { reject } of answers.values()) reject(new Error(message.reason));
      return stop.abort(new Error(message.reason));
    case "granted": {
      const { request } = message;
      return answers.get(request)?.resolve({ settle: (report) => send({ type: "settle", request, report }) });
    }
    case "refused": {
      const { request, kind, message: why, retryAfter } = message;
      return answers.get(request)?.reject(new ProviderError(kind, why, retryAfter));
    }
  }
};
