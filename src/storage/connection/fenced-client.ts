/** A client of a libSQL server whose writes check the server's lease in the same transaction. */

import type { Client, InArgs, InStatement, ResultSet, TransactionMode } from "@libsql/client";
import { type Fence, HOLDS_LEASE, isRead, LeaseLost } from "./fence.ts";

/** Fails, and with it the transaction, unless the lease has the value `?1`: nothing else in a batch can end it. */
const CHECK = `SELECT CASE WHEN EXISTS (${HOLDS_LEASE}) THEN 1 ELSE abs(-9223372036854775807 - 1) END`;

export class FencedClient implements Client {
  #fence: Fence | null = null;

  constructor(private readonly client: Client) {}

  /** Every write from now on checks the lease. */
  fence(lease: string, onLost?: () => void): void {
    this.#fence = { lease, onLost };
  }

  get closed(): boolean {
    return this.client.closed;
  }

  get protocol(): string {
    return this.client.protocol;
  }

  async execute(statement: InStatement, args?: InArgs): Promise<ResultSet> {
    const { sql, args: given = [] } = typeof statement === "string" ? { sql: statement, args } : statement;
    const query = { sql, args: given };
    if (this.#fence === null || isRead(sql)) return this.client.execute(query);
    return (await this.batch([query], "write"))[0]!;
  }

  async batch(statements: (InStatement | [string, InArgs?])[], mode?: TransactionMode): Promise<ResultSet[]> {
    const fence = this.#fence;
    if (fence === null || mode === "read") return this.client.batch(statements, mode);
    try {
      const results = await this.client.batch([{ sql: CHECK, args: [fence.lease] }, ...statements], "write");
      return results.slice(1);
    } catch (error) {
      const { rows } = await this.client
        .execute({ sql: HOLDS_LEASE, args: [fence.lease] })
        .catch(() => ({ rows: null }));
      if (rows?.length !== 0) throw error;
      fence.onLost?.();
      throw new LeaseLost();
    }
  }

  migrate(statements: InStatement[]): Promise<ResultSet[]> {
    return this.client.migrate(statements);
  }

  executeMultiple(sql: string): Promise<void> {
    return this.client.executeMultiple(sql);
  }

  async transaction(): Promise<never> {
    throw new Error("There are no interactive transactions: use `write`");
  }

  sync(): ReturnType<Client["sync"]> {
    return this.client.sync();
  }

  reconnect(): void {
    this.client.reconnect();
  }

  close(): void {
    this.client.close();
  }
}
