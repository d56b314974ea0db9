/** The gate before the providers: every request of every worker passes here and is counted. */

import type { Gate } from "../pipeline/pool.ts";
import type { UsageStore } from "../storage/usage.ts";

/** Lets every request pass and writes it down. */
export function countingGate(usage: UsageStore): Gate {
  return {
    async acquire({ provider, cost }) {
      usage.count(provider, cost);
      return { settle: ({ charged }) => charged !== undefined && usage.count(provider, charged - cost, 0) };
    },
  };
}
