/**
 * Writes src/routes/api/examples.json: one request and its answer for each operation of the API, taken from a server
 * with made-up bars and cut to a few rows. Run it with `bun docs/api-examples.ts` after the API has changed.
 */

import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashSecret, newSecret, TOKEN_PREFIX } from "../src/auth.ts";
import { encode } from "../src/pipeline/remote/codec.ts";
import { CONTENT_TYPE } from "../src/pipeline/remote/server-connection.ts";
import { RULES } from "../src/scheduler/hosts/rules.ts";

const TARGET = new URL("../src/routes/api/examples.json", import.meta.url).pathname;
const ROOT = new URL("..", import.meta.url).pathname;
/** What is left of a list and of a record of numbers. */
const KEPT = 2;
const KEPT_NUMBERS = 4;
const HEADERS = /^(content-type|content-disposition|etag|accept-ranges|cache-control|retry-after|x-barkeep-.*)$/;

interface Example {
  readonly request: { readonly method: string; readonly path: string; readonly type?: string; readonly body?: unknown };
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body?: unknown };
}

const examples = new Map<string, Example>();
const folder = mkdtempSync(join(tmpdir(), "barkeep-examples-"));
const server = Bun.spawn([process.execPath, join(ROOT, "src/server.ts")], {
  cwd: folder,
  env: {
    PATH: process.env.PATH ?? "",
    PORT: "0",
    BARKEEP_LAKE: "lake",
    BARKEEP_CSV_DIR: "prices",
    DEMO_LATENCY_MS: "0",
    // Only that facts can be requested: nothing answers there.
    EODHD_API_KEY: "example",
    EODHD_BASE_URL: "http://127.0.0.1:9",
  },
  stdout: "pipe",
  stderr: "ignore",
});

