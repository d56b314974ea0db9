/** @jsxImportSource hono/jsx */
/** The settings page: keys (write-only), addresses, limits and usage of each provider, the mail server, backups, and the lake. */

import type { Child } from "hono/jsx";
import { MailSettingsSection, type MailSettingsView } from "./alerts/mail-settings.tsx";
import { BackupsSection, type BackupsView } from "./backups.tsx";
import { LakeSection, type LakeView } from "./lake.tsx";
import { NotificationSettings } from "./notifications.tsx";
import { QuotaGauges, type QuotaView } from "./quotas/quota-gauges.tsx";
import { Moment, Pill } from "./ui/components.tsx";
import { type Flash, FlashMessage } from "./ui/flash-message.tsx";
import { Allowed, useMayPost } from "./ui/forms/allowed.tsx";
import { Reason } from "./ui/forms/form-field.tsx";
import { Layout, type PageContext } from "./ui/layout.tsx";

/** A setting as it may be shown; of a key `value` is what was just typed, otherwise `null`, as of places below `admin`. */
interface SettingField {
  readonly variable: string;
  readonly kind: "key" | "url" | "folder" | "milliseconds" | "count" | "choice";
  readonly label: string;
  readonly default?: string;
  readonly options?: readonly string[];
  readonly required?: boolean;
  readonly wants?: string;
  readonly source: "environment" | "page" | "default" | "unreadable" | "none";
  readonly value: string | null;
  /** Epoch milliseconds. */
  readonly changedAt: number | null;
  /** Why it cannot be changed here. */
  readonly locked: string | null;
}

export interface ProviderSettingsView {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly fields: readonly SettingField[];
  readonly quota: QuotaView;
  /** What its plan was seen to allow and leave out, one line each. */
  readonly plan: readonly string[];
  /** Errors by variable. */
  readonly errors: Readonly<Record<string, string>>;
  /** The result of the last action on this provider. */
  readonly flash: Flash | null;
}

export interface SettingsView {
  readonly providers: readonly ProviderSettingsView[];
  /** Whether keys can be stored. */
  readonly keepsKeys: boolean;
  readonly mail: MailSettingsView;
  readonly backups: BackupsView;
  readonly lake: LakeView;
}

export const SettingsPage = ({ page, view }: { page: PageContext; view: SettingsView }) => (
  <Layout page={page} title="Settings">
    <header class="page-head">
      <h1>Settings</h1>
      <Allowed method="GET" address="/settings/access">
        <a href="/settings/access">Access and tokens</a>
      </Allowed>
      <a href="/hosts">Hosts</a>
      <a href="/storage">Storage</a>
    </header>
    {view.keepsKeys ? null : (
      <Allowed address="/settings/mail">
        <div class="key-notice" role="note">
          <p>
            <b>Keys can only come from the environment</b> as long as <code>BARKEEP_SECRET</code> is not set. With it,
            keys can be set on this page and are stored encrypted.
          </p>
          <p>
            Put a line like <code>BARKEEP_SECRET=…</code> with at least 16 characters into <code>.env</code>, for
            example what <code>openssl rand -base64 32</code> prints, and start Barkeep again. Keep it: without it,
            stored keys cannot be read any more.
          </p>
        </div>
      </Allowed>
    )}
    <div class="settings">
      {view.providers.map((provider) => (
        <ProviderSection provider={provider} now={page.now} />
      ))}
      <MailSettingsSection view={view.mail} />
      <BackupsSection view={view.backups} />
      <LakeSection view={view.lake} />
      <NotificationSettings />
    </div>
  </Layout>
);

const ProviderSection = ({ provider, now }: { provider: ProviderSettingsView; now: number }) => {
  const { name, title, flash } = provider;
  const action = `/settings/${name}`;
  const mayChange = useMayPost(action);
  const fields = provider.fields.map((field) => (mayChange ? field : { ...field, locked: "Admins can change it" }));
  const error = fields.find(({ variable }) => provider.errors[variable] !== undefined);
  return (
    <section class="provider" id={`provider-${name}`} aria-labelledby={`title-${name}`}>
      <header>
        <h2 id={`title-${name}`}>{title}</h2>
        <Readiness fields={fields} />
      </header>
      <p class="muted">{provider.summary}</p>
      <FlashMessage flash={flash} />
      <QuotaGauges quota={provider.quota} now={now} />
      {provider.quota.hold !== null && mayChange ? (
        <form method="post" action={`${action}/hold/lift`} class="button-row">
          <button type="submit" class="button">
            Lift the hold…
          </button>
        </form>
      ) : null}
      <PlanFacts plan={provider.plan} action={`${action}/plan/forget`} />
      <SettingForm action={action}>
        {fields.map((field) => (
          <Setting field={field} error={provider.errors[field.variable]} focus={field === error} />
        ))}
        {fields.some(({ locked }) => locked === null) ? <Reason of={name} /> : null}
        {mayChange ? (
          <div class="button-row">
            {fields.some(({ locked }) => locked === null) ? (
              <button type="submit" class="button primary">
                Save {title}
              </button>
            ) : null}
            {fields.some(hasKeyToCheck) ? (
              <button type="submit" formaction={`${action}/check`} class="button">
                Check this key
              </button>
            ) : null}
          </div>
        ) : null}
      </SettingForm>
    </section>
  );
};

