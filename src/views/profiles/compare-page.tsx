/** @jsxImportSource hono/jsx */
/** The bars of two providers of one symbol: summary, chart and the ranges in which they differ. */

import type { Interval } from "../../domain/market/interval.ts";
import { type Comparison, VERDICT_WORDS, VERDICTS, type Verdict } from "../../domain/profiles/comparison.ts";
import { isoSecond } from "../../domain/time.ts";
import { BarTime, Crumbs, SyntheticPill } from "../ui/components.tsx";
import { profileAddress } from "../ui/dom.ts";
import { formatCount, formatValue, plural } from "../ui/format.ts";
import { Layout, type PageContext } from "../ui/layout.tsx";

export interface CompareView {
  readonly symbol: string;
  readonly interval: Interval;
  /** The providers of which bars are stored. */
  readonly stored: readonly string[];
  readonly first: string;
  /** `null` if there is no second one. */
  readonly second: string | null;
  readonly result:
    | (Comparison & {
        /** Where it begins, and where the rest begins that is not compared, epoch seconds. */
        readonly from: number;
        readonly next: number | null;
        /** How many ranges differ, of which `runs` has the longest. */
        readonly allRuns: number;
        readonly sides: readonly { readonly feed: string; readonly adjustment: string; readonly sessions: string }[];
        readonly closes: readonly { readonly ts: Float64Array; readonly close: Float64Array }[];
      })
    | null;
}

type Result = NonNullable<CompareView["result"]>;

export const ComparePage = ({ page, view }: { page: PageContext; view: CompareView }) => {
  const { symbol, interval, stored, first, second, result } = view;
  return (
    <Layout page={page} title={`${symbol} ${interval}: providers compared`}>
      <header class="page-head">
        <Crumbs
          trail={[
            ["Profiles", "/profiles"],
            [symbol, profileAddress(symbol, interval)],
          ]}
        />
        <h1>Providers compared</h1>
        <span class="muted">{interval}, as stored</span>
      </header>
      {result === null || second === null ? (
        <div class="prose">
          <p>
            Only {first} has {interval} bars of {symbol} here. A run with another provider stores its bars beside these,
            and then the two are compared: nothing is replaced but the profile, which is that of the last run.
          </p>
        </div>
      ) : (
        <>
          {stored.length > 2 ? <Sides view={view} /> : null}
          <Summary view={view} result={result} />
          {result.ts.length > 0 ? (
            <Lines result={result} names={[first, second]} symbol={symbol} interval={interval} />
          ) : null}
          <Stretches result={result} interval={interval} />
        </>
      )}
    </Layout>
  );
};

const Sides = ({ view: { interval, stored, first, second } }: { view: CompareView }) => (
  <form method="get" class="filter-row">
    <input type="hidden" name="interval" value={interval} />
    {(
      [
        ["first", "First", first],
        ["second", "Second", second],
      ] as const
    ).map(([name, title, chosen]) => (
      <div class="field">
        <label for={`compare-${name}`}>{title}</label>
        <select id={`compare-${name}`} name={name}>
          {stored.map((provider) => (
            <option selected={provider === chosen || undefined}>{provider}</option>
          ))}
        </select>
      </div>
    ))}
    <button type="submit" class="button primary">
      Compare
    </button>
  </form>
);

/** `feed iex, adjusted by the vendor for splits, sessions regular` */
function sideWords({ feed, adjustment, sessions }: Result["sides"][number]): string {
  const adjusted = adjustment === "none" ? "not adjusted by the vendor" : `adjusted by the vendor for ${adjustment}`;
  return `feed ${feed}, ${adjusted}, sessions ${sessions}`;
}

