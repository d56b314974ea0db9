import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { emptyBars } from "../../../src/domain/market/bars.ts";
import { HourlySeasonality, MonthlySeasonality } from "../../../src/domain/profiles/seasonality.ts";
import { volumeProfileOf } from "../../../src/domain/profiles/volume-profile.ts";

const at = (text: string) => Date.parse(text) / 1_000;

describe("seasonality", () => {
  test("the return of an hour goes from its first open to its last close, whatever the length of the bars", () => {
    const grid = new HourlySeasonality();
    // Monday 2026-03-02: two bars from 10:00, one at 11:00; Monday after: one at 10:30.
    grid.add(at("2026-03-02T10:00Z"), 100, 101);
    grid.add(at("2026-03-02T10:30Z"), 101, 110);
    grid.add(at("2026-03-02T11:00Z"), 120, 60);
    grid.add(at("2026-03-09T10:30Z"), 100, 100);
    const { rows, columns, cells, totals } = grid.result();
    expect([rows, columns]).toEqual([[10, 11], [1]]);
    expect(cells[0]![0]).toEqual({ count: 2, mean: expect.closeTo(Math.log(1.1) / 2, 12), positive: 0.5 });
    expect(cells[1]![0]).toEqual({ count: 1, mean: expect.closeTo(Math.log(0.5), 12), positive: 0 });
    expect(totals[0]!.count).toBe(3);
  });

  test("weekdays are counted from Monday to Sunday, and hours without bars are no cells", () => {
    const grid = new HourlySeasonality();
    grid.add(at("2026-03-01T23:00Z"), 1, 1);
    grid.add(at("2026-03-02T00:00Z"), 1, 1);
    const { rows, columns, cells } = grid.result();
    expect([rows, columns]).toEqual([
      [0, 23],
      [1, 7],
    ]);
    expect(cells.map((row) => row.map((cell) => cell?.count ?? null))).toEqual([
      [1, null],
      [null, 1],
    ]);
  });

  test("the return of a month goes from the last close before it, and a month without bars breaks the chain", () => {
    const grid = new MonthlySeasonality();
    for (const [date, close] of [
      ["2025-11-03", 50],
      ["2025-11-28", 100],
      ["2025-12-01", 90],
      ["2025-12-31", 110],
      ["2026-01-30", 121],
      ["2026-03-31", 130],
      ["2026-04-30", 143],
    ] as const)
      grid.add(at(date), close);
    const { rows, columns, cells } = grid.result();
    expect([rows, columns]).toEqual([
      [2025, 2026],
      [1, 4, 12],
    ]);
    expect(cells.map((row) => row.map((cell) => cell && Number(cell.mean.toFixed(10))))).toEqual([
      [null, null, 0.1],
      [0.1, 0.1, null],
    ]);
  });

  test("nothing has no cells", () => {
    expect(new HourlySeasonality().result()).toEqual({ rows: [], columns: [], cells: [], totals: [] });
    expect(new MonthlySeasonality().result().rows).toEqual([]);
  });
});

describe("a volume profile", () => {
  const bars = (list: readonly (readonly [low: number, high: number, volume: number])[]) => {
    const made = emptyBars(list.length);
    list.forEach(([low, high, volume], index) => {
      made.low[index] = low;
      made.high[index] = high;
      made.volume[index] = volume;
    });
    return made;
  };

  test("volume is dealt out evenly from low to high, and the value area grows from the most traded price", () => {
    const profile = volumeProfileOf(
      bars([
        [0, 10, 100],
        [4, 5, 90],
        [6, 6, 30],
      ]),
      10,
    )!;
    expect(profile.volumes.map((volume) => Math.round(volume))).toEqual([10, 10, 10, 10, 100, 10, 40, 10, 10, 10]);
    expect([profile.low, profile.high, profile.control]).toEqual([0, 10, 4]);
    // 154 of 220: 100, then 10 above, then 40, then 10.
    expect(profile.area).toEqual([4, 7]);
  });

  test("no volume is lost and none is made up", () => {
    const bar = fc
      .tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 1_000 }))
      .map(([low, span, volume]) => [low, low + span, volume] as const);
    fc.assert(
      fc.property(fc.array(bar, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 60 }), (list, bins) => {
        const { volumes, control, area } = volumeProfileOf(bars(list), bins)!;
        const total = list.reduce((sum, [, , volume]) => sum + volume, 0);
        expect(volumes.reduce((sum, volume) => sum + volume, 0)).toBeCloseTo(total, 6);
        expect(area[0]).toBeLessThanOrEqual(control);
        expect(area[1]).toBeGreaterThanOrEqual(control);
        const inside = volumes.slice(area[0], area[1] + 1).reduce((sum, volume) => sum + volume, 0);
        expect(inside).toBeGreaterThanOrEqual(0.7 * total - 1e-6);
      }),
    );
  });

  test("bars of unknown volume are counted and left out; of nothing there is no profile", () => {
    expect(
      volumeProfileOf(
        bars([
          [1, 2, Number.NaN],
          [1, 2, 5],
        ]),
        4,
      ),
    ).toMatchObject({ unknown: 1 });
    expect(
      volumeProfileOf(
        bars([
          [1, 2, Number.NaN],
          [1, 2, 0],
        ]),
        4,
      ),
    ).toBeNull();
    expect(volumeProfileOf(bars([[3, 3, 5]]), 4)).toMatchObject({ volumes: [5], control: 0, area: [0, 0] });
  });
});
