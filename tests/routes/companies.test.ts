import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { fakeBinance } from "../fakes/vendors/binance.ts";
import { fakeEodhd } from "../fakes/vendors/eodhd.ts";
import { FAKE_KEY } from "../fakes/vendors/vendor.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { ask, type PlainForm, readForm } from "../helpers/http.ts";

const eodhd = fakeEodhd();
const binance = fakeBinance();
let app: TestApp;
beforeAll(async () => {
  app = await startApp({
    env: { EODHD_BASE_URL: eodhd.url, EODHD_API_KEY: FAKE_KEY, BINANCE_BASE_URL: binance.url },
  });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await Promise.all([eodhd.close(), binance.close()]);
});

const importText = (text: string, type = "text/csv") =>
  ask(`${app.url}/api/companies/import`, { method: "POST", body: text, headers: { "Content-Type": type } });
const symbolsFor = async (query: string) => {
  const { body } = await app.get(`/api/companies?${query}`);
  return body.companies.map(({ symbol }: { symbol: string }) => symbol);
};

describe("an import", () => {
  test("an import stores the valid lines and names the invalid ones", async () => {
    const { status, body } = await importText("symbol,name\nACME,Acme Rockets\nno way,x\nIMP.A,Imported\n");
    expect(status).toBe(200);
    expect(body.imported).toBe(2);
    expect(body.rejected).toEqual([{ line: 3, reason: expect.stringContaining('"no way" is not a symbol') }]);
    expect(await symbolsFor("q=rockets")).toEqual(["ACME"]);
  });

  test("an import may be UTF-16 as spreadsheets save it, with its mark or without, and is refused as a whole if it is no text", async () => {
    const send = (body: Uint8Array<ArrayBuffer>, type = "text/csv") =>
      ask(`${app.url}/api/companies/import`, { method: "POST", body, headers: { "Content-Type": type } });
    const little = (text: string) => new Uint8Array(Buffer.from(text, "utf16le"));
    const big = (text: string) => new Uint8Array(Buffer.from(text, "utf16le").swap16());
    const list = (symbol: string) => `symbol\tname\r\n${symbol}\tSociété ${symbol}\r\n`;
    for (const [symbol, bytes] of [
      ["WIDEA", little(`\ufeff${list("WIDEA")}`)],
      ["WIDEB", big(`\ufeff${list("WIDEB")}`)],
      ["WIDEC", little(list("WIDEC"))],
    ] as const) {
      expect([symbol, (await send(bytes)).body]).toEqual([symbol, { imported: 1, rejected: [] }]);
      expect(await symbolsFor(`q=${encodeURIComponent(`Société ${symbol}`)}`)).toEqual([symbol]);
    }
    for (const bytes of [new Uint8Array([0x41, 0, 0x42]), new Uint8Array([0xe9, 0x41]), little("A\ud800")]) {
      const { status, body } = await send(bytes, "text/plain");
      expect([status, body.detail]).toEqual([422, expect.stringContaining("is not text in UTF-8 or UTF-16")]);
    }
  });

  test("an import may be plain text, or a file of a form", async () => {
    expect((await importText("TXTA\nTXTB", "text/plain")).body).toEqual({ imported: 2, rejected: [] });
    const form = new FormData();
    form.append("file", new File(["FILEA,From a file"], "list.csv", { type: "text/csv" }));
    const { body } = await ask(`${app.url}/api/companies/import`, { method: "POST", body: form });
    expect(body).toEqual({ imported: 1, rejected: [] });
    expect(await symbolsFor("q=file")).toEqual(["FILEA"]);
  });

  test("an import is refused as a whole when no line is valid, or it is no text", async () => {
    const { status, type, body } = await importText("../x\n#\n$$$");
    expect([status, type]).toEqual([422, "application/problem+json"]);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(["line 1", "line 3"]);
    expect((await importText("")).status).toBe(422);
    const bytes = await ask(`${app.url}/api/companies/import`, {
      method: "POST",
      body: new Uint8Array([0x41, 0xff, 0xfe, 0x42]),
      headers: { "Content-Type": "text/csv" },
    });
    expect(bytes.status).toBe(422);
  });

  test("an import may have 30,000 lines, and leaves the server free to answer meanwhile", async () => {
    const lines = Array.from({ length: 30_000 }, (_, n) => `Q${n},Quantity number ${n},BULK`);
    const importing = importText(lines.join("\n"));
    let answered = 0;
    let done = false;
    void importing.then(() => {
      done = true;
    });
    while (!done) {
      expect((await app.get("/healthz")).status).toBe(200);
      answered += 1;
    }
    expect((await importing).body).toEqual({ imported: 30_000, rejected: [] });
    expect(answered).toBeGreaterThan(3);
    expect(await symbolsFor("q=Q29999")).toEqual(["Q29999"]);
    expect(await symbolsFor("q=quantity%2029999")).toEqual(["Q29999"]);
  });
});

