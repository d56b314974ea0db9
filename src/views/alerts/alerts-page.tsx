/** @jsxImportSource hono/jsx */
/** `/alerts`: the rules for mails, and the mails with their status. */

import { ALERT_KINDS, type AlertKind, MAIL_STATES } from "../../domain/alerts.ts";
import { Crumbs, Moment, Pill, TimeHead } from "../ui/components.tsx";
import { type Flash, FlashMessage } from "../ui/flash-message.tsx";
import { plural } from "../ui/format.ts";
import { Allowed, useMayPost } from "../ui/forms/allowed.tsx";
import { type FormState, formFields, Reason, TIME } from "../ui/forms/form-field.tsx";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { PageLinks, type PageLinksView } from "../ui/pagination.tsx";

type MailState = (typeof MAIL_STATES)[number];

export interface MailSummary {
  readonly id: string;
  readonly kind: AlertKind | "test";
  readonly subject: string;
  readonly recipients: string;
  readonly state: MailState;
  readonly attempts: number;
  readonly error: string | null;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly sentAt: number | null;
  readonly notBefore: number;
}

/** The form's fields as the browser sends them; `on` lists the kinds that are switched on. */
export interface AlertFields {
  readonly on: readonly string[];
  readonly quota_percent: string;
  readonly digest_minutes: string;
  /** `on`, or empty. */
  readonly quiet: string;
  readonly quiet_from: string;
  readonly quiet_to: string;
  readonly quiet_zone: string;
  readonly summary_at: string;
  readonly summary_zone: string;
}

export interface AlertsView extends PageLinksView {
  readonly fields: AlertFields;
  readonly errors: Readonly<Record<string, string>>;
  /** Recipients and mail server; `null` if there is none, `hidden` from readers without the scope `admin`. */
  readonly account: { readonly host: string; readonly to: readonly string[] } | "hidden" | null;
  /** Whether the mail server's password cannot be read; mails wait for it. */
  readonly unreadable: boolean;
  /** A page of the mails in one state or, with `null`, in any; newest first. */
  readonly mails: readonly MailSummary[];
  readonly state: MailState | null;
  /** Events that are not in a mail yet. */
  readonly waiting: number;
  readonly quietNow: boolean;
  /** Enabled channels besides mail. */
  readonly channels: number;
  readonly flash: Flash | null;
}

export const KIND_TITLES: Readonly<Record<AlertKind, readonly [title: string, hint: string]>> = {
  run_failed: ["A run failed", "At once, with the symbols that failed and why"],
  run_finished: ["A run finished", "At once, with a summary"],
  job_failed: ["A symbol failed", "In its run's mail; collected into one mail if runs have none"],
  quota_level: ["A quota is nearly used", "Once a day or month, at the level below"],
  revision_found: ["History was revised", "Splits, dividend adjustments, corrections, suspicious answers and prices"],
  gap_found: ["A gap was found", "Bars that should be there and are not"],
  run_recovered: ["A run recovered", "At once, when it completes after it or the run before it had failed"],
  schedule_missed: ["A schedule was missed", "A run that did not start when it was due"],
  key_refused: ["A key was refused", "At once, at most once a day for each provider"],
  series_stale: ["A series went stale", "No bars of a session that closed a day ago or more"],
  quality_found: ["Bars are suspicious", "Outside the sessions, or an implausible answer of the provider"],
  disk_low: ["The disk is nearly full", "At once, at most once a day"],
  backup_failed: ["A backup failed", "At once, with the reason and what to do"],
  worker_lost: [
    "A worker is lost",
    "At once, at most once a day for each worker: it has stopped answering without saying that it ends",
  ],
  queue_down: ["The job queue is down", "When it has not answered for a minute"],
  freshness_at_risk: ["A promise is at risk", "Hours before its deadline, as its own form says, with the reason"],
  freshness_missed: ["A promise was missed", "At its deadline, with the symbols that were missing"],
  freshness_recovered: ["A missed promise recovered", "When all that its deadline needed is stored after all"],
  daily_summary: ["Daily summary", "What completed and failed in 24 hours, at the time below"],
};

