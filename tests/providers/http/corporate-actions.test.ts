/** Splits and dividends as each vendor words them, and when a vendor's bars may be had. */

import { describe, expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import {
  adjustmentSteps,
  type CorporateAction,
  distinctActions,
  replacedActions,
} from "../../../src/domain/market/corporate-actions.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { providerOn } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import { recordingContext } from "../fetch-context.ts";

const at = (text: string) => Date.parse(`${text}T00:00:00Z`) / 1000;
const ACTIONS: CorporateAction[] = [
  { kind: "split", date: at("2024-02-06"), value: 4 },
  { kind: "split", date: at("2024-03-05"), value: 0.1 },
  { kind: "dividend", date: at("2024-02-09"), value: 0.24 },
  { kind: "dividend", date: at("2024-05-10"), value: 0.25 },
];
const sorted = (actions: readonly CorporateAction[]) => [...actions].sort((a, b) => a.date - b.date);

test("Twelve Data adjusts for splits unless raw prices are wanted, which are another series without splits and dividends", async () => {
  const fake = fakeTwelveData();
  const provider = providerOn(fake, "twelvedata");
  const raw = providerOn(fake, "twelvedata", { TWELVEDATA_ADJUST: "none" });
  expect([provider.traits("AAPL", "1d").adjustment, raw.traits("AAPL", "1d").adjustment]).toEqual(["splits", "none"]);
  expect([provider.withoutActions, raw.withoutActions]).toEqual([undefined, true]);
  const from = Date.UTC(2024, 5, 3) / 1000;
  const window = { symbol: "AAPL", interval: "1d", from, to: from + 7 * 86_400, asOf: from + 60 * 86_400 } as const;
  for (const [each, sent] of [
    [provider, null],
    [raw, "none"],
  ] as const) {
    await each.fetchBars(window, recordingContext());
    expect(fake.urls.at(-1)!.searchParams.get("adjust")).toBe(sent);
  }
  await fake.close();
});

test("Alpaca lists a dividend from its ex-date on, although it processes it weeks later", async () => {
  const fake = fakeAlpaca();
  const today = Math.floor(Date.now() / 1000 / DAY) * DAY;
  const paid = { kind: "dividend" as const, date: today, value: 0.26 };
  fake.market.actions.set("AAPL", [paid]);
  const provider = providerOn(fake, "alpaca");
  expect(await provider.fetchActions!("AAPL", recordingContext())).toEqual([paid]);
  const span = { from: today - 7 * DAY, to: today + DAY, asOf: today + 2 * DAY };
  const part = provider.bulk!.parts(["AAPL", "MSFT"], span).find(({ what }) => what === "actions")!;
  const answers = await provider.bulk!.fetch(part, span, recordingContext());
  expect(answers.get("AAPL")!.actions).toEqual([paid]);
  await fake.close();
});

test("Massive's lists are asked for at their new place when the old one is gone, and a refusal is not taken for that", async () => {
  const fake = fakeMassive();
  fake.always = (_request, { pathname, searchParams }) => {
    if (pathname.startsWith("/v3/reference/")) return Response.json({ status: "NOT_FOUND" }, { status: 404 });
    const ticker = searchParams.get("ticker");
    if (pathname === "/stocks/v1/splits")
      return Response.json({
        status: "OK",
        results: [
          { ticker, execution_date: "2024-02-06", split_from: 1, split_to: 4, adjustment_type: "forward_split" },
        ],
      });
    if (pathname !== "/stocks/v1/dividends") return null;
    return Response.json({ status: "OK", results: [{ ticker, ex_dividend_date: "2024-02-09", cash_amount: 0.24 }] });
  };
  const listed = await providerOn(fake, "massive").fetchActions!("AAPL", recordingContext());
  expect(sorted(listed)).toEqual([
    { kind: "split", date: at("2024-02-06"), value: 4 },
    { kind: "dividend", date: at("2024-02-09"), value: 0.24 },
  ]);
  expect(fake.urls.length).toBe(4);
  fake.always = reply(403, { status: "NOT_AUTHORIZED", message: "You are not entitled to this data." });
  const context = recordingContext();
  await expect(providerOn(fake, "massive").fetchActions!("AAPL", context)).rejects.toThrow("not entitled");
  expect(context.costs.length).toBe(1);
  await fake.close();
});

for (const [name, start] of [
  ["eodhd", fakeEodhd],
  ["massive", fakeMassive],
  ["alpaca", fakeAlpaca],
] as const) {
  describe(`${name}'s lists`, () => {
    test(`${name} lists every split and dividend, as it was paid`, async () => {
      const fake = start();
      fake.market.actions.set("AAPL", ACTIONS);
      const provider = providerOn(fake, name);
      expect(sorted(await provider.fetchActions!("AAPL", recordingContext()))).toEqual(sorted(ACTIONS));
      expect(await provider.fetchActions!("MSFT", recordingContext())).toEqual([]);
      const asked = fake.urls.length;
      expect(await provider.fetchActions!("BTC-USD", recordingContext())).toEqual([]);
      expect(fake.urls.length).toBe(asked);
      await fake.close();
    });

    test(`${name}'s list of actions in another shape is refused`, async () => {
      const fake = start();
      fake.always = reply(200, [{ date: 7 }]);
      await expect(providerOn(fake, name).fetchActions!("AAPL", recordingContext())).rejects.toThrow("unexpected list");
      await fake.close();
    });
  });
}

test("a list of actions whose next page comes again, or that does not end, is not taken for a whole one", async () => {
  const fake = fakeMassive();
  let pages = 0;
  const split = { execution_date: "2024-02-09", split_from: 1, split_to: 2 };
  for (const [next, most, words, results] of [
    [() => "again", 2, "the same next page came twice", []],
    [() => pages, 50, "more than 50 pages", [split]],
    [() => pages, 10, "10 pages in a row are empty, and name a next one", []],
  ] as const) {
    pages = 0;
    fake.always = () => {
      pages += 1;
      return Response.json({ status: "OK", results, next_url: `${fake.url}/v3/reference/splits?cursor=${next()}` });
    };
    const error = await providerOn(fake, "massive").fetchActions!("AAPL", recordingContext()).catch((thrown) => thrown);
    expect([error.kind, error.message, pages]).toEqual(["invalid_response", `Massive (Polygon): ${words}`, most]);
  }
  await fake.close();
});

test("a list as long as an answer may be, without a next page, is said to be perhaps cut, and what a plan leaves out is said", async () => {
  const fake = fakeMassive();
  const paid = { ticker: "AAPL", ex_dividend_date: "2024-02-09", cash_amount: 0.24 };
  fake.script.push(
    reply(200, { status: "OK", results: [] }),
    reply(200, { status: "OK", results: Array(1_000).fill(paid) }),
  );
  const context = recordingContext();
  expect((await providerOn(fake, "massive").fetchActions!("AAPL", context)).length).toBe(1_000);
  expect(context.logs).toContain("warn: Massive (Polygon): a list of 1000 splits or dividends may be cut");
  await fake.close();

  const free = fakeEodhd();
  const warning = "Data is limited by one year as you have free subscription";
  free.script.push(reply(200, [{ warning }]), reply(200, [{ date: "2026-08-20", value: 0.3, warning }]));
  const said = recordingContext();
  const listed = await providerOn(free, "eodhd").fetchActions!("AAPL", said);
  expect(listed).toEqual([{ kind: "dividend", date: at("2026-08-20"), value: 0.3 }]);
  const warned = said.logs.filter((line) => line.startsWith("warn"));
  expect(warned).toEqual(Array(2).fill(`warn: EODHD: list of splits or dividends: ${warning}`));
  await free.close();
});

test("Tiingo's actions come with the bars", async () => {
  const fake = fakeTiingo();
  fake.market.actions.set("AAPL", ACTIONS);
  const provider = providerOn(fake, "tiingo");
  expect(provider.fetchActions).toBeUndefined();
  const window = { symbol: "AAPL", interval: "1d" as const, from: at("2024-01-02"), to: at("2024-06-01") };
  const { actions } = await provider.fetchBars({ ...window, asOf: at("2024-07-01") }, recordingContext());
  expect(sorted(actions!)).toEqual(sorted(ACTIONS));
  await fake.close();
});

test("a vendor's bars are available once its delay after the close, or after the bar, is over", async () => {
  const session = CALENDAR.sessionOn("us_equity", at("2024-07-16"))!;
  const [slow, quick] = [fakeEodhd(), fakeMassive()];
  const eodhd = providerOn(slow, "eodhd");
  expect(eodhd.finalAt!("AAPL", "1d", session.date)).toBe(session.close + 7.25 * 3600);
  expect(eodhd.finalAt!("AAPL", "1h", session.open)).toBe(session.close + 7.25 * 3600);
  expect(eodhd.finalAt!("BTC-USD", "1d", session.date)).toBe(session.date + DAY + 3 * 3600);
  expect(providerOn(quick, "massive").finalAt!("AAPL", "5m", session.open)).toBe(session.open + 300 + 16 * 60);
  await slow.close();
  await quick.close();
});

describe("dividends and their currency", () => {
  const listOf = async (symbol: string, dividends: unknown[]) => {
    const fake = fakeEodhd();
    fake.script.push(reply(200, []), reply(200, dividends));
    const actions = await providerOn(fake, "eodhd").fetchActions!(symbol, recordingContext());
    await fake.close();
    return actions;
  };
  const paid = { date: "2026-08-20", value: 0.045, unadjustedValue: 0.045 };

  test("a dividend in pounds is counted in pence, as London quotes prices", async () => {
    const [dividend] = await listOf("VOD@LSE", [{ ...paid, currency: "GBP" }]);
    expect([dividend!.value, dividend!.currency]).toEqual([4.5, undefined]);
    expect(adjustmentSteps([dividend!], at("2026-09-01"), () => 70)[0]!.price * 70).toBeCloseTo(65.5, 10);
  });

  test("a fund in London that is quoted in pounds keeps its dividend, and an unknown currency changes no price", async () => {
    const [dividend] = await listOf("VUSA@LSE", [{ ...paid, value: 0.22, unadjustedValue: 0.22, currency: "GBP" }]);
    expect([dividend!.value, dividend!.currency]).toEqual([0.22, undefined]);
    const fake = fakeEodhd();
    fake.script.push(reply(200, []), reply(200, [{ ...paid, currency: "GBP" }]), reply(200, []));
    const context = recordingContext();
    const [unknown] = await providerOn(fake, "eodhd").fetchActions!("VOD@LSE", context);
    expect([unknown!.value, unknown!.currency]).toEqual([0.045, "GBP"]);
    expect(context.logs).toContain("warn: EODHD: the currency of the prices of VOD@LSE is not known");
    // Nothing is looked up for payments that need none.
    fake.urls.length = 0;
    fake.script.push(reply(200, []), reply(200, [{ ...paid, currency: "USD" }]));
    await providerOn(fake, "eodhd").fetchActions!("AAPL", context);
    expect(fake.urls.length).toBe(2);
    await fake.close();
  });

  test("a dividend in another currency than the prices changes no price", async () => {
    const [dividend] = await listOf("VOD@LSE", [{ ...paid, currency: "EUR" }]);
    expect([dividend!.value, dividend!.currency]).toEqual([0.045, "EUR"]);
    expect(adjustmentSteps([dividend!], at("2026-09-01"), () => 70)).toEqual([]);
  });

  test("one odd entry of a list is left out with a line in the log, and the others are kept", async () => {
    const fake = fakeEodhd();
    fake.script.push(reply(200, []), reply(200, [paid, null, { note: "late" }, { ...paid, date: "2026-11-20" }]));
    const context = recordingContext();
    const actions = await providerOn(fake, "eodhd").fetchActions!("AAPL", context);
    expect(actions.map(({ date }) => date)).toEqual([at("2026-08-20"), at("2026-11-20")]);
    expect(context.logs.join("\n")).toContain("2 of 4 entries left out");
    await fake.close();
  });
});

test("an action whose date or value cannot be read is left out and said, wherever it comes from", async () => {
  const fake = fakeEodhd();
  fake.script.push(
    reply(200, [
      { date: "2026-02-10", split: "4:1" },
      { date: "2026-02-30", split: "2/1" },
    ]),
    reply(200, [{ date: "2026-08-20", value: 0 }]),
  );
  const context = recordingContext();
  expect(await providerOn(fake, "eodhd").fetchActions!("AAPL", context)).toEqual([]);
  const first = '{"date":"2026-02-10","split":"4:1"}';
  expect(context.logs.filter((line) => line.startsWith("warn"))).toEqual([
    `warn: EODHD: splits or dividends without a usable date or value left out, the first: ${first}`,
  ]);
  await fake.close();

  const rows = fakeTiingo();
  const row = { open: 1, high: 1, low: 1, close: 1, volume: 1, splitFactor: 1 };
  const dates = ["2026-02-27", "2026-02-30"].map((date) => ({ ...row, date: `${date}T00:00:00.000Z`, divCash: 0.5 }));
  rows.script.push(reply(200, dates));
  const window = { symbol: "AAPL", interval: "1d" as const, from: at("2026-02-23"), to: at("2026-03-07") };
  const { actions } = await providerOn(rows, "tiingo").fetchBars(
    { ...window, asOf: at("2026-04-01") },
    recordingContext(),
  );
  expect(actions).toEqual([{ kind: "dividend", date: at("2026-02-27"), value: 0.5 }]);
  await rows.close();
});

test("an action with an impossible date or value is left out, so that no price is multiplied by it", async () => {
  const fake = fakeEodhd();
  fake.script.push(
    reply(200, [
      { date: "2026-02-10", split: "2.000000/1.000000" },
      { date: "2026-02-11", split: "1e300/1" },
      { date: "2026-02-12", split: "1/1e300" },
      { date: "2026-02-13", split: "-2/1" },
      { date: "9999-02-13", split: "2/1" },
    ]),
    reply(200, [{ date: "2026-03-02", value: 1e308, unadjustedValue: 1e308, currency: "USD" }]),
  );
  const context = recordingContext();
  const found = await providerOn(fake, "eodhd").fetchActions!("AAPL", context);
  expect(found).toEqual([{ kind: "split", date: at("2026-02-10"), value: 2 }]);
  expect(context.logs.filter((line) => line.startsWith("warn"))).toHaveLength(2);
  await fake.close();
});

describe("actions of one day", () => {
  test("several of one day are all kept and applied together, and an entry that came twice counts once", () => {
    const date = at("2026-08-20");
    const listed = distinctActions([
      { kind: "dividend", date, value: 0.32 },
      { kind: "dividend", date, value: 4 },
      { kind: "dividend", date, value: 4 },
      { kind: "split", date, value: 2 },
      { kind: "split", date, value: 5 },
    ]);
    expect(listed.map(({ kind, value }) => [kind, value])).toEqual([
      ["dividend", 0.32],
      ["dividend", 4],
      ["split", 2],
      ["split", 5],
    ]);
    expect(adjustmentSteps(listed.slice(0, 2), date + DAY, () => 100)[0]!.price * 100).toBeCloseTo(95.68, 10);
    expect(adjustmentSteps(listed.slice(2), date + DAY, () => 100)).toEqual([{ date, price: 0.1, volume: 10 }]);
  });

  test("one payment that is listed in two currencies counts in that of the prices", () => {
    const date = at("2026-08-20");
    const both = [
      { kind: "dividend" as const, date, value: 0.045, currency: "EUR" },
      { kind: "dividend" as const, date, value: 4.5 },
    ];
    expect(distinctActions(both)).toEqual([both[1]!]);
  });
});

describe("an answer with other actions than the known ones", () => {
  const dividend = (date: string, value: number) => ({ kind: "dividend" as const, date: at(date), value });
  const split = (date: string, value: number) => ({ kind: "split" as const, date: at(date), value });

  test("others of the same day replace the known ones, and a day that it lacks stays", () => {
    const known = [dividend("2026-05-20", 0.3), dividend("2026-08-20", 4.32)];
    expect(replacedActions(known, [dividend("2026-08-20", 0.32), dividend("2026-08-20", 4)])).toEqual([known[1]!]);
    expect(replacedActions(known, [])).toEqual([]);
  });

  test("an action that has moved to another day counts once", () => {
    const known = [split("2026-08-06", 10), dividend("2026-08-18", 0.3)];
    expect(replacedActions(known, [split("2026-08-20", 10), dividend("2026-08-20", 0.3)])).toEqual(known);
    // The next payment of a quarter is another one, and what is listed on both days are two.
    expect(replacedActions(known, [dividend("2026-11-18", 0.3)])).toEqual([]);
    expect(replacedActions(known, [split("2026-08-06", 10), split("2026-08-20", 10)])).toEqual([]);
  });

  test("an answer of some days leaves an equal payment of the week before alone, and moves those of its own days", () => {
    const known = [dividend("2026-08-13", 0.1), dividend("2026-08-18", 0.1), split("2026-07-20", 0.1)];
    const answer = [dividend("2026-08-20", 0.1), split("2026-08-20", 0.1)];
    expect(replacedActions(known, answer, at("2026-08-17"))).toEqual([known[1]!]);
  });
});
