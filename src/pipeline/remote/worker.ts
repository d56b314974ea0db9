/** A storage thread: executes what jobs on other machines read and write, on a database connection of its own. */

import { messageOf } from "../../domain/errors.ts";
import { type Database, SharedConnection } from "../../storage/db.ts";
import { BadMessage } from "./codec.ts";
import type { FromStorage, ToStorage } from "./storage-threads.ts";
import { StoreExecutor } from "./store-executor.ts";

declare const self: Pick<Worker, "onmessage" | "postMessage">;

const send = (message: FromStorage) => self.postMessage(message);

let connection: SharedConnection;
let lease = "";
let executor: Promise<StoreExecutor> | null = null;
let db: Database | null = null;

/** Opens the database with the first request, and again after an opening that failed. */
async function opened(): Promise<StoreExecutor> {
  executor ??= (async () => {
    db = await connection.open();
    db.fence(lease);
    db.watch((trouble) => send({ type: "storage", trouble }));
    return new StoreExecutor(db);
  })();
  try {
    return await executor;
  } catch (error) {
    executor = null;
    throw error;
  }
}

async function execute({ request, job, bytes }: Extract<ToStorage, { type: "execute" }>): Promise<void> {
  try {
    const { answer, bars } = await (await opened()).execute(job, bytes);
    send({ type: "executed", request, bytes: answer, bars });
  } catch (error) {
    send({ type: "refused", request, message: messageOf(error), isWrong: error instanceof BadMessage });
  }
}

self.onmessage = async ({ data: message }: MessageEvent<ToStorage>) => {
  switch (message.type) {
    case "open":
      connection = new SharedConnection(message.settings);
      lease = message.settings.lease;
      return;
    case "execute":
      return execute(message);
    case "end":
      return (await executor?.catch(() => null))?.end(message.attempt);
    case "recovered":
      return db?.flush();
    case "close":
      await connection.close();
      return process.exit();
  }
};
