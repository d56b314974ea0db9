import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { featureNamed } from "../../src/features/catalog.ts";
import { chartAddress, chosenOverlays, OVERLAYS } from "../../src/views/profiles/chart/overlays.tsx";
import { Spark, sparkPath } from "../../src/views/ui/sparkline.tsx";

/** The points that a path of `M`, `l` and `h0` goes through, one a step of x. */
function pointsOf(path: string): [x: number, y: number][] {
  const points: [number, number][] = [];
  for (const [, x, y, steps = ""] of path.matchAll(/M(\S+) ([^lh]+)(?:l([^M]*)|h0)/g)) {
    let at: [number, number] = [Number(x), Number(y)];
    points.push(at);
    const numbers = steps.match(/-?\d+(\.\d+)?/g)?.map(Number) ?? [];
    for (let i = 0; i < numbers.length; i += 2) {
      const [dx, dy] = [numbers[i]!, numbers[i + 1]!];
      for (let step = 1; step <= dx; step++) points.push([at[0] + step, at[1] + (dy * step) / dx]);
      at = [at[0] + dx, at[1] + dy];
    }
  }
  return points;
}

describe("a sparkline", () => {
  const value = fc.oneof(
    { weight: 5, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 2 }) },
  );

  test("a sparkline goes through every value, to the nearest step, and through nothing else", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 100 }), (values) => {
        const known = values.filter((each) => !Number.isNaN(each));
        const [low, high] = [Math.min(...known), Math.max(...known)];
        const points = pointsOf(sparkPath(values, 20));
        expect(points.map(([x]) => x)).toEqual(values.flatMap((each, x) => (Number.isNaN(each) ? [] : [x])));
        for (const [x, y] of points) {
          const level = high === low ? 10 : ((high - values[x]!) / (high - low)) * 20;
          expect(Math.abs(y - level)).toBeLessThanOrEqual(0.5 + 1e-9);
        }
      }),
    );
  });

  test("a sparkline breaks where values are undefined and makes a lone value a dot", () => {
    expect(sparkPath([0, 10, Number.NaN, 5, Number.NaN, 0, 0], 10)).toBe("M0 10l1-10M3 5h0M5 10l1 0");
  });

  test("a sparkline makes one step of a straight section", () => {
    expect(sparkPath([0, 1, 2, 3, 3, 3], 3)).toBe("M0 3l3-3 2 0");
  });

  test("a sparkline is an empty drawing where nothing is defined", () => {
    expect(String(Spark({ values: [Number.NaN, Number.NaN] }))).toBe('<svg class="spark" aria-hidden="true"></svg>');
  });

  test("a sparkline has its range in words", () => {
    expect(String(Spark({ values: [1.5, Number.NaN, -2] }))).toContain('aria-label="last 3 values: -2 to 1.5"');
  });
});

describe("the overlays", () => {
  test("overlays are features in the units of the price", () => {
    for (const line of OVERLAYS.flatMap(({ lines }) => lines)) expect(featureNamed(line)?.unit).toBe("price");
  });

  test("overlays are chosen by name, each once, in their own order; unknown ones are left out", () => {
    expect(chosenOverlays(["psar", "<script>", "sma_20", "psar"])).toEqual(["sma_20", "psar"]);
  });

  test("overlays are kept in the address", () => {
    expect(chartAddress("BRK.B", "1h", { overlays: ["sma_20", "psar"], adjust: "splits" })).toBe(
      "/profiles/BRK.B?interval=1h&overlay=sma_20&overlay=psar",
    );
  });
});
