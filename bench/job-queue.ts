/**
 * What a job costs on its way from the dispatcher to its handler and back: without a queue outside, through Redis (if this
 * machine has one) and through PostgreSQL. The jobs do nothing. `bun bench/job-queue.ts`
 */

import { openBullMqQueue } from "../src/scheduler/queue/bullmq/bullmq-queue.ts";
import { Dispatcher } from "../src/scheduler/queue/dispatcher.ts";
import { EmbeddedQueue } from "../src/scheduler/queue/embedded-queue.ts";
import { startCuttingProxy } from "../tests/fakes/proxies/cutting-proxy.ts";
import { redisProgram, startPostgres, startRedis } from "../tests/fakes/queue/servers.ts";
import { type BenchResult, report, short } from "./support/report.ts";

const JOBS = 5_000;
/** Jobs at work at once. */
const PLACES = 66;
/** Milliseconds of processor time for each job, of the server alone. */
const TARGET_MS = 0.5;

type Kind = "embedded" | "redis" | "postgres";

/** Milliseconds of processor time and jobs a second. */
async function measure(kind: Kind): Promise<{ cpu: number; rate: number }> {
  await using stack = new AsyncDisposableStack();
  let queue: ConstructorParameters<typeof Dispatcher>[0] = new EmbeddedQueue();
  if (kind !== "embedded") {
    const server = stack.use(await (kind === "redis" ? startRedis() : startPostgres()));
    const proxy = stack.adopt(await startCuttingProxy(server.socket), (each) => each.close());
    queue = await openBullMqQueue({ place: { kind, url: server.urlAt(proxy.port) }, name: "bench", isOwner: true });
  }
  const dispatcher = stack.adopt(new Dispatcher(queue, () => {}), (each) => each.close());
  const all = Promise.withResolvers<void>();
  let done = 0;
  const begun = performance.now();
  const before = process.cpuUsage();
  dispatcher.work(async () => {
    done += 1;
    if (done === JOBS) all.resolve();
    return { again: false };
  }, PLACES);
  dispatcher.enqueue(Array.from({ length: JOBS }, (_, i) => ({ key: `r:${i}`, group: `g${i % 3}` })));
  await all.promise;
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1_000 / JOBS, rate: (JOBS / (performance.now() - begun)) * 1_000 };
}

const kinds: Kind[] = ["embedded", ...(redisProgram === null ? [] : ["redis" as const]), "postgres"];
const results: BenchResult[] = [];
for (const kind of kinds) {
  const { cpu, rate } = await measure(kind);
  results.push({
    question: `a job through the queue (${kind}): processor time of the server`,
    measured: `${cpu.toFixed(3)} ms, ${short(rate)} jobs a second`,
    target: `≤ ${TARGET_MS} ms`,
    missed: cpu > TARGET_MS,
  });
}
report(results);
process.exit(0);