const Summary = ({ view, result }: { view: CompareView; result: Result }) => {
  const { symbol, interval, first, second } = view;
  const all = result.ts.length;
  const { counts, next, volumes } = result;
  return (
    <>
      <section class="map-legend" aria-labelledby="summary-title">
        <h2 id="summary-title">Summary</h2>
        <p>
          {all === 0 ? (
            "The bars of the two do not overlap in this range."
          ) : (
            <>
              {plural(all, "bar")} from <BarTime ts={result.ts[0]!} interval={interval} /> to{" "}
              <BarTime ts={result.ts[all - 1]!} interval={interval} />; the volume differs by more than 1 % on{" "}
              {volumes === 0 ? "none of them" : formatCount(volumes)}.
            </>
          )}{" "}
          {next === null ? null : (
            <a
              href={`/profiles/${encodeURIComponent(symbol)}/compare?${new URLSearchParams({ interval, first, second: second!, from: isoSecond(next) })}`}
            >
              Compare what follows
            </a>
          )}
        </p>
        <ul class="compare-sides">
          {[first, second!].map((provider, at) => (
            <li>
              <i class={`compare-swatch compare-${at}`} /> {at === 0 ? "First" : "Second"}: <b>{provider}</b>{" "}
              <SyntheticPill provider={provider} /> <span class="muted">{sideWords(result.sides[at]!)}</span>
            </li>
          ))}
        </ul>
      </section>
      <section class="scroll" tabindex={0} aria-label="Bars by verdict">
        <table class="list compare-counts">
          <thead>
            <tr>
              <th scope="col">Verdict</th>
              <th scope="col" class="num">
                Bars
              </th>
              <th scope="col" class="num">
                Share
              </th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {VERDICTS.map((verdict) => (
              <tr>
                <th scope="row">
                  <i class={`compare-swatch verdict-${verdict}`} /> {VERDICT_WORDS[verdict][0]}
                </th>
                <td class="num">{formatCount(counts[verdict])}</td>
                <td class="num">{all === 0 ? "–" : `${((100 * counts[verdict]) / all).toFixed(1)}%`}</td>
                <td>{VERDICT_WORDS[verdict][1]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
};

/** Width and height of the chart in its own units; a point a unit of width. */
const [WIDTH, HEIGHT, STRIP] = [800, 240, 14];

/** Both closes over time, and below them a strip of what differs. */
const Lines = (props: { result: Result; names: readonly string[]; symbol: string; interval: Interval }) => {
  const { ts, verdicts, closes, counts } = props.result;
  const [start, end] = [ts[0]!, Math.max(ts[ts.length - 1]!, ts[0]! + 1)];
  const xOf = (time: number) => Math.round(((time - start) / (end - start)) * WIDTH);
  const values = closes.flatMap(({ close }) => [lowest(close), highest(close)]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const yOf = (value: number) => Math.round(high === low ? HEIGHT / 2 : ((high - value) / (high - low)) * HEIGHT);
  const label = `Closes of ${props.symbol} from ${props.names.join(" and ")}: ${counts.agree} of ${ts.length} bars agree`;
  return (
    <figure class="map-legend compare-figure">
      <svg
        class="compare-chart"
        viewBox={`0 -4 ${WIDTH} ${HEIGHT + STRIP + 12}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
      >
        {closes.map(({ ts: times, close }, at) => (
          <path class={`compare-${at}`} d={linePath(times, close, xOf, yOf)} />
        ))}
        {VERDICTS.filter((verdict) => verdict !== "agree").map((verdict) => {
          const path = stripPath(ts, verdicts, verdict, xOf);
          return path === "" ? null : <path class={`verdict-${verdict}`} d={path} />;
        })}
      </svg>
      <figcaption class="muted">
        Closes from {formatValue(low)} to {formatValue(high)}
        {counts.agree === ts.length ? "." : "; the strip below them marks the bars that do not agree."}
      </figcaption>
    </figure>
  );
};

const lowest = (values: Float64Array) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const highest = (values: Float64Array) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

/** At each place the lowest and the highest close, so that no spike is lost. */
function linePath(ts: Float64Array, close: Float64Array, xOf: (ts: number) => number, yOf: (value: number) => number) {
  let path = "";
  for (let at = 0; at < ts.length; ) {
    const x = xOf(ts[at]!);
    let [low, high] = [close[at]!, close[at]!];
    for (at += 1; at < ts.length && xOf(ts[at]!) === x; at++) {
      low = Math.min(low, close[at]!);
      high = Math.max(high, close[at]!);
    }
    path += `${path === "" ? "M" : "L"}${x} ${yOf(high)}${low === high ? "" : `L${x} ${yOf(low)}`}`;
  }
  return path;
}

function stripPath(ts: Float64Array, verdicts: readonly Verdict[], wanted: Verdict, xOf: (ts: number) => number) {
  let path = "";
  let drawn = -1;
  for (let at = 0; at < ts.length; at++) {
    if (verdicts[at] !== wanted) continue;
    const x = xOf(ts[at]!);
    if (x === drawn) continue;
    drawn = x;
    path += `M${x} ${HEIGHT + 6}h1.5v${STRIP}h-1.5z`;
  }
  return path;
}

const Stretches = ({ result: { runs, allRuns }, interval }: { result: Result; interval: Interval }) => (
  <section class="scroll" tabindex={0} aria-labelledby="stretches-title">
    <h2 id="stretches-title" class="map-title">
      Where they differ
    </h2>
    {runs.length === 0 ? (
      <p class="map-legend muted">Nowhere.</p>
    ) : (
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Verdict</th>
            <th scope="col" class="num">
              Bars
            </th>
            <th scope="col">First bar</th>
            <th scope="col">Last bar</th>
            <th scope="col" class="num">
              Second ÷ first
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map(({ verdict, bars, from, to, ratio }) => (
            <tr>
              <th scope="row">
                <i class={`compare-swatch verdict-${verdict}`} /> {VERDICT_WORDS[verdict][0]}
              </th>
              <td class="num">{formatCount(bars)}</td>
              <td>
                <BarTime ts={from} interval={interval} />
              </td>
              <td>
                <BarTime ts={to} interval={interval} />
              </td>
              <td class="num">{ratio === null ? "–" : formatValue(ratio)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
    {allRuns > runs.length ? (
      <p class="map-legend muted">
        The {formatCount(runs.length)} longest of {formatCount(allRuns)}.
      </p>
    ) : null}
  </section>
);
