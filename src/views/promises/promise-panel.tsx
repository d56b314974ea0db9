/** @jsxImportSource hono/jsx */
/** The promises on the monitor: the next deadline of each, how many symbols are missing, and what stands in the way. */

import { Moment } from "../ui/components.tsx";
import { dom } from "../ui/dom.ts";
import { plural } from "../ui/format.ts";
import { BurnDown, countsText, ForecastPill, type PromiseStatusView, reasonText } from "./promise-status.tsx";

export interface PanelPromise {
  readonly id: number;
  readonly name: string;
  readonly status: PromiseStatusView & { readonly deadline: number };
}

/** Promises that are shown, the first with its burn-down; more are linked to. */
const SHOWN = 3;

/** The most urgent promises; empty if there are none. */
export const PromisePanel = ({ promises }: { promises: readonly PanelPromise[] }) => (
  <section id={dom.promises} class="promise-panel" aria-label="Promises">
    {promises.slice(0, SHOWN).map(({ id, name, status }, place) => (
      <div class="panel-promise">
        <header>
          <h2>
            <a href={`/promises/${id}`}>{name}</a>
          </h2>
          <ForecastPill state={status.state} />
        </header>
        <p>
          {countsText(status)}, due <Moment at={status.deadline} />
        </p>
        {place === 0 ? <BurnDown status={status} name={name} /> : null}
        {isWorrying(status) && status.reasons[0] ? (
          <p class={`reason-${status.state}`}>{reasonText(status.reasons[0])}</p>
        ) : null}
      </div>
    ))}
    {promises.length > SHOWN ? (
      <p>
        <a href="/promises">{plural(promises.length - SHOWN, "more promise")}</a>
      </p>
    ) : null}
  </section>
);

const isWorrying = ({ state }: PromiseStatusView) => state === "at_risk" || state === "will_be_missed";
