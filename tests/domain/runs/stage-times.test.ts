import { expect, test } from "bun:test";
import fc from "fast-check";
import { StageClock, TIMED_STAGES } from "../../../src/domain/runs/stage-times.ts";

test("time counts for the stage entered last, on top of earlier work", () => {
  let now = 1_000;
  const clock = new StageClock({ fetch: 500, engineer: 20 }, () => now);
  now += 100;
  clock.enter("waiting");
  now += 3_000;
  clock.enter("fetch");
  now += 40.4;
  clock.enter("engineer");
  now += 5;
  expect(clock.read()).toEqual({ fetch: 640, waiting: 3_000, engineer: 25 });
});

test("property: the stages together took as long as the work", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom(...TIMED_STAGES), fc.integer({ min: 0, max: 9_000 })));
  fc.assert(
    fc.property(steps, (entered) => {
      let now = 0;
      const clock = new StageClock({}, () => now);
      for (const [stage, spent] of entered) {
        clock.enter(stage);
        now += spent;
      }
      expect(Object.values(clock.read()).reduce((sum, time) => sum + time, 0)).toBe(now);
    }),
  );
});
