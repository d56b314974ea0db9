/** @jsxImportSource hono/jsx */

import { expect, test } from "bun:test";
import { BackupsSection, type BackupsView } from "../../src/views/backups.tsx";

const view: BackupsView = {
  remote: false,
  hidden: false,
  values: { folder: "/b", at: "03:30", keep: "7" },
  hasFolder: true,
  madeFor: null,
  underwaySince: null,
  next: null,
  last: null,
  failure: null,
  errors: {},
  flash: null,
};
const render = (over: Partial<BackupsView>) => String(<BackupsSection view={{ ...view, ...over }} />);

test("the backups of a remote database are left to its server, without a form", () => {
  const html = render({ remote: true });
  expect(html).toContain("use that server&#39;s own backup");
  expect(html).not.toContain("<form");
});

test("while a backup is being made the page says since when, and the button is off", () => {
  const html = render({ underwaySince: Date.UTC(2026, 0, 15, 12) });
  expect(html).toContain("Being made");
  expect(html).toContain("2026-01-15 12:00 UTC");
  expect(html).toMatch(/<button[^>]*disabled[^>]*>\s*Back up now/);
});

test("a plan made for another database is named, and nothing can be made until it is saved", () => {
  const html = render({ madeFor: "/data/barkeep.db" });
  expect(html).toContain("set up for another database file, /data/barkeep.db");
  expect(html).not.toContain("Back up now");
});
