/** Log lines in the database, written in batches. */

import { and, desc, eq, lt, ne, sql } from "drizzle-orm";
import type { LogLine } from "../domain/log.ts";
import { chunks, type Database } from "./db.ts";
import { DeferredWrite } from "./deferred-write.ts";
import { logs } from "./schema/server.ts";

const ROWS_PER_INSERT = 200;

/** Buffers log lines and writes them in the background; `close` writes the rest. */
export class LogStore {
  #lines: LogLine[] = [];
  readonly #deferred: DeferredWrite;

  constructor(
    private readonly db: Database,
    onError: (error: unknown) => void,
  ) {
    this.#deferred = new DeferredWrite(() => this.#write(), onError);
  }

  save(line: LogLine): void {
    this.#lines.push(line);
    this.#deferred.request();
  }

  flush(): Promise<void> {
    return this.#deferred.flush();
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    const statements = [];
    for (const part of chunks(lines, ROWS_PER_INSERT)) {
      statements.push(this.db.orm.insert(logs).values(part.map(({ id: _, ...row }) => row)));
    }
    if (statements.length > 0) await this.db.write(statements);
  }

  async close(): Promise<void> {
    await this.flush();
  }
}

/** Which lines to read. */
export interface LogQuery {
  readonly runId?: string;
  readonly symbol?: string;
  /** Text that level and message must contain, as in `lineContains`; empty for all lines. */
  readonly text?: string;
  /** Whether to include debug lines, which name single features. */
  readonly debug?: boolean;
  readonly limit: number;
  /** Only lines older than the one with this id. */
  readonly before?: number;
}

/** The lines that match, newest first. */
export async function readLog(db: Database, { runId, symbol, text = "", debug = true, limit, before }: LogQuery) {
  return db.orm
    .select()
    .from(logs)
    .where(
      and(
        runId === undefined ? undefined : eq(logs.runId, runId),
        symbol === undefined ? undefined : eq(logs.symbol, symbol),
        before === undefined ? undefined : lt(logs.id, before),
        debug ? undefined : ne(logs.level, "debug"),
        text === "" ? undefined : sql`instr(lower(${logs.level} || ' ' || ${logs.message}), lower(${text})) > 0`,
      ),
    )
    .orderBy(desc(logs.id))
    .limit(limit);
}
