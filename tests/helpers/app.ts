/** The whole application in this process, on a temporary database, behind a real HTTP server on loopback. */

import { type App, type AppOptions, createApp } from "../../src/app.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { listProviders } from "../../src/providers/registry.ts";
import { IDLE_SECONDS } from "../../src/routes/http/timeouts.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "./folder.ts";
import { type Client, clientOf } from "./http.ts";
import { type EventReader, readEvents } from "./sse.ts";

export interface TestApp extends Client, AsyncDisposable {
  readonly app: App;
  /** The printed lines of the log. */
  readonly printed: string[];
  events(query?: string, headers?: Record<string, string>): Promise<EventReader>;
  /** Starts a run and returns its id. */
  start(request: object): Promise<string>;
  /** Waits until the run has one of these states and returns it with its jobs. */
  waitForRun(runId: string, ...states: string[]): ReturnType<App["runs"]["read"]>;
  /** Waits until a progress event of this symbol satisfies `stop`. */
  waitForJob(symbol: string, stop: (job: HubJob) => boolean): Promise<HubJob>;
}

type HubJob = NonNullable<ReturnType<App["hub"]["job"]>>;

/** Settings for a test: a fresh database in `folder`, two workers, the demo provider without delay. */
export function testConfig(dbUrl: string, env: Record<string, string> = {}): Config {
  return readConfig(
    {
      PORT: "0",
      BARKEEP_DB_URL: dbUrl,
      BARKEEP_WORKERS: "2",
      DEMO_LATENCY_MS: "0",
      BARKEEP_LOG_LEVEL: "debug",
      ...env,
    },
    listProviders(env),
  );
}

export interface TestAppOptions extends AppOptions {
  readonly env?: Record<string, string>;
  /** A folder that outlives the app, for a test that starts it again. */
  readonly folder?: Folder;
  readonly dbUrl?: string;
}

/** What `fetch` accepts unless a test says what; to compress and unpack every answer would take longer than to make it. */
const UNSAID = "gzip, deflate, br, zstd";

/** Starts the app; `await using` closes it and makes sure that no worker is left (see tests/app.test.ts for timers). */
export async function startApp({ env, folder, dbUrl, ...options }: TestAppOptions = {}): Promise<TestApp> {
  const own = folder ?? temporaryFolder();
  const printed: string[] = [];
  const config = testConfig(dbUrl ?? (await migratedDatabase(own)), env);
  const app = await createApp(config, {
    print: (text) => void printed.push(text),
    ...options,
  });
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: IDLE_SECONDS,
    fetch(request, self) {
      if (request.headers.get("Accept-Encoding") === UNSAID) request.headers.delete("Accept-Encoding");
      return app.fetch(request, self);
    },
  });
  const client = clientOf(server.url.href.replace(/\/$/, ""));
  app.outbox.start(config.publicUrl ?? client.url);
  app.channels.start(config.publicUrl ?? client.url);
  const { hub, runs } = app;

  /** Calls `find` now and after every event, until it finds something. */
  async function watch<T>(find: () => T | undefined): Promise<T> {
    const stream = hub.stream({ latest: true });
    try {
      for (;;) {
        const found = find();
        if (found !== undefined) return found;
        if ((await stream.next(60_000)) === null) throw new Error("the app was closed");
      }
    } finally {
      stream.close();
    }
  }

  return {
    ...client,
    app,
    printed,
    events: (query = "", headers) => readEvents(`${client.url}/api/events${query}`, headers),
    async start(request) {
      const { status, body, text } = await client.post("/api/runs", request);
      if (status !== 202) throw new Error(`POST /api/runs: ${status} ${text}`);
      return body.run.id;
    },
    async waitForRun(runId, ...states) {
      await watch(() => hub.runs().find((run) => run.id === runId && states.includes(run.state)));
      return runs.read(runId);
    },
    waitForJob: (symbol, stop) =>
      watch(() =>
        hub
          .runs()
          .flatMap((run) => hub.job(run.id, symbol) ?? [])
          .find(stop),
      ),
    async [Symbol.asyncDispose]() {
      await app.close();
      await server.stop(true);
      if (folder === undefined) own[Symbol.dispose]();
      if (app.pool.alive > 0) throw new Error(`${app.pool.alive} workers are left`);
    },
  };
}
