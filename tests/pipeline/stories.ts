/** Stories of a series: any operations in any order, which must end like one clean run on what the vendor has then. */

import { expect } from "bun:test";
import fc from "fast-check";
import { type PipelineOptions, startPipeline } from "../helpers/pipeline.ts";
import { cleanRun, evening, expectClose, features, findingsOf, SESSIONS, vendorWith } from "./fetch/scenario.ts";

const step = fc.oneof(
  fc.record({ do: fc.constant("increment" as const), sessions: fc.integer({ min: 0, max: 6 }) }),
  fc.record({
    do: fc.constant("revise" as const),
    back: fc.integer({ min: 0, max: 8 }),
    cents: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({ do: fc.constant("hole" as const), ahead: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constant("fill" as const) }),
  fc.record({ do: fc.constant("shrink" as const), back: fc.integer({ min: 0, max: 8 }) }),
  fc.record({ do: fc.constant("repair" as const) }),
  fc.record({
    do: fc.constant("scale" as const),
    factor: fc.constantFrom([2, 0.5], [4, 0.25], [0.5, 2], [0.98, 1], [0.95, 1]),
  }),
  fc.record({ do: fc.constant("split" as const), value: fc.constantFrom(2, 3, 0.5) }),
  fc.record({ do: fc.constant("dividend" as const), cents: fc.integer({ min: 10, max: 90 }) }),
  fc.record({
    do: fc.constant("full" as const),
    rebuild: fc.boolean(),
    // A part of the history is fetched again, as for one cell of the coverage strip.
    days: fc.constantFrom(365, 365, 90, 20, 5, 2),
  }),
  fc.record({
    do: fc.constant("spike" as const),
    back: fc.integer({ min: -4, max: 8 }),
    bars: fc.integer({ min: 1, max: 6 }),
    factor: fc.constantFrom(100, 0.01),
  }),
  fc.record({ do: fc.constant("mend" as const) }),
  fc.record({ do: fc.constant("batches" as const), days: fc.constantFrom(1, 2, 7, 12, 30, 365) }),
  fc.record({ do: fc.constant("stop" as const), after: fc.integer({ min: 1, max: 12 }) }),
);
export type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

/** Stories that once ended with bars on two scales. */
export const EXAMPLES: readonly Step[][] = [
  // Each answer has one bar: too few to tell a new scale from a correction.
  [{ do: "batches", days: 1 }, { do: "fill" }, { do: "dividend", cents: 10 }, { do: "scale", factor: [2, 0.5] }],
];

/** Tells stories on one database, each of a symbol of its own; the clean runs are made beside the database. */
export async function tellStories(
  runs: number,
  examples: readonly Step[][],
  options: Omit<PipelineOptions, "on" | "symbol"> = {},
): Promise<void> {
  using all = await startPipeline();
  let cases = 0;

  async function tell(steps: readonly Step[]): Promise<void> {
    cases += 1;
    using pipeline = await startPipeline({ ...options, on: all, symbol: `STORY${cases}` });
    const vendor = vendorWith(SESSIONS.length);
    vendor.actions = [];
    let now = 110;
    /** The next run is stopped after some stages, and resumed. */
    let stopAfter: number | undefined;
    let batchDays = 30;
    /** The factors of impossible bars, by their time. */
    const spikes = new Map<number, number>();
    const multiply = (ts: number, factor: number) => {
      const { open, high, low, close, volume } = vendor.rows.get(ts)!;
      vendor.put({
        ts,
        open: open * factor,
        high: high * factor,
        low: low * factor,
        close: close * factor,
        volume,
      });
    };

    async function run(order: object): Promise<void> {
      const whole = { asOf: evening(now), batchDays, ...order };
      let outcome = await pipeline.run(vendor, { ...whole, ...(stopAfter && { stopAfter }) });
      stopAfter = undefined;
      if (outcome.kind === "stopped") outcome = await pipeline.run(vendor, { ...whole, resumeRun: outcome.runId });
      expect(outcome.kind).toBe("done");
    }
    const morning = async (sessions: number) => {
      now += sessions;
      await run({ mode: "incremental" });
    };

    await run({});
    const end: Step[] = [{ do: "fill" }, { do: "increment", sessions: 1 }, { do: "repair" }];
    for (const each of [...steps, ...end]) {
      switch (each.do) {
        case "increment":
          await morning(each.sessions);
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
        case "shrink": {
          // One morning's answer lacks a bar, the next one's has it again.
          const lost = SESSIONS[now - each.back]!.date;
          const before = vendor.hidden.has(lost);
          vendor.hidden.add(lost);
          await morning(1);
          if (!before) vendor.hidden.delete(lost);
          await morning(1);
          break;
        }
        case "repair":
          await run({ mode: "repair" });
          break;
        case "scale": {
          // All that was corrected is on record before the scale of everything changes.
          await morning(1);
          const [price, volume] = each.factor;
          vendor.scale(SESSIONS[now + 1]!.date, price!, volume!);
          await morning(1);
          break;
        }
        case "split": {
          // A listed one: what traded before stays as it was, what trades from tomorrow on is divided.
          const date = SESSIONS[now + 1]!.date;
          if (vendor.actions!.some((action) => action.kind === "split" && action.date === date)) break;
          for (const row of [...vendor.rows.values()].filter(({ ts }) => ts >= date)) {
            const [open, high, low, close] = [row.open, row.high, row.low, row.close].map(
              (price) => price / each.value,
            );
            vendor.put({
              ts: row.ts,
              open: open!,
              high: high!,
              low: low!,
              close: close!,
              volume: row.volume * each.value,
            });
          }
          vendor.actions!.push({ kind: "split", date, value: each.value });
          break;
        }
        case "dividend":
          vendor.actions!.push({ kind: "dividend", date: SESSIONS[now + 1]!.date, value: each.cents / 100 });
          break;
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
          // Vendors correct what is recent; what they correct later nobody asks for.
          for (const [date, factor] of spikes) {
            if (date < SESSIONS[now - 8]!.date) continue;
            multiply(date, 1 / factor);
            spikes.delete(date);
          }
          break;
        case "batches":
          batchDays = each.days;
          vendor.windowDays = each.days;
          break;
        case "stop":
          stopAfter = each.after;
      }
    }
    vendor.windowDays = 366;
    const clean = await cleanRun(vendor, evening(now), { on: all, symbol: `CLEAN${cases}` });
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
    expect(await findingsOf(pipeline, vendor)).toEqual(clean.findings);
  }

  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), tell), {
    numRuns: runs,
    examples: examples.map((steps): [Step[]] => [[...steps]]),
  });
}
