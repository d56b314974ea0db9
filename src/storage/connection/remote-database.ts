/** A database on a libSQL server: time limits, and tries again while it does not answer. */

import type { Client } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql/sqlite3";
import { faultOf } from "../../domain/errors.ts";
import { type Database, plain } from "./database.ts";
import { isRead } from "./fence.ts";
import { answerOf, RemoteClient } from "./remote-client.ts";
import { Retries } from "./retries.ts";
import { FaultError } from "./trouble.ts";

/** How long one request to the server may take, milliseconds: its largest batch takes a few seconds. */
const REQUEST_MS = 20_000;
/** Answers of a server or a proxy before it that may be another one soon. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** @throws Error if the server cannot be reached now, or refuses the token */
export async function openServer(url: string, token?: string, requestMs = REQUEST_MS): Promise<Database> {
  const { createClient: connect } = await import("@libsql/client");
  using stack = new DisposableStack();
  const fetch = (request: Request) => fetchInTime(request, requestMs);
  const config = { url, fetch, ...(token === undefined ? {} : { authToken: token }) };
  const connection: Client = stack.adopt(connect(config), (each) => each.close());
  await connection.execute("SELECT 1");
  const retries = new Retries();
  const client = stack.adopt(new RemoteClient(connection, retries), (each) => each.close());
  const owned = stack.move();
  let last = Promise.resolve();
  /** Sends a batch; one that may wait is not awaited by its caller before the next, and they are sent in order all the same. */
  const send = <T>(batch: () => Promise<T>, mayWait?: boolean): Promise<T> => {
    if (!mayWait) return batch();
    const sent = last.then(batch);
    last = sent.then(
      () => {},
      () => {},
    );
    return sent;
  };
  return {
    orm: drizzle(client),
    local: false,
    file: null,
    async write(statements, mayWait) {
      if (statements.length > 0) await send(() => client.write(statements.map(plain)), mayWait);
    },
    async change(statements, mayWait) {
      return statements.length === 0 ? [] : answerOf(await send(() => client.write(statements.map(plain)), mayWait));
    },
    flush: () => retries.wake(),
    fence: (lease, onLost) => client.fence(lease, onLost),
    trouble: () => retries.trouble,
    watch: (listener) => retries.watch(listener),
    hurry: (milliseconds) => client.hurry(milliseconds),
    async rows(sql, args) {
      return isRead(sql) ? client.read(sql, args) : answerOf(await client.write([{ sql, args }]))[0]!;
    },
    script: (sql) => client.executeMultiple(sql),
    close: () => owned.dispose(),
  };
}

/** @throws FaultError if there is no answer in time, or one that says that there may be another one soon */
async function fetchInTime(request: Request, milliseconds: number): Promise<Response> {
  const away = (cause: unknown) => new FaultError(faultOf("away"), { cause });
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(milliseconds) });
    // Read here: an answer that breaks off in the middle is a lost one too.
    const { status, headers } = response;
    if (!PASSING.has(status)) return new Response(await response.arrayBuffer(), { status, headers: typeOf(headers) });
    throw new Error(`the server answered ${response.status}`);
  } catch (error) {
    throw away(error);
  }
}

/** Without the length and the encoding, which were those on the way. */
const typeOf = (headers: Headers) => ({ "Content-Type": headers.get("Content-Type") ?? "" });
