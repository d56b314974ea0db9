/** Jobs over a network that loses what is sent end like jobs beside the database. */

import { expect, test } from "bun:test";
import { EXAMPLES, tellStories } from "../stories.ts";
import { startFaultyNetwork } from "./faulty-network.ts";

test("property: jobs whose requests and answers are lost, and delivered twice, end as one clean run beside the database", async () => {
  await using network = startFaultyNetwork(0.2);
  await tellStories(4, EXAMPLES, { storeOf: network.storeOf });
  for (const fault of ["lost", "unanswered", "twice"] as const) expect(network.faults.get(fault)).toBeGreaterThan(20);
}, 120_000);
