/** Runs against every vendor while it fails, forgets, corrects and sells less: nothing that is stored or said is more than it said. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CALENDAR } from "../../src/domain/market/calendar.ts";
import { DAY } from "../../src/domain/market/interval.ts";
import { isoDate, isoSecond } from "../../src/domain/time.ts";
import { listGaps } from "../../src/storage/market/quality/gaps.ts";
import type { MemoryVendor } from "../fakes/memory-vendor.ts";
import { providerOn } from "../fakes/providers.ts";
import { WIRES } from "../fakes/vendors/distortions.ts";
import type { FakeBar } from "../fakes/vendors/market.ts";
import type { FakeVendor } from "../fakes/vendors/vendor.ts";
import { type Pipeline, startPipeline } from "../helpers/pipeline.ts";

const SESSIONS = CALENDAR.sessionsBetween("us_equity", Date.UTC(2026, 0, 2) / 1_000, Date.UTC(2026, 10, 20) / 1_000);
const START = SESSIONS[150]!.close + 6 * 3_600;

const step = fc.oneof(
  fc.record({
    do: fc.constant("pass" as const),
    days: fc.integer({ min: 0, max: 5 }),
    minute: fc.integer({ min: 0, max: 1_439 }),
  }),
  fc.record({
    do: fc.constant("run" as const),
    mode: fc.constantFrom("full", "incremental", "repair", "rebuild"),
    days: fc.constantFrom(20, 60, 120),
    batchDays: fc.constantFrom(7, 30, 365),
  }),
  fc.record({
    do: fc.constant("outage" as const),
    how: fc.constantFrom("empty", "error", "page"),
    from: fc.nat(80),
    days: fc.integer({ min: 1, max: 12 }),
  }),
  fc.record({ do: fc.constant("recover" as const) }),
  fc.record({ do: fc.constant("revise" as const), back: fc.nat(12) }),
  fc.record({ do: fc.constant("hide" as const), back: fc.nat(60) }),
  fc.record({ do: fc.constant("spoil" as const), back: fc.nat(40) }),
  fc.record({ do: fc.constant("list" as const), back: fc.integer({ min: 5, max: 90 }) }),
  fc.record({ do: fc.constant("plan" as const), back: fc.integer({ min: 5, max: 100 }) }),
  fc.record({ do: fc.constant("upgrade" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

/** The newest session that is over for `back` days. */
const sessionAt = (now: number, back: number) => SESSIONS.findLast(({ close }) => close <= now - back * DAY)!.date;
const valuesOf = ({ open, high, low, close, volume }: FakeBar) => [open, high, low, close, volume];

