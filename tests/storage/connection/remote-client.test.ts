import { afterEach, beforeEach, expect, test } from "bun:test";
import { LEASE_KEY } from "../../../src/storage/connection/fence.ts";
import { openServer } from "../../../src/storage/connection/remote-database.ts";
import { withWaitLimit } from "../../../src/storage/connection/wait-limit.ts";
import { AnswerLost, type Database, migrateDatabase, StorageUnavailable } from "../../../src/storage/db.ts";
import { insertRun, jobsOfRun, moveJobs } from "../../../src/storage/runs/runs.ts";
import { startFaultyProxy } from "../../fakes/faulty-proxy.ts";
import { startHrana } from "../../fakes/hrana.ts";

let hrana: ReturnType<typeof startHrana>;
let proxy: ReturnType<typeof startFaultyProxy>;
let db: Database;
let troubles: (string | null)[];

beforeEach(async () => {
  hrana = startHrana();
  proxy = startFaultyProxy(hrana.url);
  db = await openServer(proxy.url);
  await migrateDatabase(db);
  await db.write([{ sql: "INSERT INTO settings VALUES (?1, 'ours', 0)", args: [LEASE_KEY] }]);
  db.fence("ours");
  troubles = [];
  db.watch((trouble) => troubles.push(trouble?.kind ?? null));
});
afterEach(async () => {
  db.close();
  await proxy.close();
  await hrana.close();
});

const line = (message: string) => ({
  sql: "INSERT INTO logs (at, level, message) VALUES (0, 'info', ?1)",
  args: [message],
});
const lines = async () => (await db.rows("SELECT message FROM logs ORDER BY id", [])).flat();

test("a write whose answer is lost is sent again, and made once", async () => {
  proxy.fail("lose", 2);
  await db.write([line("once")]);
  await db.write([line("twice")]);
  expect(await lines()).toEqual(["once", "twice"]);
  expect(troubles).toEqual(["away", null]);
});

test("what a remote server does not answer waits, reads and writes alike, and goes on when it does", async () => {
  proxy.fail("down");
  const waiting = [db.write([line("a")]), lines(), db.write([line("b")])];
  await Bun.sleep(50);
  expect(db.trouble()).toMatchObject({ kind: "away", what: "The database server does not answer", canPass: true });
  proxy.heal();
  db.flush();
  await Promise.all(waiting);
  expect((await lines()).toSorted()).toEqual(["a", "b"]);
  expect(db.trouble()).toBeNull();
});

test("a remote server that never answers is given up after a time limit", async () => {
  const impatient = await openServer(proxy.url, undefined, 2_000);
  impatient.fence("ours");
  impatient.watch((trouble) => troubles.push(trouble?.kind ?? null));
  proxy.fail("hang", 1);
  await impatient.write([line("late")]);
  expect(await lines()).toEqual(["late"]);
  expect(troubles).toEqual(["away", null]);
  impatient.close();
});

test("a request does not wait for a remote server that is away, and what it wanted to write is not written later", async () => {
  proxy.fail("down");
  const refused = withWaitLimit(100, () => db.write([line("never")]));
  await expect(refused).rejects.toThrow(StorageUnavailable);
  proxy.heal();
  expect(await lines()).toEqual([]);
});

test("a change whose answer is lost says so; which jobs were moved is read then", async () => {
  await insertRun(
    db,
    {
      id: "r",
      mode: "full",
      interval: "1d",
      provider: "demo",
      years: "2",
      batchDays: 30,
      maxWorkers: 2,
      rangeFrom: 0,
      rangeTo: 86_400,
      asOf: 86_400,
      createdAt: 0,
    },
    ["AAPL", "MSFT"],
  );
  const [first, second] = await jobsOfRun(db, "r");
  proxy.fail("lose", 1);
  await expect(db.change([line("a")])).rejects.toThrow(AnswerLost);
  proxy.fail("lose", 1);
  expect(await moveJobs(db, [first!.id], "start")).toEqual(new Set([first!.id]));
  proxy.fail("lose", 1);
  expect(await moveJobs(db, [first!.id, second!.id], "requeue")).toContain(first!.id);
  expect(await lines()).toEqual(["a"]);
});

test("a batch to a remote server takes one round trip", async () => {
  await db.write([line("a")]);
  const before = proxy.requests;
  await db.write([line("b"), line("c"), line("d")]);
  expect(proxy.requests - before).toBe(1);
});