/** Whether a key can be typed, or somebody has set one. */
const hasKeyToCheck = ({ kind, locked, source }: SettingField): boolean =>
  kind === "key" && (locked === null || source === "environment" || source === "page");

/** The fields as a form, or the same fields for those who may not send it. */
const SettingForm = ({ action, children }: { action: string; children?: Child }) => (
  <Allowed address={action} otherwise={<div class="setting-form">{children}</div>}>
    <form method="post" action={action} class="setting-form" autocomplete="off" novalidate>
      {children}
    </form>
  </Allowed>
);

/** What was seen of the plan; planning relies on it until it is forgotten. */
const PlanFacts = ({ plan, action }: { plan: readonly string[]; action: string }) =>
  plan.length === 0 ? null : (
    <div class="plan-facts">
      <p>What responses have shown about the plan of this key. It is used for 7 days.</p>
      <ul>
        {plan.map((line) => (
          <li>{line}</li>
        ))}
      </ul>
      <Allowed address={action}>
        <form method="post" action={action}>
          <button type="submit" class="button">
            Discard and check again
          </button>
        </form>
      </Allowed>
    </div>
  );

/** Whether a run can use the provider. */
const Readiness = ({ fields }: { fields: readonly SettingField[] }) => {
  const off = fields.find(({ wants, value }) => wants !== undefined && value !== wants);
  if (off) {
    return (
      <Pill icon="queued">
        Off: {off.variable} is not {off.wants}
      </Pill>
    );
  }
  const missing = fields.filter(({ required, source }) => required && (source === "none" || source === "unreadable"));
  return missing.length === 0 ? (
    <Pill look="complete" icon="complete">
      Ready
    </Pill>
  ) : (
    <Pill icon="queued">Needs {missing.map(({ label }) => midSentence(label)).join(" and ")}</Pill>
  );
};

/** `Secret key` becomes `secret key`, `API key` stays. */
const midSentence = (label: string) => label.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());

/** `focus` is true for the first field with an error. */
const Setting = (props: { field: SettingField; error: string | undefined; focus: boolean }) => {
  const { field, error } = props;
  const { variable, kind, locked } = field;
  const id = `set-${variable}`;
  const described = [`${id}-state`, ...(error ? [`${id}-error`] : [])].join(" ");
  const stored = field.source === "page" || field.source === "unreadable";
  return (
    <div class="field setting">
      <label for={id}>
        {field.label} <code>{variable}</code>
      </label>
      {kind === "choice" ? (
        <select id={id} name={variable} disabled={locked !== null || undefined} aria-describedby={described}>
          {field.options?.map((option) => (
            <option value={option} selected={option === (field.value ?? field.default)}>
              {option}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          name={variable}
          type={kind === "key" ? "password" : kind === "count" || kind === "milliseconds" ? "number" : "text"}
          value={field.value ?? ""}
          placeholder={placeholderOf(field)}
          autocomplete={kind === "key" ? "new-password" : "off"}
          spellcheck={false}
          disabled={locked !== null || undefined}
          aria-invalid={error ? "true" : undefined}
          aria-describedby={described}
          autofocus={props.focus || undefined}
        />
      )}
      <p class="hint" id={`${id}-state`}>
        <State field={field} />
      </p>
      {stored && locked === null ? (
        <label class="forget">
          <input type="checkbox" name="forget" value={variable} /> Remove this {kind === "key" ? "key" : "value"}
        </label>
      ) : null}
      {error ? (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      ) : null}
    </div>
  );
};

/** What an empty field means. */
function placeholderOf({ kind, source, value, default: fallback = "" }: SettingField): string {
  if (kind === "key" && source === "page") return "Leave empty to keep it";
  const isSet = source === "page" || source === "environment";
  if (isSet && value === null && (kind === "folder" || kind === "url")) return "Admins see it";
  return source === "environment" ? "" : fallback;
}

/** Where a value comes from; a key itself is never shown. */
const State = ({ field }: { field: SettingField }) => {
  const { source, kind, changedAt, locked } = field;
  const changed = changedAt === null ? null : <Moment at={changedAt} />;
  switch (source) {
    case "environment":
      return <>Set by environment variable</>;
    case "page":
      return (
        <>
          Set on this page, last changed {changed}
          {locked ? `. ${locked}` : ""}
        </>
      );
    case "unreadable":
      return <>Stored {changed}, but not readable with this BARKEEP_SECRET: enter it again</>;
    case "default":
      return (
        <>
          {kind === "key" ? `Not set: the public key “${field.default}” is used` : "Default"}
          {locked ? `. ${locked}` : ""}
        </>
      );
    case "none":
      return <>Not set{locked ? `. ${locked}` : ""}</>;
  }
};
