import { describe, expect, test } from "bun:test";
import { viewAround, viewOfAddress, viewOfRange, writeView } from "../../../../public/app/profiles/ranges.js";

const DAY = 86_400;
const at = (text: string) => Date.parse(text) / 1_000;
const extent = {
  levels: [{ interval: "1d", seconds: DAY }],
  first: at("2020-01-02"),
  end: at("2026-03-31T20:00:00Z") + 1,
  daySeconds: 23_400,
  weekDays: 5,
};
const from = (name: string, weekDays = 5) =>
  new Date(viewOfRange(name, { ...extent, weekDays })!.from * 1_000).toISOString().slice(0, 10);

describe("the ranges of a chart", () => {
  test("each button goes back from the last bar by the calendar", () => {
    expect(["1d", "5d", "1m", "6m", "ytd", "1y", "5y", "all"].map((name) => from(name))).toEqual([
      "2026-03-30",
      "2026-03-24",
      "2026-02-28",
      "2025-09-30",
      "2026-01-01",
      "2025-03-31",
      "2021-03-31",
      "2020-01-02",
    ]);
    expect(from("5d", 7)).toBe("2026-03-26");
    expect(viewOfRange("1y", { ...extent, first: at("2026-01-05") })?.from).toBe(at("2026-01-05"));
    expect(viewOfRange("constructor", extent)).toBeNull();
  });

  test("a date is shown in the middle of a view as long as before, moved to where there are bars", () => {
    const view = { from: extent.end - 10 * DAY, to: extent.end };
    expect(viewAround(at("2024-06-10"), view, extent)).toEqual({ from: at("2024-06-05"), to: at("2024-06-15") });
    expect(viewAround(at("2010-01-01"), view, extent)).toEqual({ from: extent.first, to: extent.first + 10 * DAY });
    expect(viewAround(at("2030-01-01"), view, extent)).toEqual(view);
  });

  test("a view survives its way through an address, and one without bars is not shown", () => {
    const view = { from: at("2024-06-05T14:30:00Z"), to: at("2024-06-06T20:00:00Z") };
    const query = new URLSearchParams("interval=1m&range=1y");
    writeView(query, { ...view, to: view.to - 1 });
    expect(query.toString()).toBe("interval=1m&from=2024-06-05T14%3A30Z&to=2024-06-06T20%3A00Z");
    expect(viewOfAddress(query, extent)).toEqual(view);
    for (const wrong of ["", "from=x&to=y", "from=2024-02-01&to=2024-01-01", "from=2001-01-01&to=2002-01-01"]) {
      expect(viewOfAddress(new URLSearchParams(wrong), extent)).toBeNull();
    }
  });
});
