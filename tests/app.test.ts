import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./helpers/folder.ts";

const SCRIPT = `
import { createApp } from "${fileURLToPath(new URL("../src/app.ts", import.meta.url))}";
import { testConfig } from "${fileURLToPath(new URL("./helpers/app.ts", import.meta.url))}";
const app = await createApp(testConfig(process.env.DB, { DEMO_LATENCY_MS: "20" }), { print: () => {} });
await app.runs.start({ symbols: ["AAPL", "MSFT", "IBM"], mode: "full", interval: "1d", years: 2, batchDays: 30 });
if (process.env.WHEN === "at work") {
  const stream = app.hub.stream();
  let working = false;
  while (!working) {
    const { events } = await stream.next(60_000);
    working = events.some(({ type, job }) => type === "progress" && job.microStage.startsWith("Batch 3/"));
  }
}
await app.close();
console.log("closed");
`;

// No exit is called: a worker, a timer or a stream that is left would keep the process from ending.
for (const when of ["at once", "at work"]) {
  test(`closed ${when}, the app leaves nothing behind that keeps the process alive`, async () => {
    using folder = temporaryFolder();
    const child = Bun.spawn([process.execPath, "--no-env-file", "-e", SCRIPT], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { PATH: process.env.PATH ?? "", DB: folder.database(), WHEN: when },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [printed, complaints, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect({ printed, complaints, code }).toEqual({ printed: "closed\n", complaints: "", code: 0 });
  }, 30_000);
}
