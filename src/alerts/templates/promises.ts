/** Mails about promises: deadlines that are at risk or were missed, and symbols that are up to date after all. */

import type { PromiseEvent } from "../../domain/alerts.ts";
import { listSymbols } from "../../domain/market/symbol.ts";
import { utcMinute } from "../../domain/time.ts";
import { count, names, plural } from "./format.ts";
import type { MailContent } from "./layout.ts";

/** Symbols that are named; more are counted. */
const NAMED = 8;

const link = (base: string) => ({ title: "Open the promises", url: `${base}/promises` });
const table = (events: readonly PromiseEvent[]) => ({
  table: {
    head: ["Promise", "Deadline", "Missing", "Symbols", "Why"],
    rows: events.map(({ name, deadline, missing, total, symbols, reason }) => [
      name,
      utcMinute(deadline),
      `${count(missing)} of ${count(total)}`,
      listSymbols(symbols, NAMED),
      reason,
    ]),
  },
});

/** Deadlines that are at risk, or were missed. */
export function promiseMail(events: readonly PromiseEvent[], base: string): MailContent {
  const first = events[0]!;
  const isMissed = first.kind === "freshness_missed";
  const what = isMissed ? "missed" : "at risk";
  return {
    subject: events.length === 1 ? `Promise ${what}: ${first.name}` : `${plural(events.length, "deadline")} ${what}`,
    lead:
      events.length === 1
        ? `${plural(first.missing, "symbol")} of ${count(first.total)} ${isMissed ? "were not" : "are not yet"} up to date for the deadline of “${first.name}” at ${utcMinute(first.deadline)}: ${first.reason}.`
        : `These deadlines ${isMissed ? "were missed" : "are at risk"}: ${names(events.map(({ name }) => name))}.`,
    sections: [table(events)],
    advice: isMissed
      ? "Start a run of the missing symbols, or Run now on their schedule; you are told when all of them are up to date."
      : "There is time to start a run, to enable or move a schedule, or to free units of the quota.",
    link: link(base),
  };
}

/** Missed deadlines whose symbols are up to date after all. */
export function promiseRecoveryMail(events: readonly PromiseEvent[], base: string): MailContent {
  const first = events[0]!;
  return {
    subject: `Up to date again: ${names(events.map(({ name }) => name))}`,
    lead: `All that the missed deadline of “${first.name}” at ${utcMinute(first.deadline)} needed is stored since ${utcMinute(first.at)}.`,
    sections:
      events.length === 1
        ? []
        : [
            {
              table: {
                head: ["Promise", "Deadline", "Up to date at"],
                rows: events.map(({ name, deadline, at }) => [name, utcMinute(deadline), utcMinute(at)]),
              },
            },
          ],
    advice: "There is nothing to do.",
    link: link(base),
  };
}
