import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { startApp, type TestApp } from "../helpers/app.ts";
import { ask } from "../helpers/http.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
});
afterAll(() => app[Symbol.asyncDispose]());

const good = { symbols: ["AAPL"] };

/** Bodies that are refused, the wrong field, and its message. */
const orders: [string, unknown, string, RegExp][] = [
  ["an unknown mode", { ...good, mode: "turbo" }, "mode", /"turbo" is not one of full, incremental, reprocess, repair/],
  ["an unknown interval", { ...good, interval: "2d" }, "interval", /"2d" is not one of 1m, 5m, 15m, 1h, 1d/],
  ["0 years", { ...good, years: 0 }, "years", /from 1 to 30, or "all"$/],
  ["31 years", { ...good, years: 31 }, "years", /from 1 to 30, or "all"$/],
  ["1.5 years", { ...good, years: 1.5 }, "years", /whole number/],
  ["years as text", { ...good, years: "2" }, "years", /whole number/],
  ["years that are no number", { ...good, years: null }, "years", /whole number/],
  ["no symbols at all", {}, "symbols", /list of symbols/],
  ["an empty list", { symbols: [] }, "symbols", /at least one/],
  ["symbols as text", { symbols: "AAPL" }, "symbols", /list of symbols/],
  ["10,000 symbols", { symbols: Array.from({ length: 10_000 }, (_, i) => `S${i}`) }, "symbols", /at most 5000/],
  ["a symbol of 300 characters", { symbols: ["A".repeat(300)] }, "symbols.0", /is not a symbol/],
  ["a path", { symbols: ["AAPL", "../../etc/passwd"] }, "symbols.1", /is not a symbol/],
  ["markup", { symbols: ["<script>alert(1)</script>"] }, "symbols.0", /is not a symbol/],
  ["SQL", { symbols: ["A'; DROP TABLE bars;--"] }, "symbols.0", /is not a symbol/],
  ["a zero byte", { symbols: ["AA\u0000PL"] }, "symbols.0", /is not a symbol/],
  ["a line break", { symbols: ["AAPL\nMSFT"] }, "symbols.0", /is not a symbol/],
  ["an escape sequence", { symbols: ["\u001b[2JAAPL"] }, "symbols.0", /is not a symbol/],
  ["letters of another script", { symbols: ["ААРL"] }, "symbols.0", /is not a symbol/],
  ["an empty symbol", { symbols: [" "] }, "symbols.0", /is not a symbol/],
  ["a number as symbol", { symbols: [7] }, "symbols.0", /wants text/],
  ["an unknown field", { ...good, symbol: "AAPL" }, "", /unknown field "symbol"/],
  ["a field of the prototype", JSON.parse('{"symbols":["AAPL"],"__proto__":{"a":1}}'), "", /unknown field/],
  ["an unknown provider", { ...good, provider: "nobody" }, "provider", /not a known provider/],
  ["a provider without its settings", { ...good, provider: "csv" }, "provider", /it needs BARKEEP_CSV_DIR/],
  ["no workers", { ...good, max_workers: 0 }, "max_workers", /from 1 to 64/],
  ["batches of no days", { ...good, batch_days: 0 }, "batch_days", /from 1 to 365/],
  ["a list instead of an object", [], "", /JSON object/],
  ["nothing", null, "", /JSON object/],
  ["text", "AAPL", "", /JSON object/],
];

function expectProblem(answer: Awaited<ReturnType<typeof ask>>, status: number): void {
  expect([answer.status, answer.type], answer.text.slice(0, 300)).toEqual([status, "application/problem+json"]);
  const { type, title, status: said, detail, errors = [], ...more } = answer.body;
  expect([typeof type, typeof title, said, typeof detail, more]).toEqual(["string", "string", status, "string", {}]);
  for (const error of errors) expect(Object.keys(error).toSorted()).toEqual(["message", "path"]);
  expect(answer.text).not.toMatch(/\bat .*\.tsx?:\d+|node_modules|Error:/);
  expect(answer.text.length).toBeLessThan(20_000);
}

/** A refused request must have no effect. */
async function expectNothingStored(): Promise<void> {
  for (const table of ["runs", "jobs", "series", "bars", "profiles"]) {
    expect(await app.app.db.rows(`SELECT count(*) FROM ${table}`, []), table).toEqual([[0]]);
  }
  expect(app.app.hub.snapshot().jobs).toEqual([]);
}