for (const wire of WIRES.filter(({ symbols }) => symbols.includes("AAPL"))) {
  describe(wire.name, () => {
    let [fake, all] = [null as unknown as FakeVendor, null as unknown as Pipeline];
    beforeAll(async () => {
      fake = wire.start();
      fake.market.pricesOf = () => "AAPL";
      all = await startPipeline();
    });
    afterAll(async () => {
      all[Symbol.dispose]();
      await fake.close();
    });
    let stories = 0;

    async function tell(steps: readonly Step[]): Promise<void> {
      stories += 1;
      const symbol = `T${stories}`;
      using pipeline = await startPipeline({ on: all, symbol });
      const provider = providerOn(fake, wire.name);
      const vendor = { name: wire.name, traits: provider.traits(symbol, "1d"), provider } as unknown as MemoryVendor;
      const finalAt = (ts: number) => provider.finalAt!(symbol, "1d", ts);
      let now = START;
      let outage: Extract<Step, { do: "outage" }> | null = null;
      let [listed, planFrom] = [0, 0];
      const [hidden, spoiled, revisions] = [new Set<number>(), new Set<number>(), new Map<number, number>()];
      /** Every value that the vendor has given for a day. */
      const given = new Map<number, Set<string>>();
      fake.market.known.add(symbol);
      fake.clock = () => now * 1_000;
      fake.plan = {};
      fake.always = (_request, url) => {
        if (!wire.isBars(url) || outage === null || outage.how === "empty") return null;
        return new Response("<html>Down</html>", { status: outage.how === "error" ? 500 : 200 });
      };

      /** The bar as the vendor has it: the day's own goes on changing until it is final. */
      fake.market.edit = (of, interval, bar) => {
        if (of !== symbol || interval !== "1d") return bar;
        const { ts } = bar;
        const session = CALENDAR.sessionOn("us_equity", ts);
        if (session === null || session.open >= now || hidden.has(ts) || ts < listed) return null;
        const from = outage === null ? 0 : START - outage.from * DAY;
        if (outage?.how === "empty" && ts >= from && ts < from + outage.days * DAY) return null;
        if (spoiled.has(ts)) return { ...bar, low: null };
        const traded =
          now < finalAt(ts) ? Math.floor((now - session.open) / 60) : bar.volume! + (revisions.get(ts) ?? 0);
        const current = { ...bar, volume: traded };
        given.getOrInsertComputed(ts, () => new Set()).add(JSON.stringify(valuesOf(current)));
        return current;
      };

      async function run({ mode, days, batchDays }: Omit<Extract<Step, { do: "run" }>, "do">): Promise<void> {
        const rebuild = mode === "rebuild";
        const order = { asOf: now, mode: rebuild ? "full" : mode, rebuild, days, batchDays } as const;
        const outcome = await pipeline.run(vendor, order as Parameters<Pipeline["run"]>[1]);
        const stored = new Map((await pipeline.stored(vendor)).map(([ts, ...values]) => [ts!, values]));
        for (const [ts, values] of stored) {
          expect([isoDate(ts), [...given.get(ts)!]]).toEqual([
            isoDate(ts),
            expect.arrayContaining([JSON.stringify(values)]),
          ]);
          expect(CALENDAR.sessionOn("us_equity", ts)!.close).toBeLessThanOrEqual(now);
        }
        if (outcome.kind !== "done") return;

        const { backfill } = (await pipeline.profile())!;
        const provisional = backfill.provisional_from ?? "9999";
        for (const ts of stored.keys()) if (now < finalAt(ts)) expect(isoSecond(ts) >= provisional).toBe(true);
        const gaps = await listGaps(pipeline.db, await pipeline.series(vendor));
        const lacking = new Set(gaps.map(({ date }) => date));
        const [first, last] = [Math.min(...stored.keys()), Math.max(...stored.keys())];
        const isStored = (date: number) => stored.has(date) || lacking.has(date);
        const inside = SESSIONS.filter(({ date }) => date > first && date < last);
        expect(inside.filter(({ date }) => !isStored(date)).map(({ date }) => isoDate(date))).toEqual([]);
        if (gaps.some(({ kind, confirmed }) => kind === "missing" && !confirmed))
          expect(backfill.gaps).toBeGreaterThan(0);

        const bars = ((await fake.market.bars(symbol, "1d", now - 300 * DAY, now)) ?? []).filter(
          ({ low }) => low !== null,
        );
        const from = (Math.floor(now / DAY) + 1 - days) * DAY;
        const asked = bars.filter(({ ts }) => ts >= from && now >= finalAt(ts));
        // Within a year nothing is out of the plan that EODHD's words state.
        const isSaid = backfill.history_complete && mode !== "incremental" && mode !== "repair";
        const missed = isSaid && wire.name !== "eodhd" ? asked.filter(({ ts }) => !isStored(ts)) : [];
        expect(missed.map(({ ts }) => isoDate(ts))).toEqual([]);
        const newest = mode === "repair" ? [] : asked.filter(({ ts }) => ts > last && ts >= planFrom);
        expect(newest.map(({ ts }) => isoDate(ts))).toEqual([]);
      }

      await run({ mode: "full", days: 60, batchDays: 30 });
      for (const each of steps) {
        const day = "back" in each ? sessionAt(now, each.back) : 0;
        if (each.do === "pass") now = Math.max(now, Math.floor(now / DAY) * DAY + each.days * DAY + each.minute * 60);
        else if (each.do === "run") await run(each);
        else if (each.do === "outage") outage = each;
        else if (each.do === "recover") outage = null;
        else if (each.do === "revise") revisions.set(day, (revisions.get(day) ?? 0) + 7);
        else if (each.do === "hide") hidden.add(day);
        else if (each.do === "spoil") spoiled.add(day);
        else if (each.do === "list") listed = day;
        else {
          planFrom = each.do === "plan" ? day : 0;
          // Some trim an answer without a word, and some say so in it.
          fake.plan = planFrom === 0 ? {} : { from: planFrom, cuts: wire.name === "massive" || wire.name === "eodhd" };
          if (planFrom === 0) await pipeline.db.write([{ sql: "DELETE FROM plan_facts", args: [] }]);
        }
      }
    }

    test(`${wire.name}: what is stored was said, what is missing is shown, and nothing is called final or complete that is not`, async () => {
      const runs = { numRuns: Number(process.env.TRUTH_RUNS ?? 10), endOnFailure: true };
      await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), tell), runs);
    }, 600_000);
  });
}