export const AlertsPage = ({ page, view }: { page: PageContext; view: AlertsView }) => (
  <Layout page={page} title="Alerts">
    <header class="page-head">
      <h1>Alerts</h1>
      {view.unreadable ? <Unreadable waiting={view.waiting} /> : <Account account={view.account} />}
      <form method="post" action="/alerts/test">
        <button type="submit" class="button" disabled={view.account === null || undefined}>
          Send a test mail
        </button>
      </form>
      <Allowed method="GET" address="/alerts/channels">
        <a href="/alerts/channels">
          {view.channels === 0
            ? "Other channels: webhook, Slack, Discord, Telegram, ntfy"
            : plural(view.channels, "other channel")}
        </a>
      </Allowed>
    </header>
    <FlashMessage flash={view.flash} />
    {view.waiting > 0 && view.account ? (
      <p class="alert-note">
        {plural(view.waiting, "event")} will be mailed{" "}
        {view.quietNow ? "after the quiet hours" : "with the next digest"}.
      </p>
    ) : null}
    <div class="alerts">
      <RulesForm view={view} />
      <section aria-labelledby="mails-title">
        <header class="mails-head">
          <h2 id="mails-title">Mails</h2>
          <MailFilter state={view.state} />
        </header>
        {view.mails.length === 0 ? <NoMails view={view} /> : <MailTable mails={view.mails} />}
        <PageLinks {...view} address={(more) => mailsAddress(view.state, more)} />
      </section>
    </div>
  </Layout>
);

/** The address of the mails in a state, or in any. */
function mailsAddress(state: MailState | null, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ ...(state !== null && { state }), ...more }).toString();
  return query === "" ? "/alerts" : `/alerts?${query}`;
}

const MailFilter = ({ state }: Pick<AlertsView, "state">) => (
  <nav class="tabs" aria-label="Status of the mails">
    {[null, ...MAIL_STATES].map((each) => (
      <a href={mailsAddress(each)} aria-current={each === state ? "true" : undefined}>
        {each === null ? "All" : STATES[each][0]}
      </a>
    ))}
  </nav>
);

const NoMails = ({ view: { state, account } }: { view: AlertsView }) =>
  state !== null ? (
    <Empty title="No mail has this status">
      <a href="/alerts">Show all mails</a>
    </Empty>
  ) : account === null ? (
    <Empty title="No mail yet">
      <Allowed address="/settings/mail" otherwise="An admin sets up the mail server.">
        <a href="/settings#mail">Set up the mail server</a>, choose what is worth a mail, and send a test mail.
      </Allowed>
    </Empty>
  ) : (
    <Empty title="No mail yet">
      Mails that were sent, are queued or could not be sent are listed here.{" "}
      <span data-changes>Send a test mail to see that it arrives.</span>
    </Empty>
  );

const Unreadable = ({ waiting }: Pick<AlertsView, "waiting">) => (
  <p>
    <Pill look="failed" icon="failed">
      Mails wait
    </Pill>{" "}
    The mail server's password cannot be read with this BARKEEP_SECRET
    {waiting > 0 ? `: ${plural(waiting, "event")} ${waiting === 1 ? "waits" : "wait"}` : ""}.{" "}
    <Allowed address="/settings/mail">
      <a href="/settings#mail">Enter it again</a>
    </Allowed>
  </p>
);

const Account = ({ account }: Pick<AlertsView, "account">) =>
  account === null ? (
    <p>
      <Pill icon="queued">No mail server</Pill> Events are noted, but not mailed.{" "}
      <Allowed address="/settings/mail">
        <a href="/settings#mail">Set up the mail server</a>
      </Allowed>
    </p>
  ) : account === "hidden" ? (
    <p class="muted">A mail server is set; its address and the recipients are shown to admins only.</p>
  ) : (
    <p class="muted">
      To {account.to.join(", ")} through {account.host}.{" "}
      <Allowed address="/settings/mail">
        <a href="/settings#mail">Change</a>
      </Allowed>
    </p>
  );

