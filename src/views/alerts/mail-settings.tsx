/** @jsxImportSource hono/jsx */
/** The mail server on the settings page. */

import { Pill } from "../ui/components.tsx";
import { type Flash, FlashMessage } from "../ui/flash-message.tsx";
import { formFields, Reason } from "../ui/forms/form-field.tsx";

export interface MailSettingsView {
  readonly values: { readonly server: string; readonly from: string; readonly to: string };
  readonly hasPassword: boolean;
  /** Whether the environment sets the mail server. */
  readonly fixed: boolean;
  readonly keepsPassword: boolean;
  readonly isSet: boolean;
  /** Whether the stored password cannot be read with this secret. */
  readonly unreadable: boolean;
  /** Whether addresses and form are for admins only, and the reader is none. */
  readonly hidden: boolean;
  readonly errors: Readonly<Record<string, string>>;
  readonly flash: Flash | null;
}

const MAIL_FIELDS = ["server", "password", "from", "to"] as const;

/** What readers without the scope `admin` see: whether mails are sent, but not from where and to whom. */
const HiddenSection = ({ view }: { view: MailSettingsView }) => (
  <section class="provider" id="mail" aria-labelledby="title-mail">
    <header>
      <h2 id="title-mail">Mail server</h2>
      <Readiness view={view} />
    </header>
    <p class="muted">Its address, the sender and the recipients are shown to admins only.</p>
  </section>
);

export const MailSettingsSection = ({ view }: { view: MailSettingsView }) => {
  if (view.hidden) return <HiddenSection view={view} />;
  const { flash, fixed } = view;
  const form = { values: { ...view.values, password: "" }, errors: view.errors };
  const { Field, control } = formFields("mail", MAIL_FIELDS, { password: hintOf(view) });
  const text = (name: keyof MailSettingsView["values"]) => ({
    ...control(name, form),
    value: form.values[name],
    autocomplete: "off",
    spellcheck: false,
    disabled: fixed || undefined,
  });
  return (
    <section class="provider" id="mail" aria-labelledby="title-mail">
      <header>
        <h2 id="title-mail">Mail server</h2>
        <Readiness view={view} />
      </header>
      <p class="muted">
        Sends the mails chosen under <a href="/alerts">Alerts</a>. The password is sent under TLS only.
        {fixed ? " Set by environment variables (SMTP_URL, ALERT_FROM, ALERT_TO)." : null}
      </p>
      <FlashMessage flash={flash} />
      <form method="post" action="/settings/mail" class="setting-form" autocomplete="off" novalidate>
        <Field name="server" title="Server" form={form}>
          <input {...text("server")} placeholder="smtp://user@mail.example.com:587" />
        </Field>
        <Field name="password" title="Password" form={form}>
          <input
            {...control("password", form)}
            type="password"
            placeholder={view.hasPassword && !fixed ? "Leave empty to keep it" : ""}
            autocomplete="new-password"
            disabled={fixed || !view.keepsPassword || undefined}
          />
        </Field>
        <Field name="from" title="Sender" form={form}>
          <input {...text("from")} placeholder="Barkeep <barkeep@example.com>" />
        </Field>
        <Field name="to" title="Recipients" form={form}>
          <input {...text("to")} placeholder="ops@example.com, you@example.com" />
        </Field>
        {fixed ? null : <Reason of="mail" />}
        {fixed ? null : (
          <div class="button-row">
            <button type="submit" class="button primary">
              Check and save
            </button>
            {view.isSet ? (
              <button type="submit" formaction="/settings/mail/forget" class="button">
                Remove
              </button>
            ) : null}
          </div>
        )}
      </form>
    </section>
  );
};

const Readiness = ({ view: { isSet, unreadable } }: { view: MailSettingsView }) =>
  unreadable ? (
    <Pill look="failed" icon="failed">
      Password cannot be read
    </Pill>
  ) : (
    <Pill {...(isSet ? { look: "complete", icon: "complete" } : { icon: "queued" })}>
      {isSet ? "Ready" : "Not set"}
    </Pill>
  );

function hintOf({ hasPassword, fixed, keepsPassword, unreadable }: MailSettingsView): string {
  if (unreadable) return "Start with the BARKEEP_SECRET it was kept with, or enter it again; mails wait until then";
  if (fixed) return hasPassword ? "Set by environment variable" : "Not set";
  if (!keepsPassword) return "Passwords can only come from the environment as long as BARKEEP_SECRET is not set";
  return hasPassword ? "Set on this page" : "Not set";
}
