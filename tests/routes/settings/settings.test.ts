import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FAKE_SECRET, fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { FAKE_KEY } from "../../fakes/vendors/vendor.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

const SECRET = "the secret of these tests";
const eodhd = fakeEodhd();
const tiingo = fakeTiingo();
const alpaca = fakeAlpaca();
afterAll(() => Promise.all([eodhd.close(), tiingo.close(), alpaca.close()]));

const env = {
  BARKEEP_SECRET: SECRET,
  EODHD_BASE_URL: eodhd.url,
  TIINGO_BASE_URL: tiingo.url,
  ALPACA_BASE_URL: alpaca.url,
};

const submit = async (app: TestApp, path: string, fields: Record<string, string>) => {
  const response = await fetch(app.url + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { Accept: "text/html" },
    redirect: "manual",
  });
  return { status: response.status, text: await response.text() };
};
const page = async (app: TestApp) => (await fetch(`${app.url}/settings`)).text();
/** The part of the page about one provider. */
const sectionOf = (html: string, name: string) =>
  html.split('<section class="provider"').find((part) => part.includes(`id="provider-${name}"`))!;
const run = { symbols: ["AAPL"], mode: "full", interval: "1d", years: 1 };

describe("a key set on the page", () => {
  test("a key set on the page works for the next run without a restart, and for runs after one", async () => {
    using folder = temporaryFolder();
    {
      await using app = await startApp({ env, folder });
      expect((await app.post("/api/runs", { ...run, provider: "tiingo" })).status).toBe(422);
      expect(sectionOf(await page(app), "tiingo")).toContain("Needs");
      expect((await submit(app, "/settings/tiingo", { TIINGO_API_KEY: "wrong-key" })).status).toBe(303);
      const bad = await app.start({ ...run, provider: "tiingo" });
      await app.waitForRun(bad, "failed");
      expect((await submit(app, "/settings/tiingo", { TIINGO_API_KEY: FAKE_KEY })).status).toBe(303);
      const good = await app.start({ ...run, provider: "tiingo" });
      expect((await app.waitForRun(good, "complete", "failed")).run.state).toBe("complete");
      const shown = sectionOf(await page(app), "tiingo");
      expect(shown).toContain("Set on this page");
      expect(shown).toContain("Ready");
    }
    await using again = await startApp({ env, folder });
    const id = await again.start({ ...run, provider: "tiingo", mode: "incremental" });
    expect((await again.waitForRun(id, "complete", "failed")).run.state).toBe("complete");
  });

  test("a key set on the page is not readable with another secret, which the page says, nor stored without one", async () => {
    using folder = temporaryFolder();
    {
      await using app = await startApp({ env, folder });
      await submit(app, "/settings/tiingo", { TIINGO_API_KEY: FAKE_KEY });
    }
    {
      await using app = await startApp({ env: { ...env, BARKEEP_SECRET: "quite another secret" }, folder });
      expect(sectionOf(await page(app), "tiingo")).toContain("not readable with this BARKEEP_SECRET");
      expect(app.printed.join("\n")).toContain("TIINGO_API_KEY is stored, but cannot be read");
    }
    const { BARKEEP_SECRET: _, ...without } = env;
    await using app = await startApp({ env: without, folder });
    expect(await page(app)).toContain("Keys can only come from the environment");
    const refused = await submit(app, "/settings/tiingo", { TIINGO_API_KEY: FAKE_KEY });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain("BARKEEP_SECRET");
  });

  test("a key set on the page can be removed", async () => {
    await using app = await startApp({ env });
    await submit(app, "/settings/tiingo", { TIINGO_API_KEY: FAKE_KEY });
    expect((await submit(app, "/settings/tiingo", { forget: "TIINGO_API_KEY" })).status).toBe(303);
    expect(sectionOf(await page(app), "tiingo")).toContain("Not set");
    expect((await app.post("/api/runs", { ...run, provider: "tiingo" })).status).toBe(422);
  });

  test("a key set on the page is never sent to another address that somebody enters", async () => {
    const attacker = fakeTiingo();
    const { TIINGO_BASE_URL: _, ...rest } = env;
    await using app = await startApp({ env: rest });
    await submit(app, "/settings/tiingo", { TIINGO_BASE_URL: tiingo.url });
    await submit(app, "/settings/tiingo", { TIINGO_API_KEY: FAKE_KEY });
    const { status, text } = await submit(app, "/settings/tiingo", { TIINGO_BASE_URL: attacker.url });
    expect(status).toBe(422);
    expect(text).toContain("Enter TIINGO_API_KEY again");
    await submit(app, "/settings/tiingo/check", {});
    expect(attacker.urls).toEqual([]);
    const both = { TIINGO_BASE_URL: attacker.url, TIINGO_API_KEY: "a-new-key" };
    expect((await submit(app, "/settings/tiingo", both)).status).toBe(303);
    await attacker.close();
  });
});