const RulesForm = ({ view: { fields, errors } }: { view: AlertsView }) => {
  const form = { values: fields, errors };
  const isFixed = !useMayPost("/alerts") || undefined;
  return (
    <form class="alert-rules" method="post" action="/alerts" novalidate>
      <fieldset disabled={isFixed}>
        <legend>Send a mail when</legend>
        {ALERT_KINDS.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)).map((kind) => (
          <label class="check">
            <input type="checkbox" name="on" value={kind} checked={fields.on.includes(kind) || undefined} />
            <span>
              {KIND_TITLES[kind][0]}
              <small class="hint">{KIND_TITLES[kind][1]}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset disabled={isFixed}>
        <legend>How much, and when</legend>
        <Input name="quota_percent" title="Quota level, percent" type="number" form={form} />
        <Input name="digest_minutes" title="Collect into one mail for, minutes" type="number" form={form} />
        <label class="check">
          <input type="checkbox" name="quiet" value="on" checked={fields.quiet === "on" || undefined} />
          <span>
            Quiet hours
            <small class="hint">Mails wait until they are over</small>
          </span>
        </label>
        <div class="quiet-row">
          <Input name="quiet_from" title="From" {...TIME} form={form} />
          <Input name="quiet_to" title="To" {...TIME} form={form} />
          <Input name="quiet_zone" title="Time zone" type="text" form={form} />
        </div>
        <div class="quiet-row">
          <Input name="summary_at" title="Daily summary at" {...TIME} form={form} />
          <Input name="summary_zone" title="Time zone of the summary" type="text" form={form} />
        </div>
      </fieldset>
      {isFixed ? (
        <p class="muted">Changing the rules needs the scope operate.</p>
      ) : (
        <>
          <Reason of="rules" />
          <button type="submit" class="button primary">
            Save rules
          </button>
        </>
      )}
    </form>
  );
};

const order = Object.keys(KIND_TITLES) as AlertKind[];

/** The text fields, in the order of the page. */
const TEXT_FIELDS = [
  "quota_percent",
  "digest_minutes",
  "quiet_from",
  "quiet_to",
  "quiet_zone",
  "summary_at",
  "summary_zone",
] as const;
type Typed = (typeof TEXT_FIELDS)[number];

const { Field, control } = formFields("alert", TEXT_FIELDS);

const Input = (props: { name: Typed; title: string; type?: string; form: FormState<Typed> }) => {
  const { name, title, form, ...attributes } = props;
  return (
    <Field name={name} title={title} form={form}>
      <input {...control(name, form)} value={form.values[name]} {...attributes} />
    </Field>
  );
};

const STATES: Readonly<Record<MailState, readonly [title: string, icon: string, pill: string]>> = {
  waiting: ["Queued", "waiting", "paused"],
  sending: ["Sending", "fetch", "running"],
  sent: ["Sent", "complete", "complete"],
  failed: ["Failed", "failed", "failed"],
};

const State = ({ state }: { state: MailState }) => {
  const [title, icon, pill] = STATES[state];
  return (
    <Pill look={pill} icon={icon}>
      {title}
    </Pill>
  );
};

const mailAddress = (id: string) => `/alerts/mails/${encodeURIComponent(id)}`;

const MailTable = ({ mails }: { mails: readonly MailSummary[] }) => (
  <section class="scroll" tabindex={0} aria-label="Mails, newest first">
    <table class="list">
      <thead>
        <tr>
          <th scope="col">Subject</th>
          <th scope="col">Status</th>
          <TimeHead title="Created" />
          <th scope="col" class="num">
            Attempts
          </th>
          <th scope="col">Last result</th>
          <th scope="col">
            <span class="visually-hidden">Action</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {mails.map((mail) => (
          <tr>
            <th scope="row" class="mail-subject">
              <a href={mailAddress(mail.id)}>{mail.subject}</a>
            </th>
            <td>
              <State state={mail.state} />
            </td>
            <td>
              <Moment at={mail.createdAt} style="column" />
            </td>
            <td class="num">{mail.attempts}</td>
            <td class="mail-outcome">
              <Outcome mail={mail} />
            </td>
            <td class="c-actions">
              <Again mail={mail} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const Outcome = ({ mail: { state, error, sentAt, notBefore, attempts } }: { mail: MailSummary }) => {
  if (state === "sent" && sentAt !== null) return <Moment at={sentAt} />;
  if (state === "waiting" && attempts > 0) {
    return (
      <>
        {error ? `${error}; ` : ""}next attempt <Moment at={notBefore} />
      </>
    );
  }
  return <>{error ?? ""}</>;
};

const Again = ({ mail: { id, state, attempts, subject } }: { mail: MailSummary }) => {
  const word = state === "waiting" ? "Try now" : "Send again";
  return state === "sending" || (state === "waiting" && attempts === 0) ? null : (
    <form method="post" action={`${mailAddress(id)}/again`}>
      <button type="submit" class="button" aria-label={`${word}: ${subject}`}>
        {word}
      </button>
    </form>
  );
};

/** One mail with its text. */
export const MailPage = ({ page, mail }: { page: PageContext; mail: MailSummary & { readonly text: string } }) => (
  <Layout page={page} title={mail.subject}>
    <header class="page-head">
      <Crumbs trail={[["Alerts", "/alerts"]]} />
      <h1>{mail.subject}</h1>
      <State state={mail.state} />
      <Again mail={mail} />
    </header>
    <div class="prose">
      <p class="muted">
        To {mail.recipients}, created <Moment at={mail.createdAt} />. <Outcome mail={mail} />
      </p>
      <pre class="mail-text">{mail.text}</pre>
    </div>
  </Layout>
);