describe("a list fetched from a provider", () => {
  test("a list from a provider is stored, and not fetched again while it is fresh", async () => {
    const before = eodhd.urls.length;
    const first = await app.post("/api/companies/fetch", { provider: "eodhd", exchange: "US" });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ provider: "eodhd", exchange: "US", companies: 3, cached: false });
    expect(await symbolsFor("q=fake")).toEqual(["AAPL", "BRK.B", "SPY"]);
    const again = await app.post("/api/companies/fetch", { provider: "eodhd" });
    expect(again.body).toEqual({ ...first.body, cached: true });
    expect(eodhd.urls.length).toBe(before + 1);
    await app.post("/api/companies/fetch", { provider: "eodhd", exchange: "US", refresh: true });
    expect(eodhd.urls.length).toBe(before + 2);
  });

  test("a list from a provider passes the limiter like any other request", async () => {
    const spent = async () =>
      (await app.get("/api/usage")).body.usage.find(({ provider }: { provider: string }) => provider === "binance");
    expect((await spent()).today.units).toBe(0);
    expect((await app.post("/api/companies/fetch", { provider: "binance" })).body.companies).toBe(3);
    expect((await spent()).today).toEqual({ requests: 1, units: 20 });
    expect(await symbolsFor("q=BTC-")).toEqual(["BTC-TRY", "BTC-USDT", "ETH-BTC"]);
  });

  test("a list from a provider spells symbols as they are typed in a run", async () => {
    await app.post("/api/companies/fetch", { provider: "eodhd", exchange: "LSE" });
    expect(await symbolsFor("q=vodafone")).toEqual(["VOD@LSE"]);
  });

  test("a list is refused where there is none, and a provider's failure is reported without its key", async () => {
    const refused = async (body: object) => (await app.post("/api/companies/fetch", body)).status;
    expect(await refused({ provider: "nope" })).toBe(422);
    expect(await refused({ provider: "tiingo" })).toBe(422);
    expect(await refused({ provider: "eodhd", exchange: "MOON" })).toBe(422);
    eodhd.script.push(() => new Response(`Forbidden. Your token ${FAKE_KEY} is bad`, { status: 403 }));
    const { status, text } = await app.post("/api/companies/fetch", { provider: "eodhd", refresh: true });
    expect(status).toBe(503);
    expect(text).toContain("EODHD");
    expect(text).not.toContain(FAKE_KEY);
  });
});

describe("a watchlist", () => {
  test("a watchlist is made, changed, read and deleted", async () => {
    const made = await app.post("/api/watchlists", { name: "  Growth ", symbols: ["msft", "AAPL"] });
    expect([made.status, made.body.name, made.body.symbols]).toEqual([201, "Growth", ["AAPL", "MSFT"]]);
    const path = `/api/watchlists/${made.body.id}`;
    expect((await app.post("/api/watchlists", { name: "GROWTH" })).status).toBe(409);
    const changed = await app.send("PATCH", path, { name: "Value", add: ["KO"], remove: ["MSFT"] });
    expect([changed.body.name, changed.body.symbols]).toEqual(["Value", ["AAPL", "KO"]]);
    expect(await symbolsFor(`watchlist=${made.body.id}`)).toEqual(["AAPL", "KO"]);
    expect((await app.send("DELETE", path)).status).toBe(204);
    expect((await app.get(path)).status).toBe(404);
    expect((await app.send("PATCH", path, { add: ["KO"] })).status).toBe(404);
    expect((await app.post("/api/watchlists", { name: "x", symbols: ["../x"] })).status).toBe(422);
  });
});

