/** What was stored at an earlier moment is answered again, whatever happened since. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { emptyBars } from "../../../src/domain/market/bars.ts";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { marketOf } from "../../../src/domain/market/symbol.ts";
import { findSources } from "../../../src/pipeline/exports/find-sources.ts";
import { readBarPages } from "../../../src/pipeline/exports/series/read-bars.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { readBars } from "../../../src/storage/market/bars.ts";
import { KnownBars } from "../../../src/storage/market/known-bars.ts";
import { moveJumps } from "../../../src/storage/market/quality/jump-bars.ts";
import { keepProvisional, recordRevised, removeBars } from "../../../src/storage/market/revisions.ts";
import { MemoryVendor } from "../../fakes/memory-vendor.ts";
import { type Pipeline, rowsOf, startPipeline } from "../../helpers/pipeline.ts";
import { evening, SESSIONS, vendorWith } from "./scenario.ts";

const CASES = 40;

const back = fc.integer({ min: 0, max: 8 });
const step = fc.oneof(
  fc.record({ do: fc.constant("increment" as const), sessions: fc.integer({ min: 0, max: 5 }) }),
  // The bar of the session that has not ended, as some vendors give it.
  fc.record({ do: fc.constant("midday" as const), cents: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ do: fc.constant("revise" as const), back, cents: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ do: fc.constant("hole" as const), back: fc.integer({ min: -4, max: 8 }) }),
  fc.record({ do: fc.constant("fill" as const) }),
  fc.record({ do: fc.constant("repair" as const), by: fc.constantFrom("itself", "another") }),
  fc.record({ do: fc.constant("scale" as const), factor: fc.constantFrom([2, 0.5], [0.95, 1]) }),
  fc.record({ do: fc.constant("action" as const), kind: fc.constantFrom("split", "dividend"), back }),
  fc.record({ do: fc.constant("relist" as const) }),
  fc.record({
    do: fc.constant("full" as const),
    rebuild: fc.boolean(),
    days: fc.constantFrom<number>(365, 90, 20, 5, 2),
  }),
  fc.record({
    do: fc.constant("spike" as const),
    back: fc.integer({ min: -4, max: 8 }),
    bars: fc.integer({ min: 1, max: 14 }),
    factor: fc.constantFrom(100, 0.01),
  }),
  fc.record({ do: fc.constant("mend" as const) }),
  fc.record({ do: fc.constant("longer" as const) }),
  fc.record({ do: fc.constant("batches" as const), days: fc.constantFrom(1, 7, 30, 365) }),
);
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

/** The days of a run at session `now` that begins with session `first`. */
const daysFrom = (first: number, now: number) => Math.floor(evening(now) / DAY) + 1 - SESSIONS[first]!.date / DAY;

const EXAMPLES: readonly Step[][] = [
  // Eight impossible bars are put aside; with four more after them, which alone are fetched, they are no lone jump.
  [
    ...[120, 121, 122, 123].map((n): Step => ({ do: "hole", back: 110 - n })),
    { do: "spike", back: -2, bars: 12, factor: 100 },
    ...Array.from({ length: 7 }, (): Step => ({ do: "increment", sessions: 5 })),
    { do: "fill" },
    { do: "full", rebuild: false, days: daysFrom(120, 145) },
  ],
];

/** A moment of its own: what is written next is later. */
async function nextMoment(): Promise<number> {
  const at = Date.now();
  while (Date.now() === at) await Bun.sleep(0);
  return at;
}

async function read(pipeline: Pipeline, vendor: MemoryVendor, adjust: "none" | "all", knownAt?: number) {
  const source = { seriesId: await pipeline.series(vendor), source: "1d", venue: marketOf("ACME") } as const;
  const context = { db: pipeline.db, calendar: CALENDAR, throwIfStopped: () => {} };
  const query = { interval: "1d", from: 0, to: Number.MAX_SAFE_INTEGER, after: 0, adjust, knownAt } as const;
  const rows: number[][] = [];
  for await (const page of readBarPages(context, source, query)) rows.push(...rowsOf(page));
  return rows;
}

/** A vendor that gives the bar of a session while it lasts, with a close that moves. */
class EarlyVendor extends MemoryVendor {
  cents = 0;

  override get provider(): Provider {
    const final = super.provider;
    return {
      ...final,
      fetchBars: async (request, context) => {
        const end = Math.ceil(request.asOf / 86_400) * 86_400;
        const answer = await final.fetchBars({ ...request, asOf: Math.max(request.asOf, end + 86_400) }, context);
        const places = [...answer.bars.ts.keys()].filter((at) => answer.bars.ts[at]! < request.asOf);
        const bars = { ...answer.bars };
        for (const field of ["ts", "open", "high", "low", "close", "volume"] as const)
          bars[field] = Float64Array.from(places, (at) => {
            const isGrowing = !CALENDAR.isFinal("us_equity", "1d", answer.bars.ts[at]!, request.asOf);
            return answer.bars[field][at]! + (isGrowing && field === "high" ? this.cents / 100 : 0);
          });
        return { ...answer, bars };
      },
      availableAt: (_symbol, _interval, ts) => ts + 15 * 3_600,
    };
  }
}

