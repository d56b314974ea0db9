/** Prepared statements of a connection. */

import type Driver from "libsql";
import type { Row } from "../database.ts";

/** Statements kept; the least recently used one is dropped. */
const CAPACITY = 256;

type Connection = InstanceType<typeof Driver>;
type Prepared = ReturnType<Connection["prepare"]>;

/** What a statement returned or changed. */
export interface StatementResult {
  readonly rows: Row[];
  readonly changes: number;
  readonly lastInsertRowid: bigint | undefined;
}

interface Kept {
  readonly statement: Prepared;
  /** Whether it returns rows. */
  readonly returns: boolean;
}

const isTrue = (value: unknown) => (value === true ? 1 : value === false ? 0 : value);

export class StatementCache {
  readonly #kept = new Map<string, Kept>();
  constructor(private readonly driver: Connection) {}

  /** Runs a statement whose rows, if any, are of no interest. */
  run(sql: string, args: readonly unknown[]): void {
    const { statement, returns } = this.#prepare(sql);
    // All rows are taken: a statement that has more of them stays open, and then nothing can be committed.
    if (returns) statement.all(args as unknown[]);
    else statement.run(args as unknown[]);
  }

  rows(sql: string, args: readonly unknown[]): Row[] {
    return this.execute(sql, args).rows;
  }

  /** Runs any statement. */
  execute(sql: string, args: readonly unknown[]): StatementResult {
    const { statement, returns } = this.#prepare(sql);
    const values = args.map(isTrue);
    if (returns) return { rows: statement.all(values) as Row[], changes: 0, lastInsertRowid: undefined };
    const { changes, lastInsertRowid } = statement.run(values);
    return { rows: [], changes, lastInsertRowid: BigInt(lastInsertRowid) };
  }

  clear(): void {
    this.#kept.clear();
  }

  #prepare(sql: string): Kept {
    const known = this.#kept.get(sql);
    if (known) {
      this.#kept.delete(sql);
      this.#kept.set(sql, known);
      return known;
    }
    const statement = this.driver.prepare(sql);
    const kept = { statement, returns: statement.reader };
    if (kept.returns) statement.raw();
    this.#kept.set(sql, kept);
    if (this.#kept.size > CAPACITY) {
      const oldest = this.#kept.keys().next().value;
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return kept;
  }
}
