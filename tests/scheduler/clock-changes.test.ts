import { expect, test } from "bun:test";
import type { QuotaRow } from "../../src/providers/quotas/quota-state.ts";
import { RateLimiter } from "../../src/providers/quotas/rate-limiter.ts";
import { ClockChanges } from "../../src/scheduler/clock-changes.ts";
import { spendRecord } from "../../src/scheduler/quotas/spend-record.ts";
import { openDatabase } from "../../src/storage/db.ts";
import { readQuotas } from "../../src/storage/quotas/limiter-state.ts";
import { UsageStore } from "../../src/storage/quotas/usage.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";

const HOUR = 3_600_000;
const nothing = { rows: () => [] };

test("a clock that is set while the server runs is noticed within seconds, said once, and handed on", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const clock = new VirtualClock();
  const lines: string[] = [];
  const changes = new ClockChanges({ db, clock, log: { write: (_, line) => void lines.push(line) } });
  let told = 0;
  await changes.start(() => void told++);
  await clock.advance(10_000);
  expect(told).toBe(0);
  clock.set(-HOUR);
  await clock.advance(60_000);
  clock.set(7 * 24 * HOUR);
  await clock.advance(60_000);
  expect(told).toBe(2);
  expect(lines).toEqual([
    expect.stringContaining("was set back by 1 hour."),
    expect.stringContaining("was set forwards by 7 days."),
  ]);
  changes.close();
  db.close();
});

test("a clock that was set while the server did not run is known by the time since boot, and a new boot tells nothing", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const clock = new VirtualClock();
  const lines: string[] = [];
  let boot = "first";
  const start = () => {
    const log = { write: (_: string, line: string) => void lines.push(line) };
    return new ClockChanges({ db, clock, log, boot: () => ({ boot, uptime: clock.steady() }) });
  };
  const first = start();
  expect(await first.sinceLastStart(nothing)).toBe(0);
  await first.start(() => {});
  first.close();
  await clock.advance(3 * HOUR);
  expect(await start().sinceLastStart(nothing)).toBe(0);
  clock.set(-26 * HOUR);
  expect(await start().sinceLastStart(nothing)).toBe(-26 * HOUR);
  expect(lines).toEqual([expect.stringMatching(/was set back by 1\.1 days while Barkeep did not run/)]);
  boot = "second";
  expect(await start().sinceLastStart(nothing)).toBe(0);
  db.close();
});

test.each([
  ["back", -HOUR],
  ["forwards", HOUR],
])(
  "requests that were sent right after the clock was set %s count after a kill that came before it was noticed",
  async (_, step) => {
    using folder = temporaryFolder();
    const db = await openDatabase(await migratedDatabase(folder));
    const clock = new VirtualClock(Date.UTC(2026, 0, 15, 12));
    const rules = [
      { provider: "acme", account: "acme:1", limits: [{ period: "minute", counts: "requests", limit: 5 } as const] },
    ];
    const start = async () => {
      const log = { write() {} };
      const changes = new ClockChanges({ db, clock, log, boot: () => ({ boot: "one", uptime: clock.steady() }) });
      const usage = await UsageStore.open(
        db,
        () => {},
        () => clock.now(),
      );
      const limiter = new RateLimiter(rules, { clock, ...spendRecord(db, usage, changes) });
      limiter.restore((await readQuotas(db)) as QuotaRow[], await changes.sinceLastStart(limiter));
      return { changes, limiter };
    };
    const first = await start();
    await first.changes.start(() => {});
    clock.set(step);
    const permit = await first.limiter.acquire({ provider: "acme", run: "r", job: "0", cost: 1 });
    permit.settle({});
    first.changes.close();
    first.limiter.close();
    clock.set(-3 * step);
    const second = await start();
    expect(second.limiter.state("acme")?.gauges[0]?.used).toBe(1);
    // A clock that is only kept in step is not written again with every request.
    await second.changes.start(() => {});
    expect(second.changes.mark().writes).toEqual([]);
    second.changes.close();
    second.limiter.close();
    // The second server sent nothing, but it marked its clock.
    clock.set(5 * step);
    const third = await start();
    expect(third.limiter.state("acme")?.gauges[0]?.used).toBe(1);
    third.changes.close();
    third.limiter.close();
    db.close();
  },
);

test("requests of the last minute count in full after restarts with a lower and a higher limit", () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 15, 12));
  const limiterOf = (limit: number) =>
    new RateLimiter(
      [{ provider: "acme", account: "acme:1", limits: [{ period: "minute", counts: "requests", limit }] }],
      { clock },
    );
  const stored: QuotaRow[] = [{ account: "acme:1", period: "minute", startedAt: clock.now() / 1_000, used: 90 }];
  const lower = limiterOf(20);
  lower.restore(stored);
  const higher = limiterOf(100);
  higher.restore(lower.rows());
  expect(higher.state("acme")?.gauges[0]?.used).toBe(90);
  lower.close();
  higher.close();
});
