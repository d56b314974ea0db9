/** Fields of forms that are not known: refused as the API refuses them, because the value of a mistyped one would be lost. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { formOf } from "../../helpers/http.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const submit = (path: string, fields: Readonly<Record<string, string>>) => fetch(app.url + path, formOf(fields));

const FORMS: readonly (readonly [path: string, fields: Record<string, string>, known: string])[] = [
  ["/runs", { symbols: "AAPL", yaers: "1" }, "years"],
  ["/runs/preview", { symbols: "AAPL", yaers: "1" }, "years"],
  ["/schedules", { name: "Nightly", corn: "0 9 * * *" }, "cron"],
  ["/promises", { name: "By seven", by_tiem: "07:00" }, "by_time"],
  ["/settings/access", { name: "grafana", expire: "30" }, "expires"],
  ["/settings/mail", { sever: "smtp://mail.example:587" }, "server"],
  ["/settings/backups", { folder: "/tmp", keeps: "3" }, "keep"],
  ["/settings/eodhd", { EODHD_API_KAY: "key" }, "EODHD_API_KEY"],
  ["/alerts", { on: "job_failed", digest_minute: "5" }, "digest_minutes"],
  ["/alerts/channels", { name: "ops", kind: "ntfy", palce: "bars" }, "place"],
  ["/companies/lists", { list_name: "Mine", picks: "AAPL" }, "pick"],
  ["/files", { symbols: "AAPL" }, "symbol"],
  ["/companies/fetch", { list: "demo/US", refersh: "1" }, "refresh"],
  ["/profiles/renew", { order: "update", symbols: "AAPL/1d" }, "symbol"],
  ["/profiles/AAPL/renew", { interval: "1d", oder: "repair" }, "order"],
  ["/storage/prune", { series: "1", befor: "2020-01-01" }, "before"],
  ["/login", { password: "x", nxet: "/runs" }, "next"],
  ["/runs/r1/matching/cancel", { expcet: "1" }, "expect"],
  ["/runs/r1/selected/retry", { symbol: "AAPL", alll: "1" }, "all"],
  ["/runs/r1/selected/refetch", { symbol: "AAPL", scpoe: "all" }, "scope"],
  ["/runs/r1/jobs/AAPL/batches", { from: "0", too: "86400" }, "to"],
];
test.each(FORMS)(
  "%s refuses a field that there is not, and names those that there are",
  async (path, fields, known) => {
    const answer = await submit(path, fields);
    const wrong = Object.keys(fields).at(-1);
    const { detail } = (await answer.json()) as { detail: string };
    expect([answer.status, detail]).toEqual([422, expect.stringContaining(`unknown field "${wrong}"; there are `)]);
    expect(detail).toContain(known);
  },
);

test("a form that was refused for its fields has changed nothing, and a reason is no unknown field", async () => {
  expect((await app.get("/api/runs")).body.runs).toEqual([]);
  expect((await app.get("/api/watchlists")).body.watchlists).toEqual([]);
  expect((await app.get("/api/promises")).body.promises).toEqual([]);
  expect((await submit("/companies/lists", { list_name: "Mine", pick: "AAPL", reason: "test" })).status).toBe(303);
});

test("a list of companies in an unknown field is refused on its page, and nothing is imported", async () => {
  const listed = async () => (await app.get("/api/companies?q=ZZTOP")).body.companies;
  const answer = await submit("/companies/import", { text: "ZZTOP", fiel: "MSFT" });
  expect(answer.status).toBe(422);
  expect(await answer.text()).toContain("unknown field &quot;fiel&quot;; there are file, text");
  expect(await listed()).toEqual([]);
  expect((await submit("/companies/import", { text: "ZZTOP" })).status).toBe(200);
  expect(await listed()).toHaveLength(1);
});