async function addressOf(): Promise<string> {
  let text = "";
  for await (const part of server.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    const found = /listening on (http:\S+)/.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error(`the server did not start: ${text}`);
}

const isNumbers = (value: object) =>
  Object.keys(value).length > 20 && Object.values(value).every((each) => each === null || typeof each === "number");

/** The same in short. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, KEPT).map(shortened);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const kept = isNumbers(value) ? entries.slice(0, KEPT_NUMBERS) : entries;
  return Object.fromEntries(kept.map(([name, each]) => [name, shortened(each)]));
}

/** The first and the last line of a text of several. */
function firstAndLast(text: string): string {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.length > KEPT ? [lines[0], lines.at(-1)].join("\n") : lines.join("\n");
}

/** Lets a worker come, which does nothing. */
async function addWorker(address: string, database: Database): Promise<{ id: number }> {
  const secret = newSecret(TOKEN_PREFIX);
  await database.run("INSERT INTO tokens (name, scope, hash, created_at) VALUES ('rack', 'worker', ?1, 0)", [
    hashSecret(secret),
  ]);
  const rules = { ...RULES };
  const registered = await fetch(`${address}/api/worker/register`, {
    method: "POST",
    headers: { Authorization: `Bearer ${secret}`, "Content-Type": CONTENT_TYPE },
    body: encode({
      ...{ rules, version: "0.2.0", host: "rack-1", cores: 16, memory: 68_719_476_736, jobs: 256 },
      ...{ providers: null, intervals: ["1m", "1d"] },
    }) as Uint8Array<ArrayBuffer>,
  });
  if (!registered.ok) throw new Error(await registered.text());
  const { hosts } = (await (await fetch(`${address}/api/hosts`)).json()) as { hosts: { id: number }[] };
  return hosts[1]!;
}

try {
  const address = await addressOf();

  /** Asks and remembers the answer as the example of an operation; answers the whole JSON. */
  const ask = async (id: string, method: string, path: string, sent?: unknown) => {
    const type = typeof sent === "string" ? "text/csv" : "application/json";
    const body = typeof sent === "string" ? sent : JSON.stringify(sent);
    const init = sent === undefined ? { method } : { method, body, headers: { "Content-Type": type } };
    const response = await fetch(address + path, init);
    const given = response.headers.get("content-type") ?? "";
    const text = given.includes("parquet") ? "" : await response.text();
    if (!response.ok) throw new Error(`${id}: ${response.status} ${text}`);
    const headers = Object.fromEntries([...response.headers].filter(([name]) => HEADERS.test(name)));
    const answer = given === "application/json" ? JSON.parse(text) : text;
    const short = typeof answer === "string" ? firstAndLast(answer) : shortened(answer);
    examples.set(id, {
      request: { method, path, ...(sent !== undefined && { type, body: sent }) },
      response: { status: response.status, headers, ...(short !== "" && { body: short }) },
    });
    return answer;
  };
  const start = async (order: object) => {
    const init = { method: "POST", body: JSON.stringify(order), headers: { "Content-Type": "application/json" } };
    return (await (await fetch(`${address}/api/runs`, init)).json()) as { run: { id: string } };
  };
  const ended = async (run: string) => {
    for (;;) {
      const answer = await fetch(`${address}/api/runs/${run}`);
      const { run: found } = (await answer.json()) as { run: { status: string } };
      if (found.status !== "running") return;
      await Bun.sleep(50);
    }
  };
  const upToDate = async () => {
    for (;;) {
      const answer = await fetch(`${address}/api/lake`);
      if (((await answer.json()) as { pending_years: number }).pending_years === 0) return;
      await Bun.sleep(50);
    }
  };

  const events = await fetch(`${address}/api/events`);
  const symbols = ["AAPL", "MSFT"];
  const { run } = await ask("startRun", "POST", "/api/runs", { symbols, years: 1, batch_days: 73 });
  let stream = "";
  for await (const part of events.body!.pipeThrough(new TextDecoderStream())) {
    stream += part;
    if (stream.split("\n\n").length > 8) break;
  }
  const parts = stream.split("\n\n").filter((each) => /^event: (snapshot|progress|run)/m.test(each));
  examples.set("followEvents", {
    request: { method: "GET", path: "/api/events" },
    response: { status: 200, headers: { "content-type": "text/event-stream" }, body: parts.slice(0, 3).join("\n\n") },
  });
  await ended(run.id);
  await ask("listRuns", "GET", "/api/runs?limit=1");
  await ask("readRun", "GET", `/api/runs/${run.id}`);
  const { run: long } = await start({ symbols: ["NVDA", "TSLA"], years: 30, batch_days: 1 });
  await ask("controlJob", "POST", `/api/runs/${long.id}/jobs/NVDA/skip`);
  await ask("controlRun", "POST", `/api/runs/${long.id}/cancel`);
  // The demo provider has no exchange in London: a run that fails at once.
  const { run: failing } = await start({ symbols: ["VOD@LSE"] });
  await ended(failing.id);
  await ask("acknowledgeRun", "POST", `/api/runs/${failing.id}/acknowledge`);
  await ask("recomputeOutdated", "POST", "/api/runs/outdated");

  await ask("listProfiles", "GET", `/api/profiles?where=${encodeURIComponent("rsi_14 > 30")}&sort=-rsi_14`);
  await ask("readProfile", "GET", "/api/profiles/AAPL?interval=1d");
  await ask("readQuality", "GET", "/api/quality?interval=1d");
  await ask("listFeatures", "GET", "/api/features");
  const to = "from=2026-01-01&to=2026-03-01";
  await ask("readBars", "GET", `/api/bars/AAPL?interval=1w&${to}`);
  await ask("readFeatures", "GET", `/api/features/AAPL?names=rsi_14,atr_14&${to}`);
  await ask(
    "readPanel",
    "GET",
    `/api/panel?symbols=AAPL,MSFT,ZZZ&names=rsi_14&include=ohlcv&labels=fwd_ret_5&sort=timestamp&${to}`,
  );
  const panel = { name: "Baseline", symbols: ["AAPL"], names: ["rsi_14"], include: ["ohlcv"], to: "2026-03-01" };
  const first = await ask("createSnapshot", "POST", "/api/snapshots", panel);
  const other = await ask("createSnapshot", "POST", "/api/snapshots", { ...panel, name: "Wider", symbols });
  await ask("listSnapshots", "GET", "/api/snapshots");
  await ask("readSnapshot", "GET", `/api/snapshots/${first.id}`);
  await ask("readSnapshotFile", "GET", first.files[0].path);
  await ask("compareSnapshots", "GET", `/api/snapshots/${first.id}/diff/${other.id}`);
  await ask("deleteSnapshot", "DELETE", `/api/snapshots/${other.id}?reason=too%20wide`);
  await upToDate();
  await ask("readLake", "GET", "/api/lake");
  await ask("listStoredSeries", "GET", "/api/storage?sort=-bars&limit=2");
  await ask("pruneSeries", "POST", "/api/storage/prune", { before: "6mo", filter: { interval: "1d" } });
  // At the end, because every other example has one provider. The second one lacks a day.
  const rows = await (await fetch(`${address}/api/bars/AAPL?format=csv`)).text();
  await Bun.write(join(folder, "prices", "AAPL.csv"), rows.split("\n").toSpliced(100, 1).join("\n"));
  const { run: second } = await start({ symbols: ["AAPL"], years: 1, provider: "files" });
  await ended(second.id);
  await ask("compareProviders", "GET", "/api/profiles/AAPL/compare");
  await upToDate();
  await ask("syncLake", "POST", "/api/lake/sync");
  await ask("checkLake", "POST", "/api/lake/check");

  await ask("importCompanies", "POST", "/api/companies/import", "symbol,name,exchange\nAAPL,Apple,NASDAQ\n,no symbol,");
  await ask("fetchCompanies", "POST", "/api/companies/fetch", { provider: "demo" });
  await ask("searchCompanies", "GET", "/api/companies?q=AA");
  await ask("fetchFacts", "POST", "/api/companies/facts", { provider: "eodhd", symbols: ["AAPL"] });
  await ask("createWatchlist", "POST", "/api/watchlists", { name: "Big names", symbols });
  await ask("listWatchlists", "GET", "/api/watchlists");
  await ask("readWatchlist", "GET", "/api/watchlists/1");
  await ask("changeWatchlist", "PATCH", "/api/watchlists/1", { add: ["NVDA"] });
  await ask("deleteWatchlist", "DELETE", "/api/watchlists/1");
  const evening = { name: "Evening", cron: "30 18 * * 1-5", time_zone: "America/New_York", symbols };
  const { schedule } = await ask("createSchedule", "POST", "/api/schedules", evening);
  const own = `/api/schedules/${schedule.id}`;
  await ask("runSchedule", "POST", `${own}/run`);
  await ask("listSchedules", "GET", "/api/schedules");
  await ask("readSchedule", "GET", own);
  await ask("changeSchedule", "PATCH", own, { enabled: false });
  await ask("deleteSchedule", "DELETE", own);
  const mornings = { name: "Mornings", symbols, by_time: "07:00", time_zone: "America/New_York", max_gaps: 2 };
  const { promise } = await ask("createPromise", "POST", "/api/promises", mornings);
  const promised = `/api/promises/${promise.id}`;
  await ask("listPromises", "GET", "/api/promises");
  await ask("readPromise", "GET", promised);
  await ask("changePromise", "PATCH", promised, { by_time: "08:30" });
  // A deadline that has passed: nobody can wait for one here.
  using database = new Database(join(folder, "data/barkeep.db"));
  database.run(`INSERT INTO promise_results (promise_id, deadline, outcome, judged_at, total, fresh, missing, unknown, gaps,
    note, symbols, recovered_at) VALUES (${promise.id}, 1764331200000, 'missed', 1764331200400, 2, 1, 1, 0, 0,
    '1 symbol of 2 lacked the last bar: no run is planned before the deadline', '["MSFT"]', 1764334920000)`);
  await ask("listPromiseResults", "GET", `${promised}/results?limit=10`);
  await ask("deletePromise", "DELETE", promised);
  await ask("readUsage", "GET", "/api/usage");
  const { id: worker } = await addWorker(address, database);
  const { hosts } = await ask("listHosts", "GET", "/api/hosts");
  // Not of the machine on which this was written.
  Object.assign(examples.get("listHosts")!.response.body!, {
    hosts: hosts.map((host: object, place: number) =>
      place === 0 ? { ...host, name: "bars", cores: 8, machine_memory_bytes: 17_179_869_184 } : host,
    ),
  });
  await ask("orderHost", "POST", `/api/hosts/${worker}/drain`);
  await ask("listAudit", "GET", "/api/audit?limit=2");
  await ask("listLogs", "GET", "/api/logs?symbol=AAPL&limit=2");
  await ask("listProviders", "GET", "/api/providers");
  await ask("listAlerts", "GET", "/api/alerts");
  await ask("renewProfiles", "POST", "/api/profiles/renew", { order: "update", profiles: ["MSFT/1d"] });
  await ask("deleteProfile", "DELETE", "/api/profiles/AAPL?interval=1d");

  const sorted = [...examples].toSorted(([a], [b]) => a.localeCompare(b, "en"));
  await Bun.write(TARGET, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
  console.log(`${sorted.length} examples`);
} finally {
  server.kill();
  await server.exited;
  rmSync(folder, { recursive: true, force: true });
}
