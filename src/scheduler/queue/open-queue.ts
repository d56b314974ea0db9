/** Opens the job queue that the settings name. */

import type { QueuePlace } from "../../config/places.ts";
import { consequenceOf, messageOf, type QueueTrouble } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import type { Database } from "../../storage/db.ts";
import { readSettings, saveSetting } from "../../storage/settings.ts";
import { type BullMqOptions, openBullMqQueue } from "./bullmq/bullmq-queue.ts";
import { EmbeddedQueue } from "./embedded-queue.ts";
import type { JobQueue } from "./job-queue.ts";

/** The row with what tells this database from others that share a Redis or PostgreSQL. */
const ID_KEY = "queue:id";

/** After how long an outage is an alert, milliseconds: a server that is started again is none. */
const ALERT_MS = 60_000;

/** Milliseconds; tests shorten them. */
export type QueueTimes = NonNullable<BullMqOptions["times"]>;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly times?: QueueTimes | undefined;
  /** An alert event was recorded. */
  onAlert?(): void;
}

/**
 * The queue in Redis or PostgreSQL, whose troubles are logged; without a place, the one in this process.
 * @throws Error if a package that it needs is not installed
 */
export async function openJobQueue(
  place: QueuePlace | undefined,
  { db, log, times, onAlert }: Dependencies,
  alertMs = ALERT_MS,
): Promise<JobQueue> {
  if (place === undefined) return new EmbeddedQueue();
  const queue = await openBullMqQueue({ place, name: await queueName(db), isOwner: true, times });
  let since: number | null = null;
  let alert: ReturnType<typeof setTimeout> | undefined;
  const record = async () => {
    const trouble = queue.trouble();
    if (trouble === null) return;
    await db.write(recordStatements([{ ...trouble, kind: "queue_down", at: Date.now() }]));
    onAlert?.();
  };
  const report = (trouble: QueueTrouble | null) => {
    if (trouble !== null) {
      // The reason may change with every attempt.
      if (since !== null) return;
      since = trouble.since;
      alert = setTimeout(() => void record().catch((error) => log.write("error", messageOf(error))), alertMs);
      const sentence = `${trouble.what}. ${trouble.advice} ${consequenceOf(trouble)}`;
      log.write("error", sentence, null, null, trouble.detail);
    } else if (since !== null) {
      const seconds = Math.max(1, Math.round((Date.now() - since) / 1_000));
      since = null;
      clearTimeout(alert);
      log.write("info", `The job queue can be reached again, after ${seconds} s: the work goes on`);
    }
  };
  const trouble = queue.trouble();
  if (trouble !== null) report(trouble);
  queue.watch(report);
  const close = queue.close.bind(queue);
  queue.close = () => {
    clearTimeout(alert);
    return close();
  };
  return queue;
}

/** A copy of a database file has the same rows, but is another file: its jobs are not those of the first. */
async function queueName(db: Database): Promise<string> {
  const stored = (await readSettings(db, ID_KEY)).find(({ key }) => key === ID_KEY)?.value;
  const id = stored ?? crypto.randomUUID();
  if (stored === undefined) await saveSetting(db, ID_KEY, id);
  return `jobs-${Bun.hash(`${id}:${db.file?.ino ?? ""}`).toString(36)}`;
}
