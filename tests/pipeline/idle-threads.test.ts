/** Threads beside the workers that end when they have had nothing to do for long. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Analysis } from "../../src/pipeline/analysis/analysis.ts";
import { Exporter } from "../../src/pipeline/exports/exporter.ts";
import type { WorkerSettings } from "../../src/pipeline/messages.ts";
import { valuesForThreads } from "../../src/providers/registry.ts";
import { WriteLock } from "../../src/storage/connection/file/write-lock.ts";
import { testConfig } from "../helpers/app.ts";
import { bundleOf } from "../helpers/bundle/programs.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

async function settingsIn(folder: Folder): Promise<WorkerSettings> {
  const { dbUrl, dbToken, providerValues } = testConfig(await migratedDatabase(folder));
  const providers = { ...valuesForThreads(providerValues), sessions: {} };
  return { dbUrl, dbToken, dbFile: null, lease: "", writeLock: new WriteLock().shared, ...providers };
}

test("the export thread ends when no export is left for long, and the next export is whole", async () => {
  using folder = temporaryFolder();
  const exporter = new Exporter(await settingsIn(folder), 1);
  const request = { content: "profiles", format: "json", keys: "", columns: [], now: 0 } as const;
  for (let round = 0; round < 2; round++) {
    const text = await new Response(await exporter.body(request)).text();
    expect(JSON.parse(text)).toEqual({ profiles: [] });
    while (exporter.isRunning) await Bun.sleep(1);
  }
  await exporter.close();
});

test("an export that fails before its first piece is a failed request, which is for the caller to log", async () => {
  using folder = temporaryFolder();
  const said: unknown[][] = [];
  const settings = { ...(await settingsIn(folder)), dbUrl: `file:${folder.path}` };
  const exporter = new Exporter(settings, 1, { write: (...line) => void said.push(line) });
  const request = { content: "profiles", format: "json", keys: "AAPL/1d", columns: [], now: 0 } as const;
  await expect(exporter.body(request)).rejects.toThrow("it is a folder, not a file");
  expect(said).toEqual([]);
  await exporter.close();
});

test("the analysis thread ends when no task is left for long, and the next task is worked on", async () => {
  using folder = temporaryFolder();
  const analysis = new Analysis(await settingsIn(folder), undefined, 1);
  const series = { seriesId: 1, source: "1m", venue: "us_equity" } as const;
  for (let round = 0; round < 2; round++) {
    const result = analysis.run({ kind: "profile", symbol: "NONE", interval: "15m", series, tails: false });
    await expect(result).rejects.toThrow("series 1 is not in the database");
    while (analysis.isRunning) await Bun.sleep(1);
  }
  await analysis.close();
});

/** The end of a real thread that gets these messages: its exit code, and the errors that it did not catch. */
function endOf(folder: string, messages: readonly unknown[]) {
  const thread = new Worker(pathToFileURL(bundleOf(`${folder}/worker.ts`)));
  const errors: string[] = [];
  thread.addEventListener("error", ({ message }) => errors.push(message));
  for (const message of messages) thread.postMessage(message);
  return new Promise<{ code: number; errors: string[] }>((resolve) =>
    thread.addEventListener("close", ({ code }) => resolve({ code, errors }), { once: true }),
  );
}

test("a thread that is asked to close, or has done its work, ends by itself without an error", async () => {
  using folder = temporaryFolder();
  const settings = await settingsIn(folder);
  const { providerValues: _, secrets: __, sessions: ___, ...database } = settings;
  const [open, close] = [{ type: "open", settings }, { type: "close" }];
  const threads: readonly (readonly [module: string, messages: readonly unknown[]])[] = [
    ["pipeline/workers", [[open, close]]],
    ["pipeline/analysis", [open, close]],
    ["pipeline/exports", [open, close]],
    ["pipeline/remote", [{ type: "open", settings: database }, close]],
    ["scheduler/backups", [{ database: settings, path: join(folder.path, "copy.db") }]],
    ["scheduler/maintenance", [{ type: "tidy", settings, before: { logs: 0, runs: 0 }, statistics: [] }]],
  ];
  for (const [module, messages] of threads)
    expect([module, await endOf(module, messages)]).toEqual([module, { code: 0, errors: [] }]);
});
