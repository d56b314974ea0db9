/** SIGTERM and SIGINT: batches under way are finished quickly, and the next start continues from there. */

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LEASE_KEY } from "../src/storage/connection/fence.ts";
import { openDatabase } from "../src/storage/db.ts";
import { readSettings } from "../src/storage/settings.ts";
import { fakeEodhd } from "./fakes/vendors/eodhd.ts";
import { startApp } from "./helpers/app.ts";
import { executable } from "./helpers/bundle/programs.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "./helpers/folder.ts";
import type { Client } from "./helpers/http.ts";
import { CHILD_ENV, type ServerProcess, spawnCommand, spawnServer } from "./helpers/server.ts";

/** Longest allowed shutdown, milliseconds. */
const SOON_MS = 10_000;

const vendor = fakeEodhd();
afterAll(() => vendor.close());

const providerEnv = { BARKEEP_PROVIDER: "eodhd", EODHD_API_KEY: vendor.key, EODHD_BASE_URL: vendor.url };

const start = async (folder: Folder, env: Record<string, string> = {}) =>
  spawnServer({ BARKEEP_DB_URL: await migratedDatabase(folder), BARKEEP_WORKERS: "2", ...providerEnv, ...env });

const ORDER = { symbols: ["AAPL", "MSFT"], years: 1, max_workers: 2 };

async function order({ post }: Client): Promise<string> {
  const { status, body, text } = await post("/api/runs", ORDER);
  if (status !== 202) throw new Error(text);
  return body.run.id;
}

/** Sends a signal; returns the exit code and the time taken, milliseconds. */
async function signal({ process }: ServerProcess, name: "SIGTERM" | "SIGINT") {
  const at = performance.now();
  process.kill(name);
  const code = await process.exited;
  return { code, ms: performance.now() - at };
}

