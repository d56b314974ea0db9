/** @jsxImportSource hono/jsx */
/** The stored bars of a profile as pages of a table with a drawing of their closes: needs no JavaScript. */

import type { Adjustment } from "../../../domain/market/corporate-actions.ts";
import { type Interval, isDated } from "../../../domain/market/interval.ts";
import { isoDate, isoSecond } from "../../../domain/time.ts";
import { BarTime, Crumbs, Moment, SyntheticPill, TimeHead } from "../../ui/components.tsx";
import { profileAddress } from "../../ui/dom.ts";
import { formatCount, formatPrices, formatSigned, formatValue, plural } from "../../ui/format.ts";
import { Layout, type PageContext } from "../../ui/layout.tsx";
import { sparkPath } from "../../ui/sparkline.tsx";

export interface BarsView {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  readonly adjust: Adjustment;
  /** Ascending; prices in the quote currency. */
  readonly bars: readonly BarRow[];
  /** Whether there are bars before the first and after the last of these. */
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
}

export interface BarRow {
  /** Epoch seconds. */
  readonly ts: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** NaN where it is unknown. */
  readonly volume: number;
  /** Relative change of the close to the one before; `null` at the first bar. */
  readonly change: number | null;
}

const HEIGHT = 120;

export const BarsPage = ({ page, view }: { page: PageContext; view: BarsView }) => {
  const { symbol, interval, provider, adjust, bars } = view;
  return (
    <Layout page={page} title={`${symbol} ${interval} bars`}>
      <header class="page-head">
        <Crumbs
          trail={[
            ["Profiles", "/profiles"],
            [symbol, profileAddress(symbol, interval)],
          ]}
        />
        <h1>Bars</h1>
        <SyntheticPill provider={provider} />
        <span class="muted">
          {interval} of {provider}, {ADJUSTED[adjust]}
        </span>
      </header>
      {bars.length === 0 ? (
        <p class="analysis-note">There are no bars in this time.</p>
      ) : (
        <>
          <Closes bars={bars} interval={interval} />
          <Pager view={view} />
          <section class="scroll" tabindex={0} aria-label="Bars">
            <BarTable bars={bars} interval={interval} />
          </section>
          <Pager view={view} />
        </>
      )}
    </Layout>
  );
};

const ADJUSTED: Readonly<Record<Adjustment, string>> = {
  none: "prices as stored",
  splits: "prices adjusted for splits",
  all: "prices adjusted for splits and dividends",
};

const Closes = ({ bars, interval }: Pick<BarsView, "bars" | "interval">) => {
  const closes = bars.map(({ close }) => close);
  const [low, high] = [Math.min(...closes), Math.max(...closes)];
  return (
    <figure class="closes">
      <svg
        viewBox={`0 0 ${Math.max(1, bars.length - 1)} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Closes of ${plural(bars.length, "bar")}: ${formatValue(low)} to ${formatValue(high)}`}
      >
        <path d={sparkPath(closes, HEIGHT)} />
      </svg>
      <figcaption class="num">
        <span>
          <BarTime ts={bars[0]!.ts} interval={interval} />
        </span>
        <span>
          closes from {formatValue(low)} to {formatValue(high)}
        </span>
        <span>
          <BarTime ts={bars.at(-1)!.ts} interval={interval} />
        </span>
      </figcaption>
    </figure>
  );
};

const BarTable = ({ bars, interval }: Pick<BarsView, "bars" | "interval">) => {
  const prices = formatPrices(bars.flatMap(({ open, high, low, close }) => [open, high, low, close]));
  return (
    <table class="list">
      <thead>
        <tr>
          {isDated(interval) ? <th scope="col">Date</th> : <TimeHead title="Start" />}
          {["Open", "High", "Low", "Close", "Change", "Volume"].map((title) => (
            <th scope="col" class="num">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {bars
          .map(({ ts, volume, change }, at) => (
            <tr>
              <th scope="row" class="num">
                {isDated(interval) ? (
                  <BarTime ts={ts} interval={interval} />
                ) : (
                  <Moment at={ts * 1_000} style="column" />
                )}
              </th>
              {prices.slice(4 * at, 4 * at + 4).map((price) => (
                <td class="num">{price}</td>
              ))}
              <td class="num">{change === null ? "–" : `${formatSigned(change * 100, 2)}%`}</td>
              <td class="num">{Number.isNaN(volume) ? "unknown" : formatCount(volume)}</td>
            </tr>
          ))
          .reverse()}
      </tbody>
    </table>
  );
};

/** The address of a page of bars: the last ones before `to`, or the first ones from `from` on. */
const barsAddress = ({ symbol, interval, adjust }: BarsView, end: { from: number } | { to: number } | null) => {
  const query = new URLSearchParams({ interval, adjust });
  if (end !== null)
    for (const [name, ts] of Object.entries(end)) query.set(name, isDated(interval) ? isoDate(ts) : isoSecond(ts));
  return `/profiles/${encodeURIComponent(symbol)}/bars?${query}`;
};

const Pager = ({ view }: { view: BarsView }) => (
  <p class="more">
    {view.hasOlder ? (
      <>
        <a class="button" href={barsAddress(view, { from: 0 })}>
          Oldest
        </a>
        <a class="button" href={barsAddress(view, { to: view.bars[0]!.ts })}>
          Older
        </a>
      </>
    ) : null}
    {view.hasNewer ? (
      <>
        <a class="button" href={barsAddress(view, { from: view.bars.at(-1)!.ts + 1 })}>
          Newer
        </a>
        <a class="button" href={barsAddress(view, null)}>
          Newest
        </a>
      </>
    ) : null}
  </p>
);
