/** Wraps a provider so that keys are redacted from its errors and rejected rows. */

import { ProviderError } from "../../domain/errors.ts";
import type { RejectedRow } from "../../domain/market/validate-bars.ts";
import type { FetchedBars, Provider } from "../../providers/provider.ts";

/**
 * `provider`, with secrets redacted from its errors and rejected rows. Adapters redact their own messages; this covers
 * what they miss, in every adapter.
 */
export function redactingProvider(provider: Provider, redact: (text: string) => string): Provider {
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const message = redact(error.message);
      if (message === error.message) throw error;
      const refusal = error.refusal && { ...error.refusal, words: redact(error.refusal.words) };
      throw new ProviderError(error.kind, message, error.retryAfter, refusal);
    }
  };
  const { fetchActions, bulk, firstBar } = provider;
  const cleanRows = (rows: readonly RejectedRow[]) =>
    rows.map((row) => ({ ...row, reason: redact(row.reason), raw: redact(row.raw) }));
  const cleanBars = ({ rejected, notInPlan, ...rest }: FetchedBars): FetchedBars => ({
    ...rest,
    rejected: cleanRows(rejected),
    ...(notInPlan && { notInPlan: notInPlan.map((cut) => ({ ...cut, words: redact(cut.words) })) }),
  });
  return {
    ...provider,
    ...(fetchActions && { fetchActions: (symbol, context) => guarded(fetchActions(symbol, context)) }),
    ...(firstBar && {
      firstBar: {
        ...firstBar,
        find: (symbol, interval, context) => guarded(firstBar.find(symbol, interval, context)),
      },
    }),
    ...(bulk && {
      bulk: {
        ...bulk,
        async fetch(part, span, context) {
          const answers = await guarded(bulk.fetch(part, span, context));
          return new Map(
            [...answers].map(([symbol, each]) => [symbol, { ...each, rejected: cleanRows(each.rejected) }]),
          );
        },
        bars: async (window, answers, context) => cleanBars(await guarded(bulk.bars(window, answers, context))),
      },
    }),
    fetchBars: async (window, context) => cleanBars(await guarded(provider.fetchBars(window, context))),
  };
}
