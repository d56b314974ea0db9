/** Looks whether a job queue can be used, without changing anything there: for `doctor`. */

import { RedisClient } from "bun";
import { type QueuePlace, queueSecrets } from "../../../config/places.ts";
import { messageOf } from "../../../domain/errors.ts";
import { findPackage } from "../../../installation.ts";
import { redactor } from "../../../redact.ts";
import { postgresFault, redisFault } from "./connection-faults.ts";
import { missingPackages } from "./packages.ts";

interface PgModule {
  readonly default: {
    readonly Client: new (
      options: object,
    ) => {
      on(event: "error", listener: () => void): unknown;
      connect(): Promise<void>;
      query(sql: string): Promise<{ readonly rows: readonly { readonly [column: string]: unknown }[] }>;
      end(): Promise<void>;
    };
  };
}

/** What BullMQ needs at least. */
const OLDEST_POSTGRES = 130_000;

/** @returns what is wrong, or `null`; never with a secret */
export async function checkQueue(place: QueuePlace, timeoutMs: number): Promise<string | null> {
  try {
    const missing = missingPackages(place.kind);
    if (missing !== null) return missing;
    return place.kind === "redis" ? await checkRedis(place, timeoutMs) : await checkPostgres(place, timeoutMs);
  } catch (error) {
    return redactor(queueSecrets(place))(messageOf(error));
  }
}

async function checkRedis({ url }: QueuePlace, timeoutMs: number): Promise<string | null> {
  const client = new RedisClient(url, { autoReconnect: false, connectionTimeout: timeoutMs });
  try {
    const fault = await redisFault(url, timeoutMs);
    if (fault !== null) return fault;
    await client.connect();
    const memory = String(await client.send("INFO", ["memory"]));
    const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? "noeviction";
    return policy === "noeviction" ? null : `its maxmemory-policy is ${policy}: set noeviction, or it deletes jobs`;
  } finally {
    client.close();
  }
}

async function checkPostgres({ url }: QueuePlace, timeoutMs: number): Promise<string | null> {
  const { default: pg } = (await import(findPackage("pg")!)) as PgModule;
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs });
  // A connection that breaks is reported by the query that it breaks.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    return postgresFault(error, url);
  }
  try {
    const { rows } = await client.query(
      "SELECT current_setting('server_version_num')::int AS version, has_database_privilege(current_database(), 'CREATE') AS creates",
    );
    if (Number(rows[0]?.version) < OLDEST_POSTGRES) return "it is older than PostgreSQL 13";
    const { rows: found } = await client.query("SELECT 1 FROM pg_namespace WHERE nspname = 'barkeep_queue'");
    return found.length > 0 || rows[0]?.creates === true
      ? null
      : "its user may not create the schema barkeep_queue in this database";
  } finally {
    await client.end();
  }
}
