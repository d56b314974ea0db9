/** @jsxImportSource hono/jsx */
/** The lake on the settings page: where it is, what it lacks, and since when writing fails. */

import { Moment, Pill } from "./ui/components.tsx";

export interface LakeView {
  /** Folder or bucket of the lake; `null` if there is none. */
  readonly place: string | null;
  /** Whether place and reason are for admins only, and the reader is none. */
  readonly hidden: boolean;
  /** Years of bars whose present state is not in the lake. */
  readonly pending: number;
  /** Series whose features are to be written. */
  readonly pendingFeatures: number;
  /** `at` in epoch milliseconds. */
  readonly failure: { readonly at: number; readonly reason: string } | null;
}

export const LakeSection = ({ view: { place, hidden, pending, pendingFeatures, failure } }: { view: LakeView }) => (
  <section class="provider" id="lake" aria-labelledby="title-lake">
    <header>
      <h2 id="title-lake">Lake</h2>
      <Status place={place} pending={pending + pendingFeatures} failure={failure} />
    </header>
    {place === null ? (
      <p class="muted">
        All stored bars as Parquet files for other tools. To have one, set BARKEEP_LAKE to a folder or to
        s3://bucket/prefix and start the server again.
      </p>
    ) : (
      <>
        <p class="muted">
          All stored bars as Parquet files for other tools, listed in <a href="/lake/_manifest.json">_manifest.json</a>.
          To compare them with the store run <code>barkeep lake check</code>.
        </p>
        {failure === null ? null : (
          <p class="error">
            Writing has failed since <Moment at={failure.at} />
            {hidden ? ". Admins see the reason." : `: ${failure.reason}. It is tried again every minute.`}
          </p>
        )}
        <dl class="backup-facts">
          <div>
            <dt>Place</dt>
            <dd>{hidden ? "Shown to admins only" : <code>{place}</code>}</dd>
          </div>
          <div>
            <dt>Waiting to be written</dt>
            <dd>{waitingOf(pending, pendingFeatures)}</dd>
          </div>
        </dl>
      </>
    )}
  </section>
);

function waitingOf(years: number, features: number): string {
  const counts = [
    ...(years === 0 ? [] : [`${years.toLocaleString("en-US")} ${years === 1 ? "year" : "years"} of bars`]),
    ...(features === 0 ? [] : [`the features of ${features.toLocaleString("en-US")} series`]),
  ];
  return counts.length === 0 ? "Nothing" : counts.join(", ");
}

const Status = ({ place, pending, failure }: Pick<LakeView, "place" | "pending" | "failure">) => {
  if (place === null) return <Pill icon="queued">Off</Pill>;
  if (failure !== null) {
    return (
      <Pill look="failed" icon="failed">
        Cannot be written
      </Pill>
    );
  }
  return pending > 0 ? (
    <Pill look="running" icon="fetch">
      Behind
    </Pill>
  ) : (
    <Pill look="complete" icon="complete">
      Up to date
    </Pill>
  );
};
