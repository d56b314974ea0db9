/** A database of an earlier version: its bars are judged by the present rules once, in the background. */

import { expect, test } from "bun:test";
import { RULES_VERSION } from "../../src/domain/market/anomalies/scale-changes.ts";
import { GAP_RULES } from "../../src/domain/market/holes.ts";
import { isoDate } from "../../src/domain/time.ts";
import { listFindings } from "../../src/storage/market/quality/findings.ts";
import { readJumps } from "../../src/storage/market/quality/jump-bars.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const timesA = `SET open = open * ?1, high = high * ?1, low = low * ?1, close = close * ?1`;

/** What an earlier version has stored: an impossible bar of BAD, a change of scale of ODD. */
async function makeOld(app: TestApp): Promise<{ bad: number; odd: number }> {
  const { db } = app.app;
  const series = new Map(
    (await db.rows("SELECT symbol, id FROM series", [])).map(([symbol, id]) => [String(symbol), Number(id)]),
  );
  const tsOf = async (symbol: string, at: number) =>
    Number(
      (
        await db.rows("SELECT ts FROM bars WHERE series_id = ? ORDER BY ts LIMIT 1 OFFSET ?", [series.get(symbol)!, at])
      )[0]![0],
    );
  const [bad, odd] = [await tsOf("BAD", 50), await tsOf("ODD", 100)];
  await db.write([
    { sql: `UPDATE bars ${timesA} WHERE series_id = ?2 AND ts = ?3`, args: [100, series.get("BAD")!, bad] },
    { sql: `UPDATE bars ${timesA} WHERE series_id = ?2 AND ts >= ?3`, args: [0.01, series.get("ODD")!, odd] },
    { sql: "UPDATE series SET judged = 0", args: [] },
  ]);
  return { bad, odd };
}

test("an old database is judged once: impossible bars withdrawn, findings recorded, profiles computed again", async () => {
  using folder = temporaryFolder();
  let old: Awaited<ReturnType<typeof makeOld>>;
  {
    await using app = await startApp({ folder });
    await app.waitForRun(await app.start({ symbols: ["BAD", "ODD", "GOOD"], years: 1 }), "complete");
    old = await makeOld(app);
  }
  await using app = await startApp({ folder });
  const { db, rejudging } = app.app;
  // The thread may have done some before the start has ended.
  expect(rejudging.progress).toMatch(/^Stored bars are judged by new rules: [0-3] of 3 series done$/);
  // The page may be answered after the judging has ended.
  const progress = "Stored bars are judged by new rules: 1 of 3 series done";
  Object.defineProperty(rejudging, "progress", { get: () => progress, configurable: true });
  expect((await app.get("/profiles")).text).toContain(progress);
  Reflect.deleteProperty(rejudging, "progress");
  await rejudging.idle();
  expect(rejudging.progress).toBe(null);
  expect((await app.get("/profiles")).text).not.toContain("Stored bars are judged by new rules");

  const idOf = async (symbol: string) =>
    Number((await db.rows("SELECT id FROM series WHERE symbol = ?", [symbol]))[0]![0]);
  expect([...(await readJumps(db, await idOf("BAD"), 0, Number.MAX_SAFE_INTEGER)).ts]).toEqual([old.bad]);
  expect(await listFindings(db, await idOf("ODD"))).toMatchObject([{ kind: "scale_change", date: old.odd }]);
  expect(await db.rows("SELECT DISTINCT judged FROM series", [])).toEqual([[RULES_VERSION]]);
  expect(app.printed.join("\n")).toContain("1 impossible bar withdrawn");

  const { body } = await app.get("/api/runs?mode=reprocess");
  await app.waitForRun(body.runs[0].id, "complete");
  expect((await app.get("/api/profiles/BAD")).body.features.drawdown).toBeGreaterThan(-0.9);
  expect((await app.get("/profiles/ODD")).text).toContain(isoDate(old.odd));
});

test("the sessions of an earlier version's series are compared again without a run: a hole makes its health amber", async () => {
  using folder = temporaryFolder();
  {
    await using app = await startApp({ folder });
    const request = { symbols: ["HOLE", "GOOD"], years: 1, interval: "15m" };
    await app.waitForRun(await app.start(request), "complete");
    const { db } = app.app;
    // Bars that an earlier release did not miss: from 15:30 to 17:30 of a day in the middle.
    const [row] = await db.rows("SELECT ts FROM bars ORDER BY ts LIMIT 1 OFFSET 3000", []);
    const day = Math.floor(Number(row![0]) / 86_400) * 86_400;
    await db.write([
      {
        sql: "DELETE FROM bars WHERE series_id = (SELECT id FROM series WHERE symbol = 'HOLE') AND ts >= ? AND ts < ?",
        args: [day + 15.5 * 3600, day + 17.5 * 3600],
      },
      { sql: "UPDATE series SET gap_rules = 0", args: [] },
    ]);
    const { health, backfill_metadata } = (await app.get("/api/profiles/HOLE?interval=15m")).body;
    expect([health, backfill_metadata.gaps]).toEqual(["ok", 0]);
  }
  await using app = await startApp({ folder });
  await app.app.rejudging.idle();
  const { health, backfill_metadata } = (await app.get("/api/profiles/HOLE?interval=15m")).body;
  expect([health, backfill_metadata.gaps]).toEqual(["gaps", 1]);
  expect((await app.get("/api/profiles/GOOD?interval=15m")).body.health).toBe("ok");
  expect(await app.app.db.rows("SELECT DISTINCT gap_rules FROM series", [])).toEqual([[GAP_RULES]]);
});

test("judging that a stop interrupts goes on at the next start", async () => {
  using folder = temporaryFolder();
  {
    await using app = await startApp({ folder });
    await app.waitForRun(await app.start({ symbols: ["BAD", "ODD", "GOOD"], years: 1 }), "complete");
    await makeOld(app);
  }
  {
    await using app = await startApp({ folder });
    expect(app.app.rejudging.progress).not.toBe(null);
  }
  await using app = await startApp({ folder });
  await app.app.rejudging.idle();
  const left = await app.app.db.rows("SELECT count(*) FROM series WHERE judged < ?", [RULES_VERSION]);
  expect(left).toEqual([[0]]);
});
