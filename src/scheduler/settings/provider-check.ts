/** Checks a provider key with the cheapest request that needs a valid one. */

import { messageOf, ProviderError } from "../../domain/errors.ts";
import { DAY } from "../../domain/market/interval.ts";
import { validateRows } from "../../domain/market/validate-bars.ts";
import { currentFacts, describeFact, type PlanFact, type PlanMemory } from "../../domain/plan.ts";
import type { Gate } from "../../pipeline/workers/gate.ts";
import type { ProviderEntry } from "../../providers/entry.ts";
import { parseTicker } from "../../providers/http/ticker.ts";
import type { FetchContext, Provider, QuotaPeriod, QuotaReport } from "../../providers/provider.ts";
import type { SettingValues } from "../../providers/setting.ts";

/** Days of daily bars requested where nothing is cheaper: enough to contain a session. */
const CHECK_DAYS = 14;
/** Time limit of the check, milliseconds. */
const TIMEOUT_MS = 20_000;

export interface CheckResult {
  readonly good: boolean;
  /** One line for the page. */
  readonly text: string;
  /** The limits and uses that the answers reported, one phrase each. */
  readonly quota: readonly string[];
  /** What is known of the plan, one phrase each. */
  readonly plan: readonly string[];
  /** The newest bar of the answer, `null` if no bars were requested or there were none. */
  readonly newest: { readonly symbol: string; readonly date: number; readonly close: number } | null;
}

/** A symbol that the provider has, if it has any of its market: for a check. Exchanges have no declaration, and pairs only. */
export const sampleSymbol = ({ declaration }: ProviderEntry): string =>
  declaration?.refuses(parseTicker("AAPL", declaration.pairs)) === null ? "AAPL" : "BTC-USDT";

/** Whether the keys are the user's own, and not the public ones that are set at first. */
const hasOwnKeys = ({ settings }: ProviderEntry, values: SettingValues): boolean =>
  settings.every(({ kind, variable, default: fallback }) => kind !== "key" || values[variable] !== fallback);

/**
 * Makes the cheapest authenticated request: for the quota, if the provider has such a request and the keys are the user's
 * own (a public one may not be allowed to), and for bars otherwise.
 * @param withBars request bars in any case
 */
export async function checkProvider(
  provider: Provider,
  { gate, plan, redact }: { readonly gate: Gate; readonly plan: PlanMemory; redact(text: string): string },
  {
    entry,
    values,
    withBars = false,
  }: { readonly entry: ProviderEntry; readonly values: SettingValues; readonly withBars?: boolean },
): Promise<CheckResult> {
  const symbol = sampleSymbol(entry);
  const checkQuota = hasOwnKeys(entry, values) ? provider.checkQuota : undefined;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let requests = 0;
  const reports: QuotaReport[] = [];
  const context: FetchContext = {
    signal,
    plan,
    waiting: () => {},
    log: () => {},
    async acquire(cost = 1) {
      const task = { runId: "check", jobId: 0 };
      const permit = await gate.acquire({ provider: provider.name, cost, task, signal, held: () => {} });
      requests += 1;
      return {
        settle(report) {
          reports.push(report);
          permit.settle(report);
        },
      };
    },
  };
  const known = { quota: [], plan: [], newest: null };
  let newest: CheckResult["newest"] = null;
  try {
    await checkQuota?.(context);
    if (withBars || checkQuota === undefined) {
      const asOf = Math.floor(Date.now() / 1000);
      // Today is requested too: some plans refuse it, and the check says so.
      const to = (Math.floor(asOf / DAY) + 1) * DAY;
      const window = { symbol, interval: "1d", from: to - CHECK_DAYS * DAY, to, asOf } as const;
      const { bars } = validateRows((await provider.fetchBars(window, context)).bars, window);
      const last = bars.ts.length - 1;
      if (last >= 0) newest = { symbol, date: bars.ts[last]!, close: bars.close[last]! };
    }
    const isShown = newest !== null || (checkQuota !== undefined && !withBars);
    const text = `${provider.title} ${verdictOf(entry, symbol, isShown)} (${requests} request${requests === 1 ? "" : "s"})`;
    const facts = currentFacts(await plan.facts(), Date.now())
      .map(describeFact)
      .sort();
    return { good: true, text, quota: describeQuota(reports), plan: facts.map(redact), newest };
  } catch (error) {
    const late = `${provider.title} did not answer within ${TIMEOUT_MS / 1000} s`;
    if (signal.aborted) return { good: false, text: late, ...known };
    const isKnown = error instanceof ProviderError;
    const text = redact(isKnown ? error.message : `${provider.title}: ${messageOf(error)}`);
    return { good: false, text, ...known };
  }
}

/** What an answer without an error shows: without bars, only that the key was not refused. */
function verdictOf({ settings }: ProviderEntry, symbol: string, isShown: boolean): string {
  const hasKeys = settings.some(({ kind }) => kind === "key");
  if (isShown) return hasKeys ? "accepts the key" : "answers";
  return `answers without bars of ${symbol}${hasKeys ? ", and does not refuse the key" : ""}`;
}

const PERIODS: readonly QuotaPeriod[] = ["minute", "hour", "day", "month"];

/** `12 of 100,000 a day used`, for each limit that was reported. */
function describeQuota(reports: readonly QuotaReport[]): string[] {
  const limits: QuotaReport["limits"] = Object.assign({}, ...reports.map((report) => report.limits));
  const used: QuotaReport["used"] = Object.assign({}, ...reports.map((report) => report.used));
  return PERIODS.flatMap((period) => {
    const [limit, count] = [limits?.[period], used?.[period]];
    if (limit === undefined || !Number.isFinite(limit)) return [];
    const spent = count !== undefined && Number.isFinite(count) ? `${count.toLocaleString("en-US")} of ` : "";
    return `${spent}${limit.toLocaleString("en-US")} ${period === "hour" ? "an" : "a"} ${period}${spent && " used"}`;
  });
}

/** What a plan is seen to leave out, for as long as a check takes. */
export function temporaryPlan(): PlanMemory {
  const facts = new Map<string, PlanFact>();
  return {
    facts: async () => [...facts.values()],
    async learn(learned) {
      for (const fact of learned) facts.set(`${fact.kind} ${fact.scope}`, fact);
    },
  };
}
