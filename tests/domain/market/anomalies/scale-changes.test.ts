import { describe, expect, test } from "bun:test";
import {
  type DayPrices,
  describeFinding,
  findScaleChanges,
} from "../../../../src/domain/market/anomalies/scale-changes.ts";
import type { CorporateAction } from "../../../../src/domain/market/corporate-actions.ts";
import { DAY } from "../../../../src/domain/market/interval.ts";
import { isoDate, parseIsoDate } from "../../../../src/domain/time.ts";

const FIRST = parseIsoDate("2026-06-01");
const date = (index: number) => FIRST + index * DAY;
/** Days around a price that moves by about 1 % a day. */
const quiet = (count: number, price = 100, volume = 1_000): DayPrices[] =>
  Array.from({ length: count }, (_, index) => {
    const close = price * (1 + 0.012 * Math.sin(index * 1.7));
    return { date: date(index), open: close * (1 + 0.004 * Math.cos(index)), close, volume: volume + 50 * (index % 5) };
  });
/** Prices from day `index` on times `price`, volumes times `volume`. */
const scaled = (days: readonly DayPrices[], index: number, price: number, volume = 1): DayPrices[] =>
  days.map((day, at) =>
    at < index ? day : { ...day, open: day.open * price, close: day.close * price, volume: day.volume * volume },
  );
const split = (index: number, value: number): CorporateAction => ({ kind: "split", date: date(index), value });
const found = (days: readonly DayPrices[], actions: readonly CorporateAction[] = [], adjustment = "none") =>
  findScaleChanges(days, actions, adjustment).map(({ kind, date, ratio, jumpDate }) => [
    kind,
    (date - FIRST) / DAY,
    ratio === null ? null : Number(ratio.toPrecision(2)),
    jumpDate === null ? null : (jumpDate - FIRST) / DAY,
  ]);

describe("a change of scale", () => {
  test("prices that jump by the size of a split and stay are a finding, with day and ratio", () => {
    for (const [ratio, volume] of [
      [0.01, 1],
      [0.5, 2],
      [0.5, 1],
      [0.25, 4],
      [0.1, 1],
      [8, 0.125],
      [10, 1],
    ] as const) {
      const days = scaled(quiet(60), 30, ratio, volume);
      expect(found(days)).toEqual([["scale_change", 30, expect.closeTo(ratio, ratio > 5 ? 0 : 1), null]]);
    }
  });

  test("it is one on the newest day already, and near the first one", () => {
    expect(found(scaled(quiet(31), 30, 0.01))).toEqual([["scale_change", 30, 0.01, null]]);
    expect(found(scaled(quiet(31), 1, 0.01))).toEqual([["scale_change", 1, 0.01, null]]);
  });

  test("a listed split explains it, also one whose ex-date is no session", () => {
    const days = scaled(quiet(60), 30, 0.1, 10);
    expect(found(days, [split(30, 10)])).toEqual([]);
    const weekend = days.filter((_, at) => at !== 28 && at !== 29);
    expect(found(weekend, [split(29, 10)])).toEqual([]);
  });

  test("a large dividend explains a fall of its size, one in another currency any but a tenfold one", () => {
    const days = scaled(quiet(60), 30, 0.5);
    expect(found(days, [{ kind: "dividend", date: date(30), value: 50 }])).toEqual([]);
    expect(found(days, [{ kind: "dividend", date: date(30), value: 5 }])).toHaveLength(1);
    const foreign: CorporateAction = { kind: "dividend", date: date(30), value: 3, currency: "EUR" };
    expect(found(days, [foreign])).toEqual([["foreign_dividend", 30, null, null]]);
    expect(found(scaled(quiet(60), 30, 0.01), [foreign])).toHaveLength(2);
  });

  test("moves that markets make are none: heavy trading comes with them", () => {
    // Three times the price overnight on forty times the volume; four fifths lost on thirty times it.
    const moves = [
      [3, 40],
      [0.2, 30],
      [0.45, 12],
    ] as const;
    for (const [ratio, volume] of moves) {
      const days = scaled(quiet(60), 30, ratio);
      days[30] = { ...days[30]!, volume: 1_000 * volume };
      expect(found(days)).toEqual([]);
    }
  });

  test("a move that does not stay, one of the usual size, and one over a long hole are none", () => {
    const back = scaled(scaled(quiet(60), 30, 0.5), 32, 2);
    expect(found(back)).toEqual([]);
    const wild = quiet(60).map((day, at) => ({
      ...day,
      open: day.open * (at % 2 ? 1.6 : 1),
      close: day.close * (at % 2 ? 1.6 : 1),
    }));
    expect(found(wild)).toEqual([]);
    const hole = scaled(quiet(60), 30, 0.5).map((day, at) => (at < 30 ? day : { ...day, date: day.date + 90 * DAY }));
    expect(found(hole)).toEqual([]);
  });

  test("where no volume is known, a move counts if it has the size of a split", () => {
    const unknown = (ratio: number) => scaled(quiet(60), 30, ratio).map((day) => ({ ...day, volume: Number.NaN }));
    expect(found(unknown(0.5))).toHaveLength(1);
    expect(found(unknown(2 / 3))).toHaveLength(1);
    expect(found(unknown(0.42))).toEqual([]);
    expect(found(unknown(0.01))).toHaveLength(1);
  });

  test("inside a session only a tenfold move counts, and only one on usual trading", () => {
    const inside = (ratio: number, volume = 1_000) => {
      const days = scaled(quiet(60), 31, ratio);
      days[30] = { ...days[30]!, close: days[30]!.close * ratio, volume };
      return days;
    };
    expect(found(inside(0.3))).toEqual([]);
    expect(found(inside(0.01))).toHaveLength(1);
    expect(found(inside(0.04, 90_000))).toEqual([]);
  });
});