test("property: along any story of fills, increments, repairs, refetches, rebuilds, revisions and actions, every answer is given again as known at its moment", async () => {
  using all = await startPipeline();
  let cases = 0;

  async function tell(steps: readonly Step[]): Promise<void> {
    cases += 1;
    using pipeline = await startPipeline({ on: all, symbol: `STORY${cases}` });
    const plain = vendorWith(SESSIONS.length);
    const vendor = new EarlyVendor();
    vendor.put(...plain.rows.values());
    vendor.actions = [];
    const other = vendorWith(SESSIONS.length, undefined, "stooq");
    let now = 110;
    let batchDays = 30;
    let days = 60;
    const spikes = new Map<number, number>();
    const answers: { at: number; bars: number[][]; adjusted: number[][] }[] = [];
    const keep = async () => {
      const [bars, adjusted] = [await read(pipeline, vendor, "none"), await read(pipeline, vendor, "all")];
      answers.push({ at: await nextMoment(), bars, adjusted });
    };
    const multiply = (ts: number, factor: number) => {
      const row = vendor.rows.get(ts)!;
      const [open, high, low, close] = [row.open, row.high, row.low, row.close].map((price) => price * factor);
      vendor.put({ ...row, open: open!, high: high!, low: low!, close: close! });
    };
    async function run(order: object): Promise<void> {
      await pipeline.run(vendor, { asOf: evening(now), batchDays, days, ...order });
      await keep();
    }

    await run({});
    for (const each of steps) {
      switch (each.do) {
        case "increment":
          now += each.sessions;
          await run({ mode: "incremental" });
          break;
        case "midday":
          now += 1;
          vendor.cents = each.cents;
          await run({ mode: "incremental", asOf: SESSIONS[now]!.open + 7_200 });
          break;
        case "revise": {
          const row = vendor.rows.get(SESSIONS[now - each.back]!.date)!;
          vendor.put({ ...row, high: row.high + each.cents / 100, volume: row.volume + each.cents });
          break;
        }
        case "hole":
          vendor.hidden.add(SESSIONS[now - each.back]!.date);
          break;
        case "fill":
          vendor.hidden.clear();
          break;
        case "repair":
          await run({ mode: "repair", ...(each.by === "another" && { repair: other }) });
          break;
        case "scale":
          now += 1;
          await run({ mode: "incremental" });
          vendor.scale(SESSIONS[now + 1]!.date, each.factor[0]!, each.factor[1]!);
          now += 1;
          await run({ mode: "incremental" });
          break;
        case "action": {
          const kind = each.kind as "split" | "dividend";
          const value = kind === "split" ? 2 : 0.5;
          vendor.actions!.push({ kind, date: SESSIONS[now - each.back]!.date, value });
          break;
        }
        case "relist": {
          // The newest action moves by a session, and the next time back again.
          const last = vendor.actions!.pop();
          if (last === undefined) break;
          const place = SESSIONS.findIndex(({ date }) => date === last.date);
          for (const date of [SESSIONS[place + 1]!.date, last.date]) {
            vendor.actions!.push({ ...last, date });
            now += 1;
            await run({ mode: "incremental" });
            if (date !== last.date) vendor.actions!.pop();
          }
          break;
        }
        case "full":
          await run({ rebuild: each.rebuild, days: each.days });
          break;
        case "spike":
          for (let at = 0; at < each.bars; at++) {
            const { date } = SESSIONS[now - each.back + at]!;
            if (spikes.has(date)) continue;
            spikes.set(date, each.factor);
            multiply(date, each.factor);
          }
          break;
        case "mend":
          for (const [date, factor] of spikes) multiply(date, 1 / factor);
          spikes.clear();
          break;
        case "longer":
          days = Math.min(300, 2 * days);
          await run({});
          break;
        case "batches":
          batchDays = each.days;
          vendor.windowDays = each.days;
      }
    }
    now += 1;
    await run({ mode: "incremental" });
    for (const { at, bars, adjusted } of answers) {
      expect(await read(pipeline, vendor, "none", at)).toEqual(bars);
      expect(await read(pipeline, vendor, "all", at)).toEqual(adjusted);
      const known = await KnownBars.open(pipeline.db, await pipeline.series(vendor), at);
      expect(known.exactSince).toBeNull();
      const edge = bars.length === 0 ? null : { first: bars[0]![0]!, last: bars.at(-1)![0]! };
      expect(await known.edges(0, Number.MAX_SAFE_INTEGER)).toEqual(edge);
      expect(rowsOf(await known.last(Number.MAX_SAFE_INTEGER, 3))).toEqual(bars.slice(-3));
    }
  }

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), tell), {
    numRuns: CASES,
    examples: EXAMPLES.map((steps): [Step[]] => [steps]),
  });
}, 120_000);

