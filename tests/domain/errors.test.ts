import { expect, test } from "bun:test";
import {
  describeError,
  invalid,
  invalidFields,
  messageOf,
  onOneLine,
  ProviderError,
  quote,
  traceOf,
  withoutPaths,
} from "../../src/domain/errors.ts";

test("input that is wrong at one field is refused with the field before the message", () => {
  const { kind, status, message, errors } = invalid("years", "wants a whole number");
  expect([kind, status, message]).toEqual(["invalid", 422, "years: wants a whole number"]);
  expect(errors).toEqual([{ path: "years", message: "wants a whole number" }]);
});

test("of several wrong fields the message says the number, of one the fault itself", () => {
  const [years, whole] = [
    { path: "years", message: "wants a whole number" },
    { path: "", message: "wants a JSON object" },
  ];
  expect(invalidFields([years, whole]).message).toBe("2 fields are wrong");
  expect(invalidFields([years, whole]).errors).toEqual([years, whole]);
  expect(invalidFields([years]).message).toBe("years: wants a whole number");
  expect(invalidFields([whole]).message).toBe("wants a JSON object");
  expect([years, whole].map(describeError)).toEqual(["years: wants a whole number", "wants a JSON object"]);
});

test("what is quoted is short and has no control characters", () => {
  expect(quote('say "hi"')).toBe('"say \\"hi\\""');
  expect(quote("a\0b\nc\x9bd")).toBe('"a\ufffdb\ufffdc\ufffdd"');
  expect(quote("Zürich 東京")).toBe('"Zürich 東京"');
  expect(quote("x".repeat(40))).toBe(`"${"x".repeat(40)}"`);
  expect(quote("x".repeat(41))).toBe(`"${"x".repeat(40)}…"`);
});

test("what ends a line, controls a terminal or reverses text is escaped, whoever wrote the message", () => {
  const hostile = "bad \x1b[31m\x1b]0;pwn\x07\r\n\x9b2J\u2028\u202eend";
  const escaped = "bad \\x1b[31m\\x1b]0;pwn\\x07\\x0d\\n\\x9b2J\\u2028\\u202eend";
  expect(onOneLine(hostile)).toBe(escaped);
  expect(onOneLine(escaped)).toBe(escaped);
  expect(new ProviderError("transient", hostile).message).toBe(escaped);
  // White space within a message is folded before, so that stays readable.
  expect(messageOf(new Error("one\n two\x1b[0m"))).toBe("one two\\x1b[0m");
});

test("the trace of an error names calls below the installation, and not the folder that has the name of a user", () => {
  const error = new TypeError("x is not a function");
  error.stack = [
    "TypeError: x is not a function",
    "    at store (/home/Jo Doe/src/barkeep/src/storage/db.ts:20:5)",
    "    at file:///home/jo/barkeep/node_modules/hono/dist/src/hono.js:9:1",
    "    at async C:\\Users\\jo\\barkeep\\src\\app.ts:1:2",
    "    at read (/usr/local/lib/native.js:3:4)",
    "    at processTicksAndRejections (native:7:39)",
  ].join("\n");
  expect(traceOf(error).split("\n")).toEqual([
    "TypeError: x is not a function",
    "    at store (src/storage/db.ts:20:5)",
    "    at node_modules/hono/dist/src/hono.js:9:1",
    "    at async src\\app.ts:1:2",
    "    at read (native.js:3:4)",
    "    at processTicksAndRejections (native:7:39)",
  ]);
});

test("paths that errors of the system quote are taken out of a text, and nothing else is", () => {
  expect(withoutPaths("ENOENT: no such file or directory, rename '/srv/my data/a' -> 'C:\\x\\b'")).toBe(
    "ENOENT: no such file or directory, rename (a path) -> (a path)",
  );
  expect(withoutPaths("EACCES: permission denied, copyfile '/home/Jo's data/a' -> '/srv/it's/b'")).toBe(
    "EACCES: permission denied, copyfile (a path) -> (a path)",
  );
  for (const text of ["GET /api/runs: 'x' is no symbol", "AAPL: Batch 2/24: 4%", "it's /not/ quoted, isn't it"])
    expect(withoutPaths(text)).toBe(text);
});
