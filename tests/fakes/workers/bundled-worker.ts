/** The worker's module and all that it imports as one script: a thread starts with it in half the time. */

import { fileURLToPath } from "node:url";

const WORKER = fileURLToPath(new URL("../../../src/pipeline/workers/worker.ts", import.meta.url));

async function bundle(): Promise<URL> {
  const {
    outputs: [script],
  } = await Bun.build({
    entrypoints: [WORKER],
    target: "bun",
    plugins: [
      {
        name: "native-driver",
        setup({ onResolve }) {
          // It loads a binary that lies beside it. A script without a place of its own needs its whole path.
          onResolve({ filter: /^libsql$/ }, () => ({ path: Bun.resolveSync("libsql", WORKER), external: true }));
        },
      },
    ],
  });
  return new URL(URL.createObjectURL(script!));
}

/** Built once in each test process. */
export const bundledWorker = await bundle();
