/** Mails about the stored data: revisions and gaps. */

import type { GapFound, RevisionFound } from "../../domain/alerts.ts";
import type { Letter } from "./letter.ts";
import { barTime, count, names, plural } from "./words.ts";

const SHOWN = 200;
const moreThan = (all: number) => (all > SHOWN ? `and ${count(all - SHOWN)} more` : undefined);

const profileUrl = (base: string, { symbol, interval }: { symbol: string; interval: string }) =>
  `${base}/profiles/${encodeURIComponent(symbol)}?interval=${interval}`;

const linkTo = (events: readonly { symbol: string; interval: string }[], base: string) =>
  events.length === 1
    ? { title: "Open the profile", url: profileUrl(base, events[0]!) }
    : { title: "Open the profiles", url: `${base}/profiles` };

const WHAT: Readonly<Record<RevisionFound["what"], string>> = {
  split: "Split",
  dividend: "Dividend adjustment",
  correction: "Correction",
  suspicious: "Suspicious answer",
};

export function revisionLetter(events: readonly RevisionFound[], base: string): Letter {
  const first = events[0]!;
  const one = events.length === 1;
  const symbols = names(events.map(({ symbol }) => symbol));
  const suspicious = events.some(({ what }) => what === "suspicious");
  return {
    subject: one ? `${WHAT[first.what]}: ${first.symbol}` : `Revised history: ${symbols}`,
    lead: one
      ? `${first.provider} now gives another history of ${first.symbol} (${first.interval}) than was stored. ${first.detail}`
      : `Providers now give another history than was stored, in ${plural(events.length, "case")}: ${symbols}.`,
    sections: [
      {
        table: {
          head: ["Symbol", "Interval", "Provider", "What", "Bars", "Details"],
          rows: events
            .slice(0, SHOWN)
            .map((each) => [each.symbol, each.interval, each.provider, WHAT[each.what], count(each.bars), each.detail]),
          more: moreThan(events.length),
        },
      },
    ],
    advice: suspicious
      ? "A suspicious answer changes nothing: compare it with another source, and start a full rebuild if the provider is right."
      : "The old values are kept; the profile page shows them. There is nothing to do unless you used them elsewhere.",
    link: linkTo(events, base),
  };
}

export function gapLetter(events: readonly GapFound[], base: string): Letter {
  const first = events[0]!;
  const one = events.length === 1;
  const symbols = names(events.map(({ symbol }) => symbol));
  return {
    subject: one ? `Gap found: ${first.symbol}, ${first.missing}` : `Gaps found: ${symbols}`,
    lead: one
      ? `Bars of ${first.symbol} (${first.interval}, ${first.provider}) are missing: ${first.missing}.`
      : `Bars are missing in ${plural(events.length, "place")}: ${symbols}.`,
    sections: [
      {
        table: {
          head: ["Symbol", "Interval", "Provider", "Missing", "From", "To"],
          rows: events
            .slice(0, SHOWN)
            .map((each) => [
              each.symbol,
              each.interval,
              each.provider,
              each.missing,
              barTime(each.from, each.interval),
              barTime(each.to, each.interval),
            ]),
          more: moreThan(events.length),
        },
      },
    ],
    advice: "Start a run in the mode Repair gaps: it asks the provider only for what is missing.",
    link: linkTo(events, base),
  };
}
