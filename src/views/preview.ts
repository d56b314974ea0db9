/** What an order would cost, said before it is given. */

import { formatCount, formatEta, plural } from "./ui.tsx";

export interface PreviewView {
  readonly symbols: number;
  readonly calls: number;
  /** Units of quota that the calls cost. */
  readonly units: number;
  /** Seconds; `null` when there is nothing to judge by. */
  readonly seconds: number | null;
  /** Epoch seconds of the reset after which it ends; `null` when today's quota suffices. */
  readonly afterReset: number | null;
  /** Symbols that have a profile already, and the newest of their last bars (epoch seconds). */
  readonly known: number;
  readonly knownUntil: number | null;
}

/** `50 symbols: 1,200 calls (6,000 units), about 4m. 12 of them are stored already, up to 2026-11-20.` */
export function previewSentence(view: PreviewView): string {
  const weight = view.units === view.calls ? "" : ` (${plural(view.units, "unit")})`;
  const calls = view.calls === 0 ? "no calls" : `${plural(view.calls, "call")}${weight}`;
  const time = view.seconds === null ? [] : [formatEta(view.seconds)];
  const reset = view.afterReset === null ? [] : [`finishes after the quota reset at ${minute(view.afterReset)} UTC`];
  const cost = `${plural(view.symbols, "symbol")}: ${[calls, ...time, ...reset].join(", ")}.`;
  if (view.known === 0 || view.knownUntil === null) return cost;
  const until = `stored already, up to ${minute(view.knownUntil).slice(0, 10)}.`;
  if (view.symbols === 1) return `${cost} It is ${until}`;
  const known = view.known === view.symbols ? "All" : formatCount(view.known);
  return `${cost} ${known} of them ${view.known === 1 ? "is" : "are"} ${until}`;
}

const minute = (seconds: number) => new Date(seconds * 1_000).toISOString().slice(0, 16).replace("T", " ");
