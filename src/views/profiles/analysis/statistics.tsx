/** @jsxImportSource hono/jsx */
/** Statistics of closes, each with its definition. */

import type { Child } from "hono/jsx";
import type { ReadInterval } from "../../../domain/market/interval.ts";
import { LEAST_FOR_SHAPE, LEAST_RETURNS, type SeriesStatistics } from "../../../domain/profiles/statistics.ts";
import { Day } from "../../ui/components.tsx";
import { formatCount, formatSigned, plural } from "../../ui/format.ts";

interface Props {
  readonly statistics: SeriesStatistics;
  readonly unit: "day" | "week" | "month";
  readonly perYear: number;
  /** Whether closes of days are built from shorter bars. */
  readonly isBuilt: boolean;
  readonly interval: ReadInterval;
}

const CLOSES = { day: "daily close", week: "weekly close", month: "monthly close" } as const;

const percent = (value: number, digits = 2) => `${formatSigned(value * 100, digits)}%`;
const number = (value: number) => formatSigned(value, 2).replace("+", "");

const Extreme = ({ found }: { found: NonNullable<SeriesStatistics["best"]> }) => (
  <>
    {percent(found.value)}, <Day ts={found.ts} />
  </>
);

const Fall = ({ drawdown }: { drawdown: NonNullable<SeriesStatistics["drawdown"]> }) => (
  <>
    {percent(drawdown.value)}, <Day ts={drawdown.peak} /> to <Day ts={drawdown.trough} />,{" "}
    {drawdown.recovered === null ? (
      "not recovered"
    ) : (
      <>
        recovered <Day ts={drawdown.recovered} />
      </>
    )}
  </>
);

export const Statistics = ({ statistics: found, unit, perYear, isBuilt, interval }: Props) => {
  const returns = Math.max(0, found.closes - 1 - found.leftOut);
  const few = (least: number) => `not enough closes: ${formatCount(returns)} of ${formatCount(least)} returns`;
  const year = Math.floor(perYear);
  const { drawdown, best, worst } = found;
  const show = (value: number | null, write: (value: number) => string, why: string) =>
    value === null ? why : write(value);
  /** Name, value, definition. */
  const rows: readonly (readonly [string, Child, string])[] = [
    ["Return", show(found.totalReturn, percent, "not enough closes: 1 of 2"), "Last close ÷ first close − 1"],
    [
      "Return a year",
      show(
        found.annualReturn,
        percent,
        `less than a year: ${formatCount(found.intervals)} of ${formatCount(year)} ${unit}s`,
      ),
      `(1 + return)^(${formatCount(perYear)} ÷ ${unit}s from the first close to the last) − 1; of less than a year none is stated`,
    ],
    [
      "Mean",
      show(found.meanReturn, (value) => percent(value, 3), few(1)),
      `Mean of the returns of a ${unit}, close ÷ close before − 1`,
    ],
    [
      "Volatility a year",
      show(found.volatility, (value) => percent(value).replace("+", ""), few(LEAST_RETURNS)),
      `Sample standard deviation of the log returns of a ${unit} × √${formatCount(perYear)}`,
    ],
    [
      "Sharpe a year",
      show(found.sharpe, number, returns < LEAST_RETURNS ? few(LEAST_RETURNS) : "returns do not differ"),
      `Mean of the returns of a ${unit} ÷ their sample standard deviation × √${formatCount(perYear)}, without an interest rate (Sharpe 1994)`,
    ],
    [
      "Deepest drawdown",
      drawdown === null ? "not enough closes: 1 of 2" : drawdown.value === 0 ? "none" : <Fall drawdown={drawdown} />,
      "Largest fall of a close below the highest close before it",
    ],
    [
      "Skewness",
      show(found.skewness, number, few(LEAST_FOR_SHAPE)),
      "m₃ ÷ m₂^1.5 of the returns, moments divide by their number",
    ],
    [
      "Excess kurtosis",
      show(found.excessKurtosis, number, few(LEAST_FOR_SHAPE)),
      "m₄ ÷ m₂² − 3 of the returns; 0 of a normal law",
    ],
    [`Best ${unit}`, best === null ? few(1) : <Extreme found={best} />, "Largest return"],
    [`Worst ${unit}`, worst === null ? few(1) : <Extreme found={worst} />, "Smallest return"],
    [
      "Hit rate",
      show(found.hitRate, (value) => `${(value * 100).toFixed(1)}%`, few(1)),
      "Share of the returns that are above 0",
    ],
  ];
  return (
    <section class="analysis-card" aria-labelledby="statistics-title">
      <h3 id="statistics-title">Statistics</h3>
      <p class="muted">
        Of {plural(found.closes, CLOSES[unit])}
        {isBuilt ? `, the last of each day of the ${interval} bars` : ""}; a year has {formatCount(perYear)}.
        {found.leftOut === 0 ? "" : ` ${plural(found.leftOut, "return")} over missing bars left out.`}
      </p>
      <dl class="statistics">
        {rows.map(([name, value, definition]) => (
          <div>
            <dt title={definition}>{name}</dt>
            <dd class="num">{value}</dd>
          </div>
        ))}
      </dl>
      <details>
        <summary>Definitions</summary>
        <dl class="definitions">
          {rows.map(([name, , definition]) => (
            <div>
              <dt>{name}</dt>
              <dd>{definition}</dd>
            </div>
          ))}
        </dl>
      </details>
    </section>
  );
};
