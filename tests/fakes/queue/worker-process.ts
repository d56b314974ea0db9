/** A process of its own that works on a job queue and never ends a key; it prints each that it gets. */

import { openBullMqQueue } from "../../../src/scheduler/queue/bullmq/bullmq-queue.ts";

const { place, name, isOwner, times, keys } = JSON.parse(process.env.QUEUE!);
const queue = await openBullMqQueue({ place, name, isOwner, times });
queue.work((key) => {
  process.stdout.write(`${key}\n`);
  return new Promise(() => {});
}, 1);
await queue.enqueue(keys);
