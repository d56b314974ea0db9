/** Whatever happens in whatever order, the end is that of one clean run. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { startPipeline } from "../helpers/pipeline.ts";
import { cleanRun, evening, expectClose, features, SESSIONS, vendorWith } from "./story.ts";

test("property: any order of increments, repairs and revisions ends as one clean full run on the final data", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("increment" as const), sessions: fc.integer({ min: 0, max: 6 }) }),
    fc.record({
      do: fc.constant("revise" as const),
      back: fc.integer({ min: 0, max: 8 }),
      cents: fc.integer({ min: 1, max: 40 }),
    }),
    fc.record({ do: fc.constant("hole" as const), ahead: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant("fill" as const) }),
    fc.record({ do: fc.constant("repair" as const) }),
    fc.record({ do: fc.constant("scale" as const), ratio: fc.constantFrom(2, 4, 0.5) }),
    fc.record({ do: fc.constant("full" as const), rebuild: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), async (steps) => {
      using pipeline = await startPipeline();
      const vendor = vendorWith(SESSIONS.length);
      let now = 110;
      const days = 365;
      await pipeline.run(vendor, { asOf: evening(now), days });
      const run = async (order: object) => {
        const outcome = await pipeline.run(vendor, { asOf: evening(now), days, ...order });
        expect(outcome.kind).toBe("done");
      };
      for (const each of [
        ...steps,
        { do: "fill" },
        { do: "increment", sessions: 1 },
        { do: "repair" },
      ] as typeof steps) {
        switch (each.do) {
          case "increment":
            now += each.sessions;
            await run({ mode: "incremental" });
            break;
          case "revise": {
            const row = vendor.rows.get(SESSIONS[now - each.back]!.date)!;
            vendor.put({ ...row, high: row.high + each.cents / 100, volume: row.volume + each.cents });
            break;
          }
          case "hole":
            vendor.hidden.add(SESSIONS[now + each.ahead]!.date);
            break;
          case "fill":
            vendor.hidden.clear();
            break;
          case "repair":
            await run({ mode: "repair" });
            break;
          case "scale":
            // All that was corrected is on record before the scale of everything changes.
            await run({ mode: "incremental" });
            vendor.scale(SESSIONS[now + 1]!.date, 1 / each.ratio, each.ratio);
            now += 1;
            await run({ mode: "incremental" });
            break;
          case "full":
            await run({ rebuild: each.rebuild });
        }
      }
      const clean = await cleanRun(vendor, evening(now));
      expect(await pipeline.stored(vendor)).toEqual(clean.bars);
      expectClose(await features(pipeline), clean.features);
    }),
    { numRuns: 8 },
  );
}, 60_000);
