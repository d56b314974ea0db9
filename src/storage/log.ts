/** Log lines in the database, written in batches. */

import { and, desc, eq, gte, lt, ne, sql } from "drizzle-orm";
import type { LogLine } from "../domain/log.ts";
import { chunks, type Database, yieldToEvents } from "./db.ts";
import { DeferredWrite } from "./deferred-write.ts";
import { logs } from "./schema/server.ts";

const ROWS_PER_INSERT = 200;
/** The newest lines that are kept while nothing can be written. */
const MAX_UNSTORED = 10_000;

/** One statement for any number of lines: as values they would be a text of their own for each number. */
const INSERT = `INSERT INTO logs (at, level, run_id, symbol, message)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?1) ORDER BY key`;

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
    // While a write waits for the database, lines go on gathering.
    if (this.#lines.length > 2 * MAX_UNSTORED) this.#lines = this.#lines.slice(-MAX_UNSTORED);
    this.#deferred.request();
  }

  flush(): Promise<void> {
    return this.#deferred.flush();
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    const rows = lines.map(({ at, level, runId, symbol, message }) => [
      at,
      level,
      runId,
      symbol,
      message.toWellFormed(),
    ]);
    try {
      await this.db.write(
        [...chunks(rows, ROWS_PER_INSERT)].map((part) => ({ sql: INSERT, args: [JSON.stringify(part)] })),
      );
    } catch (error) {
      this.#lines = [...lines, ...this.#lines].slice(-MAX_UNSTORED);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#deferred.close();
  }
}

type LogRow = typeof logs.$inferSelect;

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

/** Lines searched at a time: a few milliseconds. */
const SLICE = 10_000;

/** The lines that match, newest first. They are searched in parts between which the thread is free. */
export async function readLog(db: Database, query: LogQuery): Promise<LogRow[]> {
  const { runId, symbol, text = "", debug = true, limit } = query;
  const ofRun = runId === undefined ? undefined : eq(logs.runId, runId);
  const matches = and(
    ofRun,
    symbol === undefined ? undefined : eq(logs.symbol, symbol),
    debug ? undefined : ne(logs.level, "debug"),
    text === "" ? undefined : sql`instr(lower(${logs.level} || ' ' || ${logs.message}), lower(${text})) > 0`,
  );
  const found: LogRow[] = [];
  for (let before = query.before ?? Number.MAX_SAFE_INTEGER; ; ) {
    const [oldest] = await db.orm
      .select({ id: logs.id })
      .from(logs)
      .where(and(ofRun, lt(logs.id, before)))
      .orderBy(desc(logs.id))
      .limit(1)
      .offset(SLICE - 1);
    const from = oldest?.id ?? 0;
    const part = await db.orm
      .select()
      .from(logs)
      .where(and(matches, gte(logs.id, from), lt(logs.id, before)))
      .orderBy(desc(logs.id))
      .limit(limit - found.length);
    found.push(...part);
    if (found.length === limit || oldest === undefined) return found;
    before = from;
    await yieldToEvents();
  }
}
