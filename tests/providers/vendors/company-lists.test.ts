/** The vendors' lists of companies: paths, pages, spellings, facts, odd elements. */

import { afterAll, describe, expect, test } from "bun:test";
import { strToU8, zipSync } from "fflate";
import { providerOn } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import { recordingContext } from "../fetch-context.ts";

const fakes = {
  alpaca: fakeAlpaca(),
  massive: fakeMassive(),
  twelvedata: fakeTwelveData(),
  tiingo: fakeTiingo(),
  eodhd: fakeEodhd(),
};
afterAll(() => Promise.all(Object.values(fakes).map((fake) => fake.close())));

/** The list that a vendor gives of `exchange`, answered with `answers`, and what it was asked. */
async function listOf(name: keyof typeof fakes, exchange: string, ...answers: Parameters<typeof reply>[1][]) {
  const fake = fakes[name];
  fake.urls.length = 0;
  fake.script.push(...answers.map((answer) => reply(200, answer)));
  const context = recordingContext();
  const companies = await providerOn(fake, name).listCompanies!(exchange, context);
  const asked = fake.urls.map(({ pathname, searchParams }) => {
    searchParams.delete("apikey");
    return `${pathname}?${searchParams}`;
  });
  return { companies, asked, context };
}
const LISTED = { delisted_on: "" };

