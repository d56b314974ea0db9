import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../../src/config.ts";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { PROVIDERS } from "../../../src/providers/registry.ts";
import { startApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

test("a calendar file that cannot be used stops the start and says why", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "calendar.json");
  const read = () => readConfig({ BARKEEP_CALENDAR: path }, PROVIDERS);
  expect(read).toThrow("BARKEEP_CALENDAR");
  for (const [text, complaint] of [
    ['{"closed": ["soon"]}', '"soon" is not a date'],
    ['{"closed": ', "JSON"],
    ['{"shut": []}', '"shut" is not one of closed, early, open'],
  ] as const) {
    writeFileSync(path, text);
    expect(read).toThrow(complaint);
  }
  writeFileSync(path, '{"closed": ["2025-06-10"]}');
  expect(read().sessions).toEqual({ closed: ["2025-06-10"] });
});

test("a day that the calendar file closes has no bars, without a release", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "calendar.json");
  const now = Date.now() / 1000;
  const sessions = CALENDAR.sessionsBetween("us_equity", now - 60 * DAY, now - 30 * DAY);
  const dates = sessions.map(({ date }) => new Date(date * 1000).toISOString().slice(0, 10));
  const closed = dates[7]!;
  writeFileSync(path, JSON.stringify({ closed: [closed] }));
  await using app = await startApp({ env: { BARKEEP_CALENDAR: path } });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  const { text } = await app.get(`/api/bars/AAPL?interval=1d&from=${dates[0]}&to=${dates.at(-1)}&format=csv`);
  const stored = dates.filter((date) => text.includes(date));
  expect(stored).toContain(dates[8]!);
  expect(stored).not.toContain(closed);
}, 60_000);