describe("the page", () => {
  const submit = (path: string, fields: Record<string, string | string[]>, headers: Record<string, string> = {}) => {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) for (const each of [value].flat()) body.append(name, each);
    return fetch(app.url + path, {
      method: "POST",
      body,
      headers: { Accept: "text/html", ...headers },
      redirect: "manual",
    });
  };

  /** The page to which a form of the search leads. */
  const led = async (fields: Record<string, string | string[]>) => {
    const { status, headers } = await submit("/companies", fields);
    expect(status).toBe(303);
    const address = headers.get("Location")!;
    return { address, text: await (await fetch(app.url + address)).text() };
  };

  test("the companies page keeps the selection of another search, in the address too", async () => {
    const { address, text: page } = await led({ q: "rockets", pick: ["AAPL", "not/one", "msft"] });
    expect(address).toBe("/companies?q=rockets&pick=AAPL%2CMSFT");
    expect(page).toContain('id="pick-ACME"');
    expect(page).toMatch(/<input type="checkbox" id="kept-AAPL" name="pick" value="AAPL" checked=""/);
    expect(page).toContain("2 selected");
    expect(page).not.toContain("not/one");
  });

  test("the companies page hands the selection on to the run form", async () => {
    const few = await submit("/companies/run", { pick: ["AAPL", "KO"] });
    expect([few.status, few.headers.get("Location")]).toEqual([303, "/?symbols=AAPL%2C%20KO"]);
    expect(await (await fetch(`${app.url}/?symbols=AAPL%2C%20KO`)).text()).toMatch(
      /<textarea[^>]*>AAPL, KO<\/textarea>/,
    );
    const many = Array.from({ length: 3_000 }, (_, n) => `Q${n}`);
    expect(await (await submit("/companies/run", { pick: many })).text()).toContain("Q0, Q1,");
    const none = await submit("/companies/run", {});
    expect(none.status).toBe(422);
    expect(await none.text()).toContain("Select at least one company");
  });

  test("the companies page offers the top ten", async () => {
    const { text: page } = await led({ quick: "top" });
    expect(page).toContain("10 selected");
    for (const symbol of ["AAPL", "BRK.B", "NVDA"]) expect(page).toContain(symbol);
    expect((await led({ quick: "clear", pick: "AAPL" })).text).toContain("None selected");
    // More than an address can hold is shown at once.
    const many = Array.from({ length: 1_000 }, (_, n) => `Q${n}`);
    expect(await (await submit("/companies", { pick: many })).text()).toContain("1,000 selected");
  });

  test("the companies page answers htmx with the results alone", async () => {
    const fragment = await (await submit("/companies", { q: "acme" }, { "HX-Request": "true" })).text();
    expect(fragment).toStartWith('<div id="company-results" data-address="/companies?q=acme">');
  });

  test("the companies page saves a selection as a watchlist and says what it refuses, with the selection kept", async () => {
    const saved = await submit("/companies/lists", { list_name: "From the page", pick: ["AAPL", "KO"] });
    expect(saved.status).toBe(303);
    const path = saved.headers.get("Location")!;
    const page = await (await fetch(app.url + path)).text();
    expect(page).toContain("From the page");
    expect(page).toContain("Select all 2");
    const twice = await submit("/companies/lists", { list_name: "from the PAGE", pick: ["MSFT"] });
    expect(twice.status).toBe(409);
    const text = await twice.text();
    expect(text).toContain("already a watchlist");
    expect(text).toContain("1 selected");
  });

  test("the companies page needs no script: what is selected stays over a search, and becomes a watchlist that is selected as a whole", async () => {
    await importText("symbol,name\nKO,Coca-Cola Co\nCOKE,Coca-Cola Consolidated");
    const press = (form: PlainForm, button: string) => {
      const { path, body } = form.press(button);
      return fetch(app.url + path, { method: "POST", body, headers: { Accept: "text/html" }, redirect: "manual" });
    };
    const open = async (answer: Response) => {
      expect(answer.status).toBe(303);
      const { text } = await ask(app.url + answer.headers.get("Location"));
      return { text, form: await readForm(text, "#company-form") };
    };
    const { text: start } = await app.get("/companies");
    const top = await open(await press(await readForm(start, "#company-form"), "Top 10"));
    expect(top.text).toContain("10 selected");
    top.form.fill("q", "coca");
    const found = await open(await press(top.form, "Search"));
    expect(found.text).toContain("10 selected");
    found.form.check("pick", "KO");
    found.form.fill("list_name", "Big ones");
    const list = await open(await press(found.form, "Save selection as a new list"));
    expect(list.text).toMatch(/<a[^>]*>Big ones/);
    expect(list.text).toContain('aria-label="Select KO"');
    expect((await open(await press(list.form, "Select all 11"))).text).toContain("11 selected");

    const imported = await readForm(list.text, 'form[action="/companies/import"]');
    imported.fill("text", "symbol,name\nZZZ,Sleepy\n$$$,Bad\n");
    const answer = await (await press(imported, "Import")).text();
    expect(answer).toContain("1 company imported");
    expect(answer).toContain("Line 3");
  });

  test("the companies page shows names as text, whatever they contain", async () => {
    await importText('EVIL,"<img src=x onerror=alert(1)>"');
    const page = await (await fetch(`${app.url}/companies?q=evil`)).text();
    expect(page).toContain("&lt;img src=x");
    expect(page).not.toContain("<img");
  });
});