describe("lists of companies", () => {
  test("a list that ends with as many entries as a page holds may be cut, and says so", async () => {
    const results = Array.from({ length: 1_000 }, (_, at) => ({ ticker: `Q${at}`, name: "Q" }));
    const { companies, context } = await listOf("massive", "US", { status: "OK", results });
    expect(companies.length).toBe(1_000);
    expect(context.logs).toContain("warn: Massive (Polygon): the list of US ends with 1000 entries and may be cut");
  });

  test("Massive's pages are followed, each with a permit, in the spelling of this program", async () => {
    const next = `${fakes.massive.url}/v3/reference/tickers?cursor=abc`;
    const apple = { ticker: "AAPL", name: "Apple Inc.", primary_exchange: "XNAS", type: "CS", currency_name: "usd" };
    const { companies, asked, context } = await listOf(
      "massive",
      "US",
      { status: "OK", results: [{ ...apple, composite_figi: "BBG000B9XRY4" }, { ticker: 7 }], next_url: next },
      { status: "OK", results: [{ ticker: "BACpL", type: "PFD" }, { ticker: "ABCw" }] },
    );
    expect(companies).toEqual([
      {
        symbol: "AAPL",
        name: "Apple Inc.",
        exchange: "XNAS",
        facts: { ...LISTED, type: "stock", currency: "USD", country: "United States", figi: "BBG000B9XRY4" },
      },
      { symbol: "BAC.PL", name: "", exchange: "", facts: { ...LISTED, type: "preferred", country: "United States" } },
    ]);
    expect(asked).toEqual([
      "/v3/reference/tickers?market=stocks&active=true&sort=ticker&order=asc&limit=1000",
      "/v3/reference/tickers?cursor=abc",
    ]);
    expect(context.costs.length).toBe(2);
    expect(context.logs.join()).toContain("1 of 2 entries left out");
  });

  test("Massive's delisted tickers have the day, its pairs their two currencies", async () => {
    const gone = { ticker: "TWTR", name: "Twitter", type: "CS", delisted_utc: "2022-11-08T05:00:00Z" };
    const delisted = await listOf("massive", "DELISTED", { status: "OK", results: [gone] });
    expect(delisted.companies[0]!.facts).toMatchObject({ delisted_on: "2022-11-08" });
    expect(delisted.asked[0]).toContain("active=false");
    const pair = { ticker: "X:BTCUSD", base_currency_symbol: "BTC", currency_symbol: "USD" };
    const { companies } = await listOf("massive", "CRYPTO", { status: "OK", results: [pair] });
    expect(companies).toMatchObject([{ symbol: "BTC-USD", facts: { type: "crypto" } }]);
  });

  test("a list whose next page comes again is caught", async () => {
    const answer = { status: "OK", results: [], next_url: `${fakes.massive.url}/v3/reference/tickers?cursor=abc` };
    const failure = await listOf("massive", "US", answer, answer).catch((error) => error);
    expect([failure.kind, failure.message]).toEqual([
      "invalid_response",
      "Massive (Polygon): the same next page came twice",
    ]);
  });

  test("Alpaca's assets are listed in the spelling of this program, pairs of currencies from a list of their own", async () => {
    const { companies, asked } = await listOf("alpaca", "US", [
      { id: "1", class: "us_equity", symbol: "BRK.B", name: "Berkshire Hathaway", exchange: "NYSE", status: "active" },
      { id: "2", class: "us_equity", symbol: "BAC.PRL", name: "BofA L", exchange: "NYSE", status: "active" },
      { id: "3" },
    ]);
    expect(asked).toEqual(["/v2/assets?status=active&asset_class=us_equity"]);
    expect(companies.map(({ symbol, name, exchange }) => [symbol, name, exchange])).toEqual([
      ["BRK.B", "Berkshire Hathaway", "NYSE"],
      ["BAC.PL", "BofA L", "NYSE"],
    ]);
    const crypto = await listOf("alpaca", "CRYPTO", [{ symbol: "BTC/USD", name: "Bitcoin", exchange: "CRYPTO" }]);
    expect(crypto.companies).toMatchObject([{ symbol: "BTC-USD", facts: { type: "crypto" } }]);
  });

  test("Twelve Data's stocks are listed with those facts that say something", async () => {
    const apple = {
      symbol: "AAPL",
      name: "Apple Inc",
      currency: "USD",
      exchange: "NASDAQ",
      mic_code: "XNGS",
      country: "United States",
      type: "Common Stock",
      figi_code: "BBG000B9Y5X2",
      isin: "request_access_via_add_ons",
    };
    const { companies, asked } = await listOf("twelvedata", "US", { data: [apple], status: "ok" });
    expect(asked).toEqual(["/stocks?country=United+States&format=JSON"]);
    expect(companies[0]!.facts).toEqual({
      ...LISTED,
      type: "stock",
      currency: "USD",
      country: "United States",
      figi: "BBG000B9Y5X2",
    });
    const london = await listOf("twelvedata", "LSE", {
      data: [{ symbol: "VOD", currency: "GBp", type: "Common Stock" }],
    });
    expect(london.companies).toMatchObject([{ symbol: "VOD@LSE", facts: { currency: "GBX" } }]);
    expect(london.asked).toEqual(["/stocks?exchange=LSE&format=JSON"]);
    const refused = await listOf("twelvedata", "US", { code: 401, message: "apikey is wrong", status: "error" }).catch(
      (error) => error,
    );
    expect(refused.kind).toBe("auth");
  });

  test("Tiingo's list is a zip; a ticker with several owners is its newest one", async () => {
    const recent = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    const csv = [
      "ticker,exchange,assetType,priceCurrency,startDate,endDate",
      `AAPL,NASDAQ,Stock,USD,1980-12-12,${recent}`,
      `BRK-B,NYSE,Stock,USD,1996-05-09,${recent}`,
      `BAC-P-L,NYSE,Stock,USD,2008-01-31,${recent}`,
      `REUSE,NYSE,Stock,USD,2020-01-02,${recent}`,
      "REUSE,NYSE,Stock,USD,2000-01-03,2012-05-01",
      "GONE,NYSE,Stock,USD,2000-01-03,2015-06-30",
      "000001,SHE,Stock,CNY,2007-01-04,2024-03-01",
      `VFINX,NASDAQ,Mutual Fund,USD,1987-01-02,${recent}`,
      "",
    ].join("\n");
    const zip = zipSync({ "supported_tickers.csv": strToU8(csv) });
    const fake = fakes.tiingo;
    fake.always = () =>
      new Response(zip as Uint8Array<ArrayBuffer>, { headers: { "content-type": "application/zip" } });
    const now = await listOf("tiingo", "US");
    expect(now.asked).toEqual(["/docs/tiingo/daily/supported_tickers.zip?"]);
    expect(now.companies.map(({ symbol }) => symbol).sort()).toEqual(["AAPL", "BAC.PL", "BRK.B", "REUSE"]);
    const before = await listOf("tiingo", "DELISTED");
    expect(before.companies).toMatchObject([{ symbol: "GONE", facts: { delisted_on: "2015-06-30", type: "stock" } }]);
    for (const nonsense of [new Uint8Array([80, 75, 3, 4, 1, 2]), "<html><body>oops</body></html>"]) {
      fake.always = () => new Response(nonsense as Uint8Array<ArrayBuffer>);
      expect((await listOf("tiingo", "US").catch((error) => error)).kind).toBe("invalid_response");
    }
    fake.always = reply(429, { detail: "Error: You have run over your hourly request allocation." });
    expect((await listOf("tiingo", "US").catch((error) => error)).kind).toBe("quota_exceeded");
    fake.always = null;
  });

  test("EODHD's list gives currency, country and ISIN", async () => {
    const vod = {
      Code: "VOD",
      Name: "Vodafone",
      Exchange: "LSE",
      Type: "Common Stock",
      Country: "UK",
      Currency: "GBX",
    };
    const { companies } = await listOf("eodhd", "LSE", [{ ...vod, Isin: "GB00BH4HKS39" }]);
    expect(companies).toEqual([
      {
        symbol: "VOD@LSE",
        name: "Vodafone",
        exchange: "LSE",
        facts: { ...LISTED, type: "stock", country: "United Kingdom", currency: "GBX", isin: "GB00BH4HKS39" },
      },
    ]);
  });
});

