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

const isTrue = (value: unknown) => (value === true ? 1 : value === false ? 0 : value);

export class StatementCache {
  readonly #statements = new Map<string, Prepared>();
  constructor(private readonly driver: Connection) {}

  /** Runs a statement whose rows, if any, are of no interest. */
  run(sql: string, args: readonly unknown[]): void {
    this.#prepare(sql).run(args as unknown[]);
  }

  rows(sql: string, args: readonly unknown[]): Row[] {
    return this.#prepare(sql)
      .raw()
      .all(args as unknown[]) as Row[];
  }

  /** Runs any statement. */
  execute(sql: string, args: readonly unknown[]): StatementResult {
    const statement = this.#prepare(sql);
    const values = args.map(isTrue);
    if (statement.reader) return { rows: statement.raw().all(values) as Row[], changes: 0, lastInsertRowid: undefined };
    const { changes, lastInsertRowid } = statement.run(values);
    return { rows: [], changes, lastInsertRowid: BigInt(lastInsertRowid) };
  }

  clear(): void {
    this.#statements.clear();
  }

  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql);
    if (known) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = this.driver.prepare(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > CAPACITY) {
      const oldest = this.#statements.keys().next().value;
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return statement;
  }
}
