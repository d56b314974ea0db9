/** Log lines on disk, written in batches: a line waits at most `FLUSH_MS`. */

import { and, desc, eq, lt, ne, sql } from "drizzle-orm";
import type { LogLine } from "../domain/log.ts";
import type { Database } from "./db.ts";
import { logs } from "./schema/server.ts";

const FLUSH_MS = 250;
const ROWS_PER_INSERT = 200;

/** Keeps log lines and writes them behind; `close` writes what is left. */
export class LogStore {
  #lines: LogLine[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly onError: (error: unknown) => void,
  ) {}

  keep(line: LogLine): void {
    this.#lines.push(line);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#write()).catch(this.onError);
    return this.#writing;
  }

  async #write(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    const statements = [];
    for (let start = 0; start < lines.length; start += ROWS_PER_INSERT) {
      const rows = lines.slice(start, start + ROWS_PER_INSERT).map(({ id: _, ...row }) => row);
      statements.push(this.db.orm.insert(logs).values(rows));
    }
    if (statements.length > 0) await this.db.write(statements);
  }

  async close(): Promise<void> {
    await this.flush();
  }
}

/** Which lines are read. */
export interface LogQuery {
  readonly runId?: string;
  readonly symbol?: string;
  /** What level and message must contain, as in `saysInLog`; empty for all. */
  readonly text?: string;
  /** Whether single features are read, too. */
  readonly debug?: boolean;
  readonly limit: number;
  /** The id of the oldest one seen. */
  readonly before?: number;
}

/** The last lines of a run (or of all), newest first. */
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
