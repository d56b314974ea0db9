/** Checks everything that Barkeep depends on, and says how to correct what is wrong. */

import { ChannelDispatcher } from "./alerts/channels/channel-dispatcher.ts";
import { MailSettings, UNREADABLE_PASSWORD } from "./alerts/mail-settings.ts";
import { Mailer } from "./alerts/smtp.ts";
import { type LakePlace, lakeName, type QueuePlace, queuePlaceName } from "./config/places.ts";
import { ConfigError, withoutCredentials } from "./config/reader.ts";
import { type Config, readConfig } from "./config.ts";
import { messageOf } from "./domain/errors.ts";
import { createCalendar } from "./domain/market/calendar.ts";
import { isoDate, isoMillisecond } from "./domain/time.ts";
import { versionOf, versionText } from "./installation.ts";
import { OtherOwner } from "./pipeline/lake/manifest.ts";
import { openLake } from "./pipeline/lake/open-lake.ts";
import { waitingFeatures } from "./pipeline/lake/sync-lake.ts";
import type { Gate } from "./pipeline/workers/gate.ts";
import { missingSettings } from "./providers/entry.ts";
import { RateLimiter } from "./providers/quotas/rate-limiter.ts";
import { findProvider, listProviders, quotaRules, secretsOf } from "./providers/registry.ts";
import { redactor } from "./redact.ts";
import { storedFailure } from "./scheduler/lake.ts";
import { checkQueue } from "./scheduler/queue/bullmq/check-queue.ts";
import { checkProvider, sampleSymbol, temporaryPlan } from "./scheduler/settings/provider-check.ts";
import { ProviderSettings } from "./scheduler/settings/provider-settings.ts";
import { lostSnapshots } from "./scheduler/snapshots.ts";
import { listChannels } from "./storage/alerts/channels.ts";
import {
  compareSchema,
  type Database,
  EmptiedFile,
  migrateDatabase,
  NEWER_SCHEMA,
  NoDatabase,
  openDatabase,
  openExisting,
  storageFault,
} from "./storage/db.ts";
import { findDamage } from "./storage/maintenance.ts";
import { countChanges } from "./storage/market/lake-changes.ts";
import { openCipher } from "./storage/settings.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface Finding {
  readonly what: string;
  /** What is wrong, or `null`. */
  readonly fault: string | null;
  readonly advice?: string;
}

const UNREADABLE_ADVICE = "Start with the previous BARKEEP_SECRET, or enter it again on the settings page.";
const CHANNEL_ADVICE = "Change it on /alerts/channels.";
/** Time limit for the answer of a provider or mail server, milliseconds. */
const TIMEOUT_MS = 10_000;

/** Checks settings, database, providers, job queue and mail server, one after the other. */
export async function* diagnose(env: Env): AsyncGenerator<Finding> {
  let config: Config;
  try {
    config = readConfig(env, listProviders(env));
  } catch (error) {
    const faults = error instanceof ConfigError ? error.faults : [];
    for (const { variable, value, wants } of faults) {
      yield { what: `setting ${variable}`, fault: `is ${JSON.stringify(value)}`, advice: `Set it to ${wants}.` };
    }
    if (faults.length === 0) throw error;
    return;
  }
  yield { what: `version ${versionText(versionOf(config.commit))}, Bun ${Bun.version}`, fault: null };
  yield { what: "settings", fault: null };
  yield* diagnoseDatabase(config);
  yield* diagnoseProviders(config, env);
  if (config.queue !== undefined) yield await diagnoseQueue(config.queue);
  yield await diagnoseMail(config);
  yield* diagnoseChannels(config);
}

async function diagnoseQueue(place: QueuePlace): Promise<Finding> {
  const fault = await checkQueue(place, TIMEOUT_MS);
  const advice = "Check BARKEEP_QUEUE, that server and the network to it. Jobs are kept in the database meanwhile.";
  return { what: `job queue ${queuePlaceName(place)}`, fault, ...(fault !== null && { advice }) };
}

async function* diagnoseDatabase({ dbUrl, dbToken, lake }: Config): AsyncGenerator<Finding> {
  const what = `database ${withoutCredentials(dbUrl)}`;
  let db: Database;
  try {
    db = await openExisting(dbUrl, dbToken);
  } catch (error) {
    const isNew = error instanceof NoDatabase;
    yield { what, fault: isNew ? null : messageOf(error), advice: isNew ? IS_NEW : adviceFor(error) };
    return;
  }
  try {
    const { missing, unknown } = await compareSchema(db);
    const damage = db.local ? await findDamage(db) : [];
    if (damage.length > 0) yield { what, fault: damage.join("; "), advice: RESTORE };
    else if (unknown > 0) yield { what, fault: NEWER_SCHEMA };
    else if (missing > 0) yield { what, fault: null, advice: "The next start of the server brings it up to date." };
    else {
      yield { what, fault: null };
      yield* diagnoseSnapshots(db, dbUrl);
      if (lake !== undefined) yield await diagnoseLake(db, lake);
    }
  } catch (error) {
    yield { what, fault: messageOf(error), advice: adviceFor(error) };
  } finally {
    db.close();
  }
}

