/** Threads beside the workers that end when they have had nothing to do for long. */

import { expect, test } from "bun:test";
import { Analysis } from "../../src/pipeline/analysis/analysis.ts";
import { Exporter } from "../../src/pipeline/exports/exporter.ts";
import type { WorkerSettings } from "../../src/pipeline/messages.ts";
import { valuesForThreads } from "../../src/providers/registry.ts";
import { WriteLock } from "../../src/storage/connection/file/write-lock.ts";
import { testConfig } from "../helpers/app.ts";
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
    const reader = exporter.stream(request).getReader();
    let text = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      // A reader that is slow between two pieces has an export at work.
      await Bun.sleep(5);
      text += new TextDecoder().decode(piece.value);
    }
    expect(JSON.parse(text)).toEqual({ profiles: [] });
    while (exporter.isRunning) await Bun.sleep(1);
  }
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
