import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import fc from "fast-check";
import { createRoutes } from "../../../src/routes/index.ts";
import { problemOf } from "../../../src/routes/problem.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";

setDefaultTimeout(60_000);

let app: TestApp;
let table: (readonly [method: string, path: string])[] = [];
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  await app.post("/api/watchlists", { name: "list", symbols: ["AAPL"] });
  const routes = await createRoutes(app.app);
  routes.close();
  const all = (await routes.table())
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path}`);
  table = [...new Set(all)].map((each) => each.split(" ") as [string, string]);
});
afterAll(() => app[Symbol.asyncDispose]());

/** Names that every object inherits, and texts that end lines, paths, strings or numbers. */
const WORDS = [
  ...["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty", "prototype", "undefined", "null", "NaN"],
  ...[
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "9007199254740993",
    "0x10",
    "%",
    "%00",
    "\u0000",
    "\r\nX: y",
    "\u001b[31m",
    "'",
    '"',
  ],
  ...[
    "../../etc/passwd",
    "AAPL",
    "1d",
    "2020-01-01",
    "9999999-01-01",
    "rsi_14 < 30",
    "rsi_14 constructor 5",
    "(",
    "\ud800",
  ],
  ...["a".repeat(900), "1<1 or ".repeat(140), "not ".repeat(240), "(".repeat(300), "💥", "a,b,,c", "[]", "{}", "true"],
];
const NAMES = [
  ...[
    "q",
    "where",
    "sort",
    "interval",
    "from",
    "to",
    "names",
    "format",
    "adjust",
    "provider",
    "page",
    "limit",
    "offset",
  ],
  ...[
    "before",
    "after",
    "run",
    "symbol",
    "symbols",
    "log",
    "since",
    "latest",
    "state",
    "mode",
    "health",
    "actor",
    "action",
  ],
  ...["pick", "list", "watchlist", "list_name", "name", "cron", "time_zone", "scope", "years", "next", "theme", "zone"],
  ...[
    "back",
    "done",
    "saved",
    "feature",
    "sign",
    "than",
    "reason",
    "password",
    "text",
    "file",
    "server",
    "id",
    "ids",
    "order",
  ],
  ...[
    "constructor",
    "__proto__",
    "overlays",
    "labels",
    "include",
    "dtype",
    "as_known_at",
    "columns",
    "base",
    "title",
    "cite",
    "expires",
    "quota_percent",
    "quiet_zone",
    "jobs",
    "filter",
    "select",
    "what",
  ],
];
const word = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.integer().map(String),
);
const fields = fc.array(fc.tuple(fc.constantFrom(...NAMES), word), { maxLength: 6 });
const json = fc.oneof(
  fc.dictionary(
    fc.constantFrom(...NAMES),
    fc.oneof(word, fc.array(word, { maxLength: 3 }), fc.integer(), fc.jsonValue()),
  ),
  fc.jsonValue(),
);
const body = fc.oneof(
  json.map((value) => ["application/json", JSON.stringify(value)] as const),
  fields.map((pairs) => ["application/x-www-form-urlencoded", new URLSearchParams(pairs).toString()] as const),
  fc.constantFrom(
    ["application/json", "{"],
    ["multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nAAPL'],
    [
      "multipart/form-data; boundary=x",
      '--x\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\n1\r\n--x--\r\n',
    ],
    ["multipart/form-data", "x"],
    ["text/csv", '\u0000,\n"\n,,,'],
    ["text/plain", ""],
    ["", "x"],
  ),
);
const HEADERS = [
  ...[
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "Cookie",
    "HX-Request",
    "HX-Current-URL",
    "Last-Event-ID",
    "Origin",
  ],
  ...[
    "Range",
    "If-None-Match",
    "Referer",
    "Sec-Fetch-Site",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-HTTP-Method-Override",
  ],
];
const headerText = fc.constantFrom(
  ...[
    "true",
    "text/html",
    "Bearer bk_x",
    "Basic eA==",
    "barkeep-session=%",
    "barkeep-zone=constructor; barkeep-theme=__proto__",
  ],
  ...[
    "x",
    "http://[",
    "null",
    "bytes=0-0",
    "br, gzip",
    "*/*",
    "__proto__",
    "-1",
    "same-origin",
    "http://localhost/%E0",
  ],
);
const headers = fc.dictionary(fc.constantFrom(...HEADERS), headerText, { maxKeys: 4 });
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

/** Answers that mean that a provider, a mail server or a place in a queue was not to be had. */
const isFault = (status: number) => status >= 500 && status !== 503;

/** What to send to a route; `otherMethod` in a few. */
const request = fc.record({
  otherMethod: fc.option(fc.constantFrom(...METHODS), { freq: 6 }),
  parameter: word,
  query: fields,
  body: fc.option(body),
  headers,
});

/** Sends it; fails if the server does. */
async function send(
  [routeMethod, pattern]: readonly [method: string, path: string],
  { otherMethod, parameter, query, body, headers }: typeof request extends fc.Arbitrary<infer Sent> ? Sent : never,
): Promise<void> {
  const method = otherMethod ?? routeMethod;
  const part = encodeURIComponent(parameter.toWellFormed()).slice(0, 300) || "x";
  const path = pattern.replace(/:\w+(\{[^}]*\})?|\*/g, () => part);
  const abort = new AbortController();
  const response = await fetch(`${app.url}${path}?${new URLSearchParams(query)}`, {
    method,
    headers: { ...headers, ...(body && { "Content-Type": body[0] }) },
    ...(body && method !== "GET" && method !== "HEAD" && { body: body[1] }),
    redirect: "manual",
    signal: abort.signal,
  });
  const { status } = response;
  if (isFault(status)) throw new Error(`${method} ${path}: ${status} ${await response.text()}`);
  expect(response.headers.get("Cache-Control")).not.toBeNull();
  abort.abort();
}

const errorLines = () => app.printed.filter((line) => / error (?:GET|HEAD|POST|PUT|PATCH|DELETE) /.test(line));

test("no request makes the server fail: methods, parameters, bodies, headers and names of properties", async () => {
  expect(table.length).toBeGreaterThan(60);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: table.length - 1 }), request, (route, sent) => send(table[route]!, sent)),
    { numRuns: 800 },
  );
  expect(errorLines()).toEqual([]);
});

test("every route, also the newest, gets requests of this kind", async () => {
  for (const area of [
    "/api/panel",
    "/api/snapshots",
    "/api/lake",
    "/mcp",
    "/quality",
    "/profiles/:symbol/compare",
    "/panel",
    "/snapshots",
    "/lake",
  ])
    expect([area, table.some(([, path]) => path.startsWith(area))]).toEqual([area, true]);
  for (const route of table) {
    for (const sent of fc.sample(request, 3)) await send(route, { ...sent, otherMethod: null });
  }
  expect(errorLines()).toEqual([]);
});

test("a screen of words that every object inherits, or of a long chain, is refused or answered", async () => {
  for (const where of [
    "rsi_14 constructor 5",
    "rsi_14 __proto__ 5",
    "toString < 5",
    Array(140).fill("1<1").join(" or "),
  ]) {
    for (const path of ["/api/profiles", "/profiles"]) {
      const { status } = await app.get(`${path}?where=${encodeURIComponent(where)}`);
      expect([where, status === 200 || status === 422]).toEqual([where, true]);
    }
  }
});

/** Everything that the server answers to these bytes until it closes the connection. */
async function answerTo(bytes: string): Promise<string> {
  const { hostname, port } = new URL(app.url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = "";
  const socket = connect(Number(port), hostname);
  socket.on("error", reject);
  socket.on("data", (data) => (answer += data));
  socket.on("close", () => resolve(answer));
  socket.write(bytes);
  return promise;
}

test("a repeated parameter of the API is refused rather than one of its values chosen, and TRACE is no method", async () => {
  for (const query of ["runs?limit=1&limit=2", "profiles?limit=1&limit=2", "bars/AAPL?interval=1d&interval=1h"]) {
    expect([query, (await app.get(`/api/${query}`)).status]).toEqual([query, 422]);
  }
  expect(await answerTo("TRACE /runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).toMatch(
    /^HTTP\/1.1 405 /,
  );
});

test("an unexpected error is answered without its text", () => {
  expect(problemOf(new Error("no such column: secret")).status).toBe(500);
  expect(JSON.stringify(problemOf(new Error("no such column: secret")))).not.toContain("secret");
});

test("a request without a host is a bad request", async () => {
  expect(await answerTo("GET /runs HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.\d 400 /);
  for (const host of ["", "localhost:99999", "x@localhost", "[::1", "a b", "localhost/x", "%00"])
    expect([host, await answerTo(`GET /runs HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)]).toEqual([
      host,
      expect.stringMatching(/^HTTP\/1\.\d 400 /),
    ]);
});