/** Resolves when the server says that it is in the middle of stopping. */
async function stopping({ process }: ServerProcess): Promise<void> {
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  for (let said = ""; !said.includes("finishing the current batches"); ) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the server ended: ${said}`);
    said += value;
  }
}

/** Holds requests after the first `free` until it is released; `held` resolves when that many wait. */
function hold(free: number, count: number) {
  const held = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let seen = 0;
  vendor.always = async () => {
    seen += 1;
    if (seen <= free) return null;
    if (seen === free + count) held.resolve();
    await release.promise;
    return null;
  };
  return { held: held.promise, release: () => release.resolve() };
}

/** Starts again with a vendor that answers, and waits for the end of the run; its state. */
async function finish(folder: Folder, run: string): Promise<string> {
  vendor.always = null;
  await using app = await startApp({ folder, env: { ...providerEnv, BARKEEP_WORKERS: "1" } });
  return (await app.waitForRun(run, "complete", "failed", "cancelled")).run.state;
}

/** Batches stored of each symbol, and how often the one that was asked for most often was. */
async function ledger(folder: Folder) {
  const db = await openDatabase(folder.database());
  try {
    return await db.rows(
      `SELECT s.symbol, count(*), max(attempts) FROM batches JOIN series s ON s.id = series_id
       GROUP BY s.symbol ORDER BY s.symbol`,
      [],
    );
  } finally {
    db.close();
  }
}

for (const name of ["SIGTERM", "SIGINT"] as const) {
  test(`${name} lets each worker commit the batch it waits for, and leaves the rest to the next start`, async () => {
    using folder = temporaryFolder();
    const { held, release } = hold(0, 2);
    const server = await start(folder);
    const run = await order(await server.listening);
    await held;
    const ended = signal(server, name);
    await stopping(server);
    release();
    const { code, ms } = await ended;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(SOON_MS);
    const before = await ledger(folder);
    expect(before.map(([symbol]) => symbol)).toEqual(["AAPL", "MSFT"]);
    expect(await finish(folder, run)).toBe("complete");
    // 12 batches each, and none that was stored was asked for again.
    expect(await ledger(folder)).toEqual([
      ["AAPL", 12, 1],
      ["MSFT", 12, 1],
    ]);
  }, 60_000);
}

for (const [name, code] of [
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const) {
  test(`a server that ${name} ends while it starts says so`, async () => {
    using folder = temporaryFolder();
    const url = await migratedDatabase(folder);
    const db = await openDatabase(url);
    // A lease of another machine is waited for.
    const lease = JSON.stringify({ id: "other", pid: 1, host: "elsewhere" });
    await db.write([{ sql: "INSERT INTO settings VALUES (?1, ?2, ?3)", args: [LEASE_KEY, lease, Date.now()] }]);
    db.close();
    const { process: child, listening } = spawnServer({ BARKEEP_DB_URL: url });
    listening.catch(() => {});
    const [said, rest] = child.stderr.tee();
    for await (const text of said.pipeThrough(new TextDecoderStream())) if (text.includes("waiting up to")) break;
    child.kill(name);
    expect(await child.exited).toBe(code);
    expect(await new Response(rest).text()).toEndWith(`Barkeep did not start: it was ended by ${name}\n`);
  }, 60_000);
}

test("a server that nohup has started goes on when its terminal is closed", async () => {
  using folder = temporaryFolder();
  const env = { ...CHILD_ENV, BARKEEP_DB_URL: await migratedDatabase(folder) };
  const server = spawnCommand(["sh", "-c", 'trap "" HUP; exec "$0" serve', executable()], env, folder.path);
  const { get } = await server.listening;
  expect((await get("/readyz")).status).toBe(200);
  server.process.kill("SIGHUP");
  expect((await signal(server, "SIGTERM")).code).toBe(0);
}, 60_000);

test("of a server that is killed before it listens the signal is told", async () => {
  using folder = temporaryFolder();
  const server = spawnServer({ BARKEEP_DB_URL: folder.database() });
  const refused = server.listening.catch((error: Error) => error.message);
  await server.kill();
  expect(await refused).toContain("the server ended before it listened, killed by SIGKILL");
});

test("a vendor that never answers delays the shutdown by less than ten seconds", async () => {
  using folder = temporaryFolder();
  const { held, release } = hold(0, 2);
  const server = await start(folder);
  const run = await order(await server.listening);
  await held;
  const { ms } = await signal(server, "SIGTERM");
  expect(ms).toBeLessThan(SOON_MS);
  release();
  expect(await finish(folder, run)).toBe("complete");
}, 60_000);

test("a signal that arrives twice, as Ctrl-C does behind npm and bun run, stops the server as one does", async () => {
  using folder = temporaryFolder();
  const server = await start(folder);
  const run = await order(await server.listening);
  server.process.kill("SIGINT");
  expect((await signal(server, "SIGINT")).code).toBe(0);
  const db = await openDatabase(folder.database());
  expect((await readSettings(db, LEASE_KEY)).length).toBe(0);
  db.close();
  expect(await finish(folder, run)).toBe("complete");
}, 60_000);

test("a second signal a moment later ends the server at once", async () => {
  using folder = temporaryFolder();
  const { held, release } = hold(0, 2);
  const server = await start(folder);
  const run = await order(await server.listening);
  await held;
  server.process.kill("SIGTERM");
  await stopping(server);
  const at = performance.now();
  const again = setInterval(() => server.process.kill("SIGINT"), 100);
  const code = await server.process.exited;
  const ms = performance.now() - at;
  clearInterval(again);
  expect(code).toBe(1);
  // Far below the five seconds that requests under way are given after the first signal.
  expect(ms).toBeLessThan(4_000);
  release();
  expect(await finish(folder, run)).toBe("complete");
}, 60_000);

describe("a viewer", () => {
  test("the streams /events and /api/events end cleanly, and do not delay the shutdown", async () => {
    using folder = temporaryFolder();
    const server = await start(folder, { BARKEEP_WORKERS: "1" });
    const { url } = await server.listening;
    const streams = await Promise.all(
      ["/events", "/api/events"].map(async (path) => {
        const response = await fetch(url + path);
        const reader = (response.body as ReadableStream<Uint8Array>).getReader();
        expect((await reader.read()).done, path).toBe(false);
        return reader;
      }),
    );
    const stopped = signal(server, "SIGTERM");
    await Promise.all(
      streams.map(async (stream) => {
        let end = false;
        while (!end) end = (await stream.read()).done;
      }),
    );
    const { code, ms } = await stopped;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(SOON_MS);
  }, 60_000);

  test("a stream is refused once the server stops, and nothing new begins", async () => {
    using folder = temporaryFolder();
    const { held, release } = hold(0, 1);
    const server = await start(folder, { BARKEEP_WORKERS: "1" });
    const client = await server.listening;
    await order(client);
    await held;
    const stopped = signal(server, "SIGTERM");
    await stopping(server);
    await expect(fetch(`${client.url}/healthz`, { headers: { Connection: "close" } })).rejects.toThrow();
    release();
    expect((await stopped).code).toBe(0);
  }, 60_000);
});

const LOST_LOGS = [
  ["is full", 'exec "$0" serve 2>/dev/full'],
  // The shell is replaced by the server, whose stderr leads to a reader that has ended.
  ["has no reader any more", 'mkfifo "$1"; (head -c 1 "$1" >/dev/null &); exec "$0" serve 2>"$1"'],
] as const;

test.skipIf(!existsSync("/dev/full")).each(LOST_LOGS)(
  "a server whose log %s goes on, and ends in order",
  async (_, script) => {
    using folder = temporaryFolder();
    const command = ["sh", "-c", script, executable(), join(folder.path, "log")];
    const env = { ...CHILD_ENV, BARKEEP_DB_URL: await migratedDatabase(folder), DEMO_LATENCY_MS: "0" };
    const server = spawnCommand(command, env, folder.path);
    try {
      const client = await server.listening;
      const id = await order(client);
      for (let state = ""; state !== "complete"; ) {
        const { body } = await client.get(`/api/runs/${id}`);
        state = body.run.status;
        if (state === "failed") throw new Error(JSON.stringify(body));
      }
      expect((await signal(server, "SIGTERM")).code).toBe(0);
    } finally {
      await server.kill();
    }
  },
);
