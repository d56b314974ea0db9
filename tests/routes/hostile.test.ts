/** Hostile text, entered wherever text from outside is accepted, and searched for in everything that is sent. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createRoutes } from "../../src/routes/index.ts";
import { postMail } from "../../src/storage/alerts/outbox.ts";
import { storeCompanies } from "../../src/storage/companies/companies.ts";
import { valuesFor } from "../fakes/providers.ts";
import { fakeEodhd } from "../fakes/vendors/eodhd.ts";
import { reply } from "../fakes/vendors/faults.ts";
import { startApp, type TestApp } from "../helpers/app.ts";

setDefaultTimeout(60_000);

const hostile = (name: string) => `<img src=x onerror=alert("${name}")>'&`;
const asText = (name: string) => Bun.escapeHTML(hostile(name)).replaceAll("&#x27;", "&#39;");
const FORMULA = "=cmd|' /C calc'!A0";

const vendor = fakeEodhd();
let app: TestApp;
let runId = "";
/** What stands for the parameters of an address, by the beginning of its path. */
let ids: readonly (readonly [path: string, id: string])[] = [];

beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1", ...(valuesFor(vendor, "eodhd") as Record<string, string>) } });
  const { db, log } = app.app;
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 1 }), "complete");
  vendor.always = reply(400, { message: hostile("vendor") });
  runId = await app.start({ symbols: ["SAP"], years: 1, provider: "eodhd" });
  await app.waitForRun(runId, "failed");
  await storeCompanies(db, [{ symbol: "ZZT", name: hostile("company"), exchange: hostile("exchange") }], "import");
  const { body: list } = await app.post("/api/watchlists", { name: hostile("watchlist"), symbols: ["AAPL"] });
  const { body } = await app.post("/api/schedules", {
    name: hostile("schedule"),
    cron: "0 9 * * *",
    scope: "watchlist",
    watchlist_id: list.id,
  });
  await submit("/settings/access", { name: hostile("token") });
  await app.send("DELETE", `/api/profiles/MSFT?reason=${encodeURIComponent(hostile("reason"))}`);
  await app.send("DELETE", `/api/watchlists/${list.id}?reason=${encodeURIComponent(FORMULA)}`);
  await app.post("/api/watchlists", { name: hostile("watchlist"), symbols: ["AAPL"] });
  log.write("warn", hostile("log"), runId, "SAP");
  // Lines are kept, and shown, a little later than they are written.
  const kept = () => db.rows("SELECT id FROM logs WHERE message = ?1", [hostile("log")]);
  while ((await kept()).length === 0) await Bun.sleep(10);
  while (!(await app.get("/")).text.includes(asText("log"))) await Bun.sleep(10);
  await postMail(
    db,
    {
      id: "m1",
      kind: "run_failed",
      subject: hostile("subject"),
      text: hostile("letter"),
      html: "",
      recipients: "ops@example.com",
      createdAt: Date.now(),
    },
    [],
  );
  ids = [
    ["/runs", runId],
    ["/api/runs", runId],
    ["/alerts", "m1"],
    ["/schedules", String(body.schedule.id)],
    ["/api/schedules", String(body.schedule.id)],
    ["/api/watchlists", "2"],
  ];
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await vendor.close();
});

const HEADERS = { Accept: "text/html", "User-Agent": hostile("agent"), Referer: `http://x/${hostile("referer")}` };
const submit = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(app.url + path, { method: "POST", body: new URLSearchParams(fields), headers: { ...HEADERS, ...headers } });

/** Elements and attributes in a page that no template of ours writes. */
function foreignMarkup(html: string): string[] {
  const found: string[] = [];
  new HTMLRewriter()
    .on("*", {
      element({ tagName, attributes }) {
        if (tagName === "img") found.push("<img>");
        const all = [...attributes] as [string, string][];
        if (tagName === "script" && !all.some(([name]) => name === "src" || name === "type")) found.push("<script>");
        for (const [name, value] of all) {
          const ours = /^[a-z][a-z0-9:_-]*$/i.test(name) && !/^on/i.test(name);
          if (!ours || /^\s*javascript:/i.test(value)) found.push(`<${tagName} ${name}=${value}>`);
        }
      },
    })
    .transform(html);
  return found;
}

/** Everything sent so far, to verify that the hostile text was included at all. */
let seen = "";

/** No page contains markup from hostile text, and nothing else is sent as a page. */
async function expectHarmless(response: Response, address: string): Promise<string> {
  const text = await response.text();
  const type = response.headers.get("Content-Type") ?? "";
  expect([address, response.headers.get("X-Content-Type-Options")]).toEqual([address, "nosniff"]);
  if (type.startsWith("text/html")) {
    expect([address, foreignMarkup(text)]).toEqual([address, []]);
    seen += text;
  }
  expect([address, response.status < 500]).toEqual([address, true]);
  return text;
}

