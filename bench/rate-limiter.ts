/**
 * How much of a provider's limit is used: ideal time ÷ real time for 8 workers on one key, on a virtual clock; compared
 * with a limit that is split between the workers, an eighth each and at least one, as simpler pipelines do.
 * `bun bench/rate-limiter.ts`
 */

import { RateLimiter } from "../src/providers/quotas/rate-limiter.ts";
import { VirtualClock } from "../tests/helpers/virtual-clock.ts";
import { atLeast, type BenchResult, report } from "./support/report.ts";

const WORKERS = 8;
const MINUTE = 60_000;
const LEAST_SHARE = 0.97;

interface Load {
  readonly title: string;
  /** Requests a minute. */
  readonly limit: number;
  /** Requests of each job; the next free worker takes the next job. */
  readonly jobs: readonly number[];
  /** Milliseconds from a grant to the answer. */
  readonly latency: number;
}

const LOADS: readonly Load[] = [
  { title: "many even jobs", limit: 200, jobs: Array(600).fill(10), latency: 120 },
  { title: "slow answers", limit: 200, jobs: Array(600).fill(10), latency: 1_500 },
  { title: "uneven jobs", limit: 200, jobs: [1_500, ...Array(45).fill(100)], latency: 120 },
  { title: "three jobs left", limit: 200, jobs: [2_000, 2_000, 2_000], latency: 120 },
  { title: "free plan, 5 a minute", limit: 5, jobs: Array(30).fill(5), latency: 300 },
];

/** Seconds of virtual time for `jobs`, if worker `w` uses `limiters[w]`. */
async function timeOf({ jobs, latency }: Load, clock: VirtualClock, limiters: readonly RateLimiter[]): Promise<number> {
  const startedAt = clock.now();
  const queue = [...jobs.entries()];
  await clock.until(
    Promise.all(
      limiters.map(async (limiter) => {
        for (let next = queue.shift(); next; next = queue.shift()) {
          const [job, requests] = next;
          for (let sent = 0; sent < requests; sent++) {
            const permit = await limiter.acquire({ provider: "acme", run: "r", job: String(job), cost: 1 });
            await clock.sleep(latency);
            permit.settle({});
          }
        }
      }),
    ),
  );
  return (clock.now() - startedAt) / 1000;
}

function limiter(clock: VirtualClock, limit: number): RateLimiter {
  return new RateLimiter(
    [{ provider: "acme", account: "acme", limits: [{ period: "minute", counts: "requests", limit }] }],
    {
      clock,
    },
  );
}

const results: BenchResult[] = [];
for (const load of LOADS) {
  const total = load.jobs.reduce((sum, requests) => sum + requests, 0);
  // The requests of the first minute are sent at once; those of the last one take as long as their answers.
  const minutes = Math.ceil(total / load.limit) - 1;
  const lastRound = Math.ceil((total - minutes * load.limit) / WORKERS) * load.latency;
  const byLimit = (minutes * MINUTE + lastRound) / 1000;
  const byLatency = (Math.max(total / WORKERS, ...load.jobs) * load.latency) / 1000;
  const ideal = Math.max(byLimit, byLatency);
  const clock = new VirtualClock();
  const shared = limiter(clock, load.limit);
  const one = await timeOf(load, clock, Array(WORKERS).fill(shared));
  const split = await timeOf(
    load,
    clock,
    Array.from({ length: WORKERS }, () => limiter(clock, Math.max(1, Math.floor(load.limit / WORKERS)))),
  );
  const splitShare = load.limit < WORKERS ? "goes over the limit" : (ideal / split).toFixed(3);
  results.push({
    question: `${load.title}: ${total} requests of ${WORKERS} workers, ${load.limit} a minute: share of the limit`,
    measured: `${(ideal / one).toFixed(3)}, ${one.toFixed(0)} s`,
    comparedWith: `ideal ${ideal.toFixed(0)} s; the limit split between them ${splitShare}`,
    ...atLeast(ideal / one, LEAST_SHARE),
  });
}
report(results);
