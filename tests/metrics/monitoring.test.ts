/** The example rules and the dashboard: valid in their formats, and about metrics that exist. */

import { expect, test } from "bun:test";
import { parser } from "@prometheus-io/lezer-promql";
import { type Declaration, METRICS } from "../../src/metrics/declarations.ts";

const declared = new Set(
  (Object.entries(METRICS) as [string, Declaration][]).flatMap(([name, { type }]) =>
    type === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => name + suffix) : [name],
  ),
);

/** The metrics of an expression. @throws Error if Prometheus could not parse it */
function metricsOf(expression: string): string[] {
  const names: string[] = [];
  parser.parse(expression).iterate({
    enter({ type, from, to }) {
      if (type.isError) throw new Error(`${expression}: wrong at ${from}`);
      if (type.name === "Identifier" || type.name === "MetricIdentifier") names.push(expression.slice(from, to));
    },
  });
  return names.filter((name) => /^(?:barkeep|process)_/.test(name));
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

test("every alert rule has an expression of metrics that exist, a severity and a summary", async () => {
  const text = await Bun.file("docs/monitoring/alerts.yml").text();
  const { groups } = Bun.YAML.parse(text) as { groups: { name: string; rules: Rule[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(10);
  for (const { alert, expr, for: wait = "1m", labels, annotations } of rules) {
    expect(alert).toMatch(/^Barkeep[A-Za-z]+$/);
    expect(wait).toMatch(/^\d+[smhd]$/);
    expect(["critical", "warning", "info"]).toContain(labels.severity);
    expect(annotations.summary).toBeString();
    const names = metricsOf(expr);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !declared.has(name))).toEqual([]);
  }
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
});

test("every panel of the dashboard has a place and expressions of metrics that exist", async () => {
  const { panels, schemaVersion, templating } = await Bun.file("docs/monitoring/dashboard.json").json();
  expect(schemaVersion).toBeGreaterThan(30);
  expect(templating.list[0].type).toBe("datasource");
  const taken = new Set<string>();
  for (const { title, gridPos, targets } of panels) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(`${title} ${taken.has(`${x},${y}`)}`).toBe(`${title} false`);
        taken.add(`${x},${y}`);
      }
    }
    for (const { expr } of targets) {
      const names = metricsOf(expr);
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => !declared.has(name))).toEqual([]);
    }
  }
});

test("an expression that Prometheus could not parse is noticed", () => {
  expect(() => metricsOf("sum(barkeep_jobs_open")).toThrow();
});
