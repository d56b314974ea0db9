/** Loaded before every test file. */

import { setDefaultTimeout } from "bun:test";
import { FAKE_WORKERS } from "./helpers/bundle/programs.ts";
import { reusedWorker } from "./helpers/bundle/threads.ts";

// Whole servers and browsers start in some tests: on a busy machine that takes longer than the five seconds of Bun.
setDefaultTimeout(60_000);

/** A worker of the application runs on a thread that is used again, one of the tests starts from its bundle. */
globalThis.Worker = new Proxy(Worker, {
  construct: (Thread, [script, options]: ConstructorParameters<typeof Worker>) =>
    reusedWorker(String(script)) ?? new Thread(FAKE_WORKERS.get(String(script)) ?? script, options),
});
