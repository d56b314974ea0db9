import { describe, expect, test } from "bun:test";
import { QuotaGauges, QuotaPanel, type QuotaView } from "../../src/views/quotas/quota-gauges.tsx";

const NOW = Date.UTC(2026, 0, 5, 12, 0, 0);
type GaugeView = QuotaView["gauges"][number];
const gauge = (over: Partial<GaugeView> = {}): GaugeView => ({
  period: "day",
  counts: "units",
  used: 0,
  limit: 100,
  resetsAt: NOW / 1000 + 12 * 3_600,
  ...over,
});
const quota = (over: Partial<QuotaView> = {}): QuotaView => ({
  provider: "acme",
  title: "Acme",
  gauges: [gauge()],
  hold: null,
  waiting: 0,
  spenders: [],
  requests: { minute: 0, today: 0 },
  ...over,
});
const draw = (view: QuotaView) => String(<QuotaGauges quota={view} now={NOW} />);

describe("a gauge", () => {
  test.each([
    [0, "fine", null],
    [69, "fine", null],
    [70, "high", ", high"],
    [90, "low", ", nearly used up"],
    [100, "spent", ", used up"],
    [130, "spent", ", used up"],
  ])("at %d of 100 is %s, in words as well", (used, level, words) => {
    const html = draw(quota({ gauges: [gauge({ used })] }));
    expect(html).toContain(`data-level="${level}"`);
    if (words === null) expect(html).not.toContain("gauge-level");
    else expect(html).toContain(words);
  });

  test("a gauge says how much of what, and when it resets", () => {
    const html = draw(quota({ gauges: [gauge({ used: 61_200, limit: 100_000 })] }));
    expect(html).toContain('<b class="num">61,200</b> of <span class="num">100,000</span> units');
    expect(html).toContain(`data-until="${NOW + 12 * 3_600_000}">12h 00m</time> (<time`);
    expect(html).toContain(">00:00 UTC</time>)");
  });
});

test("a hold, the waiting requests and the top spenders are named", () => {
  const html = draw(
    quota({
      hold: { until: NOW / 1000 + 65, reason: "Acme is busy: <HTTP 429>" },
      waiting: 3,
      spenders: [{ title: "Full · 1d", address: "/runs/r1", units: 48 }],
    }),
  );
  expect(html).toContain("Held: Acme is busy: &lt;HTTP 429&gt;; requests continue in");
  expect(html).toContain(">1m 05s</time>");
  expect(html).toContain("3 requests queued");
  expect(html).toContain('<a href="/runs/r1">Full · 1d</a>');
});

test("a provider without limits shows how many requests it got", () => {
  expect(draw(quota({ gauges: [], requests: { minute: 2, today: 48 } }))).toContain(
    "No limit; 2 requests in the last minute, 48 today",
  );
});

test("the quota panel takes no room while nothing is in use", () => {
  expect(String(<QuotaPanel quotas={[]} now={NOW} />)).toEndWith("></section>");
});
