/** Any operations in any order end like one clean run. */

import { test } from "bun:test";
import { EXAMPLES, tellStories } from "../stories.ts";

test("property: any order of fills, increments, repairs, refetches and revisions ends as one clean full run on the final data", async () => {
  await tellStories(40, EXAMPLES);
}, 120_000);