test("what the environment sets is shown as such and left alone", async () => {
  await using app = await startApp({ env: { ...env, TIINGO_API_KEY: FAKE_KEY } });
  expect(sectionOf(await page(app), "tiingo")).toContain("by environment variable");
  const { status, text } = await submit(app, "/settings/tiingo", { TIINGO_API_KEY: "another" });
  expect([status, text.includes("Set in the environment")]).toEqual([422, true]);
});

test("a key can be checked only where one can be typed or is set", async () => {
  const { BARKEEP_SECRET: _, ...without } = env;
  const offered = async (more: Record<string, string>) => {
    await using app = await startApp({ env: more });
    const text = await page(app);
    return ["eodhd", "tiingo", "binance"].filter((name) => sectionOf(text, name).includes("Check this key"));
  };
  expect(await offered(env)).toEqual(["eodhd", "tiingo"]);
  expect(await offered(without)).toEqual([]);
  expect(await offered({ ...without, TIINGO_API_KEY: FAKE_KEY })).toEqual(["tiingo"]);
});

test("limits and other values are checked, and take effect at once", async () => {
  await using app = await startApp({ env });
  const wrong = await submit(app, "/settings/eodhd", { EODHD_PER_MINUTE: "-3", EODHD_PER_DAY: "many" });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('id="set-EODHD_PER_MINUTE-error"');
  expect(wrong.text).toContain('id="set-EODHD_PER_DAY-error"');
  expect((await submit(app, "/settings/eodhd", { EODHD_PER_MINUTE: "77" })).status).toBe(303);
  const limits = async () => {
    const { body } = await app.get("/api/usage");
    return body.usage.find(({ provider }: { provider: string }) => provider === "eodhd").limits;
  };
  expect((await limits())[0]).toMatchObject({ period: "minute", limit: 77 });
  expect((await submit(app, "/settings/eodhd", { EODHD_PER_MINUTE: "" })).status).toBe(303);
  expect((await limits())[0].limit).toBe(1_000);
  for (const url of ["ftp://x", "nonsense", "http://user:pass@127.0.0.1/", "https://x/?token=1"]) {
    expect((await submit(app, "/settings/massive", { MASSIVE_BASE_URL: url })).status).toBe(422);
  }
  expect((await submit(app, "/settings/nobody", {})).status).toBe(404);
});

test("checking a key says whether the provider accepts it", async () => {
  await using app = await startApp({ env: { ...env, EODHD_API_KEY: FAKE_KEY, TIINGO_API_KEY: "refused-key" } });
  expect((await submit(app, "/settings/eodhd/check", {})).text).toContain("EODHD accepts the key (1 request)");
  expect(eodhd.urls.at(-1)!.pathname).toBe("/api/user");
  const refused = await submit(app, "/settings/tiingo/check", {});
  expect(refused.text).toContain("check TIINGO_API_KEY");
  expect(refused.text).not.toContain("refused-key");
  expect((await submit(app, "/settings/alpaca/check", {})).text).toContain("Not set: ALPACA_API_KEY");
});

test("a check says no more of a key than the answer shows", async () => {
  const empty = fakeTiingo();
  empty.always = () => Response.json([]);
  await using app = await startApp({ env: { ...env, TIINGO_BASE_URL: empty.url } });
  const checked = await submit(app, "/settings/tiingo/check", { TIINGO_API_KEY: FAKE_KEY });
  expect(sectionOf(checked.text, "tiingo")).toContain(
    "Tiingo answers without bars of AAPL, and does not refuse the key (1 request)",
  );
  await empty.close();
});

