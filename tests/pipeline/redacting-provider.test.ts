import { expect, test } from "bun:test";
import { ProviderError } from "../../src/domain/errors.ts";
import { emptyBars } from "../../src/domain/market/bars.ts";
import { redactingProvider } from "../../src/pipeline/workers/redacting-provider.ts";
import { createDemoProvider } from "../../src/providers/demo/demo-provider.ts";
import { Redactor } from "../../src/redact.ts";
import { recordingContext } from "../providers/fetch-context.ts";

const KEY = "k3y/of=mine";
const window = { symbol: "AAPL", interval: "1d", from: 0, to: 86_400, asOf: 86_400 } as const;
const secrets = new Redactor();
secrets.add([KEY]);

test("an adapter that forgets to redact reveals no key", async () => {
  const unredacted = redactingProvider(
    {
      ...createDemoProvider(),
      fetchBars: async ({ symbol }) => {
        if (symbol === "ERR") throw new ProviderError("auth", `bad key ${KEY} at /?k=${encodeURIComponent(KEY)}`, 7);
        const row = { where: "row 1", reason: `no price for ${KEY}`, raw: `{"key":"${KEY}"}` };
        return { bars: emptyBars(), rejected: [{ ...row, ts: 0 }] };
      },
    },
    secrets.redact,
  );
  const { rejected } = await unredacted.fetchBars(window, recordingContext());
  expect(JSON.stringify(rejected)).not.toContain("k3y");
  expect(rejected[0]!.raw).toBe('{"key":"***"}');
  const error = await unredacted.fetchBars({ ...window, symbol: "ERR" }, recordingContext()).catch((thrown) => thrown);
  expect([error.kind, error.message, error.retryAfter]).toEqual(["auth", "bad key *** at /?k=***", 7]);
});

test("a lookup of the first bar and the bars of many symbols reveal no key either", async () => {
  const words = `no data for ${KEY}`;
  const unredacted = redactingProvider(
    {
      ...createDemoProvider(),
      firstBar: { isStated: false, find: () => Promise.reject(new ProviderError("quota_exceeded", words)) },
      bulk: {
        serves: () => true,
        parts: () => [],
        fetch: async () => new Map(),
        bars: async () => ({ bars: emptyBars(), rejected: [], notInPlan: [{ from: 0, to: 1, words }] }),
      },
    },
    secrets.redact,
  );
  const context = recordingContext();
  const error = await unredacted.firstBar!.find("AAPL", "1d", context).catch((thrown) => thrown);
  expect([error.kind, error.message]).toEqual(["quota_exceeded", "no data for ***"]);
  const { notInPlan } = await unredacted.bulk!.bars(window, [], context);
  expect(notInPlan).toEqual([{ from: 0, to: 1, words: "no data for ***" }]);
});

test("an adapter that forgets to redact reveals no key in a lookup of the first bar, nor in a bulk request", async () => {
  const row = { where: "row 1", reason: `no price for ${KEY}`, raw: KEY, ts: 0 };
  const refused = async () => {
    throw new ProviderError("quota_exceeded", `used up for ${KEY}`);
  };
  const { firstBar, bulk } = redactingProvider(
    {
      ...createDemoProvider(),
      firstBar: { isStated: true, find: refused },
      bulk: {
        serves: () => true,
        parts: () => [],
        fetch: refused,
        bars: async () => ({ bars: emptyBars(), rejected: [row] }),
      },
    },
    secrets.redact,
  );
  const context = recordingContext();
  const found = await firstBar!.find("AAPL", "1d", context).catch((thrown) => thrown);
  const part = { key: "day", what: "bars", list: 0, from: 0, to: 1, symbols: ["AAPL"], requests: 1, cost: 1 } as const;
  const fetched = await bulk!.fetch(part, { asOf: 0 }, context).catch((thrown) => thrown);
  expect([found.message, fetched.message]).toEqual(["used up for ***", "used up for ***"]);
  const { rejected } = await bulk!.bars(window, [], context);
  expect(rejected).toEqual([{ ...row, reason: "no price for ***", raw: "***" }]);
});

test("a key that was replaced is redacted as well", () => {
  const redactor = new Redactor();
  const { redact } = redactor;
  expect(redact("old-key new-key")).toBe("old-key new-key");
  redactor.add(["old-key"]);
  redactor.add(["new-key", undefined, ""]);
  expect(redact("old-key new-key")).toBe("*** ***");
});

const ODD_KEY = `k3y~of!a'paying(customer)/"&\\<é+9 8=`;
const inForm = () => {
  const { searchParams } = new URL("http://127.0.0.1/");
  searchParams.set("key", ODD_KEY);
  return searchParams.toString().slice("key=".length);
};

test.each([
  ["as it is", ODD_KEY],
  ["in a URL", encodeURIComponent(ODD_KEY)],
  ["in a form", inForm()],
  ["in a URL within a URL", encodeURIComponent(encodeURIComponent(ODD_KEY))],
  ["with every byte escaped", [...Buffer.from(ODD_KEY)].map((byte) => `%${byte.toString(16)}`).join("")],
  ["in JSON", JSON.stringify(ODD_KEY).slice(1, -1)],
  ["in JSON of ASCII", JSON.stringify(ODD_KEY).slice(1, -1).replace("é", "\\u00e9").replace("/", "\\/")],
  ["in JSON within JSON", JSON.stringify(JSON.stringify(ODD_KEY)).slice(3, -3)],
  ["in HTML", Bun.escapeHTML(ODD_KEY)],
  ["in HTML by numbers", [...ODD_KEY].map((each) => `&#${each.codePointAt(0)};`).join("")],
  ["in Base64", Buffer.from(ODD_KEY).toString("base64")],
  ["in Base64 for URLs", Buffer.from(ODD_KEY).toString("base64url")],
  ["in another case, with spaces", [...ODD_KEY.toUpperCase()].join(" ")],
])("a key is redacted %s", (_, written) => {
  const { redact } = new Redactor();
  const own = new Redactor();
  own.add([ODD_KEY]);
  expect(redact(`before ${written} after`)).toBe(`before ${written} after`);
  expect(own.redact(`before ${written} after`)).toMatch(/^before \*\*\*.{0,3} after$/);
});

test.each([0, 1, 2])("a key is redacted in Base64 that begins %d bytes before it, as with a user's name", (before) => {
  const own = new Redactor();
  own.add([ODD_KEY]);
  const encoded = Buffer.from(`${"u".repeat(before + 2)}:${ODD_KEY}:more`).toString("base64");
  const left = own.redact(`Basic ${encoded}`);
  expect(left).toContain("***");
  expect(Buffer.from(left.split("***")[1]!, "base64").toString("latin1")).not.toContain("9 8=");
  expect(left.length).toBeLessThan(28);
});

test("text with thousands of escapes that is no key is left as it is", () => {
  const own = new Redactor();
  own.add([ODD_KEY, "+++a b c d+++", "%25%25%25%25x"]);
  for (const each of ["+", " ", "%25", "\\", "&amp;", "&#0"]) {
    const text = each.repeat(50_000);
    expect(own.redact(text)).toBe(text);
  }
});
