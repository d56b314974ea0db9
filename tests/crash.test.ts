import { expect, test } from "bun:test";
import { DAY } from "../src/domain/market/interval.ts";
import { type Database, migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { insertRun } from "../src/storage/runs/runs.ts";
import { contents, finishRuns, randomFrom, unfinishedJobs } from "./campaign/contents.ts";
import { startApp } from "./helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "./helpers/folder.ts";
import type { Client } from "./helpers/http.ts";
import { spawnServer } from "./helpers/server.ts";
import { readEvents } from "./helpers/sse.ts";

/** More with `CRASH_KILLS=20`; `bun run campaign --kinds kill` kills as often as wanted. */
const KILLS = Number(process.env.CRASH_KILLS ?? 8);
/**
 * Most progress events before a server is killed; some are killed before the first one. With far fewer no life outlasts
 * the features of a symbol, and all kills hit the same place.
 */
const LIFE = 100;
const SYMBOLS_PER_RUN = 3;
/** Of 30 days each: more than half of what a symbol reports are batches. */
const BATCHES = 48;

const asOf = Date.UTC(2025, 5, 16, 18) / 1000;
const rangeTo = (Math.floor(asOf / DAY) + 1) * DAY;

/** Starts the n-th run, with the same request in every database. */
async function order(db: Database, n: number): Promise<void> {
  await insertRun(
    db,
    {
      id: `run-${n}`,
      mode: "full",
      interval: "1d",
      provider: "demo",
      years: "4",
      batchDays: 30,
      maxWorkers: 2,
      rangeFrom: rangeTo - BATCHES * 30 * DAY,
      rangeTo,
      asOf,
      createdAt: 1_000 + n,
    },
    Array.from({ length: SYMBOLS_PER_RUN }, (_, i) => (i === 0 ? `C${n}-USD` : `S${n}X${i}`)),
  );
}

/** How many progress events each server lives, in random order; evenly spread, so that some outlast what is done again. */
function livesOf(random: () => number): number[] {
  const spread = Array.from({ length: KILLS }, (_, k) => [random(), ((k + random()) / KILLS) * LIFE] as const);
  return spread.toSorted(([a], [b]) => a - b).map(([, life]) => Math.ceil(life));
}

const ids = (runs: number) => Array.from({ length: runs }, (_, n) => `run-${n}`);

async function open(url: string): Promise<Database> {
  const db = await openDatabase(url);
  await migrateDatabase(db);
  return db;
}

/** Waits for a number of progress events, or for the end of the run. */
async function work(client: Client, run: string, steps: number): Promise<void> {
  await using events = await readEvents(`${client.url}/api/events`);
  if ((await client.get(`/api/runs/${run}`)).body.run.status !== "running") return;
  let reported = 0;
  await events.until(({ event, data }) => {
    // A symbol has about as many batches as tens of features, so about one kill in three hits the engineer stage.
    if (event === "progress" && data.state === "running" && !/\d[1-9]\/200/.test(data.micro_stage)) reported += 1;
    return reported >= steps || (event === "run" && data.id === run && data.status !== "running");
  });
}

test(`a server killed ${KILLS} times ends with the same bars, ledger and profiles as one that never was`, async () => {
  const seed = Number(process.env.CRASH_SEED ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const random = randomFrom(seed);
  using folder = temporaryFolder();
  const killedUrl = folder.database("killed.db");
  const environment = {
    BARKEEP_DB_URL: killedUrl,
    BARKEEP_WORKERS: "2",
    BARKEEP_LOG_LEVEL: "warn",
    // A symbol is fetched for longer than its batches wait for one another, so that a kill leaves some of them.
    DEMO_LATENCY_MS: "40",
  };

  const db = await open(killedUrl);
  let ordered = 0;
  /** What each killed server left: batches stored so far. */
  const left: number[] = [];
  for (const life of livesOf(random)) {
    // A fast machine may be done before the last kill: then another run is started.
    if ((await unfinishedJobs(db)) === 0) await order(db, ordered++);
    const server = spawnServer(environment);
    // About one in six is killed while it starts.
    if (life < LIFE / 3 && random() < 1 / 2) {
      server.listening.catch(() => {});
      await Bun.sleep(random() * 300);
    } else {
      await work(await server.listening, `run-${ordered - 1}`, life);
    }
    await server.kill();
    left.push(Number((await db.rows("SELECT count(*) FROM batches", []))[0]![0]));
  }
  const where = `seed ${seed}: batches after each kill ${left.join(" ")}`;
  expect(await finishRuns(spawnServer(environment), ids(ordered))).toBe(0);

  const calmUrl = await migratedDatabase(folder);
  const calm = await openDatabase(calmUrl);
  for (let n = 0; n < ordered; n++) await order(calm, n);
  {
    await using app = await startApp({ dbUrl: calmUrl });
    for (const id of ids(ordered)) await app.waitForRun(id, "complete", "failed", "cancelled");
  }

  const [killed, undisturbed] = [await contents(db), await contents(calm)];
  const integrity = await db.rows("PRAGMA integrity_check", []);
  db.close();
  calm.close();

  // The kills must have hit the work in several places for the comparison to mean anything.
  expect(new Set(left).size, where).toBeGreaterThan(KILLS / 4);
  expect(integrity).toEqual([["ok"]]);
  expect(undisturbed.runs.map(([, state]) => state)).toEqual(Array(ordered).fill("complete"));
  expect(undisturbed.ledger.length).toBe(ordered * SYMBOLS_PER_RUN * BATCHES);
  expect(undisturbed.bars.length).toBeGreaterThan(ordered * SYMBOLS_PER_RUN * 900);
  // The ledger holds `attempts`: 1 everywhere means that no stored batch was fetched again.
  expect(new Set(killed.ledger.map((row) => row[9])), where).toEqual(new Set([1]));
  for (const part of ["runs", "jobs", "apiCalls", "ledger", "bars", "profiles"] as const) {
    expect(Bun.deepEquals(killed[part], undisturbed[part]), `${part} differ, ${where}`).toBe(true);
  }
}, 240_000);