describe("facts of one company", () => {
  async function factsOf(name: keyof typeof fakes, symbol: string, status: number, answer: unknown) {
    const fake = fakes[name];
    fake.urls.length = 0;
    fake.always = reply(status, answer);
    const context = recordingContext();
    const found = await providerOn(fake, name).fetchFacts!(symbol, context).catch((error) => error);
    fake.always = null;
    return { found, path: fake.urls[0]!.pathname, costs: context.costs };
  }

  test("EODHD's fundamentals cost ten units and give sector, industry and the day of listing", async () => {
    const general = {
      Code: "AAPL",
      Type: "Common Stock",
      Name: "Apple Inc",
      Exchange: "NASDAQ",
      CurrencyCode: "USD",
      CountryName: "USA",
      ISIN: "US0378331005",
      OpenFigi: "BBG000B9XRY4",
      IPODate: "1980-12-12",
      Sector: "Technology",
      Industry: "Consumer Electronics",
      IsDelisted: false,
      DelistedDate: "0000-00-00",
    };
    const { found, path, costs } = await factsOf("eodhd", "BRK.B", 200, general);
    expect([path, costs]).toEqual(["/api/fundamentals/BRK-B.US", [10]]);
    expect(found).toEqual({
      symbol: "BRK.B",
      name: "Apple Inc",
      exchange: "NASDAQ",
      facts: {
        type: "stock",
        currency: "USD",
        country: "United States",
        sector: "Technology",
        industry: "Consumer Electronics",
        listed_on: "1980-12-12",
        isin: "US0378331005",
        figi: "BBG000B9XRY4",
      },
    });
    const refused = await factsOf("eodhd", "AAPL", 403, "Only EOD data allowed for free users. Please upgrade.");
    expect(refused.found.kind).toBe("plan");
    const unread = await factsOf("eodhd", "AAPL", 200, []);
    expect([unread.found.kind, unread.costs]).toEqual(["invalid_response", [10, 10, 10]]);
  });

  test("Massive's details give the industry and the day of listing", async () => {
    const results = {
      ticker: "AAPL",
      name: "Apple Inc.",
      type: "CS",
      primary_exchange: "XNAS",
      currency_name: "usd",
      sic_description: "ELECTRONIC COMPUTERS",
      list_date: "1980-12-12",
    };
    const { found, path } = await factsOf("massive", "AAPL", 200, { status: "OK", results });
    expect(path).toBe("/v3/reference/tickers/AAPL");
    expect(found.facts).toEqual({
      type: "stock",
      currency: "USD",
      industry: "Electronic computers",
      listed_on: "1980-12-12",
    });
    const unknown = await factsOf("massive", "NOPE", 404, { status: "NOT_FOUND", message: "Ticker not found." });
    expect([unknown.found.kind, unknown.found.message]).toEqual(["unknown_symbol", expect.stringContaining("NOPE")]);
  });
});
