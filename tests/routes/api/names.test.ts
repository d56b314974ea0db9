/** Names that look the same are the same, whichever way they come in. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createWatchlist } from "../../../src/storage/companies/watchlists.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { formOf } from "../../helpers/http.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_SECRET: "a secret of more than 16 characters", BARKEEP_WORKERS: "1" } });
});
afterAll(() => app[Symbol.asyncDispose]());

const KEPT = "Café closes";
/** With a decomposed letter, a soft hyphen, a space without a break, two spaces and one of no width. */
const ALIKE = " Cafe\u0301\u00a0 clo\u00ad\u200bses\u2060 ";

const submit = (path: string, fields: Readonly<Record<string, string>>) => fetch(app.url + path, formOf(fields));

const promise = { symbols: ["AAPL"], by_time: "07:00" };
const schedule = { cron: "0 9 * * *", symbols: ["AAPL"], enabled: false };
test.each([
  ["watchlist", "/api/watchlists", { symbols: ["AAPL"] }],
  ["schedule", "/api/schedules", schedule],
  ["promise", "/api/promises", promise],
] as const)(
  "the name of a %s is kept as it is seen, and refused beside one that looks the same",
  async (what, path, body) => {
    const made = await app.post(path, { ...body, name: ALIKE });
    expect([made.status, (made.body[what] ?? made.body).name]).toEqual([201, KEPT]);
    const again = await app.post(path, { ...body, name: `${KEPT}\u200d` });
    expect([again.status, again.body.errors]).toEqual([
      409,
      [{ path: "name", message: `There is already a ${what} named ${KEPT}` }],
    ]);
    const unseen = await app.post(path, { ...body, name: "\u200b\u3164" });
    expect([unseen.status, unseen.body.errors]).toEqual([422, [{ path: "name", message: "is missing" }]]);
  },
);

const channel = { kind: "ntfy", place: "bars", enabled: "on", digest_minutes: "5" };
test.each([
  ["watchlist", "/companies/lists", "list_name", {}, 303],
  ["token", "/settings/access", "name", { scope: "read" }, 200],
  ["channel", "/alerts/channels", "name", channel, 303],
] as const)(
  "a form refuses the name of a %s beside one that looks the same",
  async (what, path, field, fields, done) => {
    const name = `Form ${what}`;
    expect((await submit(path, { ...fields, [field]: name })).status).toBe(done);
    const again = await submit(path, { ...fields, [field]: name.replace(" ", "\u200b \u2009") });
    expect([again.status, await again.text()]).toEqual([
      409,
      expect.stringContaining(`There is already a ${what} named ${name}`),
    ]);
    const unseen = await submit(path, { ...fields, [field]: "\u200b" });
    expect([unseen.status, await unseen.text()]).toEqual([422, expect.stringContaining(`Give the ${what} a name`)]);
  },
);

test("a channel with a name that is too long is refused, not cut short", async () => {
  const answer = await submit("/alerts/channels", { ...channel, name: "n".repeat(61) });
  expect([answer.status, await answer.text()]).toEqual([
    422,
    expect.stringContaining("The name is longer than 60 characters"),
  ]);
});

test("the name of a run is kept as it is seen", async () => {
  const run = await app.post("/api/runs", { symbols: ["AAPL"], years: 1, name: ALIKE });
  expect([run.status, run.body.run.name]).toEqual([202, KEPT]);
});

test("a watchlist is found by a name that looks like its own, also one that was stored as it was typed", async () => {
  const db = app.app.db;
  await createWatchlist(db, "Old\u200b list", ["MSFT"]);
  await createWatchlist(db, "New list", ["MSFT"]);
  for (const name of ["Old\u200b list", "New list", "New\u200b list"]) {
    const panel = await app.get(
      `/api/panel?interval=1d&names=none&include=ohlcv&format=json&watchlist=${encodeURIComponent(name)}`,
    );
    expect([name, panel.headers.get("x-barkeep-missing")]).toEqual([name, "MSFT"]);
  }
});
