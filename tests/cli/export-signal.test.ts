import { expect, test } from "bun:test";
import { readdirSync, watch } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../helpers/folder.ts";
import { CHILD_ENV } from "../helpers/server.ts";

const CLI = join(import.meta.dir, "../../src/cli.ts");

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("an export to a file that %s stops leaves no part of it and exits with %d", async (signal, code) => {
  using folder = temporaryFolder();
  // A server whose answer never ends.
  await using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(new ReadableStream({ start: (controller) => controller.enqueue("timestamp,close\n") })),
  });
  const begun = Promise.withResolvers<void>();
  const watcher = watch(folder.path, (_event, name) => name === "bars.csv.part" && begun.resolve());
  const child = Bun.spawn(
    [process.execPath, "--no-env-file", CLI, "export", "AAPL", "--format", "csv", "--server", server.url.href].concat([
      "--output",
      "bars.csv",
    ]),
    { cwd: folder.path, env: CHILD_ENV, stdout: "ignore", stderr: "ignore" },
  );
  await begun.promise;
  watcher.close();
  child.kill(signal);
  expect(await child.exited).toBe(code);
  expect(readdirSync(folder.path)).toEqual([]);
});
