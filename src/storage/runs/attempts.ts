/**
 * The right of a worker on another machine to write for a job. Each time a job is given to such a worker it gets a new
 * attempt, and every transaction of its writes checks it: who lost the job, and does not know it yet, writes nothing.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { newSecret } from "../../auth.ts";
import type { Database, Statement } from "../db.ts";

/** A job in the hands of one worker. */
interface Attempt {
  readonly jobId: number;
  readonly attempt: string;
}

/** The worker does not have the job any more: nothing of what it was writing is stored. */
export class JobLost extends Error {
  override readonly name = "JobLost";
  constructor() {
    super("The job was taken from its worker: nothing more is stored for this attempt");
  }
}

/** Gives a running job to a worker and takes it from the one that had it; `null` if it does not run any more. */
export async function newAttempt(db: Database, jobId: number): Promise<string | null> {
  const attempt = newSecret();
  await db.write([{ sql: "UPDATE jobs SET attempt = ?1 WHERE id = ?2 AND state = 'running'", args: [attempt, jobId] }]);
  return (await holds(db, { jobId, attempt })) ? attempt : null;
}

/** A job that was put back into the queue is nobody's, also before the next worker has it. */
const HOLDS = "SELECT 1 FROM jobs WHERE id = ?1 AND attempt = ?2 AND state <> 'queued'";
/** SQL has no statement that fails on a condition: this path is none, and its error names it. */
const MARK = "job lost";
const CHECK = `SELECT json_extract('{}', '${MARK}') WHERE NOT EXISTS (${HOLDS})`;

async function holds(db: Database, { jobId, attempt }: Attempt): Promise<boolean> {
  return (await db.rows(HOLDS, [jobId, attempt])).length > 0;
}

/** A database whose writes belong to attempts. */
export interface GuardedDatabase {
  readonly db: Database;
  /** Does `work`, every write of which fails with `JobLost` unless the attempt still holds its job. */
  during<T>(attempt: Attempt, work: () => Promise<T>): Promise<T>;
}

/** One guarded database serves all attempts, because prepared queries belong to a database. */
export function guardWrites(db: Database): GuardedDatabase {
  const current = new AsyncLocalStorage<Attempt>();
  const check = (): Statement => {
    const held = current.getStore();
    if (held === undefined) throw new Error("a write outside of an attempt");
    return { sql: CHECK, args: [held.jobId, held.attempt] };
  };
  const guarded: Database = {
    ...db,
    async write(statements, mayWait) {
      if (statements.length > 0) await asJobLost(db.write([check(), ...statements], mayWait));
    },
    async change(statements, mayWait) {
      return statements.length === 0 ? [] : (await asJobLost(db.change([check(), ...statements], mayWait))).slice(1);
    },
  };
  return { db: guarded, during: (attempt, work) => current.run(attempt, work) };
}

async function asJobLost<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof Error && error.message.includes(`'${MARK}'`)) throw new JobLost();
    throw error;
  }
}
