/** @jsxImportSource hono/jsx */
/** One profile as one table row: a page has 200 of them, and so it is a plain template where other views are JSX. */

import { useContext } from "hono/jsx";
import { type HtmlEscapedString, raw } from "hono/utils/html";
import { isSynthetic } from "../../domain/defaults.ts";
import { isDated, type ReadInterval } from "../../domain/market/interval.ts";
import type { PartialBars } from "../../domain/market/partial-bars.ts";
import type { DriftCount } from "../../domain/profiles/distribution.ts";
import { HEALTHS, type Health } from "../../domain/profiles/health.ts";
import { isoDate, utcSecond, writeMoment } from "../../domain/time.ts";
import { ReaderZone, SyntheticPill } from "../ui/components.tsx";
import { profileAddress } from "../ui/dom.ts";
import { formatCount, formatValue } from "../ui/format.ts";
import { HealthPill } from "./health-badge.tsx";

export interface ProfileSummary {
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly provider: string;
  /** Epoch seconds of the first and the last bar; `null` without bars. */
  readonly firstBar: number | null;
  readonly lastBar: number | null;
  readonly bars: number;
  /** Features that have a value, and all there are. */
  readonly known: number;
  readonly features: number;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
}

export interface ListedProfile extends ProfileSummary {
  readonly health: Health;
  /** How many features have drifted; `null` if it is not known, `undefined` while it is not computed. */
  readonly drift: DriftCount | null | undefined;
  /** Of a derived profile: whether its first and its last bar hold less than their whole time. */
  readonly partial?: PartialBars;
  /** The values of the features in `screener.columns`. */
  readonly values: readonly (number | null)[];
}

const PILLS = Object.fromEntries(
  HEALTHS.map((health) => [health, (<HealthPill health={health} />).toString()]),
) as Readonly<Record<Health, string>>;

const SYNTHETIC = ` ${(<SyntheticPill provider="demo" />).toString()}`;
const syntheticPill = (provider: string) => (isSynthetic(provider) ? SYNTHETIC : "");

const cell = (content: string | number) => `<td class="num">${content}</td>`;

/** A profile of which more features have drifted is marked. */
const MARKED_SHARE = 1 / 3;

function driftCell(drift: DriftCount | null | undefined): string {
  if (drift === undefined) return `<td class="num muted" title="Being computed">…</td>`;
  if (drift === null) return `<td class="num muted" title="Too few bars, or too many to compute for a list">–</td>`;
  const text = `${drift.drifted}/${drift.of}`;
  const title = `${drift.drifted} of ${drift.of} features differ unusually from their year`;
  const isMarked = drift.drifted > MARKED_SHARE * drift.of;
  return `<td class="num" title="${title}">${isMarked ? `<b class="drift">drift</b> ` : ""}${text}</td>`;
}

const PARTIAL = ` <span class="muted">partial</span>`;

/** As the component `Moment`. */
const moment = (at: number, zone: string) =>
  `<time class="num" datetime="${new Date(at).toISOString()}" data-moment="column" title="${utcSecond(at)}">${writeMoment(at, zone, "column")}</time>`;

/** As the component `BarTime`. */
function barTime(ts: number | null, interval: ReadInterval, zone: string): string {
  if (ts === null) return "–";
  if (!isDated(interval)) return moment(ts * 1_000, zone);
  const date = isoDate(ts);
  return `<time datetime="${date}">${date}</time>`;
}

export function ProfileRow({ profile }: { profile: ListedProfile }): HtmlEscapedString {
  const { interval, firstBar, lastBar, values, known, features, updatedAt, partial } = profile;
  const zone = useContext(ReaderZone);
  const symbol = Bun.escapeHTML(profile.symbol);
  let markup =
    `<tr><td class="c-pick"><input type="checkbox" name="symbol" value="${symbol}/${interval}"` +
    ` aria-label="Select ${symbol} ${interval}"/></td>` +
    `<th scope="row"><a href="${Bun.escapeHTML(profileAddress(profile.symbol, interval))}">${symbol}</a></th>` +
    `<td>${interval}</td><td>${PILLS[profile.health]}</td>${driftCell(profile.drift)}`;
  for (const value of values) markup += cell(value === null ? "–" : formatValue(value));
  markup +=
    cell(formatCount(profile.bars)) +
    cell(`${known}/${features}`) +
    cell(barTime(firstBar, interval, zone) + (partial?.first ? PARTIAL : "")) +
    cell(barTime(lastBar, interval, zone) + (partial?.last ? PARTIAL : "")) +
    cell(moment(updatedAt, zone));
  return raw(`${markup}<td>${Bun.escapeHTML(profile.provider)}${syntheticPill(profile.provider)}</td></tr>`);
}
