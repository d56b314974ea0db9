/** The optional packages behind the job queue: bullmq, and pg for PostgreSQL. They are loaded if BARKEEP_QUEUE is set. */

import type * as BullMq from "bullmq";
import type { QueuePlace } from "../../../config/places.ts";
import { messageOf } from "../../../domain/errors.ts";
import { findPackage, installAdvice } from "../../../installation.ts";

export type BullMqModule = typeof BullMq;
export type QueueKind = QueuePlace["kind"];

/** What each kind of queue needs besides Bun, which has a Redis client of its own. */
const PACKAGES = { redis: ["bullmq"], postgres: ["bullmq", "pg"] } as const satisfies Record<QueueKind, unknown>;
const MAJOR = { bullmq: 6, pg: 8 } as const;

/** Which packages are missing, and how to install them; `null` if all are there. */
export function missingPackages(kind: QueueKind, find: (name: string) => string | null = findPackage): string | null {
  const missing = PACKAGES[kind].filter((name) => find(name) === null);
  if (missing.length === 0) return null;
  const advice = installAdvice(missing.map((name) => `${name}@${MAJOR[name]}`).join(" "));
  return `BARKEEP_QUEUE needs ${missing.join(" and ")}, not installed here: ${advice}`;
}

/** @throws Error with advice if a package is not installed or cannot be loaded */
export async function loadBullMq(kind: QueueKind): Promise<BullMqModule> {
  const found = findPackage("bullmq");
  const missing = missingPackages(kind);
  if (missing !== null || found === null) throw new Error(missing ?? "");
  const loaded = (await import(found).catch((error) => {
    throw new Error(`The package bullmq cannot be loaded: ${messageOf(error)}`);
  })) as Partial<BullMqModule>;
  // Both came with version 6.
  if (loaded.createBunRedisClient === undefined || loaded.createPostgresBackend === undefined)
    throw new Error(`The package bullmq is too old: ${installAdvice(`bullmq@${MAJOR.bullmq}`)}`);
  if (kind === "postgres") await guardErrors();
  return loaded as BullMqModule;
}

interface Emitter {
  emit(event: string, ...values: unknown[]): boolean;
  listenerCount(event: string): number;
}
const guarded = new WeakSet<Emitter>();

/**
 * bullmq takes its listeners from a client of pg before it ends it, or adds them after it has connected: an error between
 * would end the process. Such an error says nothing that the failure of the connection has not said.
 */
async function guardErrors(): Promise<void> {
  const { default: pg } = (await import(findPackage("pg")!)) as {
    default: Record<"Client" | "Pool", { prototype: Emitter }>;
  };
  for (const { prototype } of [pg.Client, pg.Pool]) {
    if (guarded.has(prototype)) continue;
    guarded.add(prototype);
    const emit = prototype.emit;
    prototype.emit = function (this: Emitter, event, ...values) {
      return event === "error" && this.listenerCount("error") === 0 ? false : emit.call(this, event, ...values);
    };
  }
}