test("a check uses what was typed, keeps it in the form and saves nothing", async () => {
  await using app = await startApp({ env });
  const typed = { TIINGO_API_KEY: FAKE_KEY, TIINGO_PER_HOUR: "33" };
  const checked = await submit(app, "/settings/tiingo/check", typed);
  const section = sectionOf(checked.text, "tiingo");
  expect(section).toContain("Tiingo accepts the key (1 request) · not saved yet");
  expect(section).toMatch(/name="TIINGO_API_KEY"[^>]*value="k3y-of-a-paying-customer\/9\+8="/);
  expect(section).toMatch(/name="TIINGO_PER_HOUR"[^>]*value="33"/);
  const shown = sectionOf(await page(app), "tiingo");
  expect(shown).toContain("Needs");
  expect(shown).not.toContain(FAKE_KEY);
  expect(app.printed.join("\n")).not.toContain(FAKE_KEY);
  expect((await submit(app, "/settings/tiingo", typed)).status).toBe(303);
  expect(sectionOf(await page(app), "tiingo")).toContain("Ready");
});

test("a refused key that was typed is told without repeating it in the message, and stays in the form alone", async () => {
  await using app = await startApp({ env: { ...env, TIINGO_API_KEY: "" } });
  const { text } = await submit(app, "/settings/tiingo/check", { TIINGO_API_KEY: "typed-wrongly" });
  const section = sectionOf(text, "tiingo");
  expect(section).toContain("check TIINGO_API_KEY");
  expect(section.match(/typed-wrongly/g)).toHaveLength(1);
  expect(app.printed.join("\n")).not.toContain("typed-wrongly");
});

test("a check says what the plan of the typed key allows", async () => {
  eodhd.calls.used = 12;
  await using app = await startApp({ env });
  const { text } = await submit(app, "/settings/eodhd/check", { EODHD_API_KEY: FAKE_KEY });
  expect(sectionOf(text, "eodhd")).toContain("12 of 100,000 a day used");
});

test("the check of another key does not wait for the quota that the key in use has spent", async () => {
  await using app = await startApp({ env });
  expect((await submit(app, "/settings/tiingo", { TIINGO_API_KEY: "spent-key" })).status).toBe(303);
  app.app.limiter.report("tiingo", { holdSeconds: 600, reason: "spent" });
  const { text } = await submit(app, "/settings/tiingo/check", { TIINGO_API_KEY: FAKE_KEY });
  expect(sectionOf(text, "tiingo")).toContain("Tiingo accepts the key");
  expect(app.app.limiter.state("tiingo")!.hold).not.toBeNull();
});

test("a check does not send a stored key to an address that was typed, and refuses wrong values at their field", async () => {
  const attacker = fakeTiingo();
  const { TIINGO_BASE_URL: _, ...rest } = env;
  await using app = await startApp({ env: rest });
  await submit(app, "/settings/tiingo", { TIINGO_BASE_URL: tiingo.url, TIINGO_API_KEY: FAKE_KEY });
  const sent = await submit(app, "/settings/tiingo/check", { TIINGO_BASE_URL: attacker.url });
  expect([sent.status, sent.text.includes("Enter TIINGO_API_KEY again")]).toEqual([422, true]);
  expect(attacker.urls).toEqual([]);
  const wrong = await submit(app, "/settings/tiingo/check", { TIINGO_API_KEY: "two words", TIINGO_PER_HOUR: "-1" });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('id="set-TIINGO_PER_HOUR-error"');
  expect(wrong.text).toContain("Nothing was checked");
  await attacker.close();
});

/** Everything readable over HTTP. */
const ADDRESSES = [
  "/",
  "/runs",
  "/profiles",
  "/companies",
  "/settings",
  "/metrics",
  "/healthz",
  "/readyz",
  "/nowhere",
  "/api/runs",
  "/api/usage",
  "/api/profiles",
  "/api/companies",
  "/api/watchlists",
  "/api/openapi.json",
  "/api/bars/AAPL",
];

