import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { openDatabase, pathOf } from "../../src/storage/db.ts";
import { insertBars, seriesId } from "../../src/storage/market/bars.ts";
import { startApp } from "../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { rampBars } from "../helpers/inputs/bars.ts";

setDefaultTimeout(60_000);

/** Writes a snapshot as far as its first bytes, says so, and stays there. */
const HALF = `import { openDatabase } from "./src/storage/db.ts";
import { writeSnapshot } from "./src/pipeline/exports/snapshots/write-snapshot.ts";
const { dbUrl, request } = JSON.parse(process.env.ORDER);
const db = await openDatabase(dbUrl);
for await (const _ of writeSnapshot(db, request)) {
  console.log("begun");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}`;

test("of a snapshot whose process is killed in the middle nothing stays, and the next start says so", async () => {
  using folder = temporaryFolder();
  const dbUrl = await migratedDatabase(folder);
  const db = await openDatabase(dbUrl);
  const facts = { provider: "demo", feed: "x", adjustment: "none", sessions: "regular" };
  const id = await seriesId(db, { ...facts, symbol: "AAPL", interval: "1d" });
  await db.write(insertBars(id, rampBars(300)));
  db.close();

  const root = `${pathOf(dbUrl)}.snapshots`;
  const name = crypto.randomUUID();
  const table = {
    ...{ content: "table", hasSymbol: true, sort: "symbol", format: "parquet", dtype: "float64", coding: null },
    ...{ interval: "1d", from: 0, to: 2e10, adjust: "splits", hasBars: true, features: ["rsi_14"], labels: [] },
    ...{ head: {}, metadata: {} },
    series: [{ symbol: "AAPL", base: { seriesId: id, source: "1d", venue: "us_equity" }, longer: {} }],
  };
  const order = JSON.stringify({ dbUrl, request: { content: "snapshot", folder: join(root, name), table } });
  const child = Bun.spawn([process.execPath, "-e", HALF], {
    cwd: join(import.meta.dir, "../.."),
    env: { ...process.env, ORDER: order },
    stderr: "inherit",
  });
  await child.stdout.getReader().read();
  child.kill("SIGKILL");
  await child.exited;
  expect(readdirSync(root)).toEqual([`${name}.part`]);
  expect(statSync(join(root, `${name}.part`, "part-0001.parquet")).size).toBeGreaterThan(0);

  await using app = await startApp({ dbUrl });
  expect(readdirSync(root)).toEqual([]);
  expect((await app.get("/api/snapshots")).body).toEqual({ snapshots: [] });
  expect(
    app.printed.filter((line) => line.includes("The server ended while it wrote 1 snapshot: make it again")).length,
  ).toBe(1);
});
