/** The mail about prices and corporate actions that contradict each other. */

import { expect, test } from "bun:test";
import { revisionMail } from "../../src/alerts/templates/data-quality.ts";
import { revision } from "../helpers/alert-events.ts";

const doubt = (symbol: string) =>
  revision({ symbol, what: "scale", bars: 1, detail: "a split of 10 for 1 is listed for 2026-08-06" });

test("a mail about suspicious prices names symbol, days and what contradicts", () => {
  const { subject, lead, link } = revisionMail([doubt("ODD")], "https://bars.example.com");
  expect(subject).toBe("Suspicious prices: ODD");
  expect(lead).toContain("contradict each other: a split of 10 for 1 is listed for 2026-08-06.");
  expect(link?.url).toBe("https://bars.example.com/profiles/ODD?interval=1d");
});

test("doubts that come with other revisions are lines of the same mail", () => {
  const { subject, sections } = revisionMail([doubt("ODD"), revision()], "https://bars.example.com");
  expect(subject).toBe("Revised history: ODD, AAPL");
  expect(JSON.stringify(sections)).toContain("Suspicious prices");
});
