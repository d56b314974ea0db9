import { expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import { MAX_SYMBOLS } from "../src/domain/market/symbol.ts";
import {
  ANSWER,
  choice,
  fieldErrors,
  nameText,
  readable,
  strictObject,
  symbol,
  symbols,
  text,
  wholeNumber,
  wholeNumberText,
} from "../src/schemas.ts";

/** What a schema makes of an input, or the messages it refuses it with. */
function check(schema: z.ZodType, input: unknown): unknown {
  const { success, data, error } = schema.safeParse(input);
  return success ? data : fieldErrors(error).map(({ message }) => message);
}

const NO_YEARS = ["wants a whole number from 1 to 30"];

test("whole numbers pass from the minimum to the maximum", () => {
  expect([1, 7, 30].map((input) => check(wholeNumber(1, 30), input))).toEqual([1, 7, 30]);
});

test("whole numbers are refused in one sentence, whatever is wrong with them", () => {
  for (const input of [0, 31, 1.5, "7", null, undefined, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
    expect(new Set(check(wholeNumber(1, 30), input) as string[])).toEqual(new Set(NO_YEARS));
  }
});

test("whole numbers in an address are read from their text", () => {
  expect(["1", "30", " 7 ", "1e1"].map((input) => check(wholeNumberText(1, 30), input))).toEqual([1, 30, 7, 10]);
  for (const input of ["", "0", "31", "1.5", "seven"]) {
    expect(new Set(check(wholeNumberText(1, 30), input) as string[])).toEqual(new Set(NO_YEARS));
  }
});

test("a whole number written as text is read as the same number", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (number) => {
      const [least, most] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
      expect(check(wholeNumberText(least, most), String(number))).toBe(check(wholeNumber(least, most), number));
    }),
  );
});

test("an unknown choice is quoted beside the valid ones", () => {
  const fruit = choice(["apple", "pear"]);
  expect(check(fruit, "pear")).toBe("pear");
  expect(check(fruit, "plum")).toEqual(['"plum" is not one of apple, pear']);
  expect(check(fruit, undefined)).toEqual(['"undefined" is not one of apple, pear']);
  expect(check(fruit, "x\n".repeat(30))).toEqual([`"${"x\ufffd".repeat(20)}…" is not one of apple, pear`]);
});

test("text is trimmed, and neither empty nor too long", () => {
  expect(check(text(4), " name ")).toBe("name");
  expect([undefined, "", "  ", 4, "names"].map((input) => check(text(4), input))).toEqual([
    ["is missing"],
    ["is missing"],
    ["is missing"],
    ["wants text"],
    ["is longer than 4 characters"],
  ]);
});

test("a readable text is replaced by its value, also by zero", () => {
  const digits = readable(
    (input) => (/^\d+$/.test(input) ? Number(input) : null),
    (input) => `${input} has no digits`,
  );
  expect(["0", "12"].map((input) => check(digits, input))).toEqual([0, 12]);
  expect(check(digits, "x")).toEqual(["x has no digits"]);
});

test("symbols are canonical, at least one and not too many, and a wrong one is refused at its place", () => {
  expect(check(symbol, " brk.b ")).toBe("BRK.B");
  expect(check(symbol, 1)).toEqual(["wants text"]);
  expect(check(symbols, ["aapl", "AAPL"])).toEqual(["AAPL", "AAPL"]);
  expect(check(symbols, [])).toEqual(["wants at least one symbol"]);
  expect(check(symbols, "AAPL")).toEqual(["wants a list of symbols"]);
  expect(check(symbols, Array(MAX_SYMBOLS + 1).fill("A"))).toEqual([
    `wants at most ${MAX_SYMBOLS} symbols; start several runs for more`,
  ]);
  const { error } = symbols.safeParse(["AAPL", "a b"]);
  expect(fieldErrors(error!)).toEqual([
    { path: "1", message: expect.stringMatching(/^"a b" is not a symbol: wants /) },
  ]);
});

test("a limit without a message of its own says whether it is one of a number or of a list", () => {
  expect(check(z.array(symbol).min(1).max(2), ["A", "B", "C"])).toEqual(["wants at most 2 in the list"]);
  expect(check(z.array(symbol).min(1), [])).toEqual(["wants at least 1 in the list"]);
  expect(check(z.number().positive(), 0)).toEqual(["wants more than 0"]);
  expect(check(z.int().min(1), 0)).toEqual(["wants at least 1"]);
  expect(check(z.int(), 1.5)).toEqual(["wants a whole number"]);
});

