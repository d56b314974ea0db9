/** The job store on another machine: operations go to the server, whose answers may be lost on the way. */

import { StorageUnavailable } from "../../storage/db.ts";
import { JobLost } from "../../storage/runs/attempts.ts";
import type { JobStore, WorkTime } from "../store/job-store.ts";
import { decode, encode, MAX_SENT } from "./codec.ts";
import { OPERATIONS, type OperationName } from "./operations.ts";
import type { ServerConnection } from "./server-connection.ts";
import {
  ATTEMPT_HEADER,
  MAX_OPERATIONS,
  type StoreFailure,
  type StoreRequest,
  type StoreResult,
} from "./store-request.ts";

/** How long a write that may wait for others is held back, milliseconds. */
const LINGER_MS = 25;
/** The columns of the writes of one request, bytes; a single larger one is sent alone. */
const MAX_GROUP = 4 * 1024 * 1024;

interface PendingWrite {
  readonly number: number;
  readonly name: OperationName;
  readonly args: readonly unknown[];
  readonly size: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** The writes of one attempt: numbered, in their order, one request at a time. */
class WriteLine {
  #waiting: PendingWrite[] = [];
  #number = 0;
  /** All writes before this number are answered. */
  #answered = 1;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isSending = false;

  constructor(private readonly send: (request: Omit<StoreRequest, "attempt">) => Promise<readonly StoreResult[]>) {}

  add(name: OperationName, args: readonly unknown[], mayWait: boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#number += 1;
      this.#waiting.push({
        number: this.#number,
        name,
        args,
        size: name === "saveBatch" ? sizeOf(args) : 0,
        resolve,
        reject,
      });
      if (mayWait) this.#timer ??= setTimeout(() => this.flush(), LINGER_MS);
      else this.flush();
    });
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#isSending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      const operations = group.map(({ number, name, args }) => ({ number, name, args: plainArgs(name, args) }));
      try {
        const results = await this.send({ operations, answered: this.#answered });
        this.#answered = group.at(-1)!.number + 1;
        for (const [at, { resolve, reject }] of group.entries()) settle(results[at], resolve, reject);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#isSending = false;
  }

  #nextGroup(): PendingWrite[] {
    let size = 0;
    const end = this.#waiting.findIndex((write, at) => {
      size += write.size;
      return at > 0 && (size > MAX_GROUP || at >= MAX_OPERATIONS);
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }
}

/** The bytes of the columns in some arguments. */
function sizeOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, each) => sum + sizeOf(each), 0);
}

/** The position of the argument that counts work: it is read when the request is sent, so that it is up to date. */
const WORK: Partial<Record<OperationName, number>> = { saveWork: 1, completeJob: 1, storeProfile: 2 };

function plainArgs(name: OperationName, args: readonly unknown[]): unknown[] {
  const last = args.findLastIndex((each) => each !== undefined);
  const given = args.slice(0, last + 1);
  const place = WORK[name];
  if (place === undefined) return [...given];
  const { apiCalls, fetchMs, stageMs } = given[place] as WorkTime;
  return given.with(place, { apiCalls, fetchMs, stageMs });
}

function settle(
  result: StoreResult | undefined,
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): void {
  if (result === undefined) reject(new Error("the server left out a result"));
  else if ("failure" in result) reject(errorOf(result.failure));
  else resolve(result.value);
}

function errorOf(failure: StoreFailure): Error {
  if (failure.kind === "lost") return new JobLost();
  return failure.kind === "unavailable" ? new StorageUnavailable(failure.fault) : new Error(failure.message);
}

/** The store of one attempt at a job. A write whose answer was lost is sent again, and stored once. */
export function httpJobStore(server: ServerConnection, attempt: string): JobStore {
  const send = async (request: Omit<StoreRequest, "attempt">): Promise<readonly StoreResult[]> => {
    const bytes = encode({ attempt, ...request });
    if (bytes.length > MAX_SENT)
      throw new Error(`${bytes.length} bytes are too many for one request: fetch fewer days in a batch`);
    const answer = await server.post("store", bytes, { [ATTEMPT_HEADER]: attempt });
    if (answer === "lost") throw new JobLost();
    return decode(answer) as readonly StoreResult[];
  };
  const writes = new WriteLine(send);
  const read = async (name: OperationName, args: readonly unknown[]) => {
    const operations = [{ number: 0, name, args: plainArgs(name, args) }];
    const [result] = await send({ operations, answered: 0 });
    return new Promise((resolve, reject) => settle(result, resolve, reject));
  };
  const operations = (Object.keys(OPERATIONS) as OperationName[]).map((name) => {
    const isWrite = OPERATIONS[name].writes;
    const mayWait = (args: readonly unknown[]) =>
      name === "saveBatch" || ((name === "completeJob" || name === "storeProfile") && args.at(-1) === true);
    const call = (...args: unknown[]) => (isWrite ? writes.add(name, args, mayWait(args)) : read(name, args));
    return [name, call] as const;
  });
  // Every operation has a call that sends its arguments, and the server returns what its own store does.
  return { ...Object.fromEntries(operations), flush: () => writes.flush() } as unknown as JobStore;
}