/** Backups have the records of snapshots, not their files. */
async function* diagnoseSnapshots(db: Database, dbUrl: string): AsyncGenerator<Finding> {
  const { folder, kept, lost } = await lostSnapshots(db, dbUrl);
  if (kept === 0) return;
  const what = `snapshots in ${folder}`;
  const fault = lost.length === 0 ? null : `the files of ${lost.length} of ${kept} are missing, first ${lost[0]}`;
  yield { what, fault, advice: fault === null ? NO_BACKUP : "Copy the folder back from where it was, or delete them." };
}

/** What the server has stored about it, and whether its manifest can be read; `barkeep lake check` reads the files. */
async function diagnoseLake(db: Database, place: LakePlace): Promise<Finding> {
  const what = `lake ${lakeName(place)}`;
  const failure = await storedFailure(db);
  const advice =
    place.type === "folder"
      ? "Check who may write there, and its space. A server tries it again every minute."
      : "Check the variables S3_… and what the key may do. A server tries it again every minute.";
  if (failure !== null) {
    const fault = `could not be written since ${isoMillisecond(failure.at / 1_000)}: ${failure.reason}`;
    return failure.reason === new OtherOwner().message ? { what, fault } : { what, fault, advice };
  }
  try {
    await openLake(place, { waits: [], deadline: TIMEOUT_MS }).manifest();
  } catch (error) {
    return { what, fault: messageOf(error), advice };
  }
  const [years, features] = [await countChanges(db), await waitingFeatures(db)];
  if (years + features === 0) return { what, fault: null };
  const waiting = `${years} years of bars and the features of ${features} series wait to be written`;
  return { what, fault: null, advice: `${waiting}, which a running server does.` };
}

const NO_BACKUP = "Backups of the database have no files of snapshots: copy this folder as well.";
const IS_NEW =
  "There is no file yet: the first start of the server creates it. If your data should be there, check BARKEEP_DB_URL.";
const RESTORE = "Stop the server and restore the newest backup; keep the damaged file until the new one is checked.";

/** What to do about a database that cannot be opened or read. */
function adviceFor(error: unknown): string {
  if (error instanceof Error && error.cause instanceof EmptiedFile) return RESTORE;
  const fault = storageFault(error);
  if (fault === null) return "Check BARKEEP_DB_URL, BARKEEP_DB_TOKEN and who may read and write there.";
  return fault.kind === "damaged" ? RESTORE : fault.advice;
}

const askedWith = (name: string) => `barkeep doctor --provider ${name} makes one request.`;

/** Contacts the providers that are set up, in the environment or on the settings page. */
async function* diagnoseProviders(config: Config, env: Env): AsyncGenerator<Finding> {
  const settings = await providerSettings(config).catch(() => null);
  const values = settings?.values ?? config.providerValues;
  for (const entry of listProviders(values)) {
    const what = `provider ${entry.name}`;
    const states = settings?.describe(entry) ?? [];
    const isSet = states.some(({ source }) => source === "environment" || source === "page");
    const unreadable = states.filter(({ source }) => source === "unreadable").map(({ variable }) => variable);
    const inUse = entry.name === config.provider || isSet || entry.settings.some(({ variable }) => env[variable]);
    const missing = missingSettings(entry, values);
    if (unreadable.length > 0) {
      const fault = `${unreadable.join(", ")} is stored, but cannot be read with this BARKEEP_SECRET`;
      yield { what, fault, advice: UNREADABLE_ADVICE };
    } else if (missing.length > 0) {
      const advice = `To use it set ${missing.join(", ")}.`;
      yield { what, fault: inUse ? `${missing.join(", ")} not set` : null, advice };
    } else {
      const url = entry.settings.filter(({ kind }) => kind === "url").map(({ variable }) => values[variable])[0];
      if (url === undefined) yield { what, fault: null };
      else if (inUse) yield await reach(what, url);
      else yield { what, fault: null, advice: `Not contacted, as nothing is set for it: ${askedWith(entry.name)}` };
    }
  }
}

/** What one provider answered; `null` where there is no provider of that name. */
interface Examination {
  /** What is wrong, or `null`. */
  readonly fault: string | null;
  /** What was seen, one line each. */
  readonly seen: readonly string[];
}

