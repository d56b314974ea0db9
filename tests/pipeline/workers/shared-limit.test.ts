/** Jobs of several threads that share a limit: the pool, the limiter and what a thread has of both, on a clock of the test. */

import { expect, spyOn, test } from "bun:test";
import { LeasedPermits } from "../../../src/pipeline/leased-permits.ts";
import type { FromWorker, SymbolTask, ToWorker } from "../../../src/pipeline/messages.ts";
import { PermitRequests } from "../../../src/pipeline/permit-requests.ts";
import { WorkerPool } from "../../../src/pipeline/workers/pool.ts";
import type { PoolThread } from "../../../src/pipeline/workers/worker-handle.ts";
import { RateLimiter } from "../../../src/providers/quotas/rate-limiter.ts";
import { busiestMinute } from "../../fakes/vendors/vendor.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

const MINUTES = 12;
const THREADS = 2;
const JOBS = 6;
/** How long a vendor takes for an answer, and a job for what it does after three of them, milliseconds. */
const [LATENCY_MS, COMPUTE_MS] = [150, 9_000];

type OfJob = Extract<FromWorker, { readonly jobId: number }>;

/** All times are those of `clock` until it is disposed. */
function useClock(clock: VirtualClock): Disposable {
  const timer = (action: () => void, ms: number) => ({ cancel: clock.after(ms, action), unref() {} });
  const cancel = (of?: ReturnType<typeof timer>) => void of?.cancel();
  const spies = [
    spyOn(performance, "now").mockImplementation(() => clock.steady()),
    spyOn(Date, "now").mockImplementation(() => clock.now()),
    spyOn(globalThis, "setTimeout").mockImplementation(timer as never),
    spyOn(globalThis, "clearTimeout").mockImplementation(cancel as never),
  ];
  return {
    [Symbol.dispose]() {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

/** @param ahead whether the limiter grants permits ahead */
async function sendAll(limit: number, ahead: boolean) {
  const clock = new VirtualClock();
  using _ = useClock(clock);
  const limits = [{ period: "minute", counts: "requests", limit }] as const;
  const limiter = new RateLimiter([{ provider: "acme", account: "acme:1", limits }], { clock });
  const of = ({ runId, jobId }: Pick<SymbolTask, "runId" | "jobId">) => ({ run: runId, job: String(jobId) });
  let leased = 0;
  const pool = new WorkerPool(0, {} as never, {
    acquire: ({ task, held, ...request }) => limiter.acquire({ ...request, ...of(task), onWait: held }),
    async lease({ task, ...request }) {
      if (!ahead) return [];
      const permits = await limiter.lease({ ...request, ...of(task) });
      leased += permits.length;
      return permits;
    },
  });
  const arrivals: number[] = [];
  let left = limit * (MINUTES + 1);

  async function work(jobId: number, permits: PermitRequests, report: (report: OfJob) => void): Promise<void> {
    const task = { provider: "acme", cost: 1, signal: new AbortController().signal, held() {} };
    // One after the other, so that the first ones are alone with the limit.
    await clock.sleep(1_000 * jobId - 1_000);
    for (let sent = 1; left > 0; sent++) {
      left -= 1;
      const permit = await permits.acquire(task, (message) => report({ ...message, jobId }));
      arrivals.push(clock.now());
      await clock.sleep(LATENCY_MS);
      permit.settle({});
      if (sent % 3 === 0) await clock.sleep(COMPUTE_MS);
    }
    report({ type: "outcome", jobId, outcome: { kind: "lost" } });
  }

  for (let number = 0; number < THREADS; number++) {
    const permits = new PermitRequests();
    const obey = (order: ToWorker) => {
      if (order.type === "granted") permits.granted(order.request, order.until);
      else if (order.type === "task") void work(order.task.jobId, permits, (each) => permitsAhead.reported(0, each));
    };
    const permitsAhead = new LeasedPermits({
      report: (_thread, each) => queueMicrotask(() => pool.receive(thread, each)),
      tell: (_thread, order) => obey(order),
    });
    const thread: PoolThread = {
      ...{ jobs: new Map(), ready: true, inTrouble: false, isSilent: false, host: null, hasRoom: true },
      ...{ takes: () => true, shutDown: async () => {} },
      send: (order) => queueMicrotask(() => void (permitsAhead.ordered(0, order) || obey(order))),
    };
    pool.attach(thread);
  }
  const task = { runId: "r", provider: "acme", repairProvider: null } as SymbolTask;
  const begun = clock.now();
  await clock.until(
    Promise.all(Array.from({ length: JOBS }, (_, at) => pool.run({ ...task, jobId: at + 1 }, {} as never))),
  );
  await pool.close();
  limiter.close();
  return { requests: arrivals.length, busiest: busiestMinute(arrivals), leased, ms: Math.max(...arrivals) - begun };
}

for (const [limit, leased] of [
  [1, 0],
  [5, 0],
  [8, 2],
  [60, 30],
] as const) {
  test(`jobs on two threads that share ${limit} requests a minute use all of them with permits ahead too, and no more`, async () => {
    const [without, own] = [await sendAll(limit, false), await sendAll(limit, true)];
    const requests = limit * (MINUTES + 1);
    expect(own).toEqual({ requests, busiest: limit, leased, ms: own.ms });
    expect(own.ms).toBeLessThanOrEqual(without.ms);
    // Six jobs that pause after three requests do not always want sixty a minute.
    expect((60_000 * MINUTES) / own.ms).toBeGreaterThan(limit < 60 ? 0.97 : 0.95);
  });
}
