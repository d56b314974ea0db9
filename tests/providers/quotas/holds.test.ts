/** Holds: how long a vendor that refuses is left alone, whatever it says. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { QuotaRow } from "../../../src/providers/quotas/quota-state.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { ask, HOUR, limiterOf, perMinute } from "./limits.ts";

/** Asks a vendor that refuses every request for so long, as jobs do that begin again at once; returns the requests it got. */
async function refusals(holdSeconds: number, forMs: number): Promise<number> {
  const clock = new VirtualClock();
  const limiter = limiterOf(clock, [perMinute(1_000)]);
  let requests = 0;
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const permit = await limiter.acquire(ask({ signal: stop.signal }));
      requests += 1;
      permit.settle({});
      permit.settle({ holdSeconds, reason: "busy" });
    }
  })().catch(() => {});
  await clock.advance(forMs);
  stop.abort();
  await asking;
  limiter.close();
  return requests;
}

test("property: a vendor that goes on refusing is asked less and less, whatever wait it states", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.constantFrom(0, -5, Number.NaN, 1e-9, Number.POSITIVE_INFINITY, 1e30), fc.double()),
      async (stated) => {
        // 1 + 2 + 4 + … seconds: twelve holds fill an hour.
        expect(await refusals(stated, HOUR)).toBeLessThanOrEqual(13);
      },
    ),
    { numRuns: 30 },
  );
});

test("a stated wait that is longer than our own is kept", async () => {
  expect(await refusals(600, HOUR - 1)).toBe(6);
});

test("an accepted request ends the growth of the holds", async () => {
  const clock = new VirtualClock();
  const limiter = limiterOf(clock, [perMinute(1_000)]);
  const holdAfter = async (report: object) => {
    const asked = limiter.acquire(ask());
    await clock.until(asked);
    (await asked).settle(report);
    return ((limiter.state("acme")?.hold?.until ?? 0) * 1_000 - clock.now()) / 1_000;
  };
  expect(await holdAfter({ holdSeconds: 0 })).toBe(1);
  expect(await holdAfter({ holdSeconds: 0 })).toBe(2);
  expect(await holdAfter({ holdSeconds: 0 })).toBe(4);
  await holdAfter({ accepted: true });
  expect(await holdAfter({ holdSeconds: 0 })).toBe(1);
  limiter.close();
});

test("a quota that is spent at the vendor, and has no limit here, holds all the same", async () => {
  const limiter = limiterOf(new VirtualClock(), [perMinute(1_000)]);
  (await limiter.acquire(ask())).settle({ used: { day: Number.POSITIVE_INFINITY } });
  expect(limiter.state("acme")?.hold?.reason).toContain("the day's quota is used up");
  limiter.close();
});

test("a hold that a person lifts is over at once, also after a restart; one whose end cannot be stored stays", async () => {
  const clock = new VirtualClock();
  const stored = new Map<string, QuotaRow>();
  let isFull = false;
  const persist = (rows: readonly QuotaRow[]) => {
    if (isFull) throw new Error("disk full");
    for (const row of rows) stored.set(row.period, row);
  };
  const limiter = limiterOf(clock, [perMinute(1_000)], { persist });
  limiter.report("acme", { holdSeconds: 86_400, reason: "banned" });
  const waiting = limiter.acquire(ask());
  isFull = true;
  await expect(limiter.liftHold("acme")).rejects.toThrow("disk full");
  expect(limiter.state("acme")?.hold?.reason).toBe("banned");
  isFull = false;
  await limiter.liftHold("acme");
  (await waiting).settle({});
  expect(limiter.state("acme")?.hold).toBeNull();
  limiter.close();
  const restarted = limiterOf(clock, [perMinute(1_000)]);
  restarted.restore([...stored.values()]);
  expect(restarted.state("acme")?.hold).toBeNull();
  restarted.close();
});

test("a hold that answers a request from before a change of the limits holds those after it, unless the key has changed", async () => {
  for (const account of ["acme:1", "acme:2"]) {
    const clock = new VirtualClock();
    const stored = new Map<string, QuotaRow>();
    const persist = (rows: readonly QuotaRow[]) => {
      for (const row of rows) stored.set(`${row.account} ${row.period}`, row);
    };
    const limiter = limiterOf(clock, [perMinute(10)], { persist });
    const before = [await limiter.acquire(ask()), (await limiter.lease({ ...ask(), count: 1 }))[0]!];
    limiter.define({ provider: "acme", account, limits: [perMinute(5)] });
    await limiter.acquire(ask());
    for (const { settle } of before) settle({ holdSeconds: 600, reason: "banned" });
    const isSame = account === "acme:1";
    expect(limiter.state("acme")?.hold?.reason, account).toBe(isSame ? "banned" : undefined);
    // What is stored of an account is what its present limits count.
    expect(stored.get(`${account} minute`)?.used, account).toBe(isSame ? 3 : 1);
    limiter.close();
  }
});

describe("a restart", () => {
  test("a hold is stored when it arises, so that a restart does not ask a vendor that has banned us", async () => {
    const clock = new VirtualClock();
    let stored: readonly QuotaRow[] = [];
    const persist = (rows: readonly QuotaRow[]) => {
      stored = rows;
    };
    const limiter = limiterOf(clock, [perMinute(1_000)], { persist });
    (await limiter.acquire(ask())).settle({ holdSeconds: 600, reason: "banned" });
    limiter.close();
    const again = limiterOf(clock, [perMinute(1_000)]);
    again.restore(stored);
    expect(again.state("acme")?.hold?.until).toBe(clock.now() / 1_000 + 600);
    again.close();
  });
});
