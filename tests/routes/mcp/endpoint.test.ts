/** `/mcp`, called by the official client over loopback. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Hono } from "hono";
import { hashSecret, newSecret, TOKEN_PREFIX } from "../../../src/auth.ts";
import type { Scope } from "../../../src/domain/access.ts";
import { mcpRoutes } from "../../../src/routes/mcp/endpoint.ts";
import { INSTALL, loadMcp } from "../../../src/routes/mcp/mcp-module.ts";
import { previewOf } from "../../../src/routes/runs/cost-preview.tsx";
import { parseRunRequest } from "../../../src/scheduler/runs/run-request.ts";
import { listAudit } from "../../../src/storage/access/audit.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { ask } from "../../helpers/http.ts";
import { PASSWORD_HASH } from "../../helpers/password.ts";

setDefaultTimeout(60_000);

let app: TestApp;
let [reading, operating]: [Caller, Caller] = [] as never;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH } });
  const { id } = await app.app.runs.start(parseRunRequest({ symbols: ["AAPL", "MSFT"], years: 1, batch_days: 365 }));
  await app.waitForRun(id, "complete");
  reading = await connected("read", "legacy");
  operating = await connected("operate", "auto");
});
afterAll(async () => {
  await Promise.all([reading.client.close(), operating.client.close()]);
  await app[Symbol.asyncDispose]();
});

type Caller = Awaited<ReturnType<typeof connected>>;

/** A client with a token of that scope. */
async function connected(scope: Scope, mode: "legacy" | "auto") {
  const token = newSecret(TOKEN_PREFIX);
  await saveToken(app.app.db, { name: `${scope} token`, scope, hash: hashSecret(token), expiresAt: null });
  const headers = { Authorization: `Bearer ${token}` };
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${app.url}/mcp`), { requestInit: { headers } }));
  return {
    client,
    headers,
    /** What a tool answers; its text and its structure are the same. */
    async call(name: string, input: object) {
      const { content, structuredContent, isError } = await client.callTool({ name, arguments: { ...input } });
      const [text] = content as unknown as [{ text: string }];
      if (structuredContent !== undefined) expect(JSON.parse(text.text)).toEqual(structuredContent);
      // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
      return { isError: isError === true, text: text.text, body: structuredContent as any };
    },
    get: async (url: string) => (await ask(url, { headers })).body,
  };
}

const AAPL = {
  symbol: "AAPL",
  interval: "1d",
  provider: "demo",
  synthetic: true,
  history_complete: true,
  health: "ok",
};

test("the server offers the eight tools to clients of both revisions of the protocol, and only start_run changes anything", async () => {
  const names = ["coverage", "find_symbols", "get_bars", "get_features", "plan_run", "promises", "screen", "start_run"];
  for (const { client } of [reading, operating]) {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(names);
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint !== true).map(({ name }) => name)).toEqual([
      "start_run",
    ]);
    expect(client.getServerVersion()).toMatchObject({ name: "barkeep" });
  }
});

describe("reading", () => {
  test("get_bars answers the newest bars as the API has them, with coverage, what was cut, and where all are", async () => {
    const { body } = await reading.call("get_bars", { symbol: "aapl", limit: 3 });
    const all = await reading.get(body.all);
    expect(all.data.length).toBeGreaterThan(200);
    expect(body.data).toEqual(all.data.slice(-3));
    expect(body).toMatchObject({ symbol: "AAPL", provider: "demo", synthetic: true, cut: true });
    expect(body.coverage).toMatchObject({ ...AAPL, bars: all.data.length, findings: [] });
    expect(body.coverage.last_bar).toBe(all.data.at(-1).timestamp);
    expect(body.summary).toContain(`The ones before: to=${all.data.at(-3).timestamp}`);

    const before = await reading.call("get_bars", { symbol: "AAPL", limit: 3, to: body.data[0].timestamp });
    expect(before.body.data).toEqual(all.data.slice(-6, -3));
    const whole = await reading.call("get_bars", { symbol: "AAPL", limit: 3, from: all.data.at(-3).timestamp });
    expect([whole.body.cut, whole.body.data]).toEqual([false, body.data]);
  });

  test("get_bars builds bars of an interval that is not stored, and says from which", async () => {
    const { body } = await reading.call("get_bars", { symbol: "MSFT", interval: "1w", limit: 4 });
    expect(body.data).toEqual((await reading.get(body.all)).data.slice(-4));
    expect(body).toMatchObject({ interval: "1w", source_interval: "1d", cut: true, coverage: { interval: "1d" } });
    const { body: whole } = await reading.call("get_bars", { symbol: "MSFT", interval: "1mo", limit: 1_000 });
    expect(whole.data).toEqual((await reading.get(whole.all)).data);
    expect(whole.cut).toBe(false);
  });

  test("get_features answers the named features at the newest bars, and at most 10,000 values", async () => {
    const names = ["rsi_14", "sma_20"];
    const { body } = await reading.call("get_features", { symbol: "AAPL", names, limit: 5 });
    expect(body.data).toEqual((await reading.get(body.all)).data.slice(-5));
    expect(Object.keys(body.data[0])).toEqual(["timestamp", ...names]);
    expect(body.coverage).toMatchObject(AAPL);
    const { body: wide } = await reading.call("get_features", { symbol: "AAPL", names: ["all"], limit: 1_000 });
    expect([wide.data.length, wide.cut]).toEqual([50, true]);
  });

  test("screen answers the values that it compared, the best first, and how many match", async () => {
    const input = { where: "rsi_14 > 0", sort: "-rsi_14", limit: 1 };
    const { body } = await reading.call("screen", input);
    const { profiles } = await reading.get(body.all);
    expect(body.matched).toBe(2);
    expect(profiles).toHaveLength(2);
    expect(body.rows).toEqual([
      expect.objectContaining({ symbol: profiles[0].symbol, values: { rsi_14: profiles[0].features.rsi_14 } }),
    ]);
    expect(body.rows[0]).toMatchObject({ ...AAPL, symbol: profiles[0].symbol });
    expect(body.summary).toContain(`Only the first 1 are here; all of them: GET ${body.all}`);
    expect((await reading.call("screen", { where: "rsi_14 > 100" })).body.rows).toEqual([]);
  });

  test("screen at an interval that is not stored answers derived values with the coverage of their bars", async () => {
    const { body } = await reading.call("screen", { where: "rsi_14 > 0", sort: "-rsi_14", limit: 1, interval: "1w" });
    const { profiles } = await reading.get(body.all);
    expect([body.matched, profiles.length]).toEqual([2, 2]);
    const [first] = profiles;
    expect(body.rows).toEqual([
      expect.objectContaining({
        ...AAPL,
        symbol: first.symbol,
        values: { rsi_14: first.features.rsi_14 },
        derived: {
          interval: "1w",
          last_bar: first.last_bar.replace(".000Z", "Z"),
          last_bar_is_partial: first.partial.includes("last"),
        },
      }),
    ]);
    expect(body.summary).toContain("derived from stored bars");
  });

  test("tools refuse arguments that they do not know, of the wrong type or out of range, and say which", async () => {
    for (const [name, input, word] of [
      ["get_bars", { symbol: "AAPL", intervall: "1d" }, "intervall"],
      ["get_bars", { symbol: "AAPL", interval: "2h" }, "interval"],
      ["get_bars", { symbol: "AAPL", limit: 1_001 }, "limit"],
      ["get_bars", { symbol: "AA PL!" }, "symbol"],
      ["get_bars", { symbol: "AAPL", from: "yesterday" }, "from"],
      ["get_bars", {}, "symbol"],
      ["get_features", { symbol: "AAPL", names: ["fwd_ret_5"] }, "fwd_ret_5"],
      ["get_features", { symbol: "AAPL", names: [] }, "names"],
      ["screen", { where: "fwd_ret_5 > 0" }, "fwd_ret_5"],
      ["screen", { where: "rsi_14 <" }, "at character 9"],
      ["coverage", { symbol: "AAPL", months: "many" }, "months"],
      ["find_symbols", { query: 5 }, "query"],
      ["plan_run", { symbols: [] }, "symbols"],
      ["start_run", { symbols: ["AAPL"], confirm: 1 }, "confirm"],
    ] as const) {
      const { isError, text } = await operating.call(name, input);
      expect([name, isError, text]).toEqual([name, true, expect.stringContaining(word)]);
    }
  });

  test("coverage tells series, findings and months; a symbol without bars has none", async () => {
    const { body } = await reading.call("coverage", { symbol: "AAPL", months: 3 });
    expect(body.series).toEqual([expect.objectContaining({ ...AAPL, findings_in_all: 0 })]);
    const map = (await reading.get(`${app.url}/api/quality?q=AAPL&months=3`)) as {
      months: string[];
      profiles: { cells: (string | null)[] }[];
    };
    const cells = map.profiles[0]!.cells.map((state, at) => ({ month: map.months[at], state }));
    expect(body.months[0].months).toEqual(cells.filter(({ state }) => state !== null));
    const none = await reading.call("coverage", { symbol: "TSLA" });
    expect([none.body.series, none.body.summary]).toEqual([[], expect.stringContaining("Nothing is stored of TSLA")]);
  });

  test("promises tells which symbols are up to date, the forecast with its reasons, and past deadlines", async () => {
    const none = await reading.call("promises", {});
    expect([none.body.summary, none.body.promises]).toEqual(["0 promises, none is in danger.", []]);
    const body = { name: "Coins", symbols: ["SOL-USD"], by_time: "12:00", time_zone: "UTC", days: "every_day" };
    const { promise } = await app.app.promises.save(null, body);
    const answer = await reading.call("promises", { results: 3 });
    expect(answer.body.summary).toBe("1 promise, in danger: Coins.");
    expect(answer.body.promises).toEqual([
      expect.objectContaining({
        name: "Coins",
        results: [],
        status: expect.objectContaining({ forecast: "will_be_missed", missing: 1, symbols: ["SOL-USD"] }),
      }),
    ]);
    await app.app.promises.remove(promise.id);
  });

  test("find_symbols finds by the beginning of a symbol, with what is stored", async () => {
    const { body } = await reading.call("find_symbols", { query: "ms" });
    expect(body.symbols).toEqual([expect.objectContaining({ symbol: "MSFT" })]);
    expect(body.symbols[0].stored).toEqual([expect.objectContaining({ interval: "1d", health: "ok" })]);
    expect((await reading.call("find_symbols", { query: "zz" })).body.symbols).toEqual([]);
  });

  test.each([
    ["get_bars", { symbol: "a b" }, '"a b" is not a symbol'],
    ["get_bars", { symbol: "AAPL", interval: "2d" }, '"2d" is not one of 1m'],
    ["get_bars", { symbol: "AAPL", rows: 5 }, 'unknown field "rows"'],
    ["get_bars", { symbol: "AAPL", limit: 1_001 }, "wants a whole number from 1 to 1000"],
    ["get_bars", { symbol: "ZZZ" }, "There are no 1d bars of ZZZ"],
    ["get_features", { symbol: "AAPL", names: ["rsi_x"] }, '"rsi_x" is not a feature'],
    ["screen", { where: "rsi_14 <" }, "at character"],
    ["plan_run", { symbols: ["TSLA"], provider: "nobody" }, '"nobody" is not a known provider'],
    ["plan_run", { symbols: ["TSLA"], rebuild: true, mode: "repair" }, "only a full run"],
  ])("a refusal is an error of the tool in a clear sentence: %s %j", async (name, input, why) => {
    const { isError, text } = await reading.call(name, input);
    expect([isError, text]).toEqual([true, expect.stringContaining(why)]);
  });
});

describe("running", () => {
  const order = { symbols: ["TSLA"], years: 1, batch_days: 365 };
  const runs = async () => (await app.app.runs.list({}, { limit: 50 })).runs.length;

  test("plan_run says the cost that the page of runs gives, and starts nothing", async () => {
    const [before, { body }] = [await runs(), await reading.call("plan_run", order)];
    const expected = (await previewOf(app.app, parseRunRequest(order)))!;
    const { symbols, calls, units, bars } = expected;
    expect(body.cost).toMatchObject({ symbols, calls, units, bars, stored_symbols: 0 });
    expect(body.summary).toMatch(/^1 symbol: \d+ calls?, about 2\d\d bars, (?:under|about) /);
    expect(await runs()).toBe(before);
    // An update and a repair fetch what is missing, which nobody knows before.
    const update = await reading.call("plan_run", { ...order, mode: "incremental" });
    expect(update.body.cost.bars).toBeNull();
  });

  test("plan_run says in the words of the page which history was deleted by choice and is not requested", async () => {
    const kept = Math.floor(Date.now() / 86_400_000 - 100) * 86_400;
    const update = (to: number | null) =>
      app.app.db.write([{ sql: "UPDATE series SET kept_from = ? WHERE symbol = 'AAPL'", args: [to] }]);
    await update(kept);
    const { body } = await reading.call("plan_run", { ...order, symbols: ["AAPL"] });
    await update(null);
    const day = new Date(kept * 1_000).toISOString().slice(0, 10);
    expect(body.summary).toContain(` Bars before ${day} were deleted by choice and are not requested.`);
    expect(body.cost.pruned).toEqual({ symbols: 1, before: `${day}T00:00:00Z` });
    expect((await reading.call("plan_run", order)).body.cost.pruned).toBeNull();
  });

  test("start_run without confirm starts nothing, and its error has the cost", async () => {
    for (const confirm of [{}, { confirm: false }]) {
      const [before, { isError, body }] = [await runs(), await operating.call("start_run", { ...order, ...confirm })];
      expect(isError).toBe(true);
      expect(body).toMatchObject({ started: false, cost: { symbols: 1, calls: expect.any(Number) } });
      expect(body.summary).toContain("Nothing was started");
      expect(await runs()).toBe(before);
    }
    const { isError, text } = await operating.call("start_run", { ...order, confirm: "yes" });
    expect([isError, text]).toEqual([true, expect.stringContaining("confirm")]);
  });

  test("start_run is refused to a token that may only read, and the refusal is on record", async () => {
    const before = await runs();
    const { isError, text } = await reading.call("start_run", { ...order, confirm: true });
    expect([isError, text]).toEqual([true, 'That needs the scope operate; that of "read token" is read']);
    expect((await reading.call("start_run", order)).body.summary).toContain(
      "Starting it needs the scope operate; that of",
    );
    expect(await runs()).toBe(before);
    const entries = await audit("request.refuse");
    expect(entries[0]).toMatchObject({ actor: "read token", subject: "POST /api/runs" });
  });

  test("start_run with confirm starts the run that was planned, under the name of its token", async () => {
    const { body } = await operating.call("start_run", { ...order, confirm: true });
    expect(body).toMatchObject({ started: true, run: { mode: "full", interval: "1d", provider: "demo", years: 1 } });
    const { jobs } = await app.waitForRun(body.run.id, "complete");
    const stored = jobs[0]!.dataPoints;
    expect(Math.abs(body.cost.bars / stored - 1)).toBeLessThan(0.03);
    const entries = await audit("run.start");
    expect(entries[0]).toMatchObject({ actor: "operate token" });
    const again = await operating.call("plan_run", order);
    expect(again.body.cost.stored_symbols).toBe(1);
  });

  const audit = (action: string) => listAudit(app.app.db, { action }, 5);
});

describe("the endpoint", () => {
  const post = (body: string, headers: Record<string, string> = reading.headers) =>
    ask(`${app.url}/mcp`, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", ...headers },
    });
  const ping = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" });

  test("a request without a token is 401, one from another site or for another host 403", async () => {
    expect((await post(ping)).status).toBe(200);
    expect((await post(ping, {})).status).toBe(401);
    expect((await post(ping, { ...reading.headers, Origin: "https://evil.example" })).status).toBe(403);
    expect((await post(ping, { Host: "evil.example" })).status).toBe(403);
  });

  test("a body that is too large, is no JSON or has several messages is refused, and so is GET", async () => {
    expect((await post(`"${"x".repeat(1024 * 1024)}"`)).status).toBe(413);
    expect((await post("{")).status).toBe(400);
    expect((await post(`[${ping},${ping}]`)).body.detail).toContain("one message a request");
    const { status, headers } = await ask(`${app.url}/mcp`, { headers: reading.headers });
    expect([status, headers.get("Allow")]).toEqual([405, "POST"]);
  });

  test("no session is kept: answers name none, and a tool is called without a greeting", async () => {
    const call = { name: "get_bars", arguments: { symbol: "AAPL", limit: 1 } };
    const { status, headers, text } = await post(
      JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/call", params: call }),
    );
    expect([status, headers.get("Mcp-Session-Id")]).toEqual([200, null]);
    expect(text).toContain("1 1d bar of AAPL");
  });

  test("without the package the endpoint answers 501 with the command that installs it", async () => {
    expect(await loadMcp("@modelcontextprotocol/absent")).toBeNull();
    const routes = new Hono().route(
      "/",
      mcpRoutes(
        app.app,
        () => new Response(),
        () => loadMcp("@modelcontextprotocol/absent"),
      ),
    );
    const response = await routes.request("/mcp", { method: "POST", body: ping });
    expect([response.status, response.headers.get("Content-Type")]).toEqual([501, "application/problem+json"]);
    expect(((await response.json()) as { detail: string }).detail).toBe(
      `The package for MCP is not installed: ${INSTALL}`,
    );
  });
});
