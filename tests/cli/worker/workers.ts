/** A server, and workers on "other machines": processes or threads of this one, behind a proxy that a test can disturb. */

import { dirname } from "node:path";
import { hashSecret, newSecret } from "../../../src/auth.ts";
import { type HostSettings, WorkerHost } from "../../../src/cli/worker/worker-host.ts";
import type { HostFacts } from "../../../src/scheduler/hosts/host-facts.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import type { Database } from "../../../src/storage/db.ts";
import { startApp, type TestApp, type TestAppOptions } from "../../helpers/app.ts";
import { executable } from "../../helpers/bundle/programs.ts";
import { CHILD_ENV } from "../../helpers/server.ts";

const SYMBOLS = ["ACME", "BOND", "CORN", "DUST-USD", "EDGE", "HAZE-USD"];
/** A run of six batches a symbol whose bars and features are the same on every day; longer than a year, so that each feature has a value. */
export const ORDER = { symbols: SYMBOLS, from: "2023-10-01", to: "2025-01-01", batch_days: 80 };

const env = { BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "30" };

/** Stores a token with which workers may come; its secret. */
export async function createWorkerToken(db: Database): Promise<string> {
  const secret = newSecret("bk_");
  await saveToken(db, { name: "worker", scope: "worker", hash: hashSecret(secret), expiresAt: null });
  return secret;
}

/** A server that a worker can reach, and the secret of its token: that of an earlier server on this database, if given. */
export async function startServer(
  options: TestAppOptions = {},
  known?: string,
): Promise<TestApp & { readonly secret: string }> {
  const app = await startApp({ workerLeaseMs: 1_000, ...options, env: { ...env, ...options.env } });
  const secret = known ?? (await createWorkerToken(app.app.db));
  return Object.assign(app, { secret });
}

/** What must not depend on who has done the work. */
export async function stored(db: Database) {
  const bySymbol = "JOIN series s ON s.id = series_id";
  return {
    bars: await db.rows(
      `SELECT s.symbol, ts, open, high, low, close, volume FROM bars ${bySymbol} ORDER BY s.symbol, ts`,
      [],
    ),
    ledger: await db.rows(
      `SELECT s.symbol, from_ts, to_ts, status, rows, attempts FROM batches ${bySymbol} ORDER BY s.symbol, from_ts`,
      [],
    ),
    features: await db.rows("SELECT symbol, first_bar, last_bar, feature_values FROM profiles ORDER BY symbol", []),
    arrivals: await db.rows("SELECT count(*) FROM arrivals", []),
  };
}

let plain: ReturnType<typeof stored> | undefined;

/** What a run without workers stores; made once. */
export function storedAlone(): ReturnType<typeof stored> {
  plain ??= (async () => {
    await using app = await startServer({ env: { DEMO_LATENCY_MS: "0", BARKEEP_WORKERS: "2" } });
    await app.waitForRun(await app.start(ORDER), "complete");
    return stored(app.app.db);
  })();
  return plain;
}

/** Waits until `find` finds something. */
export async function eventually<T>(find: () => T | undefined | false): Promise<T> {
  for (const end = performance.now() + 50_000; ; await Bun.sleep(5)) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`not within 50 s: ${find}`);
  }
}

export const hostOf = ({ app }: TestApp): HostFacts | undefined => app.hosts.list()[0];
/** Waits until the only worker has taken jobs. */
export const hasJobs = (app: TestApp) => eventually(() => (hostOf(app)?.jobs ?? 0) > 0);

/** A worker with one thread in this process. */
export function startWorker(url: string, secret: string, settings: Partial<HostSettings> = {}) {
  const lines: string[] = [];
  const host = new WorkerHost({
    server: { url, token: secret },
    version: "0.0.0",
    host: "elsewhere",
    threads: 1,
    jobs: 8,
    providers: null,
    intervals: null,
    print: (line) => void lines.push(line),
    ...settings,
  });
  const ended = host.run();
  ended.catch(() => {});
  return {
    lines,
    ended,
    host,
    async [Symbol.asyncDispose]() {
      await host.leave();
    },
  };
}

/** A worker as a process of its own. */
export function spawnWorker(url: string, secret: string, ...args: string[]) {
  return spawnWorkerWith({}, url, secret, ...args);
}

/** The same with more variables in its environment. */
export function spawnWorkerWith(more: Record<string, string>, url: string, secret: string, ...args: string[]) {
  const program = executable();
  const child = Bun.spawn([program, "worker", "--server", url, "--threads", "1", ...args], {
    // Without a developer's `.env`.
    cwd: dirname(program),
    env: { ...CHILD_ENV, ...more, BARKEEP_TOKEN: secret },
    ...{ stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  });
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** How a worker with this address and secret ends, and what it says. */
export async function endOfWorker(url: string, secret: string): Promise<{ code: number; text: string }> {
  await using worker = spawnWorker(url, secret);
  return { text: await new Response(worker.child.stderr).text(), code: await worker.child.exited };
}

/** A proxy on a port that stays, also while there is no server behind it. */
export function startProxy(target: string | null, faulty = 0) {
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const proxy = {
    target,
    /** Answers that were dropped after the server had given them. */
    dropped: 0,
    url: "",
    /** Called with what the server answers, before it is passed on. */
    onAnswer: (_path: string, _bytes: Uint8Array<ArrayBuffer>) => {},
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 60,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const away = new Response(null, { status: 502 });
      if (proxy.target === null) return away;
      const { method, headers } = request;
      try {
        const answer = await fetch(proxy.target + pathname, { method, headers, body: await request.arrayBuffer() });
        const bytes = await answer.arrayBuffer();
        if (answer.status === 200) proxy.onAnswer(pathname, new Uint8Array(bytes));
        if (random() < faulty) {
          proxy.dropped += 1;
          return away;
        }
        return new Response(bytes, answer);
      } catch {
        return away;
      }
    },
  });
  proxy.url = `http://127.0.0.1:${server.port}`;
  return proxy;
}
