/** What a worker on another machine and its server must agree on. */

import { RULES_VERSION } from "../../domain/market/anomalies/scale-changes.ts";
import { GAP_RULES } from "../../domain/market/holes.ts";
import { CATALOG_VERSION } from "../../features/version.ts";

/** Raised with every change of what is sent (pipeline/remote/protocol.ts). */
const PROTOCOL = 3;

/** What must be the same on both sides, so that a job ends the same on every machine. */
export const RULES = { protocol: PROTOCOL, features: CATALOG_VERSION, prices: RULES_VERSION, gaps: GAP_RULES } as const;
