/** The encoding thread: when it starts, and what becomes of an export when it fails. */

import { expect, test } from "bun:test";
import { yieldToEvents } from "../../../../src/clock.ts";
import {
  EncodingThread,
  type EncodingThreadOptions,
  type OpenEncoding,
} from "../../../../src/pipeline/exports/encoding/encoding-thread.ts";
import { encodeCsv } from "../../../../src/pipeline/exports/text/encode-text.ts";
import { bytesOf, minutes, tableBlocks, tableHead } from "../../../helpers/tables.ts";

const NAMES = ["a", "b"];
const ts = minutes(1_000);
const columns = NAMES.map((_, k) => ts.map((time) => Math.sqrt(time + k)));
const running = () => new Int32Array(new SharedArrayBuffer(4));

/** A thread that is ready at once and does `onPart` with each part. */
const moduleOf = (onPart: string) =>
  URL.createObjectURL(
    new Blob([
      `self.onmessage = ({ data }) => {
        if (data.type === "open") Atomics.store(data.shared, 0, 1);
        if (data.type === "close") process.exit();
        if (data.type === "encode") ${onPart};
      };`,
    ]),
  );

const start = (options: EncodingThreadOptions = {}) => new EncodingThread({ processors: 2, mostAlone: 0, ...options });

/** A table as CSV in blocks of ten rows, and how many parts the thread has taken of it. */
async function encode(thread: EncodingThread, stopped = running()) {
  const count = { sent: 0 };
  const open: OpenEncoding = (format) => {
    const table = thread.open(format, stopped);
    if (table === null) return null;
    const send: typeof table.send = (part) => {
      const answer = table.send(part);
      if (answer !== null) count.sent += 1;
      return answer;
    };
    return { ...table, send };
  };
  await bytesOf(encodeCsv(tableHead(NAMES), tableBlocks(ts, columns, [10]), undefined, open));
  return count.sent;
}

test("the encoding thread does not start for a table that is short, nor on one processor", async () => {
  await using short = closing(start({ mostAlone: 3_000 }));
  expect([await encode(short.thread), short.thread.isRunning]).toEqual([0, false]);
  await using single = closing(start({ processors: 1 }));
  expect([await encode(single.thread), single.thread.isRunning]).toEqual([0, false]);
  await using long = closing(start({ mostAlone: 2_990 }));
  await encode(long.thread);
  expect(long.thread.isRunning).toBe(true);
});

test("an export whose encoding thread crashes ends with an error, and the next one has another thread", async () => {
  await using crashing = closing(start({ module: moduleOf('throw new Error("broken")') }));
  expect(await failureOf(untilSent(crashing.thread))).toMatch(/The export was interrupted: .*broken/s);
  expect(crashing.thread.isRunning).toBe(false);
  expect(await failureOf(untilSent(crashing.thread))).toMatch("The export was interrupted");
});

test("an export whose encoding thread ends is interrupted", async () => {
  await using ending = closing(start({ module: moduleOf("process.exit()") }));
  expect(await failureOf(untilSent(ending.thread))).toBe("The export was interrupted: its thread ended");
});

test("the encoding thread stops at a part whose reader has left, and encodes the tables of others", async () => {
  await using each = closing(start());
  await untilSent(each.thread);
  const stopped = running();
  Atomics.store(stopped, 0, 1);
  expect(await failureOf(encode(each.thread, stopped))).toBe("the reader has left");
  await untilSent(each.thread);
});

test("an export that is given up while parts are under way leaves the thread to others", async () => {
  await using each = closing(start());
  await untilSent(each.thread);
  const pieces = encodeCsv(tableHead(NAMES), tableBlocks(ts, columns, [10]), undefined, (format) =>
    each.thread.open(format, running()),
  );
  await pieces.next();
  await pieces.next();
  await pieces.return(undefined);
  await untilSent(each.thread);
});

/** Encodes tables until the thread, which starts meanwhile, has taken a part. */
async function untilSent(thread: EncodingThread): Promise<void> {
  while ((await encode(thread)) === 0) await yieldToEvents();
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: Error) => error.message,
  );

const closing = (thread: EncodingThread) => ({ thread, [Symbol.asyncDispose]: () => thread.close() });
