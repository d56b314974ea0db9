/**
 * A libSQL server in this process: Hrana 2 over HTTP (`POST /v2/pipeline`) on a database file. It supports what a client
 * sends for single statements and batches; streams that stay open over several requests are kept under their baton.
 */

import { join } from "node:path";
import Driver from "libsql";
import { temporaryFolder } from "../helpers/folder.ts";

type Connection = InstanceType<typeof Driver>;
type Value = { type: string; value?: string | number; base64?: string };
type Condition = { type: string; step?: number; cond?: Condition; conds?: Condition[] };
interface Statement {
  readonly sql?: string;
  readonly sql_id?: number;
  readonly args?: Value[];
}
interface Request_ {
  readonly type: string;
  readonly sql?: string;
  readonly sql_id?: number;
  readonly stmt?: Statement;
  readonly batch?: { readonly steps: { readonly stmt: Statement; readonly condition?: Condition }[] };
}

/** One stream of the protocol: a connection and the texts that were stored for it. */
class Stream {
  readonly texts = new Map<number, string>();
  constructor(readonly connection: Connection) {}

  answer(request: Request_): object {
    switch (request.type) {
      case "execute":
        return { type: "execute", result: this.#execute(request.stmt!) };
      case "batch":
        return { type: "batch", result: this.#batch(request.batch!.steps) };
      case "sequence":
        this.connection.exec(request.sql ?? this.texts.get(request.sql_id!)!);
        return { type: "sequence" };
      case "store_sql":
        this.texts.set(request.sql_id!, request.sql!);
        return { type: "store_sql" };
      case "close_sql":
        this.texts.delete(request.sql_id!);
        return { type: "close_sql" };
      case "close":
        return { type: "close" };
      default:
        throw new Error(`unknown request ${request.type}`);
    }
  }

  #execute({ sql, sql_id, args = [] }: Statement): object {
    const statement = this.connection.prepare(sql ?? this.texts.get(sql_id!)!);
    const columns = statement.columns();
    const values = args.map(decode);
    if (columns.length === 0) {
      const { changes, lastInsertRowid } = statement.run(values);
      return { cols: [], rows: [], affected_row_count: changes, last_insert_rowid: `${lastInsertRowid}` };
    }
    const rows = statement.raw().all(values) as unknown[][];
    return {
      cols: columns.map(({ name }) => ({ name, decltype: null })),
      rows: rows.map((row) => row.map(encode)),
      affected_row_count: rows.length,
      last_insert_rowid: null,
    };
  }

  #batch(steps: { stmt: Statement; condition?: Condition }[]): object {
    const results: (object | null)[] = [];
    const errors: (object | null)[] = [];
    const holds = (condition: Condition): boolean => {
      switch (condition.type) {
        case "ok":
          return results[condition.step!] !== null;
        case "error":
          return errors[condition.step!] !== null;
        case "not":
          return !holds(condition.cond!);
        case "and":
          return condition.conds!.every(holds);
        case "or":
          return condition.conds!.some(holds);
        default:
          throw new Error(`unknown condition ${condition.type}`);
      }
    };
    for (const { stmt, condition } of steps) {
      let [result, error]: [object | null, object | null] = [null, null];
      if (condition === undefined || holds(condition)) {
        try {
          result = this.#execute(stmt);
        } catch (thrown) {
          error = faultOf(thrown);
        }
      }
      results.push(result);
      errors.push(error);
    }
    return { step_results: results, step_errors: errors };
  }
}

function decode({ type, value, base64 }: Value): unknown {
  if (type === "null") return null;
  if (type === "integer") return BigInt(value!);
  if (type === "blob") return Buffer.from(base64!, "base64");
  return value;
}

function encode(value: unknown): Value {
  if (value === null) return { type: "null" };
  if (typeof value === "string") return { type: "text", value };
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "bigint") return { type: "integer", value: `${value}` };
  return {
    type: "blob",
    base64: Buffer.from(value as Uint8Array)
      .toString("base64")
      .replace(/=+$/, ""),
  };
}

const faultOf = (error: unknown) => ({
  message: error instanceof Error ? error.message : String(error),
  code: (error as { code?: string }).code ?? "UNKNOWN",
});

/** Starts a server on loopback that answers those who bring `token`, on an existing file or on one of its own. */
export function startHrana(token?: string, file?: string) {
  const folder = temporaryFolder();
  const path = file ?? join(folder.path, "remote.db");
  const open = () => {
    const connection = new Driver(path, { timeout: 10_000 });
    connection.pragma("journal_mode = WAL");
    connection.pragma("foreign_keys = ON");
    return new Stream(connection);
  };
  const streams = new Map<string, Stream>();
  let requests = 0;

  async function pipeline(request: Request): Promise<Response> {
    const body = (await request.json()) as { baton?: string; requests: Request_[] };
    const stream = (body.baton && streams.get(body.baton)) || open();
    if (body.baton) streams.delete(body.baton);
    const results = body.requests.map((each) => {
      try {
        return { type: "ok", response: stream.answer(each) };
      } catch (error) {
        return { type: "error", error: faultOf(error) };
      }
    });
    let baton: string | null = null;
    if (body.requests.some(({ type }) => type === "close")) stream.connection.close();
    else {
      baton = crypto.randomUUID();
      streams.set(baton, stream);
    }
    return Response.json({ baton, base_url: null, results });
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      requests += 1;
      if (token !== undefined && request.headers.get("Authorization") !== `Bearer ${token}`) {
        return Response.json({ message: "Unauthorized" }, { status: 401 });
      }
      const { pathname } = new URL(request.url);
      if (pathname === "/v2") return new Response();
      return pathname === "/v2/pipeline" ? pipeline(request) : new Response(null, { status: 404 });
    },
  });
  return {
    url: server.url.href.replace(/\/$/, ""),
    get requests() {
      return requests;
    },
    async close() {
      await server.stop(true);
      for (const { connection } of streams.values()) connection.close();
      folder[Symbol.dispose]();
    },
  };
}
