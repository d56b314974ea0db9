/** Mails about the stored data: revisions and gaps. */

import type { GapFound, RevisionFound, SeriesHealth } from "../../domain/alerts.ts";
import { isoDates } from "../../domain/time.ts";
import { count, names, plural } from "./format.ts";
import type { MailContent } from "./layout.ts";

const SHOWN = 200;
const moreThan = (all: number) => (all > SHOWN ? `and ${count(all - SHOWN)} more` : undefined);

const profileUrl = (base: string, { symbol, interval }: { symbol: string; interval: string }) =>
  `${base}/profiles/${encodeURIComponent(symbol)}?interval=${interval}`;

const linkTo = (events: readonly { symbol: string; interval: string }[], base: string) =>
  events.length === 1
    ? { title: "Open the profile", url: profileUrl(base, events[0]!) }
    : { title: "Open the profiles", url: `${base}/profiles` };

const REVISION_TITLES: Readonly<Record<RevisionFound["what"], string>> = {
  split: "Split",
  dividend: "Dividend adjustment",
  correction: "Correction",
  suspicious: "Suspicious answer",
  scale: "Suspicious prices",
};

const COMPARE =
  'Compare it with another source. If the provider is right, choose "Download again and rebuild" on the profile\'s page.';

function scaleMail(events: readonly RevisionFound[], base: string): MailContent {
  const first = events[0]!;
  const one = events.length === 1;
  const symbols = names(events.map(({ symbol }) => symbol));
  return {
    subject: `Suspicious prices: ${one ? first.symbol : symbols}`,
    lead: one
      ? `Prices of ${first.symbol} (${first.interval}, ${first.provider}) and its corporate actions contradict each other: ${first.detail}.`
      : `Prices and corporate actions contradict each other in ${plural(events.length, "case")}: ${symbols}.`,
    sections: [
      {
        table: {
          head: ["Symbol", "Interval", "Provider", "Days", "Details"],
          rows: events
            .slice(0, SHOWN)
            .map((each) => [
              { text: each.symbol, url: profileUrl(base, each) },
              each.interval,
              each.provider,
              isoDates(each.from, each.to),
              each.detail,
            ]),
          more: moreThan(events.length),
        },
      },
    ],
    advice:
      'Features and adjusted prices of these days cannot be relied on. Compare the days with another source. If the provider has corrected them, choose "Download again and rebuild" on the profile\'s page.',
    link: linkTo(events, base),
  };
}

/** The batches of a series in which the same was found, as one. */
function joined(events: readonly RevisionFound[]): RevisionFound[] {
  const keyOf = ({ symbol, interval, provider, what, detail }: RevisionFound) =>
    [symbol, interval, provider, what, detail].join("\n");
  return [...Map.groupBy(events, keyOf).values()].map((same) => ({
    ...same[0]!,
    bars: same.reduce((sum, { bars }) => sum + bars, 0),
    from: Math.min(...same.map(({ from }) => from)),
    to: Math.max(...same.map(({ to }) => to)),
  }));
}

export function revisionMail(recorded: readonly RevisionFound[], base: string): MailContent {
  const events = joined(recorded);
  const first = events[0]!;
  const one = events.length === 1;
  const symbols = names(events.map(({ symbol }) => symbol));
  const suspicious = events.some(({ what }) => what === "suspicious" || what === "scale");
  if (events.every(({ what }) => what === "scale")) return scaleMail(events, base);
  return {
    subject: one ? `${REVISION_TITLES[first.what]}: ${first.symbol}` : `Revised history: ${symbols}`,
    lead: one
      ? `${first.provider} now gives another history of ${first.symbol} (${first.interval}) than was stored: ${plural(first.bars, "bar")} of ${isoDates(first.from, first.to)}. ${first.detail}`
      : `Providers now give another history than was stored, in ${plural(events.length, "case")}: ${symbols}.`,
    sections: [
      {
        table: {
          head: ["Symbol", "Interval", "Provider", "What", "Bars", "Days", "Details"],
          rows: events
            .slice(0, SHOWN)
            .map((each) => [
              { text: each.symbol, url: profileUrl(base, each) },
              each.interval,
              each.provider,
              REVISION_TITLES[each.what],
              count(each.bars),
              isoDates(each.from, each.to),
              each.detail,
            ]),
          more: moreThan(events.length),
        },
      },
    ],
    advice: suspicious
      ? `A suspicious answer changes nothing. ${COMPARE}`
      : "The old values are kept; the profile page shows them. There is nothing to do unless you used them elsewhere.",
    link: linkTo(events, base),
  };
}

export function gapMail(events: readonly GapFound[], base: string): MailContent {
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
          head: ["Symbol", "Interval", "Provider", "Missing", "Days"],
          rows: events
            .slice(0, SHOWN)
            .map((each) => [
              { text: each.symbol, url: profileUrl(base, each) },
              each.interval,
              each.provider,
              each.missing,
              isoDates(each.from, each.to),
            ]),
          more: moreThan(events.length),
        },
      },
    ],
    advice: "Start a run in the mode Repair gaps: it requests only what is missing.",
    link: linkTo(events, base),
  };
}

const HEALTH_TEXTS = {
  series_stale: {
    one: "Stale",
    many: "stale series",
    what: "has no bars of a session that closed a day ago or more",
    advice: "Update them from the list of profiles; a schedule keeps them up to date.",
  },
  quality_found: {
    one: "Suspicious bars",
    many: "series with suspicious bars",
    what: "has bars outside the sessions, or its provider gave an implausible answer",
    advice: "The page of the profile shows what was found, and repairs it.",
  },
} as const;

export function healthMail(events: readonly SeriesHealth[], base: string): MailContent {
  const first = events[0]!;
  const { one, many, what, advice } = HEALTH_TEXTS[first.kind];
  const symbols = names(events.map(({ symbol }) => symbol));
  return {
    subject: events.length === 1 ? `${one}: ${first.symbol}` : `${count(events.length)} ${many}: ${symbols}`,
    lead: `${symbols} ${events.length === 1 ? what : what.replace(/^has/, "have").replace("its provider", "their providers")}.`,
    sections: [
      {
        table: {
          head: ["Symbol", "Interval", "Provider", "Last bar"],
          rows: events
            .slice(0, SHOWN)
            .map((each) => [
              { text: each.symbol, url: profileUrl(base, each) },
              each.interval,
              each.provider,
              isoDates(each.lastBar, each.lastBar),
            ]),
          more: moreThan(events.length),
        },
      },
    ],
    advice,
    link: linkTo(events, base),
  };
}