test("the hostile-text test itself would find markup", () => {
  for (const name of ["a", "b"]) expect(foreignMarkup(`<p>${hostile(name)}</p>`)).not.toEqual([]);
  expect(foreignMarkup(`<p title="" onclick="x">`)).toEqual(["<p onclick=x>"]);
  expect(foreignMarkup(`<a href="javascript:alert(1)">x</a><script>1</script>`)).toHaveLength(2);
  expect(foreignMarkup(`<p title="${asText("a")}">${asText("a")}</p>`)).toEqual([]);
});

test("every page shows stored text and its own address as text", async () => {
  const routes = await createRoutes(app.app);
  routes.close();
  const paths = (await routes.table()).filter(
    ({ method, path }) => method === "GET" && !/events(?:\/notifications)?$/.test(path),
  );
  const hostileAddress = encodeURIComponent(hostile("address"));
  const names =
    "q search where symbol actor action from to sort pick next names overlays adjust interval state provider";
  const query = names
    .split(" ")
    .map((name) => `${name}=${encodeURIComponent(hostile(name))}`)
    .join("&");
  const addresses = new Set(
    paths.flatMap(({ path }) => {
      const id = ids.find(([beginning]) => path.startsWith(beginning))?.[1] ?? "1";
      const symbol = path.includes("runs") ? "SAP" : "AAPL";
      const good = path
        .replace(/:symbol/g, symbol)
        .replace(/:id/g, id)
        .replace(/:\w+/g, "x");
      const bad = path.replace(/:\w+/g, hostileAddress);
      return [good, `${good}?${query}`, `${good}?q=zzt&search=zzt&symbols=${hostileAddress}`, bad];
    }),
  );
  expect(addresses.size).toBeGreaterThan(100);
  for (const address of addresses) {
    await expectHarmless(await fetch(app.url + address, { headers: HEADERS }), address);
    const fragment = { ...HEADERS, "HX-Request": "true", "HX-Current-URL": `${app.url}/?q=${hostileAddress}` };
    await expectHarmless(await fetch(app.url + address, { headers: fragment }), `${address} as a fragment`);
  }
  for (const name of ["vendor", "company", "watchlist", "schedule", "token", "reason", "log", "subject", "letter"]) {
    expect([name, seen.includes(asText(name))]).toEqual([name, true]);
  }
});

test("refused forms give back what was typed as text", async () => {
  const fields = (names: string) => Object.fromEntries(names.split(" ").map((name) => [name, hostile(name)]));
  const forms: [path: string, fields: Record<string, string>][] = [
    ["/runs", fields("symbols mode interval years provider max_workers batch_days")],
    ["/runs/preview", fields("symbols mode interval years provider")],
    ["/schedules", fields("name cron time_zone scope symbols mode interval years provider watchlist_id")],
    ["/alerts", { ...fields("quota_percent digest_minutes quiet_from quiet_to quiet_zone on"), quiet: "on" }],
    ["/settings/mail", fields("server password from to")],
    ["/settings/eodhd", fields("EODHD_BASE_URL EODHD_API_KEY forget")],
    ["/settings/access", { name: hostile("token"), scope: hostile("scope") }],
    ["/login", fields("password next")],
    ["/companies", fields("search pick quick")],
    ["/companies/import", { text: `${hostile("line")},1,2\n<b>,x\nsymbol` }],
    ["/theme", fields("theme back")],
    ["/zone", fields("zone back")],
  ];
  for (const [path, values] of forms) {
    await expectHarmless(await submit(path, values), path);
    await expectHarmless(await submit(path, values, { "HX-Request": "true" }), `${path} as a fragment`);
  }
  for (const name of ["symbols", "cron", "quiet_zone", "server"]) {
    expect([name, seen.includes(asText(name))]).toEqual([name, true]);
  }
});

test("pushed fragments are as harmless as the pages", async () => {
  const abort = new AbortController();
  for (const path of ["/events", `/events?run=${runId}`, `/events?run=${runId}&symbol=SAP`]) {
    const response = await fetch(app.url + path, { headers: HEADERS, signal: abort.signal });
    let pushed = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      pushed += chunk;
      if (pushed.includes(asText("log"))) break;
    }
    const html = pushed.replace(/^(?:data|id|event): ?/gm, "");
    expect([path, foreignMarkup(html)]).toEqual([path, []]);
  }
  abort.abort();
});

test("programs get data, never a page; no cell of a download is a formula", async () => {
  for (const path of ["/api/runs", `/api/runs/${runId}`, "/api/companies?q=zzt", "/api/schedules", "/api/watchlists"]) {
    const { type, text } = await app.get(path);
    expect([path, type]).toEqual([path, expect.stringContaining("application/json")]);
    expect(() => JSON.parse(text)).not.toThrow();
  }
  const audit = await fetch(`${app.url}/audit?format=csv`);
  expect(audit.headers.get("Content-Disposition")).toStartWith("attachment");
  for (const text of [await audit.text(), (await app.get("/profiles?format=csv")).text]) {
    const cells = text.split(/\r?\n/).flatMap((line) => line.split(","));
    expect(cells.filter((cell) => /^"?[=+@\t]/.test(cell))).toEqual([]);
  }
  expect((await app.get("/audit?format=csv")).text).toContain(`'${FORMULA}`);
});
