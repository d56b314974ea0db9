/** Counters and histograms, and how they are written. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { Counters } from "../../src/metrics/counters.ts";
import { METRICS } from "../../src/metrics/declarations.ts";
import { sample, writeMetrics } from "../../src/metrics/exposition.ts";

test("the buckets of a histogram are cumulative, and the last one, the count and the values agree", () => {
  const { buckets } = METRICS.barkeep_provider_request_duration_seconds;
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 200, noNaN: true })), (values) => {
      const counters = new Counters();
      for (const value of values) {
        counters.observe("barkeep_provider_request_duration_seconds", { provider: "demo" }, value);
      }
      const samples = counters.samples();
      const found = samples.filter(({ suffix }) => suffix === "_bucket");
      if (values.length === 0) return expect(samples).toEqual([]);
      expect(found.map(({ value }) => value)).toEqual(
        [...buckets, Number.POSITIVE_INFINITY].map((bound) => values.filter((value) => value <= bound).length),
      );
      expect(samples.find(({ suffix }) => suffix === "_count")!.value).toBe(values.length);
    }),
  );
});

test("a counter appears with its first addition, also of zero, and keeps its labels apart", () => {
  const counters = new Counters();
  counters.add("barkeep_provider_retries_total", { provider: "demo" }, 0);
  counters.add("barkeep_provider_retries_total", { provider: "eodhd" });
  counters.add("barkeep_provider_retries_total", { provider: "eodhd" }, 2);
  expect(writeMetrics(counters.samples())).toBe(
    [
      "# HELP barkeep_provider_retries_total Requests sent again after one that failed",
      "# TYPE barkeep_provider_retries_total counter",
      'barkeep_provider_retries_total{provider="demo"} 0',
      'barkeep_provider_retries_total{provider="eodhd"} 3',
      "",
    ].join("\n"),
  );
});

test("quotes, backslashes and line breaks in a label are escaped", () => {
  const text = writeMetrics([sample("barkeep_schedule_enabled", { schedule: 'a "b"\\c\nd' }, 1)]);
  expect(text.trimEnd().split("\n").at(-1)).toBe('barkeep_schedule_enabled{schedule="a \\"b\\"\\\\c\\nd"} 1');
});
