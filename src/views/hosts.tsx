/** @jsxImportSource hono/jsx */
/** The hosts page: which machines do jobs, what they do now, and the job queue. */

import type { QueueTrouble } from "../domain/errors.ts";
import type { HostState, QueueState } from "../domain/hosts/host-state.ts";
import type { HostSummary } from "../domain/hosts/host-summary.ts";
import { Crumbs, Moment, Pill } from "./ui/components.tsx";
import { FlashMessage } from "./ui/flash-message.tsx";
import { formatCount, plural, sizeText } from "./ui/format.ts";
import { Allowed } from "./ui/forms/allowed.tsx";
import { Layout, type PageContext } from "./ui/layout.tsx";

export interface HostsView {
  readonly hosts: readonly HostSummary[];
  /** Names of workers that are not here, and take no jobs when they come. */
  readonly drained: readonly string[];
  readonly queue: {
    /** Whether it is outside of the server, and where: without user and password, for admins. */
    readonly isOutside: boolean;
    readonly place: string | null;
    readonly trouble: QueueTrouble | null;
    readonly waiting: number;
    readonly active: number;
  };
  /** Whether the reader may drain, stop and remove hosts, and sees addresses and tokens. */
  readonly isAdmin: boolean;
  readonly flash: string | null;
}

const LIST = "hosts";

export const HostsPage = ({ page, view }: { page: PageContext; view: HostsView }) => (
  <Layout page={page} title="Hosts">
    <header class="page-head">
      <Crumbs trail={[["Settings", "/settings"]]} />
      <h1>Hosts</h1>
    </header>
    {view.flash === null ? null : <FlashMessage flash={{ level: "error", text: view.flash }} />}
    <div id={LIST} class="hosts" hx-get="/hosts" hx-select={`#${LIST}`} hx-trigger="every 5s" hx-swap="outerMorph">
      <QueueLine {...view.queue} />
      <section class="scroll" tabindex={0} aria-label="Hosts">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Host</th>
              <th scope="col">State</th>
              <th scope="col" class="num">
                Jobs
              </th>
              <th scope="col" class="num">
                Bars a second
              </th>
              <th scope="col" class="wide">
                Takes
              </th>
              <th scope="col" class="num wide">
                Cores
              </th>
              <th scope="col" class="num wide">
                Memory
              </th>
              <th scope="col" class="wide">
                Version
              </th>
              <th scope="col">Last sign of life</th>
              {view.isAdmin ? (
                <th scope="col">
                  <span class="visually-hidden">Actions</span>
                </th>
              ) : null}
            </tr>
          </thead>
          <tbody>
            {view.hosts.map((host) => (
              <HostRow host={host} isAdmin={view.isAdmin} />
            ))}
          </tbody>
        </table>
      </section>
      {view.drained.length > 0 ? <Drained {...view} /> : null}
      {view.hosts.length === 1 ? <HowToAdd /> : null}
    </div>
  </Layout>
);

const QueueLine = ({ isOutside, place, trouble, waiting, active }: HostsView["queue"]) => (
  <p class="hosts-queue">
    {trouble === null ? (
      <Pill look="complete" icon="complete">
        Queue works
      </Pill>
    ) : (
      <Pill look="failed" icon="failed">
        Queue down
      </Pill>
    )}{" "}
    {plural(waiting, "job waits", "jobs wait")} and {plural(active, "is", "are")} at work. The job queue is{" "}
    {isOutside ? place === null ? "outside of the server" : <code>{place}</code> : "in the server"}
    {trouble === null ? (
      "."
    ) : (
      <>
        {" "}
        and has not answered since <Moment at={trouble.since} style="second" />
        {place === null ? "." : `: ${trouble.detail}.`}
      </>
    )}
  </p>
);

