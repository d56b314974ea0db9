/** A client that a generator of others makes from the document: it compiles, and the server answers it. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createClient } from "@hey-api/openapi-ts";
import ts from "typescript";
import { startApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

setDefaultTimeout(60_000);

const PROGRAM = `
import { client } from "./client/client.gen";
import { listRuns, readBars, readPanel, startRun } from "./client/sdk.gen";
import type { Run } from "./client/types.gen";

const throwOnError = true;

export async function use(baseUrl: string) {
  client.setConfig({ baseUrl });
  const { data: listed } = await listRuns({ query: { limit: 5 }, throwOnError });
  const runs: Run[] = listed.runs;
  const { data: bars } = await readBars({ path: { symbol: "AAPL" }, query: { interval: "1d" }, throwOnError });
  const times: string[] = bars.data.map(({ timestamp }) => timestamp);
  const { data: panel } = await readPanel({ query: { symbols: "AAPL,MSFT", names: "rsi_14" }, throwOnError });
  const refused = await readBars({ path: { symbol: "NVDA" } });
  // @ts-expect-error: a run needs symbols
  const nothing = await startRun({ body: { years: 1 } });
  return {
    runs: runs.map(({ id, status }) => ({ id, status })),
    times,
    panel: panel.data.length,
    refusals: [refused.error?.status, nothing.error?.status],
  };
}
`;

/** The findings of the compiler, in its words. */
function compile(file: string): string[] {
  const { ModuleKind, ModuleResolutionKind, ScriptTarget } = ts;
  const program = ts.createProgram([file], {
    ...{ strict: true, noEmit: true, noUncheckedIndexedAccess: true },
    ...{ target: ScriptTarget.ESNext, module: ModuleKind.Preserve, moduleResolution: ModuleResolutionKind.Bundler },
    // What a client needs of a browser is in the library for its workers too, which is a third of the size.
    ...{ lib: ["lib.esnext.d.ts", "lib.webworker.d.ts"], types: [], skipLibCheck: true },
  });
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    return `${file?.fileName ?? ""}: ${text}`;
  });
}

test("a client generated from the document compiles strictly and reads runs, bars and a panel", async () => {
  using folder = temporaryFolder();
  await using app = await startApp();
  const run = await app.start({ symbols: ["AAPL", "MSFT"], years: 1, provider: "demo" });
  await app.waitForRun(run, "complete");
  const { body: input } = await app.get("/api/openapi.json");
  const output = { path: join(folder.path, "client"), tsConfigPath: null };
  await createClient({ input, output, logs: { level: "silent", file: false } });
  const file = join(folder.path, "program.ts");
  await Bun.write(file, PROGRAM);
  expect(compile(file)).toEqual([]);

  const { use } = await import(file);
  const { body: bars } = await app.get("/api/bars/AAPL");
  const { body: panel } = await app.get("/api/panel?symbols=AAPL,MSFT&names=rsi_14");
  const found = await use(app.url);
  expect(found).toEqual({
    runs: [{ id: run, status: "complete" }],
    times: bars.data.map(({ timestamp }: { timestamp: string }) => timestamp),
    panel: panel.data.length,
    refusals: [404, 422],
  });
  expect(found.times.length).toBeGreaterThan(200);
});
