/** @jsxImportSource hono/jsx */
import { describe, expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { Drift } from "../../../src/domain/profiles/distribution.ts";
import { missingCloses } from "../../../src/domain/profiles/missing-closes.ts";
import type { Seasonality } from "../../../src/domain/profiles/seasonality.ts";
import { statisticsOf } from "../../../src/domain/profiles/statistics.ts";
import { FeatureReport, type FeatureReportView } from "../../../src/views/profiles/analysis/feature-page.tsx";
import { HeatMap } from "../../../src/views/profiles/analysis/heat-map.tsx";
import { Statistics } from "../../../src/views/profiles/analysis/statistics.tsx";
import { VolumeByPrice } from "../../../src/views/profiles/analysis/volume-by-price.tsx";
import { type ListedProfile, ProfileRow } from "../../../src/views/profiles/profile-row.tsx";

const DAY = 86_400;
/** The text of a view without its markup. */
const wordsOf = (view: unknown) =>
  String(view)
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .replaceAll(" ,", ",");

describe("a row of the list of profiles", () => {
  const rowOf = (drift: ListedProfile["drift"]) =>
    String(
      <ProfileRow
        profile={{
          symbol: "AAPL",
          interval: "1d",
          provider: "demo",
          firstBar: 0,
          lastBar: DAY,
          bars: 2,
          known: 200,
          features: 200,
          updatedAt: 0,
          health: "ok",
          drift,
          values: [],
        }}
      />,
    );

  test("a profile is amber if more than a third of its features have drifted, with the numbers as text", () => {
    expect(rowOf({ drifted: 51, of: 150 })).toContain('class="drift"');
    expect(rowOf({ drifted: 50, of: 150 })).not.toContain('class="drift"');
    expect(wordsOf(rowOf({ drifted: 50, of: 150 }))).toContain("50/150");
  });

  test("a drift that is not known is no number, and one that is not computed yet is told apart", () => {
    expect(rowOf(null)).toMatch(/title="Too few bars[^"]*">–</);
    expect(rowOf(undefined)).toContain('title="Being computed">…<');
  });
});

describe("the report on a feature", () => {
  const view: FeatureReportView = {
    symbol: "BRK.B",
    interval: "1d",
    provider: "demo",
    name: "rsi_14",
    unit: "0..100",
    formula: "",
    value: 42,
    from: 0,
    recentFrom: 252 * DAY,
    to: 311 * DAY,
    bars: 252,
    every: 1,
    recentBars: 60,
    isWholeYear: true,
    count: 252,
    histogram: { low: 0, high: 100, counts: [1, 3, 2] },
    percentile: 84.25,
    drift: null,
    lows: Float64Array.of(Number.NaN, 1, 2, Number.NaN, 3),
    highs: Float64Array.of(Number.NaN, 1, 5, Number.NaN, 3),
  };
  const driftWords = (drift: Drift | null) => wordsOf(<FeatureReport view={{ ...view, drift }} />);

  test("a drift is called unusual only if it exceeds threshold, chance and the rest of the year", () => {
    expect(driftWords({ psi: 0.9, byChance: 0.35, usual: 0.5 })).toContain("Unusual for this feature");
    expect(driftWords({ psi: 0.9, byChance: 0.35, usual: 1.2 })).toContain("Not unusual for this feature");
    expect(driftWords({ psi: 0.9, byChance: 0.35, usual: null })).toContain("Too few stretches to say");
    expect(driftWords({ psi: 0.05, byChance: 0.35, usual: 0.5 })).toContain("0.05 unchanged");
    expect(driftWords({ psi: 0.15, byChance: 0.35, usual: 0.5 })).toContain("0.15 changed a little");
    expect(driftWords(null)).toContain("not known: too few values");
  });

  test("the percentile is in words, and the course breaks where the feature is undefined", () => {
    expect(wordsOf(<FeatureReport view={view} />)).toContain("84.3: above 84% of the year");
    const paths = String(<FeatureReport view={view} />).match(/<path d="(M[^"]*)"/)![1]!;
    expect(paths.match(/M/g)).toHaveLength(2);
    expect(paths).not.toContain("NaN");
  });

  test("a feature without any value says so and draws nothing", () => {
    const none = {
      ...view,
      value: null,
      percentile: null,
      histogram: null,
      lows: Float64Array.of(Number.NaN),
      highs: Float64Array.of(Number.NaN),
    };
    const words = wordsOf(<FeatureReport view={none} />);
    expect(words).toContain("It has no value in this time");
    expect(words).toContain("Percentile today not known");
  });

  test("the report leads to the feature's pane in the chart of the same profile", () => {
    expect(String(<FeatureReport view={view} />)).toContain(
      'href="/profiles/BRK.B?interval=1d&amp;panes=volume,rsi_14"',
    );
  });
});

