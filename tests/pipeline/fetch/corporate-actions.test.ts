/** Splits and dividends as they are stored and applied. */

import { expect, test } from "bun:test";
import { adjusterOf } from "../../../src/pipeline/stored-prices.ts";
import { readBars } from "../../../src/storage/market/bars.ts";
import { listActions } from "../../../src/storage/market/corporate-actions.ts";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";
import { evening, SESSIONS, vendorWith } from "./scenario.ts";

const flatVendor = (sessions: number, close = 100) => {
  const vendor = vendorWith(sessions);
  for (const row of [...vendor.rows.values()])
    vendor.put({ ...row, open: close, high: close, low: close, close, volume: 1_000 });
  return vendor;
};
/** The closes with all adjustments, by session. */
async function adjustedCloses({ db, series }: Pipeline, vendor: ReturnType<typeof flatVendor>) {
  const id = await series(vendor);
  const adjust = await adjusterOf(db, id, "all");
  return [...adjust(await readBars(db, id, 0, Number.MAX_SAFE_INTEGER)).close];
}

test("two dividends of one day give one and the same adjusted price in every run", async () => {
  using pipeline = await startPipeline();
  const vendor = flatVendor(60);
  const { date } = SESSIONS[50]!;
  vendor.actions = [
    { kind: "dividend", date, value: 0.32 },
    { kind: "dividend", date, value: 4 },
  ];
  for (let times = 0; times < 3; times++) {
    await pipeline.run(vendor, { asOf: evening(59) });
    const closes = await adjustedCloses(pipeline, vendor);
    expect([closes[49], closes[50]].map((close) => Math.round(close! * 1e6) / 1e6)).toEqual([95.68, 100]);
    vendor.actions.reverse();
  }
  const stored = await listActions(pipeline.db, vendor.name, "ACME");
  expect(stored.map(({ value }) => value)).toEqual([0.32, 4]);
});

test("a split that the vendor moves to another day is applied once", async () => {
  using pipeline = await startPipeline();
  const vendor = flatVendor(60);
  vendor.actions = [{ kind: "split", date: SESSIONS[40]!.date, value: 10 }];
  await pipeline.run(vendor, { asOf: evening(59) });
  vendor.actions = [{ kind: "split", date: SESSIONS[50]!.date, value: 10 }];
  await pipeline.run(vendor, { asOf: evening(59) });
  const closes = await adjustedCloses(pipeline, vendor);
  expect([closes[39], closes[49], closes[50]]).toEqual([10, 10, 100]);
});

test("a second split of the same ratio that comes with newer bars leaves the first one alone", async () => {
  using pipeline = await startPipeline();
  const vendor = flatVendor(66);
  const splits = [30, 62].map((n) => ({ kind: "split" as const, date: SESSIONS[n]!.date, value: 0.1 }));
  vendor.actionsWithBars.push(...splits);
  await pipeline.run(vendor, { asOf: evening(59) });
  await pipeline.run(vendor, { mode: "incremental", asOf: evening(65) });
  const stored = await listActions(pipeline.db, vendor.name, "ACME");
  expect(stored.map(({ date }) => date)).toEqual(splits.map(({ date }) => date));
});
