/** @jsxImportSource hono/jsx */
/** The cost of a run before it is started. */

import type { Interval } from "../../domain/market/interval.ts";
import { isoDate } from "../../domain/time.ts";
import { Moment } from "../ui/components.tsx";
import { formatCount, formatEta, plural, sizeText } from "../ui/format.ts";

export interface PreviewView {
  readonly symbols: number;
  readonly calls: number;
  /** Quota units that the calls cost. */
  readonly units: number;
  /** Seconds; `null` if it cannot be estimated. */
  readonly seconds: number | null;
  /** Whether the time is assumed, because no earlier run of the provider was measured. */
  readonly isAssumed: boolean;
  /** Bars that sessions without a hole would have in what is requested; `null` where the mode asks for what is missing. */
  readonly bars: number | null;
  /** The days of a full run, half open, epoch seconds; `null` in other modes. */
  readonly days: { readonly from: number; readonly to: number } | null;
  /** Where the provider's plan is known to begin, if that is after the first day; epoch seconds. */
  readonly planFrom: number | null;
  /** Symbols whose older bars were deleted by choice and are not requested; `before` the latest day from which they are. */
  readonly pruned: { readonly symbols: number; readonly before: number } | null;
  /** Epoch seconds of the quota reset after which it ends; `null` if the present quota suffices. */
  readonly afterReset: number | null;
  /** Symbols that have bars of the provider, and the newest of their last bars (epoch seconds). */
  readonly known: number;
  readonly knownUntil: number | null;
  /** Symbols whose bars need no calls, because they can be built from stored ones, and the intervals of those. */
  readonly derivable: { readonly symbols: number; readonly sources: readonly Interval[] };
  readonly interval: Interval;
}

/** Bytes that a stored bar takes, with its part of indexes and ledger (docs/performance.md). */
const BYTES_A_BAR = 55;

/**
 * `50 symbols: 1,200 calls (6,000 units), about 4m. About 25,100 bars (1.4 MB), 2024-11-29 to 2026-11-29. 12 of them are
 * stored already, up to 2026-11-20.`
 */
export const Preview = ({ view }: { view: PreviewView }) => {
  const weight = view.units === view.calls ? "" : ` (${plural(view.units, "unit")})`;
  const calls = view.calls === 0 ? "no calls" : `${plural(view.calls, "call")}${weight}`;
  const assumed = view.isAssumed ? " if it answers as usual" : "";
  const time = view.seconds === null ? "" : `, ${formatEta(view.seconds)}${assumed}`;
  return (
    <>
      {plural(view.symbols, "symbol")}: {calls}
      {time}
      {view.afterReset === null ? null : (
        <>
          , finishes after the quota reset at <Moment at={view.afterReset * 1_000} />
        </>
      )}
      .{amountSentence(view)}
      {prunedSentence(view)}
      {storedSentence(view)}
      {derivableSentence(view)}
    </>
  );
};

/** ` About 25,100 bars (1.4 MB), 2024-11-29 to 2026-11-29.`, or nothing. */
function amountSentence({ bars, days, planFrom }: PreviewView): string {
  if (bars === null || days === null || bars === 0) return "";
  const range = `${isoDate(days.from)} to ${isoDate(days.to - 86_400)}`;
  return ` About ${plural(bars, "bar")} (${sizeText(bars * BYTES_A_BAR)}), ${range}.${planSentence({ planFrom })}`;
}

/** ` The plan of its key begins with 2024-11-29.`, or nothing. */
export const planSentence = ({ planFrom }: Pick<PreviewView, "planFrom">): string =>
  planFrom === null ? "" : ` The plan of its key begins with ${isoDate(planFrom)}.`;

/** ` Bars of 12 of them before 2026-01-01 were deleted by choice and are not requested.`, or nothing. */
export function prunedSentence({ symbols, pruned }: Pick<PreviewView, "symbols" | "pruned">): string {
  if (pruned === null) return "";
  const end = "deleted by choice and are not requested.";
  if (symbols === 1) return ` Bars before ${isoDate(pruned.before)} were ${end}`;
  const who = pruned.symbols === symbols ? "all" : formatCount(pruned.symbols);
  return ` Old bars of ${who} of them, before ${isoDate(pruned.before)} at the latest, were ${end}`;
}

/** ` 12 of them are stored already, up to 2026-11-20.`, or nothing. */
function storedSentence({ symbols, known, knownUntil }: PreviewView): string {
  if (known === 0 || knownUntil === null) return "";
  const until = `stored already, up to ${isoDate(knownUntil)}.`;
  if (symbols === 1) return ` It is ${until}`;
  return ` ${known === symbols ? "All" : formatCount(known)} of them ${known === 1 ? "is" : "are"} ${until}`;
}

/** ` 12 of them need no run: their 1h bars can be read, built from stored 1m bars.`, or nothing. */
function derivableSentence({ symbols, derivable, interval }: PreviewView): string {
  if (derivable.symbols === 0) return "";
  const bars = `${interval} bars can be read without calls, built from stored ${derivable.sources.join(" and ")} bars.`;
  if (symbols === 1) return ` Its ${bars}`;
  const who = derivable.symbols === symbols ? "all" : formatCount(derivable.symbols);
  return ` Of ${who} of them, ${bars}`;
}
