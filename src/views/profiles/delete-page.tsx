/** @jsxImportSource hono/jsx */
/** Confirms the deletion of a profile, and lists what is deleted and what stays. */

import type { Interval } from "../../domain/market/interval.ts";
import { Moment } from "../ui/components.tsx";
import { profileAddress } from "../ui/dom.ts";
import { formatCount } from "../ui/format.ts";
import { Reason } from "../ui/forms/form-field.tsx";
import { Layout, type PageContext } from "../ui/layout.tsx";

export interface DeletionView {
  readonly symbol: string;
  readonly interval: Interval;
  readonly bars: number;
  readonly features: number;
  /** Epoch milliseconds; sent with the form, so that only the profile that was shown is deleted. */
  readonly updatedAt: number;
}

export const DeleteProfilePage = ({ page, deletion }: { page: PageContext; deletion: DeletionView }) => {
  const { symbol, interval, bars, features, updatedAt } = deletion;
  const back = profileAddress(symbol, interval);
  return (
    <Layout page={page} title={`Delete ${symbol} ${interval}`}>
      <form class="confirm" method="post" action={`/profiles/${encodeURIComponent(symbol)}/delete`}>
        <h1>
          Delete the {interval} profile of {symbol}?
        </h1>
        <p>
          Its {formatCount(features)} features of <Moment at={updatedAt} /> and the state that updates continue from are
          deleted. The {formatCount(bars)} stored bars stay: a run in the mode “Reprocess” creates the profile again
          without requests to the provider.
        </p>
        <input type="hidden" name="interval" value={interval} />
        <input type="hidden" name="updated_at" value={String(updatedAt)} />
        <Reason of="delete" />
        <p class="confirm-choice">
          <button type="submit" class="button danger">
            Delete profile
          </button>
          <a class="button" href={back}>
            Keep it
          </a>
        </p>
      </form>
    </Layout>
  );
};
