/** A libSQL file: one connection per thread, whose writes wait for their turn without blocking the thread. */

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { Client, InArgs, InStatement, ResultSet } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql/sqlite3";
import Driver from "libsql";
import { faultOf } from "../../../domain/errors.ts";
import { type Database, plain, type Row } from "../database.ts";
import { isRead } from "../fence.ts";
import { StorageUnavailable } from "../trouble.ts";
import { waitLimitEnd } from "../wait-limit.ts";
import { type FileId, FileIdentity } from "./file-identity.ts";
import { keepPrivate } from "./private-file.ts";
import { StatementCache, type StatementResult } from "./statement-cache.ts";
import type { WriteLock } from "./write-lock.ts";
import { isBusy, WriteQueue } from "./write-queue.ts";

/** How long SQLite itself may wait for another connection, milliseconds: it blocks the thread meanwhile. */
const DRIVER_TIMEOUT_MS = 5;
/** The longest pause before a read is tried again while another process recovers the file or has it to itself. */
const READ_PAUSE_MS = 250;

/** The value of `auto_vacuum` that lets a file shrink piece by piece. It must be set before a new file is written to. */
const INCREMENTAL = 2;
const PRAGMAS = [
  "journal_mode = WAL",
  "synchronous = NORMAL",
  "foreign_keys = ON",
  "temp_store = MEMORY",
  // 16 MB: a page that changes often is moved into the file once instead of four times.
  "wal_autocheckpoint = 4000",
];

/**
 * How long a write may wait for others, milliseconds: on the connection that opens the file, on which jobs wait for their
 * start, and on those of other threads, where other jobs work meanwhile.
 */
const LINGER_MS = { first: 25, others: 100 };

/** What must be there before it is opened: any file, or the one that another thread has opened. */
export interface Expected {
  readonly file: FileId | null;
}

/**
 * Opens the file at `path`. Without `expected` it is created, and so is its folder; `lock` is shared by all threads that
 * write to it.
 * @throws FaultError if another file than the expected one is there
 */
export async function openFile(path: string, lock: WriteLock, expected: Expected | null = null): Promise<Database> {
  if (expected === null) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  using stack = new DisposableStack();
  // Only a URI can say that nothing is to be created.
  const name = expected === null ? path : `${pathToFileURL(path).href}?mode=rw`;
  const driver = stack.adopt(new Driver(name, { timeout: DRIVER_TIMEOUT_MS }), (each) => each.close());
  const identity = path === ":memory:" ? null : new FileIdentity(path, expected?.file);
  if (expected?.file) identity?.check(true);
  keepPrivate(path);
  const statements = new StatementCache(driver);
  stack.defer(() => statements.clear());
  const writes = new WriteQueue(driver, statements, lock, expected === null ? LINGER_MS.first : LINGER_MS.others);
  stack.defer(() => writes.close());
  await writes.alone(() => {
    // Setting the value that it has writes too: no thread could open the file while its disk is full.
    const [shrinks] = statements.rows("PRAGMA auto_vacuum", []);
    if (Number(shrinks?.[0]) !== INCREMENTAL) driver.exec(`PRAGMA auto_vacuum = ${INCREMENTAL}`);
    for (const pragma of PRAGMAS) driver.exec(`PRAGMA ${pragma}`);
  });
  if (identity) writes.guard((isSuspect) => identity.check(isSuspect));
  const client = new FileClient(driver, statements, writes);
  const owned = stack.move();
  return {
    orm: drizzle(client),
    local: true,
    file: identity?.id ?? null,
    async write(list, mayWait) {
      if (list.length === 0) return;
      const run = () => {
        for (const statement of list) {
          const { sql, args } = plain(statement);
          statements.run(sql, args);
        }
      };
      await writes.add(run, mayWait);
    },
    async change(list, mayWait) {
      if (list.length === 0) return [];
      const run = () =>
        list.map((statement) => {
          const { sql, args } = plain(statement);
          return statements.rows(sql, args);
        });
      return writes.add(run, mayWait);
    },
    flush() {
      writes.retries.wake();
      writes.flush();
    },
    fence: (lease, onLost) => writes.fence(lease, onLost),
    trouble() {
      const fault = identity?.fault() ?? null;
      return fault === null ? writes.retries.trouble : { since: Date.now(), ...writes.retries.trouble, ...fault };
    },
    watch: (listener) => writes.retries.watch(listener),
    hurry: (milliseconds) => writes.hurry(milliseconds),
    rows: (sql, args) => client.rows(sql, args),
    script: (sql) => client.executeMultiple(sql),
    close: () => owned.dispose(),
  };
}

