/** Loaded before every test file. */

import { setDefaultTimeout } from "bun:test";
import { WORKER_BUNDLES } from "./helpers/bundle/programs.ts";

// Whole servers and browsers start in some tests: on a busy machine that takes longer than the five seconds of Bun.
setDefaultTimeout(60_000);

/** A thread of the application starts with the bundle of its module. */
globalThis.Worker = class extends Worker {
  constructor(script: string | URL, options?: WorkerOptions) {
    super(WORKER_BUNDLES.get(String(script)) ?? script, options);
  }
};