test("an object with unknown fields is refused, and so is anything that is not an object", () => {
  const body = strictObject({ years: wholeNumber(1, 30).default(2) });
  expect(check(body, {})).toEqual({ years: 2 });
  expect(check(body, { day: 1, hour: 2 })).toEqual(['unknown fields "day", "hour"']);
  expect([[], null, "text"].map((input) => check(body, input))).toEqual(Array(3).fill(["wants a JSON object"]));
});

test("faults are named by the path to their field", () => {
  const body = strictObject({ list: z.array(strictObject({ size: wholeNumber(1, 2) })) });
  const { error } = body.safeParse({ list: [{ size: 1 }, { size: 3 }] });
  expect(fieldErrors(error!)).toEqual([{ path: "list.1.size", message: "wants a whole number from 1 to 2" }]);
});

test("a number that breaks two rules of one message is refused once", () => {
  expect(check(wholeNumberText(1, 1e15), "9".repeat(20))).toEqual(["wants a whole number from 1 to 1000000000000000"]);
});

test("no message is one of the library's own, whatever fails and in whatever words the library says it", () => {
  const { localeError } = z.config();
  z.config({ localeError: () => "WORDS OF THE LIBRARY" });
  try {
    const faults: readonly (readonly [z.ZodType, unknown, string])[] = [
      [z.string(), undefined, "is missing"],
      [z.string(), 1, "wants text"],
      [z.string(), ["a"], "wants text, and once only"],
      [z.array(z.string()), "a", "wants a list"],
      [z.record(z.string(), z.number()), 1, "wants a JSON object"],
      [z.boolean(), "yes", "wants true or false"],
      [z.int(), 1.5, "wants a whole number"],
      [z.enum(["a", "b"]), "c", "is not one of a, b"],
      [z.literal(1), 2, "is not one of 1"],
      [z.string().max(2), "abc", "is longer than 2 characters"],
      [z.string().min(1), "", "is missing"],
      [z.number().max(2), 3, "wants at most 2"],
      [z.number().gt(2), 2, "wants more than 2"],
      [z.array(z.string()).min(1), [], "wants at least 1 in the list"],
      [z.number().multipleOf(5), 3, "wants a multiple of 5"],
      [z.strictObject({}), { more: 1 }, 'unknown field "more"'],
      [z.union([z.string(), z.number()]), true, "is not what is wanted here"],
      [z.string().regex(/^a/), "b", "is not what is wanted here"],
      [z.string().refine(() => false), "a", "is not what is wanted here"],
      [z.string({ error: "own words" }), 1, "own words"],
    ];
    for (const [schema, input, words] of faults) {
      const said = check(schema, input) as string[];
      expect([input, said]).toEqual([input, expect.arrayContaining([words])]);
      expect(said).not.toContain("WORDS OF THE LIBRARY");
    }
    const odd = [undefined, null, [], {}, "a", true].map((input) => z.number().safeParse(input, ANSWER).error);
    expect(odd.map((error) => error!.issues[0]!.message)).toEqual([
      "is missing",
      ...["null", "a list", "an object", "text", "true or false"].map((found) => `is ${found}, not a number`),
    ]);
    expect(z.enum(["a"]).safeParse("b", ANSWER).error!.issues[0]!.message).toBe("is not as expected");
  } finally {
    z.config({ localeError });
  }
});

test("a name keeps what can be seen of it: joined emoji too, and no other invisible character", () => {
  const kept: [given: string, kept: string][] = [
    ["a\u200bb", "ab"],
    ["cafe\u0301", "café"],
    ["e\u034f\u0301", "é"],
    ["\u3000a \u00a0\u2800b\u200e ", "a b"],
    ["\ufeffsoft\u00adware", "software"],
    ["❤️ 👨‍👩‍👧 1️⃣", "❤️ 👨‍👩‍👧 1️⃣"],
    ["شعر فارسی", "شعر فارسی"],
  ];
  expect(kept.map(([given]) => check(nameText(20), given))).toEqual(kept.map(([, name]) => name));
  expect(["\u200b", "\u202eabc", "a\nb", "a\u200b".repeat(4)].map((given) => check(nameText(4), given))).toEqual([
    ["is missing"],
    ["has line breaks or control characters"],
    ["has line breaks or control characters"],
    "aaaa",
  ]);
});

test("a symbol of New York is requested without the suffix that says so, and read as it is stored", () => {
  expect(check(symbols, ["AAPL@US", "brk-b@us", "VOD@LSE", "USB"])).toEqual(["AAPL", "BRK.B", "VOD@LSE", "USB"]);
  expect(check(symbol, "AAPL@US")).toBe("AAPL@US");
});