describe("a request with", () => {
  for (const [name, body, path, message] of orders) {
    test(`a run with ${name} is refused by name`, async () => {
      const answer = await app.post("/api/runs", body);
      expectProblem(answer, 422);
      const { errors } = answer.body;
      expect(
        errors.some((e: { path: string; message: string }) => e.path === path && message.test(e.message)),
        answer.text.slice(0, 300),
      ).toBe(true);
      // What is repeated of the input cannot do harm.
      expect(answer.text).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
      await expectNothingStored();
    });
  }

  test("a run with several faults names all of them", async () => {
    const answer = await app.post("/api/runs", { symbols: ["AAPL", "../x"], mode: "turbo", years: 99, colour: "red" });
    expectProblem(answer, 422);
    expect(answer.body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual([
      "",
      "mode",
      "symbols.1",
      "years",
    ]);
  });
});

describe("a request with", () => {
  const send = (body: RequestInit["body"], headers: Record<string, string>, path = "/api/runs", method = "POST") =>
    ask(app.url + path, { method, body, headers });
  const json = { "Content-Type": "application/json" };
  const order = JSON.stringify(good);

  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/json",
  ]) {
    test(`the content type ${type} is refused with 415`, async () => {
      expectProblem(await send(order, { "Content-Type": type }), 415);
    });
  }

  test("a body without a type, or of unknown length and another type, is refused with 415", async () => {
    expectProblem(await send(new TextEncoder().encode(order), {}), 415);
    const stream = new Blob([order]).stream();
    expectProblem(await send(stream, { "Content-Type": "text/plain" }), 415);
  });

  test("a compressed body is refused with 415, which says what is taken, wherever it is sent", async () => {
    for (const [path, type] of [
      ["/api/runs", "application/json"],
      ["/api/companies/import", "text/csv"],
      ["/runs", "application/x-www-form-urlencoded"],
      ["/mcp", "application/json"],
    ] as const) {
      const answer = await send(gzipSync(order), { "Content-Type": type, "Content-Encoding": "gzip" }, path);
      expectProblem(answer, 415);
      expect([path, answer.headers.get("Accept-Encoding")]).toEqual([path, "identity"]);
    }
    expectProblem(await send(order.slice(1), { ...json, "Content-Encoding": "identity" }), 400);
  });

  for (const [name, body] of [
    ["half an object", '{"symbols":["AAPL"'],
    ["no JSON", "AAPL"],
    ["nothing", ""],
    ["broken UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22])],
  ] as const) {
    test(`${name} for JSON is refused`, async () => {
      const answer = await send(body, json);
      expectProblem(answer, answer.status === 422 ? 422 : 400);
    });
  }

  test("JSON nested a hundred thousand deep is refused", async () => {
    const answer = await send(`${"[".repeat(100_000)}${"]".repeat(100_000)}`, json);
    expectProblem(answer, answer.status === 400 ? 400 : 422);
  });

  test("a body of 10 MB is refused with 413, its length declared or not", async () => {
    const large = JSON.stringify({ symbols: ["AAPL"], pad: "x".repeat(10 * 1024 * 1024) });
    expectProblem(await send(large, json), 413);
    expectProblem(await send(new Blob([large]).stream(), json), 413);
    expect((await app.get("/healthz")).status).toBe(200);
  });

  test("the origin of another site is refused, a program that names none is not", async () => {
    const forged = { "Content-Type": "text/plain", Origin: "http://evil.example" };
    expect([403, 415]).toContain((await send(order, forged)).status);
    const control = "/api/runs/nobody/pause";
    expectProblem(await send(null, { Origin: "http://evil.example" }, control), 403);
    expectProblem(await send(null, {}, control), 404);
  });

  test("a wrong method is refused with 405, which names the right ones", async () => {
    for (const [method, path, allow] of [
      ["DELETE", "/api/runs", ["GET", "HEAD", "POST"]],
      ["PUT", "/api/runs/1", ["GET", "HEAD"]],
      ["POST", "/api/profiles/AAPL", ["DELETE", "GET", "HEAD"]],
      ["GET", "/api/runs/1/jobs/AAPL/pause", ["POST"]],
      ["POST", "/healthz", ["GET", "HEAD"]],
    ] as const) {
      const answer = await send(null, {}, path, method);
      expectProblem(answer, 405);
      expect(answer.headers.get("Allow")!.split(", ").toSorted(), `${method} ${path}`).toEqual([...allow]);
    }
  });

  for (const path of ["/api", "/api/nothing", "/api/runs/1/2/3/4/5/6", "/api/../../etc/passwd", "/api/%2e%2e%2fetc"]) {
    test(`the unknown address ${path} is refused with 404`, async () => {
      expectProblem(await app.get(path), 404);
    });
  }

  test("a parameter that is given twice, too long or not to be chosen is refused in the words of the other checks", async () => {
    for (const [path, message] of [
      ["/api/companies?q=a&q=b", "q: wants text, and once only"],
      [`/api/companies?q=${"x".repeat(101)}`, "q: is longer than 100 characters"],
      ["/api/bars/AAPL?from=2026-01-01&from=2026-02-01", "from: wants text, and once only"],
      ["/api/alerts?state=constructor", "state: is not one of waiting, sending, sent, failed"],
      ["/api/events?latest=2", "latest: is not one of 0, 1"],
    ] as const) {
      const answer = await app.get(path);
      expectProblem(answer, 422);
      expect([path, answer.body.detail]).toEqual([path, message]);
    }
  });

  test("a list of companies of another content type is refused with those that it may have", async () => {
    const answer = await send("<html>", { "Content-Type": "text/html" }, "/api/companies/import");
    expectProblem(answer, 415);
    expect(answer.body.detail).toBe("Send text/csv or text/plain or multipart/form-data, not text/html");
  });

  for (const [path, status] of [
    ["/api/profiles/%3Cscript%3E", 422],
    ["/api/profiles/%00", 422],
    [`/api/profiles/${"A".repeat(300)}`, 422],
    ["/api/profiles/..%2f..%2fetc", 422],
    ["/api/profiles/AAPL?interval=2d", 422],
    ["/api/profiles/AAPL", 404],
    ["/api/profiles?limit=0", 422],
    ["/api/profiles?limit=99999", 422],
    ["/api/profiles?offset=-1", 422],
    ["/api/bars/AAPL?from=yesterday", 422],
    ["/api/bars/AAPL?format=exe", 422],
    ["/api/bars/AAPL", 404],
    ["/api/bars/%ff", 422],
    ["/api/runs?limit=x", 422],
    ["/api/runs/nobody", 404],
    [`/api/runs/${"9".repeat(300)}`, 422],
    ["/api/events?latest=maybe", 422],
  ] as const) {
    test(`${path.slice(0, 60)} is answered with ${status}`, async () => {
      expectProblem(await app.get(path), status);
    });
  }

  test("none of these requests left anything behind", expectNothingStored);
});