/** Makes the cheapest requests to a provider, with the settings that the server would use. Nothing is stored. */
export async function examineProvider(env: Env, name: string): Promise<Examination | null> {
  const config = readConfig(env, listProviders(env));
  const entry = findProvider(name);
  if (entry === undefined) return null;
  const settings = await providerSettings(config).catch(() => null);
  const values = settings?.values ?? config.providerValues;
  const missing = missingSettings(entry, values);
  if (missing.length > 0) return { fault: `not set: ${missing.join(", ")}`, seen: [] };
  if (entry.limits(values).length === 0) return { fault: null, seen: ["it sends no requests"] };
  const provider = entry.create(values, createCalendar(config.sessions));
  const limiter = new RateLimiter(quotaRules(values).filter((rules) => rules.provider === entry.name));
  const gate: Gate = {
    acquire: ({ task, held: onWait, ...request }) =>
      limiter.acquire({ ...request, run: task.runId, job: String(task.jobId), onWait }),
  };
  try {
    const { good, text, quota, plan, newest } = await checkProvider(
      provider,
      { gate, plan: temporaryPlan(), redact: redactor([config.secret, ...secretsOf(values)]) },
      { entry, values, withBars: true },
    );
    if (!good) return { fault: text, seen: [] };
    const bar = newest && `newest bar: ${newest.symbol} 1d ${isoDate(newest.date)}, close ${newest.close}`;
    return {
      fault: null,
      seen: [
        text,
        ...quota.map((line) => `quota: ${line}`),
        ...plan.map((line) => `plan: ${line}`),
        bar ?? `no bars of ${sampleSymbol(entry)} in the last days`,
      ],
    };
  } finally {
    limiter.close();
  }
}

/** The settings that the server would use: from the environment or the settings page. */
const providerSettings = (config: Config): Promise<ProviderSettings> =>
  withDatabase(config, (db) => ProviderSettings.open(db, config, { write: () => {} }));

/** Logs in to the mail server, and sends nothing. */
async function diagnoseMail(config: Config): Promise<Finding> {
  const settings = await mailSettings(config).catch(() => null);
  const account = settings?.account ?? null;
  if (account === null) {
    if (settings?.unreadable) return { what: "mail server", fault: UNREADABLE_PASSWORD, advice: UNREADABLE_ADVICE };
    const advice = "To get alerts by mail set SMTP_URL and ALERT_TO, or the mail server on the settings page.";
    return { what: "mail server", fault: null, advice };
  }
  const what = `mail server ${new URL(account.url).host}`;
  try {
    await new Mailer(account, TIMEOUT_MS).verify();
    return { what, fault: null };
  } catch (error) {
    const advice = "Check its host, port, user and password; smtps:// is for TLS from the first byte (port 465).";
    return { what, fault: messageOf(error), advice };
  }
}

/** The channels for alerts, which are read and not contacted. */
async function* diagnoseChannels(config: Config): AsyncGenerator<Finding> {
  const channels = await withDatabase(config, async (db) => {
    // The cipher of a database without any would be stored by reading it.
    if ((await listChannels(db)).length === 0) return [];
    const cipher = config.secret === undefined ? null : await openCipher(db, config.secret);
    return (await ChannelDispatcher.open({ db, cipher, log: { write: () => {} } })).list();
  }).catch(() => []);
  for (const { name, unreadable, fault } of channels) {
    const what = `channel ${name}`;
    const unread = { fault: "its address cannot be read with this BARKEEP_SECRET", advice: UNREADABLE_ADVICE };
    yield { what, ...(unreadable ? unread : { fault, ...(fault !== null && { advice: CHANNEL_ADVICE }) }) };
  }
}

/** The settings that the server would use: from the environment or the settings page. */
const mailSettings = (config: Config): Promise<MailSettings> =>
  withDatabase(config, (db) => MailSettings.open({ db, config, log: { write: () => {} }, onChange: async () => {} }));

/** Reads from the database, or from an empty one if there is none yet; other faults are reported by `diagnoseDatabase`. */
async function withDatabase<T>({ dbUrl, dbToken }: Config, read: (db: Database) => Promise<T>): Promise<T> {
  const db = await openExisting(dbUrl, dbToken).catch(async (error) => {
    if (!(error instanceof NoDatabase)) throw error;
    const empty = await openDatabase("file::memory:");
    await migrateDatabase(empty);
    return empty;
  });
  try {
    return await read(db);
  } finally {
    db.close();
  }
}

/** Any answer counts: the key is only checked by the first request. */
async function reach(what: string, url: string): Promise<Finding> {
  try {
    await fetch(url, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { what, fault: null };
  } catch (error) {
    const advice = `Check the network and the base URL ${withoutCredentials(url)}.`;
    return { what, fault: `cannot be reached: ${messageOf(error)}`, advice };
  }
}
