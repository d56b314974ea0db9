/** The quotas that are alerted. */

import { expect, test } from "bun:test";
import { MailDispatcher } from "../../src/alerts/mail-dispatcher.ts";
import { QuotaAlerts, quotasAt } from "../../src/alerts/quota-alerts.ts";
import type { QuotaState } from "../../src/providers/quotas/quota-state.ts";
import { newEvents } from "../../src/storage/alerts/outbox.ts";
import { openDatabase } from "../../src/storage/db.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

const NOW = Date.UTC(2026, 0, 15, 12);
const state = (gauges: [period: "minute" | "hour" | "day" | "month", used: number, limit: number][]): QuotaState => ({
  provider: "demo",
  gauges: gauges.map(([period, used, limit]) => {
    return { period, counts: "requests", used, limit, resetsAt: period === "minute" ? null : NOW / 1000 + 60 };
  }),
  hold: null,
  waiting: 0,
  spenders: [],
  latencyMs: null,
  unitsPerRequest: 1,
});

test("quota alerts watch a day or a month at the level; minutes and hours are there to be used up", () => {
  const found = quotasAt(
    80,
    [
      state([
        ["minute", 8, 8],
        ["hour", 50, 50],
        ["day", 80, 100],
        ["month", 79, 100],
      ]),
    ],
    NOW,
  );
  expect(found.map(({ period, used }) => [period, used])).toEqual([["day", 80]]);
  expect(quotasAt(80, [state([["day", 0, 0]])], NOW)).toEqual([]);
});

test("a quota alert is raised once a period, also by the next process", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const log = { write: () => {} };
  const outbox = await MailDispatcher.open({ db, log });
  const written = Promise.withResolvers<void>();
  const notify = outbox.notify.bind(outbox);
  outbox.notify = () => {
    notify();
    written.resolve();
  };
  const day = [state([["day", 90, 100]])];
  const watch = new QuotaAlerts({ db, log, outbox });
  watch.check(day, NOW);
  watch.check(day, NOW + 1_000);
  await written.promise;
  const next = new QuotaAlerts({ db, log, outbox });
  const again = Promise.withResolvers<void>();
  outbox.notify = () => again.resolve();
  next.check(day, NOW + 2_000);
  await again.promise;
  expect((await newEvents(db, 10)).map(({ event }) => event)).toEqual([
    {
      kind: "quota_level",
      at: NOW,
      provider: "demo",
      period: "day",
      counts: "requests",
      used: 90,
      limit: 100,
      resetsAt: NOW / 1000 + 60,
    },
  ]);
  db.close();
});
