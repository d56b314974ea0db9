/** What every request to a provider passes. */

import type { Wait } from "../../domain/runs/progress.ts";
import type { QuotaReport } from "../../providers/provider.ts";
import type { SymbolTask } from "../messages.ts";

/** Grants requests to the providers; one for all workers. */
export interface Gate {
  /** Resolves when the request may be sent; `held` is called with the cause and end of a wait. */
  acquire(request: {
    readonly provider: string;
    readonly cost: number;
    /** The requesting job, so that the limiter can be fair between runs and jobs. */
    readonly task: Pick<SymbolTask, "runId" | "jobId">;
    readonly signal: AbortSignal;
    held(wait: Wait): void;
  }): Promise<GrantedRequest>;
  /** Grants as many of `count` requests as the limiter can spare now, before they are needed. */
  lease?(request: {
    readonly provider: string;
    readonly cost: number;
    readonly task: Pick<SymbolTask, "runId" | "jobId">;
    readonly count: number;
  }): Promise<readonly LeasedRequest[]>;
}

interface GrantedRequest {
  settle(report: QuotaReport): void;
}

interface LeasedRequest extends GrantedRequest {
  /** It is not sent, and does not count. */
  unsent(): void;
}