const Drained = ({ drained, isAdmin }: Pick<HostsView, "drained" | "isAdmin">) => (
  <ul class="hosts-drained" aria-label="Drained and not here">
    {drained.map((name) => (
      <li>
        {name} was drained and is not here: it takes no jobs when it comes.{" "}
        {isAdmin ? <NameAction name={name} action="resume" title="Resume" /> : null}
      </li>
    ))}
  </ul>
);

/** An action on a worker that is not here. */
const NameAction = ({ name, action, title }: { name: string; action: "forget" | "resume"; title: string }) => (
  <form method="post" action={`/hosts/${action}`}>
    <input type="hidden" name="name" value={name} />
    <button type="submit" class="button" aria-label={`${title} ${name}`}>
      {title}
    </button>
  </form>
);

const HowToAdd = () => (
  <p class="muted hosts-add">
    All jobs are done here.{" "}
    <Allowed method="GET" address="/settings/access" otherwise="An admin can let other machines help.">
      To let other machines help, create a token with the scope worker under <a href="/settings/access">Access</a> and
      run <code>barkeep worker --server ADDRESS</code> there with the token in <code>BARKEEP_TOKEN</code>.
    </Allowed>
  </p>
);

const STATES: Readonly<Record<HostState, { readonly look: string; readonly icon: string; readonly title: string }>> = {
  working: { look: "complete", icon: "complete", title: "Takes jobs" },
  draining: { look: "paused", icon: "paused", title: "Drains" },
  silent: { look: "paused", icon: "queued", title: "Silent" },
  lost: { look: "failed", icon: "failed", title: "Lost" },
};

/** Where a worker has its jobs from. */
const TAKES_FROM: Readonly<Record<QueueState | "null", string>> = {
  up: "from the queue",
  down: "handed its jobs: it does not reach the queue",
  other: "handed its jobs: its BARKEEP_QUEUE is not that of this server",
  null: "",
};

const HostRow = ({ host, isAdmin }: { host: HostSummary; isAdmin: boolean }) => {
  const { look, icon, title } = STATES[host.state];
  return (
    <tr>
      <th scope="row">
        {host.name}
        <span class="host-from">{host.isServer ? "this server" : isAdmin ? `${host.address}, ${host.token}` : ""}</span>
      </th>
      <td>
        <Pill look={look} icon={icon}>
          {title}
          {host.isDraining && host.state !== "draining" ? ", drained" : ""}
        </Pill>
      </td>
      <td class="num">
        {formatCount(host.jobs)} of {formatCount(host.maxJobs)}
      </td>
      <td class="num">{host.state === "lost" ? "–" : formatCount(Math.round(host.barsPerSecond))}</td>
      <td class="wide">
        {takes(host)}
        <span class="host-from">{TAKES_FROM[`${host.queue}`]}</span>
      </td>
      <td class="num wide">{host.cores}</td>
      <td class="num wide">
        {sizeText(host.memory)} of {sizeText(host.machineMemory)}
      </td>
      <td class="wide">{host.version}</td>
      <td>{host.isServer ? "now" : <Moment at={host.lastSeen} style="second" />}</td>
      {isAdmin ? (
        <td class="c-actions">
          <HostActions host={host} />
        </td>
      ) : null}
    </tr>
  );
};

const HostActions = ({ host: { id, name, isServer, isDraining } }: { host: HostSummary }) => {
  if (isServer) return null;
  if (id === null) return <NameAction name={name} action="forget" title="Remove" />;
  const form = (action: string, title: string) => (
    <form method="post" action={`/hosts/${id}/${action}`}>
      <button type="submit" class="button" aria-label={`${title} ${name}`}>
        {title}
      </button>
    </form>
  );
  return (
    <div class="host-orders">
      {isDraining ? form("resume", "Resume") : form("drain", "Drain")}
      {form("stop", "Stop")}
    </div>
  );
};

function takes({ isServer, providers, intervals }: HostSummary): string {
  if (isServer) return "everything";
  const some = [...(providers ?? []), ...(intervals ?? [])];
  return some.length === 0 ? "everything" : some.join(", ");
}
