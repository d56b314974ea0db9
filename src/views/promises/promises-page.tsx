/** @jsxImportSource hono/jsx */
/** The promises page: each promise with its next deadline and what came of the last ones, and the form. */

import { type FreshnessPromise, type PromiseResult, venueTitle } from "../../domain/promises/promise.ts";
import { Pill, Until } from "../ui/components.tsx";
import { DeletePage } from "../ui/confirm-dialog.tsx";
import { inZone, plural } from "../ui/format.ts";
import { Allowed } from "../ui/forms/allowed.tsx";
import { selectionText } from "../ui/forms/selection-fields.tsx";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { PromiseForm, type PromiseFormView } from "./promise-form.tsx";
import { BurnDown, ForecastPill, type PromiseStatusView, StatusDetails } from "./promise-status.tsx";
import { ResultList, ResultStrip } from "./result-history.tsx";

interface PromiseView {
  readonly promise: FreshnessPromise;
  /** `undefined` for a paused one, and while it is not known yet. */
  readonly status: PromiseStatusView | undefined;
  /** The last results, newest first. */
  readonly results: readonly PromiseResult[];
  /** The name of its watchlist, if it has one. */
  readonly watchlist: string | null;
}

export interface PromisesView {
  readonly promises: readonly PromiseView[];
  readonly form: PromiseFormView;
}

export const PromisesPage = ({ page, view }: { page: PageContext; view: PromisesView }) => (
  <Layout page={page} title="Promises">
    <header class="page-head">
      <h1>Promises</h1>
    </header>
    <div class="schedules">
      <details class="card" open={view.form.isOpen || undefined} data-changes>
        <summary>{view.form.id === null ? "Add a promise" : "Change the promise"}</summary>
        <PromiseForm form={view.form} />
      </details>
      <div class="schedule-list">
        {view.promises.map((each) => (
          <PromiseCard view={each} now={page.now} />
        ))}
        {view.promises.length === 0 ? (
          <Empty title="No promise yet">
            <span data-changes>
              Say which symbols shall be up to date by when, such as a watchlist by 07:00 in America/New_York. Hours
              before, you see whether it will be kept, and what stands in the way.
            </span>
          </Empty>
        ) : null}
      </div>
    </div>
  </Layout>
);

const PromiseCard = ({ view, now }: { view: PromiseView; now: number }) => {
  const { promise, status, results } = view;
  const { id, name, enabled, timeZone } = promise;
  const path = `/promises/${id}`;
  return (
    <section class="card promise" aria-labelledby={`promise-${id}`}>
      <header>
        <h2 id={`promise-${id}`}>{name}</h2>
        {enabled ? (
          status === undefined ? null : (
            <ForecastPill state={status.state} />
          )
        ) : (
          <Pill look="paused" icon="paused">
            Paused
          </Pill>
        )}
      </header>
      <div>
        <p>{dueText(promise)}</p>
        <p class="muted">{contentText(view)}</p>
      </div>
      <div>
        {status === undefined || status.deadline === null ? (
          <p class="muted">{enabled ? "No deadline is near" : "No deadlines while it is paused"}</p>
        ) : (
          <>
            <p>
              Next <span class="num">{inZone(status.deadline, timeZone)}</span>,{" "}
              <Until at={status.deadline} now={now} />
            </p>
            <BurnDown status={status} name={name} />
            <StatusDetails status={status} now={now} />
          </>
        )}
      </div>
      <div>
        <ResultStrip results={results} name={name} />
        {results.length === 0 ? <p class="muted">No deadline has passed yet</p> : <ResultList results={results} />}
      </div>
      <form method="post" class="button-row">
        <button type="submit" class="button" formaction={`${path}/${enabled ? "pause" : "resume"}`}>
          {enabled ? "Pause" : "Enable"}
          <span class="visually-hidden"> {name}</span>
        </button>
        <a class="button" href={`${path}#promise-form-title`} aria-label={`Change ${name}`}>
          Change
        </a>
        <Allowed method="GET" address={`${path}/delete`}>
          <a class="button" href={`${path}/delete`} aria-label={`Delete ${name}`}>
            Delete…
          </a>
        </Allowed>
      </form>
    </section>
  );
};

/** `Fresh by 07:00 in America/New_York on trading days of New York` */
function dueText({ byTime, timeZone, days, venue }: FreshnessPromise): string {
  const on = {
    trading_days: `on trading days of ${venueTitle(venue)}`,
    weekdays: "from Monday to Friday",
    every_day: "every day",
  }[days];
  return `Fresh by ${byTime} in ${timeZone} ${on}`;
}

function contentText({ promise, watchlist }: PromiseView): string {
  const { scope, symbols, interval, provider, maxGaps, gapDays } = promise;
  const what = selectionText({ scope, symbols, watchlist });
  const gaps = maxGaps === 0 ? "no gap" : `at most ${plural(maxGaps, "gap")}`;
  return `${what} · ${interval} · ${provider ?? "any provider"} · ${gaps} in ${plural(gapDays, "day")}`;
}

type Deleted = Pick<FreshnessPromise, "id" | "name">;

/** Confirms the deletion of a promise. */
export const DeletePromisePage = ({ page, promise }: { page: PageContext; promise: Deleted }) => (
  <DeletePage page={page} kind="promise" list="/promises" of={promise}>
    The list of its past deadlines is deleted too. No data is, and no schedule or run.
  </DeletePage>
);
