/** @jsxImportSource hono/jsx */
/** The cost of a run before it is started. */

import { isoDate } from "../../domain/time.ts";
import { Moment } from "../ui/components.tsx";
import { formatCount, formatEta, plural } from "../ui/format.ts";

export interface PreviewView {
  readonly symbols: number;
  readonly calls: number;
  /** Quota units that the calls cost. */
  readonly units: number;
  /** Seconds; `null` if it cannot be estimated. */
  readonly seconds: number | null;
  /** Epoch seconds of the quota reset after which it ends; `null` if the present quota suffices. */
  readonly afterReset: number | null;
  /** Symbols that have bars of the provider, and the newest of their last bars (epoch seconds). */
  readonly known: number;
  readonly knownUntil: number | null;
}

/** `50 symbols: 1,200 calls (6,000 units), about 4m. 12 of them are stored already, up to 2026-11-20.` */
export const Preview = ({ view }: { view: PreviewView }) => {
  const weight = view.units === view.calls ? "" : ` (${plural(view.units, "unit")})`;
  const calls = view.calls === 0 ? "no calls" : `${plural(view.calls, "call")}${weight}`;
  const time = view.seconds === null ? "" : `, ${formatEta(view.seconds)}`;
  return (
    <>
      {plural(view.symbols, "symbol")}: {calls}
      {time}
      {view.afterReset === null ? null : (
        <>
          , finishes after the quota reset at <Moment at={view.afterReset * 1_000} />
        </>
      )}
      .{storedSentence(view)}
    </>
  );
};

/** ` 12 of them are stored already, up to 2026-11-20.`, or nothing. */
function storedSentence({ symbols, known, knownUntil }: PreviewView): string {
  if (known === 0 || knownUntil === null) return "";
  const until = `stored already, up to ${isoDate(knownUntil)}.`;
  if (symbols === 1) return ` It is ${until}`;
  return ` ${known === symbols ? "All" : formatCount(known)} of them ${known === 1 ? "is" : "are"} ${until}`;
}
