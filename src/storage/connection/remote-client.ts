/**
 * The client of a libSQL server. Every write checks the server's lease in its own transaction, and a number, so that one
 * whose answer was lost can be sent again without being made twice.
 */

import type { Client, InArgs, InStatement, InValue, ResultSet, TransactionMode } from "@libsql/client";
import type { Row, Statement } from "./database.ts";
import { type Fence, HOLDS_LEASE, isRead, LeaseLost } from "./fence.ts";
import type { Retries } from "./retries.ts";
import { AnswerLost, StorageUnavailable, storageFault } from "./trouble.ts";
import { waitLimitEnd } from "./wait-limit.ts";

/** The rows that hold the number of the last write of each place of each connection. */
export const WRITE_KEYS = "write:";
const NUMBER = "(SELECT CAST(value AS INTEGER) FROM settings WHERE key = ?2)";
/** Fails, and with it the transaction, unless the lease is `?1` and no write with a number of `?3` or more came before. */
const CHECK = `SELECT CASE WHEN EXISTS (${HOLDS_LEASE}) AND coalesce(${NUMBER}, 0) < ?3
THEN 1 ELSE abs(-9223372036854775807 - 1) END`;
const SET_NUMBER = `INSERT INTO settings (key, value, updated_at) VALUES (?1, ?2, 0)
ON CONFLICT (key) DO UPDATE SET value = ?2`;

export class RemoteClient implements Client {
  #fence: Fence | null = null;
  readonly #id = Bun.randomUUIDv7();
  /** Places that no write uses now: each write under way has one. */
  readonly #free: number[] = [];
  #places = 0;
  #number = 0;
  #end = Number.POSITIVE_INFINITY;

  constructor(
    private readonly client: Client,
    private readonly retries: Retries,
  ) {}

  /** Every write from now on checks the lease. */
  fence(lease: string, onLost?: () => void): void {
    this.#fence = { lease, onLost };
  }

  /** Nothing is tried again for longer than `milliseconds` from now. */
  hurry(milliseconds: number): void {
    this.#end = performance.now() + milliseconds;
    this.retries.wake();
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
    if (isRead(sql)) return this.#untilAnswered(() => this.client.execute(query));
    return answerOf(await this.#send([query]))[0]!;
  }

  async batch(statements: (InStatement | [string, InArgs?])[], mode?: TransactionMode): Promise<ResultSet[]> {
    if (mode === "read") return this.#untilAnswered(() => this.client.batch(statements, mode));
    return answerOf(await this.#send(statements));
  }

  /** Rows of a query, as arrays. */
  async read(sql: string, args: readonly unknown[]): Promise<Row[]> {
    return rowsOf(await this.#untilAnswered(() => this.client.execute({ sql, args: args as InValue[] })));
  }

  /**
   * Writes all statements in one transaction and returns the rows of each; `null` if the answer was lost.
   * @throws StorageUnavailable if the server did not answer for as long as the caller waits
   */
  async write(statements: readonly Statement[]): Promise<Row[][] | null> {
    const results = await this.#send(statements.map(({ sql, args }) => ({ sql, args: args as InValue[] })));
    return results === null ? null : results.map(rowsOf);
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
    this.#end = 0;
    this.retries.wake();
  }

  /** The results of a batch; `null` if it was made but its answer was lost. */
  async #send(statements: (InStatement | [string, InArgs?])[]): Promise<ResultSet[] | null> {
    const fence = this.#fence;
    // Only with a lease there is a place for numbers; before it, a start fails and can be tried again.
    if (fence === null) return this.client.batch(statements, "write");
    const place = this.#free.pop() ?? this.#places++;
    const key = `${WRITE_KEYS}${this.#id}:${place}`;
    const number = ++this.#number;
    const batch = [
      { sql: CHECK, args: [fence.lease, key, number] },
      { sql: SET_NUMBER, args: [key, `${number}`] },
      ...statements,
    ];
    try {
      return (await this.#untilAnswered(() => this.client.batch(batch, "write"), true)).slice(2);
    } catch (error) {
      if (storageFault(error) !== null) throw error;
      if ((await this.read(HOLDS_LEASE, [fence.lease])).length === 0) {
        fence.onLost?.();
        throw new LeaseLost();
      }
      const [row] = await this.read("SELECT value FROM settings WHERE key = ?1", [key]);
      if (row?.[0] === `${number}`) return null;
      throw error;
    } finally {
      this.#free.push(place);
    }
  }

  /** Sends until there is an answer, or the caller gives up. */
  async #untilAnswered<T>(send: () => Promise<T>, writes = false): Promise<T> {
    const until = waitLimitEnd();
    for (;;) {
      try {
        const answer = await send();
        // A server whose disk is full still answers what is read.
        if (writes || this.retries.trouble?.kind === "away") this.retries.succeeded();
        return answer;
      } catch (error) {
        const fault = storageFault(error);
        if (fault === null) throw error;
        this.retries.failed(fault);
        if (performance.now() >= Math.min(until, this.#end)) throw new StorageUnavailable(fault);
      }
      await this.retries.pause(Math.min(until, this.#end));
    }
  }
}

/** @throws AnswerLost */
export function answerOf<T>(results: T | null): T {
  if (results === null) throw new AnswerLost();
  return results;
}

const rowsOf = ({ rows, columns }: ResultSet): Row[] => rows.map((row) => columns.map((_, index) => row[index]));
