/** The settings, read once from the environment (Bun also reads `.env`). */

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { isLoopback, passwordWeakness } from "./auth.ts";
import { type LakePlace, type QueuePlace, readLake, readLakeFeatures, readQueue } from "./config/places.ts";
import { ConfigError, type ConfigFault, type Env, isDecodable, isWebUrl, Reader } from "./config/reader.ts";
import { canonicalProvider, MAX_THREADS } from "./domain/defaults.ts";
import { messageOf } from "./domain/errors.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "./domain/log.ts";
import { createCalendar } from "./domain/market/calendar.ts";
import type { CalendarOverrides } from "./domain/market/session-exceptions.ts";

export interface Config {
  /** 0 = any free port. */
  readonly port: number;
  readonly host: string;
  /** `file:…`, or the `libsql://` / `http(s)://` URL of a remote server. */
  readonly dbUrl: string;
  readonly dbToken: string | undefined;
  /** Decrypts the keys stored in the database; without it keys come only from the environment. */
  readonly secret: string | undefined;
  /** The login password, in plain text or as a hash; without either there is no login (loopback only). */
  readonly password: string | undefined;
  readonly passwordHash: string | undefined;
  /** Whether requests that change something are refused. */
  readonly readOnly: boolean;
  /** Worker threads, which compute; each carries many symbols whose requests are under way. */
  readonly workers: number;
  /** Provider of a run that names none. */
  readonly provider: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** The token with which the command line talks to a server that has a password. */
  readonly token: string | undefined;
  /** The commit that was built, where the build knows it. */
  readonly commit: string | undefined;
  /** How long log lines and finished runs are kept, days. */
  readonly logDays: number;
  readonly runDays: number;
  /** The providers' own variables (keys, base URLs, folders), checked and with their defaults. */
  readonly providerValues: Readonly<Record<string, string | undefined>>;
  /** Addresses and networks of the proxies whose forwarded headers count. */
  readonly trustedProxies: readonly string[];
  /** How the server is reached from outside, for links in mails; `undefined`: where it listens. */
  readonly publicUrl: string | undefined;
  /** The mail account for alerts, if the environment sets it. */
  readonly mail: { readonly url: string; readonly from: string; readonly to: readonly string[] } | undefined;
  /** Whether a mail password may go to another machine without TLS. */
  readonly allowsPlainMailPassword: boolean;
  /** Closures and short days on top of the built-in calendar, from the file that BARKEEP_CALENDAR names. */
  readonly sessions: CalendarOverrides;
  /** Where all stored bars are kept as Parquet files too; `undefined`: nowhere. */
  readonly lake: LakePlace | undefined;
  /** The series whose features are kept there too: `all`, intervals, and single ones as `AAPL:1m`. */
  readonly lakeFeatures: readonly string[];
  /** Where jobs wait for other processes too; `undefined`: in this one. */
  readonly queue: QueuePlace | undefined;
  /** The providers' variables that the environment sets: the settings page cannot change them. */
  readonly providerVariablesSet: readonly string[];
}

/** What the configuration reads of a provider: its name and the variables it declares. */
export interface ProviderDeclaration {
  readonly name: string;
  readonly settings: readonly ProviderSetting[];
}

/** A variable that a provider declares: read here, and shown on the settings page. */
export interface ProviderSetting {
  readonly variable: string;
  /** `key` is a secret: write-only on the page, never printed. */
  readonly kind: "key" | "url" | "folder" | "milliseconds" | "count" | "choice";
  /** What it is, in a few words. */
  readonly label: string;
  readonly default?: string;
  /** The values of a `choice`. */
  readonly options?: readonly string[];
  /** Whether the provider cannot be used without it. */
  readonly required?: boolean;
  /** The only value with which the provider can be used: a switch. */
  readonly wants?: string;
}

/** Fewest characters: shorter ones are too easy to guess. */
const MIN_SECRET = 16;
const MIN_PASSWORD = 8;

/** More threads than processors only compute slower: each compiles the features for itself. Two keep a queue moving. */
const usefulThreads = () => Math.max(2, availableParallelism());
const usualThreads = () => Math.max(1, Math.min(8, availableParallelism()));

/**
 * Resolves the settings.
 * @param providers those a run may use, with their variables, so that a wrong one fails the start and not the first run
 * @throws ConfigError that lists every fault at once
 */
