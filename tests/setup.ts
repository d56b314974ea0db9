/** Loaded before every test file. */

import { setDefaultTimeout } from "bun:test";

// Whole servers and browsers start in some tests: on a busy machine that takes longer than the five seconds of Bun.
setDefaultTimeout(60_000);
