/** Job stores over a network on loopback that loses requests and answers, and delivers requests twice. */

import type { SymbolTask } from "../../../src/pipeline/messages.ts";
import { BadMessage } from "../../../src/pipeline/remote/codec.ts";
import { httpJobStore } from "../../../src/pipeline/remote/http-store.ts";
import { ServerConnection } from "../../../src/pipeline/remote/server-connection.ts";
import { type HeldJob, StoreExecutor } from "../../../src/pipeline/remote/store-executor.ts";
import { ATTEMPT_HEADER } from "../../../src/pipeline/remote/store-request.ts";
import type { JobStore } from "../../../src/pipeline/store/job-store.ts";
import type { Database } from "../../../src/storage/db.ts";
import { newAttempt } from "../../../src/storage/runs/attempts.ts";

/** What becomes of a request: it is lost, it is executed and its answer is lost, or it is delivered twice. */
const FAULTS = ["lost", "unanswered", "twice"] as const;

export interface FaultyNetwork extends AsyncDisposable {
  storeOf(db: Database, task: SymbolTask): Promise<JobStore>;
  /** How often each fault has happened. */
  readonly faults: Map<(typeof FAULTS)[number], number>;
}

/** @param faulty the share of requests that meet a fault, from 0 to 1 */
export function startFaultyNetwork(faulty: number, answerMs?: number): FaultyNetwork {
  const jobs = new Map<string, HeldJob>();
  const executors = new Map<Database, StoreExecutor>();
  const faults = new Map<(typeof FAULTS)[number], number>();
  let executor: StoreExecutor;
  // The same faults in every run of a test.
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const job = jobs.get(request.headers.get(ATTEMPT_HEADER) ?? "");
      if (job === undefined) return new Response(null, { status: 410 });
      const bytes = new Uint8Array(await request.arrayBuffer());
      const fault = random() < faulty ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined;
      if (fault !== undefined) faults.set(fault, (faults.get(fault) ?? 0) + 1);
      if (fault === "lost") return new Response(null, { status: 502 });
      try {
        const first = executor.execute(job, bytes);
        const { answer } = fault === "twice" ? await executor.execute(job, bytes.slice()) : await first;
        await first;
        if (fault === "unanswered") return new Response(null, { status: 502 });
        return answer === null ? new Response(null, { status: 202 }) : new Response(answer);
      } catch (error) {
        if (!(error instanceof BadMessage)) throw error;
        return Response.json({ detail: error.message }, { status: 422 });
      }
    },
  });
  const connection = new ServerConnection(
    { url: `http://127.0.0.1:${server.port}`, token: "bk_test" },
    { pauseMs: [0, 1] },
  );
  return {
    faults,
    async storeOf(db, task) {
      executor = executors.getOrInsertComputed(db, () => new StoreExecutor(db, answerMs));
      const attempt = await newAttempt(db, task.jobId);
      if (attempt === null) throw new Error("the job does not run");
      const { jobId, runId, symbol, interval, provider, repairProvider } = task;
      jobs.set(attempt, { attempt, jobId, runId, symbol, interval, provider, repairProvider });
      return httpJobStore(connection, attempt);
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}
