/** A thread that deletes the old bars of series: records a request, carries out all that are recorded, and ends. */

import { messageOf } from "../../domain/errors.ts";
import type { WorkerSettings } from "../../pipeline/messages.ts";
import { type Database, openShared, type SharedDatabase, type Statement } from "../../storage/db.ts";
import {
  beginPruning,
  type PruneBegun,
  type PruneRequest,
  pruneSeries,
  unprunedSeries,
} from "../../storage/series/prune.ts";

/** A request of a person or a program, with what it leaves in the audit; `now` in epoch milliseconds. */
export interface NewPruning extends PruneRequest {
  readonly now: number;
  readonly audit: readonly Statement[];
}

export type ToPruner =
  | {
      readonly type: "prune";
      readonly settings: Pick<WorkerSettings, "lease" | keyof SharedDatabase>;
      /** `null`: to go on with what is recorded. */
      readonly request: NewPruning | null;
    }
  /** The server ends: the next start goes on. */
  | { readonly type: "stop" };

export type FromPruner =
  | { readonly type: "begun"; readonly begun: PruneBegun }
  /** Series of which bars are still to be deleted. */
  | { readonly type: "left"; readonly left: number }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };

/** How often a series is tried that something else has changed meanwhile. */
const ATTEMPTS = 3;

declare const self: Pick<Worker, "onmessage" | "postMessage">;

const send = (message: FromPruner) => self.postMessage(message);
let isStopped = false;

class Stopped extends Error {}

async function pruneAll(db: Database): Promise<void> {
  // Others have their turn to write for as long as a step took.
  let since = performance.now();
  const pause = async () => {
    await Bun.sleep(performance.now() - since);
    if (isStopped) throw new Stopped("the server stops");
    since = performance.now();
  };
  const attempts = new Map<number, number>();
  for (;;) {
    const open = (await unprunedSeries(db)).filter((id) => (attempts.get(id) ?? 0) < ATTEMPTS);
    if (open.length === 0) return;
    for (const [at, id] of open.entries()) {
      send({ type: "left", left: open.length - at });
      attempts.set(id, (attempts.get(id) ?? 0) + 1);
      while (!(await pruneSeries(db, id))) await pause();
      await pause();
    }
  }
}

self.onmessage = async ({ data: message }: MessageEvent<ToPruner>) => {
  if (message.type === "stop") {
    isStopped = true;
    return;
  }
  const { settings, request } = message;
  let db: Database | undefined;
  try {
    db = await openShared(settings);
    db.fence(settings.lease);
    if (request !== null) {
      const begun = await beginPruning(db, request, request.now, request.audit);
      send({ type: "begun", begun });
    }
    await pruneAll(db);
    send({ type: "done" });
  } catch (error) {
    send(error instanceof Stopped ? { type: "done" } : { type: "failed", message: messageOf(error) });
  }
  db?.close();
  process.exit();
};
