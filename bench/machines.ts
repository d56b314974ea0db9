/**
 * How much one, two and four workers do of a load that waits for its provider, and of one that computes; what the way over the
 * network costs beside writing directly; and how much of that one server can take. All are processes of this machine, so the
 * load that computes is bound by its processors: processor time decides there. `bun bench/machines.ts`, on Linux.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openDatabase } from "../src/storage/db.ts";
import { createWorkerToken, spawnWorker } from "../tests/cli/worker/workers.ts";
import { migratedDatabase, temporaryFolder } from "../tests/helpers/folder.ts";
import { type Client, clientOf } from "../tests/helpers/http.ts";
import { CHILD_ENV } from "../tests/helpers/server.ts";
import type { ServerFigures } from "./support/machine-server.ts";
import { atLeast, atMost, type BenchResult, report } from "./support/report.ts";

const SERVER = fileURLToPath(new URL("support/machine-server.ts", import.meta.url));
const WORKERS = [1, 2, 4] as const;
/** Milliseconds of a clock tick of /proc. */
const TICK = 10;
/** Of what twice as many workers could do when they only wait. */
const LATENCY_SHARE = 0.8;
/** Processor time of a batch over the network, server and worker together, by that of one written directly. */
const MOST_OVERHEAD = 2;

interface Load {
  readonly symbols: number;
  readonly order: object;
  /** Milliseconds of a request to the provider. */
  readonly latency: number;
  /** Batches of all symbols. */
  readonly batches: number;
}

/** Days: little is computed, and every request takes as long as those of a slow vendor. */
const WAITING: Load = {
  symbols: 64,
  order: { interval: "1d", from: "2023-01-01", to: "2025-01-01", batch_days: 30 },
  latency: 250,
  batches: 64 * 24,
};
/** Minutes, which arrive at once. */
const COMPUTING: Load = {
  symbols: 8,
  order: { interval: "1m", from: "2024-03-01", to: "2024-05-01", batch_days: 10 },
  latency: 0,
  batches: 8 * 6,
};
/** Many small batches, as fast as they go: what the server has to take. */
const WRITING: Load = { ...WAITING, symbols: 48, latency: 0, batches: 48 * 24 };

interface Measured {
  readonly seconds: number;
  /** Milliseconds of processor time. */
  readonly server: number;
  readonly workers: number;
  readonly stores: number;
  readonly requests: number;
}

/** Processor time of a process with its threads, milliseconds. */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