test.each([
  "Transfer-Encoding: chunked\r\nContent-Length: 4",
  "Content-Length: 4\r\nContent-Length: 5",
  "Transfer-Encoding: xchunked\r\nContent-Length: 4",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding : chunked",
  "Content-Length: +5",
])("a request whose end is ambiguous is refused, and what follows is not read as another one: %j", async (headers) => {
  const hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const answer = await answerTo(`POST /api/runs HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n0\r\n\r\n${hidden}`);
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 400"]);
});

test("everything but styles and scripts is kept out of caches, and the headers bind no other host", async () => {
  const asset = /\/assets\/app\.css\?v=\w+/.exec((await app.get("/")).text)![0];
  expect((await app.get(asset)).headers.get("Cache-Control")).toContain("immutable");
  for (const path of [
    "/",
    "/runs",
    "/profiles",
    "/profiles?format=csv",
    "/audit",
    "/audit?format=csv",
    "/api/runs",
    "/none",
  ]) {
    const { headers } = await app.get(path);
    expect([path, headers.get("Cache-Control")]).toEqual([path, "no-store"]);
    expect(headers.get("Strict-Transport-Security")).toBeNull();
    expect(headers.get("Permissions-Policy")).toContain("camera=()");
    expect(headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
  }
});

test("names cannot hold line breaks or control characters", async () => {
  const name = "a\r\nBcc: x@evil.example";
  for (const [path, body] of [
    ["/api/watchlists", { name, symbols: [] }],
    ["/api/schedules", { name, cron: "0 9 * * *", scope: "stored" }],
  ] as const) {
    const { status, body: answer } = await app.post(path, body);
    expect([path, status, answer.errors[0].path]).toEqual([path, 422, "name"]);
  }
  for (const [path, field] of [
    ["/companies/lists", "list_name"],
    ["/settings/access", "name"],
  ] as const) {
    const response = await fetch(app.url + path, { method: "POST", body: new URLSearchParams({ [field]: name }) });
    expect([path, response.status]).toEqual([path, 422]);
  }
});

test.each(["constructor", "__proto__", "toString"])(
  "%s is the name of a provider that there is not",
  async (provider) => {
    expect((await app.get(`/runs?provider=${provider}`)).status).toBe(200);
    const { status, body } = await app.post("/api/runs", { symbols: ["AAPL"], years: 1, provider });
    expect([status, body.errors[0].path]).toEqual([422, "provider"]);
  },
);