test("a bar that is put aside and stored again when bars are judged again is known at the moments between as it was", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(SESSIONS.length);
  await pipeline.run(vendor, { asOf: evening(110) });
  const series = { seriesId: await pipeline.series(vendor), runId: "" };
  const bars = await readBars(pipeline.db, series.seriesId, SESSIONS[60]!.date, SESSIONS[62]!.date);
  const none = emptyBars();
  const counts: { at: number; rows: number }[] = [];
  const keep = async () => counts.push({ rows: (await read(pipeline, vendor, "none")).length, at: await nextMoment() });
  await keep();
  await moveJumps(pipeline.db, series, { withdrawn: bars, aside: bars, restored: none });
  await keep();
  await moveJumps(pipeline.db, series, { withdrawn: none, aside: none, restored: bars });
  await keep();
  expect(counts.map(({ rows }) => rows - counts[0]!.rows)).toEqual([0, -2, 0]);
  for (const { at, rows } of counts) expect((await read(pipeline, vendor, "none", at)).length).toBe(rows);
});

test("of bars that were stored before arrivals were recorded, those are answered that had begun, and it is said since when answers are exact", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(SESSIONS.length);
  await pipeline.run(vendor, { asOf: evening(110) });
  const series = await pipeline.series(vendor);
  const since = await nextMoment();
  const range = [SESSIONS[0]!.date, SESSIONS[110]!.date + 1];
  await pipeline.db.write([
    { sql: "UPDATE series SET arrivals_since = ?2 WHERE id = ?1", args: [series, since] },
    { sql: "INSERT INTO arrivals VALUES (?1, ?2, ?3, 0, 1)", args: [series, ...range] },
  ]);
  await pipeline.run(vendor, { mode: "incremental", asOf: evening(115) });
  const early = await KnownBars.open(pipeline.db, series, SESSIONS[80]!.open * 1_000);
  expect(early.exactSince).toBe(since);
  expect((await early.edges(0, Number.MAX_SAFE_INTEGER))!.last).toBe(SESSIONS[80]!.date);
  const late = await KnownBars.open(pipeline.db, series, since);
  expect(late.exactSince).toBeNull();
  expect((await late.edges(0, Number.MAX_SAFE_INTEGER))!.last).toBe(SESSIONS[110]!.date);
});

test("when a profile changes to another provider, the bars of a moment before are still those of the first", async () => {
  using pipeline = await startPipeline();
  const [first, second] = [vendorWith(SESSIONS.length), vendorWith(SESSIONS.length, undefined, "stooq")];
  await pipeline.run(first, { asOf: evening(110) });
  const between = await nextMoment();
  await pipeline.run(second, { asOf: evening(110) });
  const range = { symbols: ["ACME"], longer: [], from: 0, to: Number.MAX_SAFE_INTEGER } as const;
  const providersAt = async (knownAt?: number, interval: "1d" | "1w" = "1d") =>
    (await findSources(pipeline.db, CALENDAR, { ...range, interval, knownAt })).stored.map(({ provider }) => provider);
  expect(await providersAt()).toEqual(["stooq"]);
  expect(await providersAt(Date.now())).toEqual(["stooq"]);
  expect(await providersAt(between)).toEqual(["demo"]);
  expect(await providersAt(between, "1w")).toEqual(["demo"]);
  expect(await providersAt(0)).toEqual([]);
});

test("a bar that becomes final and is withdrawn in one millisecond is known before that as it was when it was not final", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(SESSIONS.length);
  await pipeline.run(vendor, { asOf: evening(110) });
  const seriesId = await pipeline.series(vendor);
  const { date } = SESSIONS[110]!;
  const final = await readBars(pipeline.db, seriesId, date, date + 1);
  const early = { ...final, high: final.high.map((high) => high + 0.01) };
  const at = await nextMoment();
  const now = Date.now();
  await pipeline.db.write([
    ...keepProvisional(seriesId, now, early),
    ...recordRevised(seriesId, "", now, { kind: "withdrawn", bars: final }),
    ...removeBars(seriesId, final),
  ]);
  expect((await read(pipeline, vendor, "none", at)).at(-1)).toEqual(rowsOf(early)[0]!);
});
