/** From end to end: a vendor revises bars or leaves gaps, and the recipients get mails. */

import { expect, test } from "bun:test";
import { DEFAULT_ALERT_RULES } from "../../src/domain/alerts.ts";
import { CALENDAR } from "../../src/domain/market/calendar.ts";
import { startMailServer } from "../fakes/smtp.ts";
import { fakeEodhd } from "../fakes/vendors/eodhd.ts";
import { FAKE_KEY } from "../fakes/vendors/vendor.ts";
import { startApp } from "../helpers/app.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";

const MINUTE = 60_000;

test("a split, a correction, a suspicious answer and holes of one morning are two mails with links to the profiles", async () => {
  await using mails = await startMailServer();
  const vendor = fakeEodhd();
  await using _ = { [Symbol.asyncDispose]: () => vendor.close() };
  const clock = new VirtualClock(Date.now());
  await using app = await startApp({
    clock,
    env: {
      BARKEEP_PROVIDER: "eodhd",
      EODHD_API_KEY: FAKE_KEY,
      EODHD_BASE_URL: vendor.url,
      SMTP_URL: mails.url,
      ALERT_TO: "ops@example.com",
      BARKEEP_URL: "https://barkeep.example.com",
    },
  });
  const { outbox, db } = app.app;
  await outbox.changeRules({ ...DEFAULT_ALERT_RULES, on: { ...DEFAULT_ALERT_RULES.on, gap_found: true } });
  const order = { symbols: ["AAPL", "MSFT", "SPY"], years: 1, batch_days: 91 };
  await app.waitForRun(await app.start(order), "complete", "failed");
  expect(await db.rows("SELECT count(*) FROM alert_events WHERE kind LIKE '%found'", [])).toEqual([[0]]);

  const now = Date.now() / 1000;
  const dates = CALENDAR.sessionsBetween("us_equity", now - 300 * 86_400, now - 20 * 86_400).map(({ date }) => date);
  const [corrected, missing] = [[dates[20]!, dates[100]!], [dates[50]!]];
  vendor.market.known.add("BRK.B");
  vendor.market.edit = (symbol, _interval, bar) => {
    if (symbol === "AAPL") {
      const times = (value: number | null, factor: number) => Math.round(value! * factor * 1e4) / 1e4;
      const { open, high, low, close, volume } = bar;
      return {
        ts: bar.ts,
        open: times(open, 4),
        high: times(high, 4),
        low: times(low, 4),
        close: times(close, 4),
        volume: volume! / 4,
      };
    }
    if (symbol === "MSFT" && corrected.includes(bar.ts)) return { ...bar, volume: bar.volume! + 1 };
    return symbol !== "MSFT" && missing.includes(bar.ts) ? null : bar;
  };
  await app.waitForRun(await app.start({ ...order, symbols: [...order.symbols, "BRK.B"] }), "complete", "failed");
  await outbox.idle();
  expect(mails.mails).toEqual([]);
  // The quarter of an hour of each digest begins when the first of its kind is found.
  await clock.advance(20 * MINUTE);
  await outbox.idle();
  await clock.advance(20 * MINUTE);
  await mails.arrived(2);
  await outbox.idle();
  const found = new Map(mails.mails.map((mail) => [mail.subject!.split(":")[0], mail]));
  expect([...found.keys()].toSorted()).toEqual(["Gap found", "Revised history"]);
  expect(mails.mails.length).toBe(2);

  const revised = found.get("Revised history")!;
  const day = (ts: number) => new Date(ts * 1000).toISOString().slice(0, 10);
  const days = `${day(corrected[0]!)} to ${day(corrected[1]!)}`;
  expect(revised.text).toMatch(
    /^AAPL +1d +eodhd +Split +\d{3} +\S+ to \S+ +Older prices were multiplied by 4\.000000/m,
  );
  expect(revised.text).toMatch(new RegExp(`^MSFT +1d +eodhd +Correction +2 +${days} +The old values are kept`, "m"));
  expect(revised.text).toMatch(new RegExp(`^SPY +1d +eodhd +Suspicious answer +1 +${day(missing[0]!)} `, "m"));
  expect(revised.html).toContain('<a href="https://barkeep.example.com/profiles/AAPL?interval=1d">AAPL</a>');

  const gap = found.get("Gap found")!;
  expect(gap.subject).toBe("Gap found: BRK.B, 1 session");
  expect(gap.text).toMatch(new RegExp(`^BRK\\.B +1d +eodhd +1 session +${day(missing[0]!)}$`, "m"));
  expect(gap.text).toContain("https://barkeep.example.com/profiles/BRK.B?interval=1d");
});
