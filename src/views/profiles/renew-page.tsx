/** @jsxImportSource hono/jsx */
/** Confirms a renewal of profiles, with its cost. */

import { Preview, type PreviewView } from "../runs/cost-preview.tsx";
import { formatCount, plural } from "../ui/format.ts";
import { Reason } from "../ui/forms/form-field.tsx";
import { Layout, type PageContext } from "../ui/layout.tsx";

export interface RenewalView {
  readonly request: string;
  readonly profiles: number;
  /** Number of profiles in other open runs, which are left out. */
  readonly busy: number;
  /** The runs that would start, each with its cost; `null` if the provider lacks a setting. */
  readonly runs: readonly { readonly provider: string; readonly interval: string; readonly cost: PreviewView | null }[];
  /** The number of profiles that was confirmed, if it has changed since. */
  readonly was: number | null;
  /** Where the confirmation is sent, and its fields. */
  readonly action: string;
  readonly scope: string;
  readonly selected: readonly string[];
  readonly back: string;
}

const VERBS: Readonly<Record<string, readonly [verb: string, meaning: string]>> = {
  update: ["Update", "Only what is new since the last bar is fetched."],
  engineer: ["Recompute features", "The features are computed again from the stored bars; no calls are needed."],
  repair: ["Repair gaps", "Only the gaps are fetched; one call serves several that lie side by side."],
  rebuild: [
    "Download again and rebuild",
    "The whole history is fetched again. The old bars stay until the new ones are complete.",
  ],
};

export const RenewalPage = ({ page, renewal }: { page: PageContext; renewal: RenewalView }) => {
  const { request, profiles, busy, runs, was, action, scope, selected, back } = renewal;
  const [verb, meaning] = VERBS[request] ?? [request, ""];
  const title = `${verb}: ${plural(profiles, "profile")}?`;
  const none = runs.length === 0;
  return (
    <Layout page={page} title={title}>
      <form class="confirm" method="post" action={action}>
        <h1>{title}</h1>
        <p>{meaning}</p>
        <ul class="costs">
          {was === null ? null : <li>It was {formatCount(was)} when you were asked.</li>}
          {runs.map(({ provider, interval, cost }) => (
            <li>
              <b>
                {provider} {interval}
              </b>{" "}
              {cost === null ? "The provider lacks a setting, so this cannot start." : <Preview view={cost} />}
            </li>
          ))}
          {busy > 0 ? <li>{plural(busy, "profile")} left out: another run is working on them.</li> : null}
        </ul>
        <input type="hidden" name="order" value={request} />
        <input type="hidden" name="scope" value={scope} />
        <input type="hidden" name="expect" value={String(profiles)} />
        {selected.map((key) => (
          <input type="hidden" name="symbol" value={key} />
        ))}
        {none ? null : <Reason of="renewal" />}
        <p class="confirm-choice">
          {none ? null : (
            <button type="submit" class="button primary">
              {verb}
            </button>
          )}
          <a class="button" href={back}>
            {none ? "Back" : "Leave it"}
          </a>
        </p>
      </form>
    </Layout>
  );
};
