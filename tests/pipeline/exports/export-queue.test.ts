import { describe, expect, test } from "bun:test";
import { Refusal } from "../../../src/domain/errors.ts";
import { ExportQueue, type PieceSource } from "../../../src/pipeline/exports/export-queue.ts";

/** An export of one piece, whose work the test ends. */
function source() {
  const piece = Promise.withResolvers<Uint8Array | null>();
  const stopped = Promise.withResolvers<void>();
  let given = false;
  const each: PieceSource = {
    async next() {
      if (given) return null;
      given = true;
      return piece.promise;
    },
    stop() {
      stopped.resolve();
      piece.resolve(null);
    },
  };
  return { each, finish: () => piece.resolve(new Uint8Array([1])), stopped: stopped.promise };
}

/** Fills the queue with exports that are read; returns their readers and sources in order. */
function fill(queue: ExportQueue, count: number) {
  return Array.from({ length: count }, () => {
    const { each, ...rest } = source();
    const opened = Promise.withResolvers<void>();
    const stream = queue.stream(() => {
      opened.resolve();
      return each;
    });
    const reader = stream.getReader();
    const first = reader.read().catch((error: Error) => error);
    return { ...rest, reader, first, opened: opened.promise };
  });
}

const isOpen = async (opened: Promise<void>) => (await Promise.race([opened.then(() => true), Bun.sleep(0)])) === true;

describe("the export queue", () => {
  test("two exports are at work, sixteen wait, and the next is refused with the time to try again", async () => {
    const queue = new ExportQueue();
    const all = fill(queue, 18);
    expect(queue.counts).toEqual({ atWork: 2, waiting: 16 });
    const refused = (() => {
      try {
        queue.stream(() => source().each);
      } catch (error) {
        return error as Refusal;
      }
    })();
    expect(refused).toBeInstanceOf(Refusal);
    expect([refused!.status, refused!.retryAfter]).toEqual([503, 5]);
    await Promise.all(all.slice(0, 2).map(({ opened }) => opened));
    expect(await isOpen(all[2]!.opened)).toBe(false);
    all[0]!.finish();
    await all[0]!.first;
    expect((await all[0]!.reader.read()).done).toBe(true);
    await all[2]!.opened;
    expect(queue.counts).toEqual({ atWork: 2, waiting: 15 });
    await Promise.all(all.map(({ reader }) => reader.cancel()));
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });

  test("a reader that leaves stops its export and frees its place, at work and while it waits", async () => {
    const queue = new ExportQueue({ atWork: 1, waiting: 2 });
    const [working, second, third] = fill(queue, 3);
    await second!.reader.cancel();
    expect(queue.counts).toEqual({ atWork: 1, waiting: 1 });
    await working!.reader.cancel();
    await working!.stopped;
    await third!.opened;
    expect(queue.counts).toEqual({ atWork: 1, waiting: 0 });
    expect(await isOpen(second!.opened)).toBe(false);
    await third!.reader.cancel();
  });

  test("an aborted request frees the place of its export, although the stream was never read", () => {
    const queue = new ExportQueue({ atWork: 1, waiting: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    queue.stream(() => source().each, first.signal);
    queue.stream(() => source().each, second.signal);
    second.abort();
    expect(queue.counts).toEqual({ atWork: 1, waiting: 0 });
    first.abort();
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
    queue.stream(() => source().each, AbortSignal.abort());
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });

  test("a reader that takes nothing for too long loses its export, whose stream ends with an error", async () => {
    const queue = new ExportQueue({ atWork: 1, stallMs: 5 });
    const { each, finish, stopped } = source();
    const reader = queue.stream(() => each).getReader();
    finish();
    expect((await reader.read()).done).toBe(false);
    await stopped;
    expect(reader.read()).rejects.toThrow("not read for too long");
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });

  test("an export that fails frees its place", async () => {
    const queue = new ExportQueue({ atWork: 1 });
    const failing = queue.stream(() => ({ next: () => Promise.reject(new Error("broken")), stop() {} })).getReader();
    expect(failing.read()).rejects.toThrow("broken");
    await failing.closed.catch(() => {});
    expect(queue.counts).toEqual({ atWork: 0, waiting: 0 });
  });
});
