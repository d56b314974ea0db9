/** The commands that use the API of a server or of an app in this process. Each returns its exit code. */

import { rmSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { constants } from "node:os";
import { withoutCredentials } from "../config/reader.ts";
import type { Config } from "../config.ts";
import { Refusal } from "../domain/errors.ts";
import { runTitle } from "../domain/runs/run-title.ts";
import { versionOf, versionText } from "../installation.ts";
import { writeStderr } from "../log.ts";
import { compareSchema, isThere, NEWER_SCHEMA, NoDatabase, openExisting, requireDatabase } from "../storage/db.ts";
import { plural, sizeText } from "../views/ui/format.ts";
import { type ApiClient, connect, openLocally } from "./api-client.ts";
import { EXIT } from "./exit-codes.ts";
import { followRun, type ProgressOutput, type RunWire, summaryOf } from "./follow.ts";
import { passOn, placeAt } from "./output-place.ts";
import { onStopSignals } from "./stop-signals.ts";
import { print, printError } from "./terminal.ts";

export interface Common {
  readonly json?: boolean;
  readonly server?: string;
}

export const terminal = (): ProgressOutput => ({
  isTerminal: process.stderr.isTTY === true,
  write: writeStderr,
});

const clientFor = async (config: Config, { server }: Common): Promise<ApiClient> =>
  (await connect(config, server)) ?? openLocally(config);

/**
 * For a command that only reads what is stored, so that it creates no database.
 * @throws NoDatabase if there is none
 */
export async function readerFor(config: Config, { server }: Common): Promise<ApiClient> {
  const connected = await connect(config, server);
  if (connected !== null) return connected;
  requireDatabase(config.dbUrl);
  return openLocally(config);
}

function report(run: RunWire, { json = false }: Common): number {
  console.log(json ? JSON.stringify(run) : summaryOf(run));
  if (run.status === "complete") return EXIT.done;
  return run.counts.complete > 0 && run.counts.failed > 0 ? EXIT.partly : EXIT.failed;
}

export interface RunOptions extends Common {
  readonly name?: string;
  readonly mode?: string;
  readonly interval?: string;
  readonly years?: string;
  readonly from?: string;
  readonly to?: string;
  readonly provider?: string;
  readonly batchDays?: string;
  readonly maxWorkers?: string;
}

/** Starts a run and follows it to its end. */
export async function runCommand(config: Config, symbols: readonly string[], options: RunOptions): Promise<number> {
  const { name, mode, interval, provider, years, from, to, batchDays, maxWorkers } = options;
  const body = {
    symbols,
    ...{ name, mode, interval, provider, from, to },
    years: years === undefined || years === "all" ? years : Number(years),
    batch_days: batchDays === undefined ? undefined : Number(batchDays),
    max_workers: maxWorkers === undefined ? undefined : Number(maxWorkers),
  };
  const text = JSON.stringify(body);
  if (options.server === undefined && !isThere(config.dbUrl)) await checkRun(config, JSON.parse(text));
  await using client = await clientFor(config, options);
  const begin = async () => {
    const headers = { "Content-Type": "application/json" };
    const response = await client.request("/api/runs", { method: "POST", headers, body: text });
    return ((await response.json()) as { run: RunWire }).run.id;
  };
  return report(await followRun(client, begin, options.json ? null : terminal()), options);
}

/**
 * Checks a request before its database is created: a mistyped one, or one in a wrong folder, leaves nothing behind.
 * @throws Refusal naming what is wrong
 */
async function checkRun({ provider, providerValues, sessions }: Config, body: unknown): Promise<void> {
  const [{ parseRunRequest, providerFor }, { ProviderCache }, { createCalendar }] = await Promise.all([
    import("../scheduler/runs/run-request.ts"),
    import("../providers/provider-cache.ts"),
    import("../domain/market/calendar.ts"),
  ]);
  const providers = new ProviderCache(() => providerValues, createCalendar(sessions));
  providerFor(parseRunRequest(body), provider, (name) => providers.find(name));
}

/** Follows a run of the server: the named one, otherwise the newest that is not finished, otherwise the newest. */
export async function watchCommand(config: Config, id: string | undefined, options: Common): Promise<number> {
  const client = await connect(config, options.server);
  if (client === null) {
    console.error("No server holds this database, so no run is under way. Start one with: barkeep serve");
    return EXIT.failed;
  }
  const { runs } = (await (await client.request("/api/runs")).json()) as { runs: RunWire[] };
  const found = id ?? (runs.find(({ finished_at: end }) => end === null) ?? runs[0])?.id;
  if (found === undefined) {
    console.error("There is no run yet. Start one with: barkeep run AAPL");
    return EXIT.failed;
  }
  return report(await followRun(client, async () => found, options.json ? null : terminal()), options);
}

export interface ExportOptions extends Common {
  readonly features?: boolean;
  readonly interval: string;
  readonly from?: string;
  readonly to?: string;
  readonly names?: string;
  readonly adjust?: string;
  readonly provider?: string;
  readonly format: string;
  readonly output?: string;
}

/** Whose bars an answer has: without `--provider` those of the last run. A server of an earlier version does not say it. */
function sourceOf({ headers }: Response, what: string): { provider: string | null; text: string } {
  const provider = headers.get("x-barkeep-provider");
  if (provider === null) return { provider, text: what };
  const note = headers.has("x-barkeep-synthetic") ? " (synthetic bars)" : "";
  return { provider, text: `${what}, provider ${provider}${note}` };
}

/** Writes bars or features of a symbol to a file, or to the standard output. */
export async function exportCommand(config: Config, symbol: string, options: ExportOptions): Promise<number> {
  const place = options.output === undefined ? null : await placeAt(options.output);
  await using client = await readerFor(config, options);
  const { features = false, interval, from, to, names, adjust, provider, format, output, json = false } = options;
  const given = Object.entries({ interval, from, to, names, adjust, provider, format });
  const query = new URLSearchParams(given.filter((each): each is [string, string] => each[1] !== undefined));
  const content = features ? "features" : "bars";
  const response = await client.request(`/api/${content}/${encodeURIComponent(symbol)}?${query}`);
  const source = sourceOf(response, `${content} of ${symbol}, ${interval}`);
  if (place === null || !place.isFile) {
    if (provider === undefined && !json) printError(source.text);
    if (place === null) await Bun.write(Bun.stdout, response);
    else await passOn(response, place.path);
    return EXIT.done;
  }
  // A reader never sees half a file, and an export that fails or is stopped leaves none.
  const part = `${place.path}.part`;
  const unlisten = onStopSignals((signal) => {
    rmSync(part, { force: true });
    process.exit(128 + constants.signals[signal]);
  });
  try {
    const bytes = await Bun.write(part, response, { createPath: false });
    await rename(part, place.path);
    if (json) console.log(JSON.stringify({ file: output, bytes, provider: source.provider }));
    else print(`Wrote ${sizeText(bytes)} to ${output}: ${source.text}`);
  } finally {
    unlisten();
    await rm(part, { force: true });
  }
  return EXIT.done;
}

export interface SnapshotOptions extends Common {
  readonly watchlist?: string;
  readonly interval: string;
  readonly from?: string;
  readonly to?: string;
  readonly names?: string;
  readonly include?: string;
  readonly labels?: string;
  readonly adjust?: string;
  readonly asKnownAt?: string;
  readonly dtype?: string;
}

/** Makes a snapshot and prints its id and hash. */
export async function snapshotCommand(
  config: Config,
  name: string,
  symbols: readonly string[],
  options: SnapshotOptions,
): Promise<number> {
  if (symbols.length === 0 && options.watchlist === undefined)
    throw new Refusal("invalid", "A snapshot wants symbols, or a watchlist with --watchlist");
  await using client = await readerFor(config, options);
  const { json = false, server: _, asKnownAt, ...rest } = options;
  const body = { name, ...(symbols.length > 0 && { symbols }), ...rest, as_known_at: asKnownAt };
  const headers = { "Content-Type": "application/json" };
  const response = await client.request("/api/snapshots", { method: "POST", headers, body: JSON.stringify(body) });
  const made = (await response.json()) as { id: string; sha256: string; rows: number; missing: readonly string[] };
  if (json) console.log(JSON.stringify(made));
  else {
    console.log(`Snapshot ${made.id}: ${made.rows} rows, SHA-256 of the content ${made.sha256}`);
    if (made.missing.length > 0) console.log(`Without bars in the range: ${made.missing.join(", ")}`);
  }
  return EXIT.done;
}

/** Prints what is running and what is stored. */
export async function statusCommand(config: Config, options: Common): Promise<number> {
  const client = await connect(config, options.server);
  const { status, runs = {} }: { status: object; runs?: object } =
    client === null ? await storedStatus(config) : await serverStatus(client);
  if (options.json) console.log(JSON.stringify(status));
  else for (const [name, value] of Object.entries({ ...status, ...runs })) print(lineOf(name, value));
  return "ready" in status && !status.ready ? EXIT.failed : EXIT.done;
}

/** `newest run:     Full · 1d · 2 years · demo: complete, 2 of 2 symbols complete` */
function lineOf(name: string, value: unknown): string {
  const text = typeof value === "boolean" ? (value ? "yes" : "no") : (value ?? "none");
  return `${`${name.replace("_", " ")}:`.padEnd(16)}${text}`;
}

/** A run in a line, called as on the pages. */
function runLine(run: RunWire): string {
  const { status, progress, counts, total, from, to, finished_at: end } = run;
  const title = runTitle({ ...run, dates: from === null || to === null ? null : { from, to } });
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : "";
  return `${title}: ${status}, ${end === null ? `${progress}%, ` : ""}${counts.complete} of ${plural(total, "symbol")} complete${failed}`;
}

async function serverStatus(client: ApiClient) {
  const read = async (path: string) => (await client.request(path)).json() as Promise<Record<string, unknown>>;
  const { version, commit } = await read("/healthz");
  const ready = await client.request("/readyz").then(
    () => true,
    () => false,
  );
  const runsOf = async (query: string) => ((await read(`/api/runs${query}`)) as unknown as { runs: RunWire[] }).runs;
  const open = [...(await runsOf("?status=running")), ...(await runsOf("?status=paused"))];
  const [newest = null] = await runsOf("");
  const { total: profiles } = await read("/api/quality?months=1");
  const status = {
    server: client.address,
    ...{ version, commit, ready, profiles },
    open_runs: open.map(({ id, name, status, progress, counts, total }) => ({
      id,
      name,
      status,
      progress,
      counts,
      total,
    })),
    newest_run: newest && `${newest.name ?? newest.id} (${newest.status}, ${newest.progress}%)`,
  };
  const lines = { open_runs: open.map(runLine).join("; ") || "none", newest_run: newest && runLine(newest) };
  return { status, runs: lines };
}

async function storedStatus({ dbUrl, dbToken, commit }: Config) {
  const version = versionText(versionOf(commit));
  const database = withoutCredentials(dbUrl);
  try {
    const db = await openExisting(dbUrl, dbToken);
    try {
      const { missing, unknown } = await compareSchema(db);
      if (unknown > 0) throw new Error(NEWER_SCHEMA);
      if (missing > 0) return { status: { server: null, version, database, schema: "older" } };
      const count = async (table: string) => Number((await db.rows(`SELECT count(*) FROM ${table}`, []))[0]![0]);
      const [profiles, runs] = [await count("profiles"), await count("runs")];
      return { status: { server: null, version, database, profiles, runs } };
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof NoDatabase) return { status: { server: null, version, database, profiles: 0, runs: 0 } };
    throw error;
  }
}
