/** Prices and actions that contradict each other, as people and programs see them. */

import { expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { startApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";

test("a change of scale is on the profile, the run, in both APIs and in an alert", async () => {
  using folder = temporaryFolder();
  const today = Math.floor(Date.now() / 1000 / DAY) * DAY;
  const dates = CALENDAR.sessionsBetween("us_equity", today - 200 * DAY, today - 2 * DAY).map(({ date }) => date);
  const jump = dates[80]!;
  const rows = dates.map((date, at) => {
    const close = (605 + (at % 7)) * (date < jump ? 1 : 0.01);
    return `${isoDate(date)},${close},${close},${close},${close},1000`;
  });
  await Bun.write(`${folder.path}/ODD-1d.csv`, ["date,open,high,low,close,volume", ...rows].join("\n"));
  await using app = await startApp({ env: { BARKEEP_CSV_DIR: folder.path } });
  const run = await app.start({ symbols: ["ODD"], provider: "files", years: 1 });
  await app.waitForRun(run, "complete", "failed");

  const { body } = await app.get("/api/profiles/ODD");
  expect(body.health).toBe("suspicious");
  const ratio = expect.closeTo(0.01, 3);
  expect(body.findings).toEqual([{ kind: "scale_change", date: isoDate(jump), ratio, jump_date: null }]);
  const { body: listed } = await app.get("/api/profiles?health=suspicious");
  expect(listed.profiles.map(({ symbol }: { symbol: string }) => symbol)).toEqual(["ODD"]);

  const words = `from ${isoDate(jump)} on prices are 0.01 times those before, and no split or dividend explains it`;
  for (const page of ["/profiles/ODD", `/runs/${run}`])
    expect((await app.get(page)).text.replaceAll(/<[^>]*>/g, "")).toContain(words);
  const [event] = await app.app.db.rows("SELECT kind, event FROM alert_events WHERE kind = 'revision_found'", []);
  expect(JSON.parse(String(event![1]))).toMatchObject({ what: "scale", detail: words });
});