async function startMachineServer(env: Record<string, string>) {
  const figures: ((value: ServerFigures) => void)[] = [];
  const child = Bun.spawn([process.execPath, "--no-env-file", SERVER], {
    env: { ...CHILD_ENV, BARKEEP_LOG_LEVEL: "warn", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    ipc: (message: ServerFigures) => figures.shift()?.(message),
  });
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  const url = /^Barkeep listening on (http:\/\/\S+)$/m.exec(text)?.[1];
  if (url === undefined) throw new Error(`the server said: ${text}`);
  return {
    client: clientOf(url),
    figures: () =>
      new Promise<ServerFigures>((resolve) => {
        figures.push(resolve);
        child.send("figures");
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await Bun.sleep(20);
}

/** A run, to its end. */
async function run(client: Client, { symbols, order }: Load, name: string): Promise<void> {
  const listed = Array.from({ length: symbols }, (_, at) => `${name}${at}`);
  const { status, text, body } = await client.post("/api/runs", { ...order, symbols: listed, provider: "demo" });
  if (status !== 202) throw new Error(text);
  const read = async () => (await client.get(`/api/runs/${body.run.id}`)).body.run;
  await until(async () => (await read()).status !== "running");
  const { counts } = await read();
  if (counts.complete !== symbols) throw new Error(`not all symbols are complete: ${JSON.stringify(counts)}`);
}

/** @param count workers with one thread each; without any the server has one itself, and with some it has none */
async function measure(load: Load, count: number): Promise<Measured> {
  using folder = temporaryFolder();
  const dbUrl = await migratedDatabase(folder);
  const db = await openDatabase(dbUrl);
  const secret = await createWorkerToken(db);
  db.close();
  await using stack = new AsyncDisposableStack();
  const env = { BARKEEP_DB_URL: dbUrl, DEMO_LATENCY_MS: String(load.latency), THREADS: count === 0 ? "1" : "0" };
  const server = stack.use(await startMachineServer(env));
  const { client } = server;
  const workers = Array.from({ length: count }, (_, at) =>
    stack.use(spawnWorker(client.url, secret, "--name", `worker-${at}`)),
  );
  const present = async () =>
    (await client.get("/api/hosts")).body.hosts.filter(({ threads }: { threads: number }) => threads > 0);
  await until(async () => (await present()).length >= Math.max(1, count));
  // What is compiled and started once is no part of the load.
  await run(client, { ...load, symbols: Math.max(2, 2 * count), latency: 0 }, "WARM");
  const times = () => workers.reduce((sum, { child }) => sum + processorTime(child.pid), 0);
  const [before, began, clock] = [await server.figures(), times(), performance.now()];
  await run(client, load, "S");
  const [after, ended] = [await server.figures(), times()];
  return {
    seconds: (performance.now() - clock) / 1_000,
    server: after.cpu - before.cpu,
    workers: ended - began,
    stores: after.stores - before.stores,
    requests: after.requests - before.requests,
  };
}

const fixed = (value: number, digits = 1) => value.toFixed(digits);

async function measureWaiting(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  let one = Number.NaN;
  for (const count of WORKERS) {
    const { seconds, server, workers } = await measure(WAITING, count);
    const rate = WAITING.symbols / seconds;
    if (count === 1) one = rate;
    const share = rate / one / count;
    results.push({
      question: `${WAITING.symbols} symbols that wait ${WAITING.latency} ms for each of 24 requests: ${count} workers with 16 jobs each`,
      measured: `${fixed(rate)} symbols a second, ${fixed(rate / one, 2)} times one worker`,
      comparedWith: `processor time a symbol: server ${fixed(server / WAITING.symbols)} ms, workers ${fixed(workers / WAITING.symbols)} ms`,
      ratio: fixed(share, 2),
      ...atLeast(share, count > 1 ? LATENCY_SHARE : undefined, `of ${count} times`),
    });
  }
  return results;
}

async function measureComputing(): Promise<BenchResult[]> {
  const { symbols, batches } = COMPUTING;
  const direct = await measure(COMPUTING, 0);
  const results: BenchResult[] = [];
  for (const count of WORKERS) {
    const { seconds, server, workers } = await measure(COMPUTING, count);
    const ratio = (server + workers) / direct.server;
    results.push({
      question: `${symbols} symbols with two months of minutes: processor time a symbol, ${count} workers`,
      measured: `server ${fixed(server / symbols)} ms, workers ${fixed(workers / symbols)} ms; ${fixed(symbols / seconds)} symbols a second`,
      comparedWith: `a server alone ${fixed(direct.server / symbols)} ms, ${fixed(symbols / direct.seconds)} symbols a second`,
      ratio: fixed(ratio, 2),
      ...atMost(ratio, MOST_OVERHEAD),
    });
    if (count !== 1) continue;
    results.push({
      question: "a batch of 10 days of minutes over the network: processor time more than written directly",
      measured: `${fixed((server + workers - direct.server) / batches, 2)} ms, of the server in all ${fixed(server / batches, 2)} ms`,
      comparedWith: `written directly, with what is computed of it: ${fixed(direct.server / batches, 2)} ms`,
    });
  }
  return results;
}

async function measureWriting(): Promise<BenchResult[]> {
  const { symbols, batches } = WRITING;
  const direct = await measure(WRITING, 0);
  const { seconds, server, workers, stores, requests } = await measure(WRITING, 4);
  return [
    {
      question: `${symbols} symbols with 24 small batches each, at once, 4 workers: what the server takes`,
      measured: `${fixed(batches / seconds, 0)} batches and ${fixed(stores / seconds, 0)} requests to the job store a second`,
      comparedWith: `a server alone ${fixed(batches / direct.seconds, 0)} batches a second`,
    },
    {
      question: "the same: processor time of the server for a symbol, and what one processor of it takes a second",
      measured: `${fixed(server / symbols)} ms, ${fixed((1_000 * symbols) / server, 0)} symbols, ${fixed((1_000 * stores) / server, 0)} requests to the job store`,
      comparedWith: `workers ${fixed(workers / symbols)} ms; a server alone ${fixed(direct.server / symbols)} ms; ${fixed(requests / symbols)} requests a symbol`,
      ratio: fixed((server + workers) / direct.server, 2),
      ...atMost((server + workers) / direct.server, MOST_OVERHEAD),
    },
  ];
}

report(await measureWriting());
report(await measureComputing());
report(await measureWaiting());
