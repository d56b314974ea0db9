import { expect, test } from "bun:test";
import { ProgressHub } from "../src/hub.ts";
import { createLog } from "../src/log.ts";
import { redactor } from "../src/redact.ts";

test("a message is one line without control characters, wherever it goes", () => {
  const printed: string[] = [];
  const saved: string[] = [];
  const hub = new ProgressHub();
  const log = createLog({
    level: "info",
    hub,
    save: ({ message }) => saved.push(message),
    print: (text) => printed.push(text),
  });
  log.write("warn", "POST /x\nFORGED line\u001b[31m\u0007\u009b\u202e\u2028 é 💥");
  const wanted = "POST /x\\nFORGED line\\x1b[31m\\x07\\x9b\\u202e\\u2028 é 💥";
  expect(printed[0]).toEndWith(` warn  ${wanted}`);
  expect([saved, hub.lines().map(({ message }) => message)]).toEqual([[wanted], [wanted]]);
});

test("a secret is redacted as it is, encoded, in another case and spaced out; other text stays", () => {
  const redact = redactor(["sk-Secret+key/12345"]);
  for (const form of ["sk-Secret+key/12345", "SK-SECRET+KEY/12345", "s k - S e c r e t + k e y / 1 2 3 4 5"]) {
    expect(redact(`before ${form} after`)).toBe("before *** after");
  }
  expect(redact(encodeURIComponent("sk-Secret+key/12345"))).toBe("***");
  expect(redact("sk-Secret is not all of it")).toBe("sk-Secret is not all of it");
});