describe("facts of companies", () => {
  test("facts of an import are in the API with their source, filter it, and filter the page by its address", async () => {
    const { body } = await importText(
      "symbol,name,sector,type\nFCTA,Fact A,Rare Earths,stock\nFCTB,Fact B,Rare Earths,ETF\nFCTC,Fact C,Odd & Ends,stock\n",
    );
    expect(body).toEqual({ imported: 3, rejected: [] });
    expect(await symbolsFor("sector=Rare+Earths&limit=10")).toEqual(["FCTA", "FCTB"]);
    expect(await symbolsFor("sector=Rare+Earths&type=etf")).toEqual(["FCTB"]);
    const [fact] = (await app.get("/api/companies?q=FCTA")).body.companies;
    expect(fact.facts.sector).toEqual({ value: "Rare Earths", source: "import", at: expect.stringMatching(/Z$/) });
    expect((await app.get("/api/companies?listing=gone")).status).toBe(422);
    const page = await fetch(`${app.url}/companies?sector=Odd+%26+Ends`);
    const text = await page.text();
    expect(text).toContain('id="company-FCTC"');
    expect(text).not.toContain('id="company-FCTA"');
    expect(text).toMatch(/<option selected(="")?>Odd &amp; Ends<\/option>/);
    const none = await (await fetch(`${app.url}/companies?sector=Nothing`)).text();
    expect(none).toContain("No company has all of these facts: Nothing");
    const form = new URLSearchParams({ q: "fact", sector: "Rare Earths", type: "stock" });
    const sent = await fetch(`${app.url}/companies`, { method: "POST", body: form, redirect: "manual" });
    expect(sent.headers.get("location")).toBe("/companies?q=fact&type=stock&sector=Rare+Earths");
  });
});

describe("facts from a provider", () => {
  const general = (sector: string) => ({ Code: "X", Name: "X Inc", Exchange: "NYSE", Sector: sector });
  const until = async (symbol: string, sector: string) => {
    for (;;) {
      const { body } = await app.get(`/api/companies?q=${symbol}&sector=${sector}`);
      if (body.companies.length > 0) return body.companies[0];
      await Bun.sleep(5);
    }
  };

  test("facts are asked for one symbol at a time; one that is not known leaves the others", async () => {
    eodhd.script.push(
      () => Response.json(general("Mining")),
      () => new Response("Ticker Not Found.", { status: 404 }),
      () => Response.json(general("Shipping")),
    );
    const sent = await app.post("/api/companies/facts", { provider: "eodhd", symbols: ["FPA", "FPB", "FPC", "FPA"] });
    expect([sent.status, sent.body]).toEqual([202, { provider: "eodhd", symbols: 3 }]);
    const found = await until("FPC", "Shipping");
    expect(found).toMatchObject({ name: "X Inc", facts: { sector: { value: "Shipping", source: "eodhd" } } });
    await until("FPA", "Mining");
    while (!app.printed.some((line) => line.includes("Facts of 2 of 3 companies"))) await Bun.sleep(5);
    expect(app.printed.join("\n")).toContain("Facts of FPB: FPB is not known");
  });

  test("facts can be asked of the selection on the page, and of a provider that has some", async () => {
    eodhd.script.push(() => Response.json(general("Fishing")));
    const page = await (await fetch(`${app.url}/companies?pick=FPD`)).text();
    expect(page).toContain("Facts from EODHD");
    const form = new URLSearchParams({ pick: "FPD", facts_from: "eodhd" });
    const done = await fetch(`${app.url}/companies/facts`, { method: "POST", body: form });
    expect(await done.text()).toContain("Facts of 1 company are being fetched");
    await until("FPD", "Fishing");
    const { status, body } = await app.post("/api/companies/facts", { provider: "binance", symbols: ["FPD"] });
    expect([status, body.detail]).toEqual([422, "provider: Binance has no facts of companies"]);
  });
});