describe("a split", () => {
  test("without a jump it is a finding", () => {
    for (const value of [2, 10, 1.5, 0.1])
      expect(found(quiet(60), [split(30, value)])).toEqual([
        ["split_without_jump", 30, expect.closeTo(1 / value, 1), null],
      ]);
    // Too small to be seen among the moves of a day.
    expect(found(quiet(60), [split(30, 1.05)])).toEqual([]);
  });

  test("on another day than its jump, both are one finding", () => {
    const days = scaled(quiet(60), 40, 0.1);
    expect(found(days, [split(26, 10)])).toEqual([["split_off_date", 26, 0.1, 40]]);
    expect(found(days, [split(50, 10)])).toEqual([["split_off_date", 50, 0.1, 40]]);
    // A jump of another size is another finding.
    expect(found(days, [split(26, 2)]).map(([kind]) => kind)).toEqual(["split_without_jump", "scale_change"]);
  });

  test("a jump that another split explains is not that of one without a jump", () => {
    const days = scaled(quiet(60), 40, 0.1, 10);
    expect(found(days, [split(26, 10), split(40, 10)])).toEqual([["split_without_jump", 26, 0.1, null]]);
  });

  test("outside of the stored days it says nothing", () => {
    expect(found(quiet(60), [split(-20, 10), split(0, 10), split(80, 10)])).toEqual([]);
  });

  test("prices that the vendor has adjusted do not jump with it, and a jump is a finding", () => {
    for (const adjustment of ["splits", "all"]) {
      expect(found(quiet(60), [split(30, 10)], adjustment)).toEqual([]);
      expect(found(scaled(quiet(60), 30, 0.1, 10), [split(30, 10)], adjustment)).toEqual([
        ["scale_change", 30, 0.1, null],
      ]);
    }
  });

  test("a finding of an earlier part of the series and one of a later part are paired too", () => {
    const days = scaled(quiet(60), 40, 0.1);
    const earlier = { kind: "split_without_jump" as const, date: date(26), ratio: 0.1, jumpDate: null };
    const paired = findScaleChanges(days.slice(30), [split(26, 10)], "none", date(35), [earlier]);
    expect(paired).toEqual([{ kind: "split_off_date", date: date(26), ratio: 0.1, jumpDate: date(40) }]);
    expect(describeFinding(paired[0]!)).toBe(
      `a split of 10 for 1 is listed for ${isoDate(date(26))}, and prices change on ${isoDate(date(40))}`,
    );
  });
});
