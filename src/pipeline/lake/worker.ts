/** A thread that brings the lake to the state of the store, or compares the two, once, and ends. */

import { realpathSync } from "node:fs";
import { type LakePlace, lakeName } from "../../config/places.ts";
import { messageOf } from "../../domain/errors.ts";
import { type Database, openShared, pathOf } from "../../storage/db.ts";
import type { WorkerSettings } from "../messages.ts";
import { type CheckResult, checkLake } from "./check-lake.ts";
import type { FeatureWish } from "./features.ts";
import { openLake } from "./open-lake.ts";
import type { LakeStorage } from "./storage.ts";
import { type SyncOptions, type SyncResult, syncLake } from "./sync-lake.ts";

export type LakeTask = ({ readonly type: "sync" } & Pick<SyncOptions, "all" | "sweep">) | { readonly type: "check" };

export type ToLakeWriter =
  | ({ readonly settings: WorkerSettings; readonly place: LakePlace; readonly features: FeatureWish } & LakeTask)
  | { readonly type: "stop" };

export type FromLakeWriter =
  /** Files or series. */
  | { readonly type: "step"; readonly done: number; readonly total: number }
  | { readonly type: "synced"; readonly result: SyncResult }
  | { readonly type: "checked"; readonly result: CheckResult }
  | { readonly type: "failed"; readonly message: string };

/** Which database this is: by its place, so that a restored one is the same and a copy elsewhere is not. */
function ownerOf(url: string): string {
  const place = url.startsWith("file:") ? realpathSync(pathOf(url)) : url;
  return new Bun.CryptoHasher("sha256").update(place).digest("hex").slice(0, 16);
}

/** Shortest time between two reports of progress, milliseconds. */
const STEP_MS = 100;

declare const self: Pick<Worker, "onmessage" | "postMessage">;

const stop = new AbortController();

self.onmessage = async ({ data: message }: MessageEvent<ToLakeWriter>) => {
  if (message.type === "stop") {
    stop.abort();
    return;
  }
  const { settings, place, features } = message;
  const send = (answer: FromLakeWriter) => self.postMessage(answer);
  let db: Database | undefined;
  let lake: LakeStorage | undefined;
  try {
    db = await openShared(settings);
    db.fence(settings.lease);
    let sentAt = 0;
    const onStep = (done: number, total: number) => {
      if (stop.signal.aborted) throw new Error("it was stopped");
      if (performance.now() - sentAt < STEP_MS) return;
      sentAt = performance.now();
      send({ type: "step", done, total });
    };
    lake = openLake(place, { signal: stop.signal });
    if (message.type === "check") send({ type: "checked", result: await checkLake(db, lake, onStep, features) });
    else
      send({
        type: "synced",
        result: await syncLake(db, lake, lakeName(place), { ...message, owner: ownerOf(settings.dbUrl), onStep }),
      });
  } catch (error) {
    send({ type: "failed", message: messageOf(error) });
  } finally {
    lake?.close();
    db?.close();
    process.exit();
  }
};
