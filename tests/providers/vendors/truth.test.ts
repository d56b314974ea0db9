/** Whatever a vendor answers: what is taken is what it has, and what is not taken is said. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BAR_FIELDS, type BarColumns } from "../../../src/domain/market/bars.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { validateRows } from "../../../src/domain/market/validate-bars.ts";
import type { BarWindow } from "../../../src/providers/provider.ts";
import { providerOn } from "../../fakes/providers.ts";
import { OTHER, SAME, WIRES } from "../../fakes/vendors/distortions.ts";
import type { FakeVendor } from "../../fakes/vendors/vendor.ts";
import { recordingContext } from "../fetch-context.ts";

const AS_OF = Date.UTC(2026, 10, 25, 22) / 1_000;
/** Marks the request by which the undistorted answer is had. */
const PLAIN = "x-plain";

const story = fc.record({
  symbol: fc.nat(2),
  interval: fc.nat(2),
  back: fc.integer({ min: 1, max: 20 }),
  days: fc.integer({ min: 1, max: 30 }),
  same: fc.uniqueArray(fc.constantFrom(...Object.keys(SAME)), { maxLength: 2 }),
  other: fc.option(fc.constantFrom(...Object.keys(OTHER))),
  pick: fc.nat(10_000),
});

const barsBy = (bars: BarColumns) =>
  new Map([...bars.ts].map((ts, at) => [ts, BAR_FIELDS.map((name) => bars[name][at])]));

for (const wire of WIRES) {
  describe(wire.name, () => {
    let fake: FakeVendor;
    beforeAll(() => {
      fake = wire.start();
      fake.clock = () => AS_OF * 1_000;
    });
    afterAll(() => fake.close());

    test(`${wire.name}: every bar that is taken is one it has, and none is lost without a word`, async () => {
      await fc.assert(
        fc.asyncProperty(story, async ({ same, other, pick, ...each }) => {
          const symbol = wire.symbols[each.symbol % wire.symbols.length]!;
          const interval = wire.intervals[each.interval % wire.intervals.length]!;
          const days = interval === "1d" ? each.days : Math.ceil(each.days / 3);
          const to = AS_OF - (AS_OF % DAY) - each.back * DAY;
          const window: BarWindow = { symbol, interval, from: to - days * DAY, to, asOf: AS_OF };
          const provider = providerOn(fake, wire.name);
          const ask = async () => {
            const context = recordingContext();
            const { bars, rejected, notInPlan = [] } = await provider.fetchBars(window, context);
            const valid = validateRows(bars, window);
            return { bars: barsBy(valid.bars), said: [...rejected, ...valid.rejected, ...notInPlan] };
          };
          fake.always = null;
          const truth = (await ask()).bars;
          let isOther = false;
          fake.always = async (request, url) => {
            if (request.headers.has(PLAIN) || !wire.isBars(url)) return null;
            const headers = new Headers(request.headers);
            headers.set(PLAIN, "1");
            const answer = await fetch(request.url, { headers });
            if (answer.status !== 200) return answer;
            let body = await answer.json();
            if (wire.rows(body).length === 0) return Response.json(body);
            const asked = { url, symbol, interval, pick };
            for (const name of same) body = SAME[name]!(wire, body, asked) ?? body;
            const changed = other === null ? null : OTHER[other]!(wire, body, asked);
            isOther ||= changed !== null;
            return Response.json(changed ?? body);
          };
          const taken = await ask().catch((error) => ({ error }));
          if ("error" in taken) {
            expect([isOther, taken.error.name]).toEqual([true, "ProviderError"]);
            return;
          }
          for (const [ts, bar] of taken.bars) expect([ts, bar]).toEqual([ts, truth.get(ts)!]);
          if (!isOther) expect([...taken.bars.keys()]).toEqual([...truth.keys()]);
          if (taken.bars.size < truth.size) expect(taken.said.length).toBeGreaterThan(0);
          if (isOther && /^another/.test(other!)) expect(taken.bars.size).toBe(0);
        }),
        { numRuns: Number(process.env.TRUTH_RUNS ?? 25) },
      );
    }, 600_000);
  });
}
