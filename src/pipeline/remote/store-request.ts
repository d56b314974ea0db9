/** What goes over the network for the job store: requests of one attempt at a job, and their results. */

import { z } from "zod";
import type { StorageFault } from "../../domain/errors.ts";

/** Names the attempt beside the body, so that whoever passes it on need not read it. */
export const ATTEMPT_HEADER = "X-Barkeep-Attempt";

/** Operations of one request, at most. */
export const MAX_OPERATIONS = 64;

/** How long a request waits for the database before it is to be sent again, milliseconds: proxies cut longer ones. */
export const ANSWER_MS = 15_000;

const operation = z.strictObject({
  /** Numbers the writes of an attempt from 1; 0 for a read. */
  number: z.int().nonnegative(),
  name: z.string().max(60),
  args: z.array(z.unknown()).max(8),
});

export const storeRequest = z.strictObject({
  attempt: z.string().max(200),
  operations: z.array(operation).min(1).max(MAX_OPERATIONS),
  /** All writes before this number are known to be answered. */
  answered: z.int().nonnegative(),
});
export type StoreRequest = z.infer<typeof storeRequest>;

/** Why an operation failed. */
export type StoreFailure =
  /** The attempt does not hold the job any more. */
  | { readonly kind: "lost" }
  /** The database is in trouble for longer than it may be waited for. */
  | { readonly kind: "unavailable"; readonly fault: StorageFault }
  | { readonly kind: "failed"; readonly message: string };

/** The results of a request in the order of its operations. */
export type StoreResult = { readonly value: unknown } | { readonly failure: StoreFailure };
