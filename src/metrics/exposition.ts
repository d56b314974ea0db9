/** Prometheus' text format, version 0.0.4. */

import { type Declaration, type LabelsOf, METRICS, type MetricName } from "./declarations.ts";

/** One line of a metric. `suffix` is that of a histogram's parts: `_bucket`, `_sum`, `_count`. */
export interface Sample {
  readonly name: MetricName;
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A sample of a metric without parts. */
export const sample = <Name extends MetricName>(name: Name, labels: LabelsOf<Name>, value: number): Sample => ({
  name,
  labels,
  value,
});

const escapeLabel = (text: string) => text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
const escapeHelp = (text: string) => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");

function writeValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}

/** Samples as `GET /metrics` writes them: in the order of the declarations; a metric without samples is left out. */
export function writeMetrics(samples: readonly Sample[]): string {
  const byName = Map.groupBy(samples, ({ name }) => name);
  return (Object.entries(METRICS) as [MetricName, Declaration][])
    .map(([name, { type, help }]) => {
      const lines = (byName.get(name) ?? []).map(({ suffix = "", labels, value }) => {
        const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
        return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${writeValue(value)}\n`;
      });
      return lines.length === 0 ? "" : `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}