/** The client that drizzle uses: prepared statements are kept, and writes go through the queue. */
class FileClient implements Client {
  readonly closed = false;
  readonly protocol = "file";

  constructor(
    private readonly driver: InstanceType<typeof Driver>,
    private readonly statements: StatementCache,
    private readonly writes: WriteQueue,
  ) {}

  async execute(statement: InStatement, more?: InArgs): Promise<ResultSet> {
    const { sql, args = more ?? [] } = typeof statement === "string" ? { sql: statement } : statement;
    if (!Array.isArray(args)) throw new TypeError("Parameters without names only");
    if (isRead(sql)) return resultSet({ rows: await this.rows(sql, args), changes: 0, lastInsertRowid: undefined });
    return resultSet(await this.writes.add(() => this.statements.execute(sql, args)));
  }

  async rows(sql: string, args: readonly unknown[]): Promise<Row[]> {
    for (let pause = 1; ; pause = Math.min(READ_PAUSE_MS, 2 * pause)) {
      try {
        return this.statements.rows(sql, args);
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (performance.now() >= this.writes.latest(waitLimitEnd())) throw new StorageUnavailable(faultOf("locked"));
      }
      await Bun.sleep(pause);
    }
  }

  async batch(statements: (InStatement | [string, InArgs?])[]): Promise<ResultSet[]> {
    return this.writes.add(() => statements.map((each) => this.#execute(each)));
  }

  /** All statements in one transaction, without foreign keys: a migration rebuilds tables. */
  async migrate(statements: InStatement[]): Promise<ResultSet[]> {
    return this.writes.alone(() => {
      this.driver.exec("PRAGMA foreign_keys = OFF");
      try {
        this.driver.exec("BEGIN IMMEDIATE");
        try {
          const results = statements.map((each) => this.#execute(each));
          this.driver.exec("COMMIT");
          return results;
        } finally {
          if (this.driver.inTransaction) this.driver.exec("ROLLBACK");
        }
      } finally {
        this.driver.exec("PRAGMA foreign_keys = ON");
      }
    });
  }

  async executeMultiple(sql: string): Promise<void> {
    await this.writes.alone(() => void this.driver.exec(sql));
  }

  async transaction(): Promise<never> {
    throw new Error("There are no interactive transactions: use `write`");
  }

  async sync(): Promise<undefined> {
    return undefined;
  }

  reconnect(): void {}

  close(): void {}

  #execute(statement: InStatement | [string, InArgs?]): ResultSet {
    const { sql, args = [] } =
      typeof statement === "string"
        ? { sql: statement }
        : Array.isArray(statement)
          ? { sql: statement[0], args: statement[1] ?? [] }
          : statement;
    if (!Array.isArray(args)) throw new TypeError("Parameters without names only");
    return resultSet(this.statements.execute(sql, args));
  }
}

/** A result as drizzle reads it: it takes values by their place, so the names of columns are left out. */
function resultSet({ rows, changes, lastInsertRowid }: StatementResult): ResultSet {
  return {
    columns: [],
    columnTypes: [],
    rows: rows as unknown as ResultSet["rows"],
    rowsAffected: changes,
    lastInsertRowid,
    toJSON: () => ({ rows, changes }),
  };
}