test("no key leaves the process, however often vendors repeat it", async () => {
  using folder = temporaryFolder();
  const said: string[] = [];
  const forms = [FAKE_KEY, FAKE_SECRET, SECRET, encodeURIComponent(FAKE_KEY), btoa(FAKE_KEY)];
  {
    await using app = await startApp({ env, folder });
    const hear = async () => {
      const stream = app.app.hub.stream();
      for (let next = await stream.next(60_000); next !== null; next = await stream.next(60_000))
        said.push(JSON.stringify(next));
    };
    const hearing = hear();
    await submit(app, "/settings/eodhd", { EODHD_API_KEY: FAKE_KEY });
    await submit(app, "/settings/tiingo", { TIINGO_API_KEY: FAKE_KEY });
    await submit(app, "/settings/alpaca", { ALPACA_API_KEY: FAKE_KEY, ALPACA_API_SECRET: FAKE_SECRET });
    const echo = `We have detected your API key as ${FAKE_KEY} (${encodeURIComponent(FAKE_KEY)}) and ${FAKE_SECRET}`;
    const answers = [
      () => new Response(echo, { status: 400 }),
      () => Response.json({ message: echo, error: echo, detail: echo }, { status: 422 }),
      () => new Response(echo, { status: 404 }),
      () => Response.json([{ [FAKE_KEY]: echo }]),
      () => Response.json({ error: echo }),
      () => new Response(echo, { status: 403 }),
    ];
    for (const fake of [eodhd, tiingo, alpaca]) {
      let turn = 0;
      fake.always = () => answers[turn++ % answers.length]!();
    }
    const providers = ["eodhd", "tiingo", "alpaca"];
    // A run for each provider and answer, all at once: each waits before it asks again.
    const runs = providers.flatMap((provider, at) =>
      answers.map((_, round) =>
        app.start({ ...run, provider, symbols: [`S${at}${round}`, `T${at}${round}`], years: 1 }),
      ),
    );
    for (const id of await Promise.all(runs)) {
      await app.waitForRun(id, "complete", "failed");
      said.push((await app.get(`/api/runs/${id}`)).text, (await app.get(`/runs/${id}`)).text);
    }
    for (const provider of providers) said.push((await submit(app, `/settings/${provider}/check`, {})).text);
    said.push((await app.post("/api/companies/fetch", { provider: "eodhd" })).text);
    for (const fake of [eodhd, tiingo, alpaca]) fake.always = null;
    for (const address of ADDRESSES) said.push((await app.get(address)).text);
    said.push((await submit(app, "/settings/eodhd", { EODHD_API_KEY: `${FAKE_KEY} with a space` })).text);
    said.push(...app.printed);
    await app.app.close();
    await hearing;
  }
  const words = said.join("\n");
  // The vendors were contacted, so there was a key to redact.
  expect(words).toContain("We have detected your API key as ***");
  for (const secret of forms) expect(words).not.toContain(secret);
  for (const file of readdirSync(folder.path)) {
    const bytes = readFileSync(join(folder.path, file));
    for (const secret of forms) expect(bytes.includes(secret)).toBe(false);
  }
  const stored = new Database(join(folder.path, "barkeep.db"), { readonly: true });
  const keys = stored.query("select key from settings where key like 'provider:%' order by key").values().flat();
  stored.close();
  expect(keys).toEqual([
    "provider:ALPACA_API_KEY",
    "provider:ALPACA_API_SECRET",
    "provider:EODHD_API_KEY",
    "provider:TIINGO_API_KEY",
  ]);
}, 60_000);

test("the audit has what was changed, from what to what and why, but no key and of an address only its host", async () => {
  await using app = await startApp({ env: { BARKEEP_SECRET: SECRET, BARKEEP_WORKERS: "1" } });
  const reason = "a larger plan";
  const url = "https://proxy.example/path/with-a-k3y";
  await submit(app, "/settings/tiingo", { TIINGO_API_KEY: FAKE_KEY });
  await submit(app, "/settings/binance", { BINANCE_BASE_URL: url, BINANCE_PER_MINUTE: "1200", reason });
  await submit(app, "/settings/tiingo", { forget: "TIINGO_API_KEY" });
  const rows = await app.app.db.rows("select subject, reason, before, after from audit order by id", []);
  expect(
    rows.map(([subject, why, ...states]) => [subject, why, ...states.map((text) => JSON.parse(String(text)))]),
  ).toEqual([
    ["tiingo", null, { TIINGO_API_KEY: "not set" }, { TIINGO_API_KEY: "new value" }],
    [
      "binance",
      reason,
      { BINANCE_BASE_URL: "data-api.binance.vision", BINANCE_PER_MINUTE: "6000" },
      { BINANCE_BASE_URL: "proxy.example", BINANCE_PER_MINUTE: "1200" },
    ],
    ["tiingo", null, { TIINGO_API_KEY: "set" }, { TIINGO_API_KEY: "not set" }],
  ]);
});
