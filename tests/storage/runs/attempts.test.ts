/** Two workers that believe to have the same job, on one write queue. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { openDatabase } from "../../../src/storage/db.ts";
import { guardWrites, JobLost, newAttempt } from "../../../src/storage/runs/attempts.ts";
import { startJob } from "../../../src/storage/runs/jobs.ts";
import { insertRun, jobsOfRun } from "../../../src/storage/runs/runs.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

const RUN = {
  id: "r",
  mode: "full",
  interval: "1m",
  provider: "demo",
  years: "1",
  batchDays: 30,
  maxWorkers: 1,
  rangeFrom: 0,
  rangeTo: 86_400,
  asOf: 86_400,
  createdAt: 1,
} as const;

test("a write of an attempt lands if and only if no later attempt was made before it, wherever both are in the queue", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  await insertRun(db, RUN, ["AAPL"]);
  const [job] = await jobsOfRun(db, "r");
  const jobId = job!.id;
  await startJob(db, jobId, 1, false);
  await db.script("CREATE TABLE landed (number INTEGER)");
  const { db: guarded, during } = guardWrites(db);
  const act = fc.oneof(
    { weight: 1, arbitrary: fc.constant("take" as const) },
    { weight: 4, arbitrary: fc.record({ older: fc.nat(3), mayWait: fc.boolean(), flush: fc.boolean() }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 24 }), async (acts) => {
      await db.write([{ sql: "DELETE FROM landed", args: [] }]);
      const attempts = [(await newAttempt(db, jobId))!];
      const expected: number[] = [];
      const outcomes: Promise<unknown>[] = [];
      for (const [number, each] of acts.entries()) {
        if (each === "take") {
          attempts.push((await newAttempt(db, jobId))!);
          continue;
        }
        const at = Math.max(0, attempts.length - 1 - each.older);
        const isLast = at === attempts.length - 1;
        if (isLast) expected.push(number);
        const write = () => guarded.write([{ sql: "INSERT INTO landed VALUES (?1)", args: [number] }], each.mayWait);
        const stored = during({ jobId, attempt: attempts[at]! }, write).then(
          () => true,
          (error) => !(error instanceof JobLost),
        );
        outcomes.push(stored.then((isStored) => expect(isStored).toBe(isLast)));
        if (each.flush) db.flush();
      }
      db.flush();
      await Promise.all(outcomes);
      const rows = await db.rows("SELECT number FROM landed ORDER BY number", []);
      expect(rows.map(([number]) => number)).toEqual(expected);
    }),
    { numRuns: 40 },
  );
  db.close();
});