describe("the analysis", () => {
  test("statistics name the closes of a year they are scaled to, and what is missing", () => {
    const statistics = statisticsOf({ ts: [0, DAY, 2 * DAY], close: [10, 8, 12] }, 252);
    const words = wordsOf(<Statistics statistics={statistics} unit="day" perYear={252} isBuilt interval="5m" />);
    expect(words).toContain("Of 3 daily closes, the last of each day of the 5m bars; a year has 252");
    expect(words).toContain("Return +20.00%");
    expect(words).toContain("less than a year: 2 of 252 days");
    expect(words).toContain("not enough closes: 2 of 20 returns");
    expect(words).toContain("−20.00%, 1970-01-01 to 1970-01-02, recovered 1970-01-03");
  });

  test("a heat map has the number of each cell, is darkest at its largest tenth, and mutes few returns", () => {
    const cell = (mean: number, count = 50) => ({ count, mean, positive: 0.5 });
    const seasonality: Seasonality = {
      rows: [9, 10],
      columns: [1, 2],
      cells: [
        [cell(0.01), cell(-0.005)],
        [cell(0.02, 3), null],
      ],
      totals: [cell(0.012), cell(-0.005)],
    };
    const props = { title: "By hour", corner: "Hour", note: "", scale: 100, decimals: 1, unit: "%" };
    const html = String(<HeatMap {...props} seasonality={seasonality} rowTitle={String} columnTitle={String} />);
    expect([...html.matchAll(/<td class="([^"]*)"[^>]*>([^<]*)</g)].map(([, look, text]) => [look, text])).toEqual([
      ["heat-up-2", "+1.0"],
      ["heat-down-1", "−0.5"],
      ["few", "+2.0"],
      ["muted", "–"],
      ["heat-up-2", "+1.2"],
      ["heat-down-1", "−0.5"],
    ]);
  });

  test("volume by price says where most was traded and where 70% was, and has the same as a table", () => {
    const profile = { low: 10, high: 14, volumes: [10, 50, 30, 10], control: 1, area: [1, 2], unknown: 2 } as const;
    const words = wordsOf(<VolumeByPrice profile={profile} />);
    expect(words).toContain("Most volume at 11 to 12; 70% between 11 and 13");
    expect(words).toContain("2 bars of unknown volume left out");
    expect(words).toContain("11 to 12 50 50.0%");
  });
});

test("returns over missing bars are counted beside the closes, and are neither best nor worst", () => {
  const day = (text: string) => Date.parse(text) / 1_000;
  const ts = Float64Array.from(["2026-01-05", "2026-01-06", "2026-04-02", "2026-04-06"].map(day));
  const missing = missingCloses(CALENDAR, "us_equity", "day", 252);
  const statistics = statisticsOf({ ts, close: Float64Array.of(10, 11, 22, 20) }, 252, missing);
  const words = wordsOf(<Statistics statistics={statistics} unit="day" perYear={252} isBuilt={false} interval="1d" />);
  expect(words).toContain("a year has 252. 1 return over missing bars left out.");
  expect(words).toContain("Best day +10.00%, 2026-01-06");
  // Over Good Friday and the weekend.
  expect(words).toContain("Worst day −9.09%, 2026-04-06");
});
