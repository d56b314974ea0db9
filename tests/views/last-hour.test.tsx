import { expect, test } from "bun:test";
import { LastHourPanel, type LastHourView } from "../../src/views/quotas/last-hour.tsx";

const empty = Array.from({ length: 60 }, () => 0);
const view = (over: Partial<LastHourView> = {}): LastHourView => ({
  since: null,
  bars: empty,
  requests: empty,
  quotas: [],
  ...over,
});
const draw = (over: Partial<LastHourView>) => String(<LastHourPanel view={view(over)} />);
const path = (html: string, name: string) => new RegExp(`class="${name}" d="([^"]*)"`).exec(html)?.[1];

test("a minute is a column, the highest as high as there is room, the last one apart as it still fills", () => {
  const bars: (number | null)[] = [...empty.slice(0, 57), 300, 1_200, 600];
  const html = draw({ bars });
  expect(path(html, "over")).toBe("M228 31v-8h3v8zM232 31v-30h3v30z");
  expect(path(html, "filling")).toBe("M236 31v-15h3v15z");
  expect(html).toContain('Bars <b class="num">2.1K</b>');
  expect(html).toContain("<desc>2.1K in all, peak 1.2K/min.</desc>");
});

test("an unknown minute is a gap in the baseline, one with nothing is not", () => {
  const bars = [null, null, ...empty.slice(0, 57), 1];
  const html = draw({ bars, since: Date.UTC(2026, 0, 5, 12, 2) });
  expect(path(html, "ground")).toBe("M8 31.5H239");
  expect(html.replace(/<[^>]+>/g, "")).toContain("since 12:02 UTC");
});

test("a quota is drawn against its limit, in words as well", () => {
  const levels = [...empty.slice(0, 58), 0.6, 0.5];
  const html = draw({ quotas: [{ title: "Ac<me", levels, period: "day", counts: "units", limit: 100_000 }] });
  expect(html).toContain("Ac&lt;me quota");
  expect(html).toContain("<desc>Now 50% of 100,000 units per day; peak 60% in the last hour.</desc>");
  expect(html).toContain("M232 31v-18h3v18z");
});

test("an hour without work takes no room", () => {
  expect(String(<LastHourPanel view={null} />)).toEndWith("></section>");
});
