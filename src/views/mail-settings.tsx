/** The mail server on the settings page. */

import { Reason } from "./field.tsx";
import { Icon } from "./ui.tsx";

export interface MailSettingsView {
  readonly values: { readonly server: string; readonly from: string; readonly to: string };
  readonly hasPassword: boolean;
  /** Whether the environment says where mails go. */
  readonly fixed: boolean;
  readonly keepsPassword: boolean;
  readonly isSet: boolean;
  readonly errors: Readonly<Record<string, string>>;
  readonly said: { readonly level: "info" | "error"; readonly text: string } | null;
}

export const MailSettingsSection = ({ view }: { view: MailSettingsView }) => {
  const { values, said, fixed } = view;
  return (
    <section class="provider" id="mail" aria-labelledby="title-mail">
      <header>
        <h2 id="title-mail">Mail server</h2>
        <span class={view.isSet ? "pill pill-complete" : "pill"}>
          <Icon name={view.isSet ? "complete" : "queued"} />
          {view.isSet ? "Ready" : "Not set"}
        </span>
      </header>
      <p class="muted">
        Sends the mails chosen under <a href="/alerts">Alerts</a>.
        {fixed ? " Set in the environment (SMTP_URL, ALERT_FROM, ALERT_TO): change it there." : null}
      </p>
      {said ? (
        <p class={`said said-${said.level}`} role={said.level === "error" ? "alert" : "status"}>
          <Icon name={said.level === "error" ? "failed" : "complete"} />
          {said.text}
        </p>
      ) : null}
      <form method="post" action="/settings/mail" class="setting-form" autocomplete="off" novalidate>
        <Field
          name="server"
          title="Server"
          value={values.server}
          view={view}
          placeholder="smtp://user@mail.example.com:587"
        />
        <Field
          name="password"
          title="Password"
          type="password"
          value=""
          view={view}
          placeholder={view.hasPassword ? "Leave empty to keep it" : ""}
        />
        <Field name="from" title="Sender" value={values.from} view={view} placeholder="Barkeep <barkeep@example.com>" />
        <Field
          name="to"
          title="Recipients"
          value={values.to}
          view={view}
          placeholder="ops@example.com, you@example.com"
        />
        {fixed ? null : <Reason of="mail" />}
        {fixed ? null : (
          <div class="button-row">
            <button type="submit" class="button primary">
              Check and save
            </button>
            {view.isSet ? (
              <button type="submit" formaction="/settings/mail/forget" class="button">
                Forget
              </button>
            ) : null}
          </div>
        )}
      </form>
    </section>
  );
};

const Field = (props: {
  name: string;
  title: string;
  value: string;
  placeholder: string;
  type?: string;
  view: MailSettingsView;
}) => {
  const { name, view, type = "text" } = props;
  const error = view.errors[name];
  const hint = name !== "password" ? null : hintOf(view);
  const described = [...(hint ? [`mail-${name}-hint`] : []), ...(error ? [`mail-${name}-error`] : [])].join(" ");
  return (
    <div class="field setting">
      <label for={`mail-${name}`}>{props.title}</label>
      <input
        id={`mail-${name}`}
        name={name}
        type={type}
        value={props.value}
        placeholder={props.placeholder}
        autocomplete={type === "password" ? "new-password" : "off"}
        spellcheck={false}
        disabled={view.fixed || (name === "password" && !view.keepsPassword) || undefined}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={described || undefined}
      />
      {hint ? (
        <p class="hint" id={`mail-${name}-hint`}>
          {hint}
        </p>
      ) : null}
      {error ? (
        <p class="error" id={`mail-${name}-error`}>
          {error}
        </p>
      ) : null}
    </div>
  );
};

function hintOf({ hasPassword, fixed, keepsPassword }: MailSettingsView): string {
  if (fixed) return hasPassword ? "Set, from the environment" : "Not set";
  if (!keepsPassword) return "Passwords can only come from the environment as long as BARKEEP_SECRET is not set";
  return hasPassword ? "Set on this page" : "Not set";
}
