import { describe, expect, test } from "bun:test";
import { Refusal } from "../../../src/domain/errors.ts";
import {
  type ExportBody,
  ExportQueue,
  type Piece,
  type PieceSource,
} from "../../../src/pipeline/exports/export-queue.ts";

const END = { bytes: null, isLast: true };

/** An export of one piece, whose work the test ends. */
function source() {
  const piece = Promise.withResolvers<Piece>();
  const stopped = Promise.withResolvers<void>();
  let given = false;
  const each: PieceSource = {
    async next() {
      if (given) return END;
      given = true;
      return piece.promise;
    },
    stop() {
      stopped.resolve();
      piece.resolve(END);
    },
  };
  return { each, finish: () => piece.resolve({ bytes: new Uint8Array([1]), isLast: false }), stopped: stopped.promise };
}

/** Fills the queue with exports; returns their sources and bodies in order, and what makes their clients leave. */
function fill(queue: ExportQueue, count: number) {
  return Array.from({ length: count }, () => {
    const { each, ...rest } = source();
    const opened = Promise.withResolvers<void>();
    const client = new AbortController();
    const open = () => {
      opened.resolve();
      return each;
    };
    const body = queue.body(open, client.signal);
    // Looked at by the test, if at all, after it was rejected.
    body.catch(() => {});
    return { ...rest, body, leave: () => client.abort(), opened: opened.promise };
  });
}

/** Reads what an export gives after its first piece. */
const readerOf = async (body: Promise<ExportBody>) => ((await body) as ReadableStream<Uint8Array>).getReader();

const isOpen = async (opened: Promise<void>) => (await Promise.race([opened.then(() => true), Bun.sleep(0)])) === true;

describe("the export queue", () => {
  test("two exports are at work, sixteen wait, and the next is refused with the time to try again", async () => {
    const queue = new ExportQueue();
    const all = fill(queue, 18);
    expect(queue.counts).toEqual({ atWork: 2, waiting: 16 });
    const refused = await queue.body(() => source().each).catch((error: Refusal) => error);
    expect(refused).toBeInstanceOf(Refusal);
    expect([(refused as Refusal).status, (refused as Refusal).retryAfter]).toEqual([503, 5]);
    await Promise.all(all.slice(0, 2).map(({ opened }) => opened));
    expect(await isOpen(all[2]!.opened)).toBe(false);
    all[0]!.finish();
    const reader = await readerOf(all[0]!.body);
    expect((await reader.read()).value).toEqual(new Uint8Array([1]));
    expect((await reader.read()).done).toBe(true);
    await all[2]!.opened;
    expect(queue.counts).toEqual({ atWork: 2, waiting: 15 });
    for (const { leave } of all) leave();
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });

  test("an export of one piece is a body of bytes, and its place is free before they are sent", async () => {
    const queue = new ExportQueue();
    const bytes = new Uint8Array([1, 2]);
    expect(await queue.body(() => ({ next: async () => ({ bytes, isLast: true }), stop() {} }))).toBe(bytes);
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
    expect(await queue.body(() => ({ next: async () => END, stop() {} }))).toEqual(new Uint8Array());
  });

  test("a reader that leaves stops its export and frees its place, at work and while it waits", async () => {
    const queue = new ExportQueue({ atWork: 1, waiting: 2 });
    const [working, second, third] = fill(queue, 3);
    second!.leave();
    expect(queue.counts).toEqual({ atWork: 1, waiting: 1 });
    await working!.opened;
    working!.leave();
    await working!.stopped;
    await third!.opened;
    expect(queue.counts).toEqual({ atWork: 1, waiting: 0 });
    expect(await isOpen(second!.opened)).toBe(false);
    third!.finish();
    await (await readerOf(third!.body)).cancel();
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
    for (const { body } of [working!, second!]) await expect(body).rejects.toThrow("The export was cancelled");
  });

  test("an export that is aborted while it is read ends with an error: its reader must not take it for whole", async () => {
    const queue = new ExportQueue();
    const [{ each, finish }, login] = [source(), new AbortController()];
    finish();
    const second = Promise.withResolvers<Piece>();
    const pieces: PieceSource[] = [each, { next: () => second.promise, stop: () => second.resolve(END) }];
    const both: PieceSource = { next: () => pieces.shift()!.next(), stop: () => second.resolve(END) };
    const reader = await readerOf(queue.body(() => both, login.signal));
    await reader.read();
    const rest = reader.read();
    login.abort();
    await expect(rest).rejects.toThrow("The export was cancelled");
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });

  test("a request that was aborted before its export had a place takes none", async () => {
    const queue = new ExportQueue({ atWork: 1, waiting: 1 });
    await expect(queue.body(() => source().each, AbortSignal.abort())).rejects.toThrow("The export was cancelled");
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });

  test("a reader that takes nothing for too long loses its export, whose stream ends with an error", async () => {
    const queue = new ExportQueue({ atWork: 1, stallMs: 5 });
    const { each, finish, stopped } = source();
    finish();
    const reader = await readerOf(queue.body(() => each));
    expect((await reader.read()).done).toBe(false);
    await stopped;
    expect(reader.read()).rejects.toThrow("not read for too long");
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });

  test("an export that fails frees its place", async () => {
    const queue = new ExportQueue({ atWork: 1 });
    const failing = queue.body(() => ({ next: () => Promise.reject(new Error("broken")), stop() {} }));
    await expect(failing).rejects.toThrow("broken");
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });
});