export function readConfig(env: Env, providers: readonly ProviderDeclaration[]): Config {
  const read = new Reader(env);
  const names = providers.map(({ name }) => name);
  const config: Config = {
    port: read.integer("PORT", 3000, 0, 65_535),
    host: read.matching("HOST", "127.0.0.1", /^[A-Za-z0-9.:_-]+$/, "a host name or an IP address"),
    dbUrl: read.matching(
      "BARKEEP_DB_URL",
      "file:data/barkeep.db",
      // The path of `file://data/x.db` would be that of a host: it was read as /data/x.db.
      /^(file:(?!\/\/[^/]|:memory:)[^\s?#]+|(libsql|https?):\/\/\S+)$/,
      "file:PATH (one slash or three before an absolute path), or the libsql:// or http(s):// URL of a libSQL server",
    ),
    dbToken: read.text("BARKEEP_DB_TOKEN"),
    secret: read.secret("BARKEEP_SECRET", MIN_SECRET),
    password: read.secret("BARKEEP_PASSWORD", MIN_PASSWORD),
    passwordHash: readPasswordHash(read),
    readOnly: read.choice("BARKEEP_READ_ONLY", "false", ["true", "false"]) === "true",
    workers: Math.min(read.integer("BARKEEP_WORKERS", usualThreads(), 1, MAX_THREADS), usefulThreads()),
    provider: read.choice("BARKEEP_PROVIDER", "demo", names, canonicalProvider),
    logLevel: read.choice("BARKEEP_LOG_LEVEL", "info", LOG_LEVELS),
    logFormat: read.choice("BARKEEP_LOG_FORMAT", "text", LOG_FORMATS),
    token: read.text("BARKEEP_TOKEN"),
    commit: read.text("BARKEEP_COMMIT"),
    logDays: read.integer("BARKEEP_LOG_DAYS", 30, 1, 3_650),
    runDays: read.integer("BARKEEP_RUN_DAYS", 365, 1, 36_500),
    providerValues: { ...readProviderValues(read, providers), BARKEEP_CCXT: readExchanges(read) },
    trustedProxies: readProxies(read),
    publicUrl: read.text("BARKEEP_URL") && read.matching("BARKEEP_URL", "", isWebUrl, "an http:// or https:// URL"),
    mail: readMail(read),
    allowsPlainMailPassword: read.choice("SMTP_PLAIN_PASSWORD", "refuse", ["refuse", "allow"]) === "allow",
    sessions: readSessions(read),
    lake: readLake(read),
    lakeFeatures: readLakeFeatures(read),
    queue: readQueue(read),
    providerVariablesSet: providers
      .flatMap(({ settings }) => settings.map(({ variable }) => variable))
      .filter((variable) => read.text(variable) !== undefined),
  };
  read.faults.push(...passwordFaults(config));
  for (const { variable, label, required } of providers.find(({ name }) => name === config.provider)?.settings ?? []) {
    // A key may also be stored in the database, if there is a secret to decrypt it with.
    if (!required || config.providerValues[variable] !== undefined || config.secret !== undefined) continue;
    read.faults.push({ variable, value: "", wants: `a value (${label}): BARKEEP_PROVIDER is ${config.provider}` });
  }
  if (read.faults.length > 0) throw new ConfigError(read.faults);
  return config;
}

/** No comments, quotes and control characters: mail servers and programs read those in more than one way, or not at all. */
const ADDRESS_PART = String.raw`[^\s<>@,;()"\\\p{Cc}]+`;
const ADDRESS = `${ADDRESS_PART}@${ADDRESS_PART}`;
const MAIL_ADDRESS = new RegExp(String.raw`^(?:[^<>\p{Cc}]*<${ADDRESS}>|${ADDRESS})$`, "u");

/** One address, bare or with a name: `ops@example.com`, `Barkeep <ops@example.com>`. */
export const isMailAddress = (text: string): boolean => MAIL_ADDRESS.test(text);

/** A mail server's address, with or without a user and password. */
export function isMailServer(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== "" && isDecodable(url);
}

/** SMTP_URL and ALERT_TO require each other; without ALERT_FROM the sender is the first recipient. */
function readMail(read: Reader): Config["mail"] {
  const url = read.text("SMTP_URL");
  const recipients = read.text("ALERT_TO");
  const from = read.text("ALERT_FROM");
  const to = (recipients ?? "").split(",").flatMap((each) => each.trim() || []);
  if (url !== undefined && !isMailServer(url)) {
    const wants = "smtp://USER:PASSWORD@HOST:587, or smtps:// with TLS from the first byte (special characters as %40)";
    read.faults.push({ variable: "SMTP_URL", value: url.replace(/^.*@/s, "***@"), wants });
    return undefined;
  }
  if (recipients !== undefined && (to.length === 0 || !to.every(isMailAddress))) {
    read.faults.push({ variable: "ALERT_TO", value: recipients, wants: "mail addresses, with commas between" });
  }
  if (from !== undefined && !isMailAddress(from)) {
    read.faults.push({
      variable: "ALERT_FROM",
      value: from,
      wants: "a mail address, e.g. Barkeep <barkeep@example.com>",
    });
  }
  if (url === undefined && (recipients ?? from) !== undefined) {
    const variable = recipients === undefined ? "ALERT_FROM" : "ALERT_TO";
    read.faults.push({ variable: "SMTP_URL", value: "", wants: `a mail server (smtp://HOST:587): ${variable} is set` });
  }
  if (url === undefined) return undefined;
  if (to.length === 0) {
    if (recipients === undefined)
      read.faults.push({ variable: "ALERT_TO", value: "", wants: "who gets the mails: SMTP_URL is set" });
    return undefined;
  }
  return { url, from: from ?? to[0]!, to };
}

/** `127.0.0.1, 10.0.0.0/8, fd00::/8` */
function readProxies(read: Reader): string[] {
  const variable = "BARKEEP_TRUSTED_PROXIES";
  const value = read.text(variable) ?? "";
  const proxies = value.split(",").flatMap((each) => each.trim() || []);
  const isNetwork = (each: string) => {
    const [address = "", bits = "0", more] = each.split("/");
    const most = isIP(address) === 6 ? 128 : 32;
    return isIP(address) !== 0 && more === undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
  };
  if (proxies.every(isNetwork)) return proxies;
  read.faults.push({ variable, value, wants: "IP addresses or networks like 10.0.0.0/8, with commas between" });
  return [];
}

function readPasswordHash(read: Reader): string | undefined {
  const variable = "BARKEEP_PASSWORD_HASH";
  const value = read.text("BARKEEP_PASSWORD_HASH");
  if (value === undefined || /^\$(argon2(id|i|d)|2[aby])\$\S+$/.test(value)) return value;
  // In .env a dollar sign begins a variable, so only pieces of an unescaped hash arrive here.
  const wants = "an argon2 or bcrypt hash as Bun.password.hash gives it, with a backslash before each $ in .env";
  read.faults.push({ variable, value: `${value.length} characters`, wants });
  return undefined;
}

/** Without a password anybody who can reach the server can do everything, so it must be on loopback. */
function passwordFaults({ host, password, passwordHash }: Config): ConfigFault[] {
  const variable = "BARKEEP_PASSWORD";
  if (password !== undefined && passwordHash !== undefined) {
    return [{ variable, value: "a password", wants: "nothing, because BARKEEP_PASSWORD_HASH is set too" }];
  }
  const weakness = password === undefined || password.length < MIN_PASSWORD ? null : passwordWeakness(password);
  if (weakness !== null) return [{ variable, value: "a password that is easy to guess", wants: weakness }];
  if (isLoopback(host) || password !== undefined || passwordHash !== undefined) return [];
  const wants = `a password (or BARKEEP_PASSWORD_HASH its hash), because HOST=${host} opens Barkeep to the network`;
  return [{ variable, value: "", wants }];
}

/**
 * A calendar file: `{"closed": ["2026-06-10"], "early": {"2026-06-11": "13:00"}, "open": []}` for New York, each list
 * optional; the same under the code of another exchange: `{"XLON": {"closed": ["2026-06-10"]}}`.
 */
function readSessions(read: Reader): CalendarOverrides {
  const path = read.text("BARKEEP_CALENDAR");
  if (path === undefined) return {};
  try {
    const sessions = JSON.parse(readFileSync(path, "utf8"));
    createCalendar(sessions);
    return sessions;
  } catch (error) {
    const wants = `a JSON file like {"closed": ["2026-06-10"], "early": {"2026-06-11": "13:00"}} (${messageOf(error)})`;
    read.faults.push({ variable: "BARKEEP_CALENDAR", value: path, wants });
    return {};
  }
}

/** The exchanges of the package ccxt that are providers, by their ids. */
function readExchanges(read: Reader): string | undefined {
  const ids = "ids of exchanges in ccxt, in small letters, with commas, such as kraken,coinbase";
  return read.matching("BARKEEP_CCXT", "", /^[a-z][a-z0-9]{1,29}(?:\s*,\s*[a-z][a-z0-9]{1,29})*$/, ids) || undefined;
}

function readProviderValues(read: Reader, providers: readonly ProviderDeclaration[]) {
  const values: Record<string, string | undefined> = {};
  for (const { variable, kind, options = [], default: fallback = "" } of providers.flatMap(
    ({ settings }) => settings,
  )) {
    if (kind === "milliseconds") values[variable] = String(read.integer(variable, Number(fallback), 0, 60_000));
    else if (kind === "count") values[variable] = String(read.integer(variable, Number(fallback), 1, 1_000_000_000));
    else if (kind === "choice") {
      const wants = options.join(" or ");
      values[variable] = read.matching(variable, fallback, new RegExp(`^(?:${options.join("|")})$`), wants);
    } else if (kind === "url")
      values[variable] = read.matching(variable, fallback, /^https?:\/\/\S+$/, "an http:// or https:// URL");
    else values[variable] = read.text(variable) ?? (fallback || undefined);
  }
  return values;
}
