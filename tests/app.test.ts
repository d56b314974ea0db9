/** The app as a whole: the order of closing, and that a closed or failed one leaves nothing behind. */

import { Database as SQLite } from "bun:sqlite";
import { expect, spyOn, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { MailDispatcher } from "../src/alerts/mail-dispatcher.ts";
import { ProgressHub } from "../src/hub.ts";
import { CompanyLoader } from "../src/pipeline/companies/loader.ts";
import { Exporter } from "../src/pipeline/exports/exporter.ts";
import { WorkerPool } from "../src/pipeline/workers/pool.ts";
import { RateLimiter } from "../src/providers/quotas/rate-limiter.ts";
import { LiveBroadcaster } from "../src/routes/live/broadcaster.ts";
import { MetricsPublisher } from "../src/scheduler/live/metrics-publisher.ts";
import { Maintenance } from "../src/scheduler/maintenance/maintenance.ts";
import { Dispatcher } from "../src/scheduler/queue/dispatcher.ts";
import { RunService } from "../src/scheduler/runs/run-service.ts";
import { ScheduleRunner } from "../src/scheduler/schedules/schedule-runner.ts";
import { openDatabase } from "../src/storage/db.ts";
import { LogStore } from "../src/storage/log.ts";
import { UsageStore } from "../src/storage/quotas/usage.ts";
import { insertRun } from "../src/storage/runs/runs.ts";
import { startApp } from "./helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "./helpers/folder.ts";
import { CHILD_ENV, spawnServer } from "./helpers/server.ts";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Runs a script in a process of its own, which must end without a call of `exit`. */
async function runScript(script: string, env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, "--no-env-file", "-e", script], {
    cwd: source(".."),
    env: { ...CHILD_ENV, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [printed, complaints, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { printed, complaints, code };
}

const RUN_AND_CLOSE = `
import { createApp } from "${source("../src/app.ts")}";
import { testConfig } from "${source("./helpers/app.ts")}";
for (const [when, url] of Object.entries(JSON.parse(process.env.DATABASES))) {
  const app = await createApp(testConfig(url, { BARKEEP_WORKERS: "2", DEMO_LATENCY_MS: "20" }), { print: () => {} });
  await app.runs.start({ symbols: ["AAPL", "MSFT", "IBM"], mode: "full", interval: "1d", years: 2, batchDays: 30 });
  if (when === "at work") {
    const stream = app.hub.stream();
    let working = false;
    while (!working) {
      const { events } = await stream.next(60_000);
      working = events.some(({ type, job }) => type === "progress" && job.microStage.startsWith("Batch 3/"));
    }
  }
  await app.close();
  console.log("closed " + when);
}
`;

// No exit is called: a worker, a timer or a stream that is left of either would keep the process from ending.
test("closed at once and at work, the app leaves nothing behind that keeps the process alive", async () => {
  using atOnce = temporaryFolder();
  using atWork = temporaryFolder();
  const databases = { "at once": await migratedDatabase(atOnce), "at work": await migratedDatabase(atWork) };
  const ended = await runScript(RUN_AND_CLOSE, { DATABASES: JSON.stringify(databases) });
  expect(ended).toEqual({ printed: "closed at once\nclosed at work\n", complaints: "", code: 0 });
});

test("the app closes in the reverse order of its start, the lease and the database last", async () => {
  await using app = await startApp();
  const { db } = app.app;
  const closed: string[] = [];
  const started = [
    ProgressHub,
    LogStore,
    UsageStore,
    RateLimiter,
    Exporter,
    CompanyLoader,
    MailDispatcher,
    Maintenance,
    MetricsPublisher,
    RunService,
    WorkerPool,
    Dispatcher,
    ScheduleRunner,
    LiveBroadcaster,
  ];
  const spies = started.map(({ name, prototype }) => {
    const original = prototype.close as () => void | Promise<void>;
    const spy = spyOn(prototype as { close(): void | Promise<void> }, "close");
    return spy.mockImplementation(function (this: unknown) {
      closed.push(name);
      return original.call(this);
    });
  });
  const closeDatabase = db.close;
  spyOn(db, "close").mockImplementation(() => {
    closed.push("database");
    closeDatabase();
  });
  const write = db.write.bind(db);
  spyOn(db, "write").mockImplementation((statements, mayWait) => {
    const [first] = statements;
    if (first && "sql" in first && /^DELETE FROM settings/.test(first.sql)) closed.push("lease");
    return write(statements, mayWait);
  });
  try {
    await app.app.close();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  const expected = started.map(({ name }) => name).reverse();
  expect(closed).toEqual([...expected, "lease", "database"]);
});

const UNFINISHED = {
  id: "run-1",
  mode: "full",
  interval: "1d",
  provider: "demo",
  years: "2",
  batchDays: 30,
  maxWorkers: 2,
  rangeFrom: Date.UTC(2023, 5, 17) / 1000,
  rangeTo: Date.UTC(2025, 5, 17) / 1000,
  asOf: Date.UTC(2025, 5, 16, 18) / 1000,
  createdAt: 1_000,
} as const;

/** What makes each step of the start fail, in a database with an unfinished run; `null`: the file is not a database. */
const FAULTS = [
  { sql: null, says: /cannot be opened: .*not a database/ },
  { sql: "DELETE FROM __drizzle_migrations", says: /already exists/ },
  {
    sql: `INSERT INTO settings VALUES ('server_lease',
          '${JSON.stringify({ id: "other", pid: process.pid, host: hostname() })}', ${Date.now() + 3_600_000})`,
    says: /Another Barkeep .* works on this database/,
  },
  // The moments that lie in the future: they are corrected before anybody reads them.
  { sql: "ALTER TABLE company_lists RENAME TO gone", says: /^no such table: company_lists$/ },
  { sql: "ALTER TABLE api_usage RENAME COLUMN units TO gone", says: /^no such column: units/ },
  {
    sql: `CREATE TRIGGER fault BEFORE INSERT ON settings WHEN new.key = 'seal:salt'
          BEGIN SELECT RAISE(ABORT, 'no salt'); END`,
    says: /^no salt$/,
  },
  { sql: "ALTER TABLE quotas RENAME COLUMN used TO gone", says: /^no such column: used/ },
  { sql: "INSERT INTO settings VALUES ('alerts:rules', '{', 0)", says: /JSON/ },
  { sql: "INSERT INTO settings VALUES ('mail:account', '{', 0)", says: /JSON/ },
  { sql: "ALTER TABLE batches RENAME TO gone", says: /^no such table: batches$/ },
  // By now the unfinished run is at work on two threads.
  { sql: "ALTER TABLE sessions RENAME COLUMN token_id TO gone", says: /^no such column: sessions.token_id$/ },
];

const START_AND_FAIL = `
import Driver from "libsql";
import { createApp } from "${source("../src/app.ts")}";
import { messageOf } from "${source("../src/domain/errors.ts")}";
import { testConfig } from "${source("./helpers/app.ts")}";
const env = { BARKEEP_WORKERS: "2", DEMO_LATENCY_MS: "20", BARKEEP_SECRET: "0123456789abcdef" };
const OURS = "SELECT count(*) FROM settings WHERE key = 'server_lease' AND json_extract(value, '$.pid') = ?";

// Every connection that was used and is not closed.
const open = new Set();
const { prepare, close } = Driver.prototype;
Driver.prototype.prepare = function (...args) {
  open.add(this);
  return prepare.apply(this, args);
};
Driver.prototype.close = function () {
  open.delete(this);
  return close.call(this);
};

for (const { path, isDatabase } of JSON.parse(process.env.CASES)) {
  const starting = createApp(testConfig("file:" + path, env), { print: () => {} });
  const says = await starting.then(() => "started", messageOf);
  const connections = open.size;
  const db = new Driver(path);
  const leases = isDatabase ? db.prepare(OURS).raw().get(process.pid)[0] : 0;
  db.close();
  console.log(JSON.stringify({ says, leases, connections }));
}
`;

test("a start that fails, at whichever step, leaves no lease, no open database, no timer and no thread", async () => {
  using folder = temporaryFolder();
  const newest = await migratedDatabase(folder);
  const cases = FAULTS.map(({ sql }, index) => ({ path: `${folder.path}/${index}.db`, isDatabase: sql !== null }));
  for (const [index, { sql }] of FAULTS.entries()) {
    const { path } = cases[index]!;
    if (sql === null) {
      await Bun.write(path, "This is a text. ".repeat(1_000));
      continue;
    }
    copyFileSync(new URL(newest), path);
    const db = await openDatabase(`file:${path}`);
    await insertRun(db, UNFINISHED, ["AAPL", "MSFT", "IBM"]);
    // A new database has no salt yet.
    await db.write([
      { sql: "DELETE FROM settings", args: [] },
      { sql, args: [] },
    ]);
    db.close();
  }
  // A timer or a thread that is left would keep the process from ending.
  const { printed, complaints, code } = await runScript(START_AND_FAIL, { CASES: JSON.stringify(cases) });
  expect({ complaints, code }).toEqual({ complaints: "", code: 0 });
  const found = printed
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(found).toEqual(FAULTS.map(({ says }) => ({ says: expect.stringMatching(says), leases: 0, connections: 0 })));
});

test("a server whose port is taken says so, and gives its lease back", async () => {
  using folder = temporaryFolder();
  await using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const server = spawnServer({ BARKEEP_DB_URL: await migratedDatabase(folder), PORT: String(other.port) });
  await expect(server.listening).rejects.toThrow(/Barkeep cannot start: .*port/i);
  expect(await server.process.exited).toBe(1);
  const db = await openDatabase(folder.database());
  expect(await db.rows("SELECT * FROM settings WHERE key = 'server_lease'", [])).toEqual([]);
  db.close();
});

/** Stops a server at a moment when it does not hold the lock of the database, which it would keep. */
function suspendBetweenWrites(server: { kill(signal: NodeJS.Signals): void }, url: string): void {
  const file = new SQLite(new URL(url).pathname);
  file.run("PRAGMA busy_timeout = 0");
  for (let tries = 0; ; tries++) {
    server.kill("SIGSTOP");
    try {
      file.run("BEGIN IMMEDIATE");
      file.run("ROLLBACK");
      break;
    } catch (error) {
      if (tries === 1_000) throw error;
      server.kill("SIGCONT");
      Bun.sleepSync(5);
    }
  }
  file.close();
}

test("a server whose database another has taken over while it was suspended stores nothing more, and ends", async () => {
  using folder = temporaryFolder();
  const url = await migratedDatabase(folder);
  const server = spawnServer({ BARKEEP_DB_URL: url, BARKEEP_WORKERS: "1", BARKEEP_LOG_LEVEL: "error" });
  const client = await server.listening;
  suspendBetweenWrites(server.process, url);
  const db = await openDatabase(url);
  const taken = JSON.stringify({ id: "other", pid: 1, host: "there" });
  await db.write([{ sql: "UPDATE settings SET value = ?1 WHERE key = 'server_lease'", args: [taken] }]);
  server.process.kill("SIGCONT");
  const order = { symbols: ["AAPL"], interval: "1d", years: 1 };
  await client.post("/api/runs", order).catch(() => {});
  expect(await server.process.exited).toBe(1);
  expect(await new Response(server.process.stderr).text()).toContain("Another Barkeep has taken over this database");
  expect(await db.rows("SELECT count(*) FROM runs", [])).toEqual([[0]]);
  expect(await db.rows("SELECT value FROM settings WHERE key = 'server_lease'", [])).toEqual([[taken]]);
  db.close();
});
