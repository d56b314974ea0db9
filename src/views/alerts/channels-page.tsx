/** @jsxImportSource hono/jsx */
/** `/alerts/channels`: where alerts go besides mail, each with its own rules. */

import { ALERT_KINDS, type AlertKind, CHANNEL_KINDS, type ChannelKind } from "../../domain/alerts.ts";
import { Crumbs, Pill } from "../ui/components.tsx";
import { type Flash, FlashMessage } from "../ui/flash-message.tsx";
import { type FormState, formFields, Reason, TIME } from "../ui/forms/form-field.tsx";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { KIND_TITLES } from "./alerts-page.tsx";

export interface ChannelSummary {
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly host: string;
  readonly enabled: boolean;
  readonly unreadable: boolean;
  /** What is wrong with what is stored, and what to do; `null` if nothing is. */
  readonly fault: string | null;
  /** The kinds that it gets. */
  readonly on: readonly AlertKind[];
}

const FIELDS = [
  "name",
  "kind",
  "url",
  "secret",
  "place",
  "digest_minutes",
  "quiet_from",
  "quiet_to",
  "quiet_zone",
] as const;
type Name = (typeof FIELDS)[number];

/** The fields as the browser sends them. A stored address or secret is never sent back: empty keeps it. */
export interface ChannelFields extends Readonly<Record<Name, string>> {
  readonly on: readonly string[];
  /** `on`, or empty. */
  readonly quiet: string;
  readonly enabled: string;
}

export interface ChannelsView {
  readonly channels: readonly ChannelSummary[];
  readonly fields: ChannelFields;
  readonly errors: Readonly<Partial<Record<Name | "form", string>>>;
  /** The channel that is changed; `null` for a new one. */
  readonly changed: ChannelSummary | null;
  /** Whether there is a BARKEEP_SECRET, without which nothing can be stored. */
  readonly keepsSecrets: boolean;
  readonly flash: Flash | null;
}

const KINDS: Readonly<Record<ChannelKind, string>> = {
  webhook: "Webhook (signed JSON)",
  slack: "Slack",
  discord: "Discord",
  telegram: "Telegram",
  ntfy: "ntfy",
};

const { Field, Choice, control } = formFields("channel", FIELDS, {
  url: "Of the webhook; empty for api.telegram.org and ntfy.sh",
  secret: "Webhook: the signing key. Telegram: the bot's token. ntfy: an access token, if it needs one",
  place: "Telegram: the chat. ntfy: the topic",
});

export const ChannelsPage = ({ page, view }: { page: PageContext; view: ChannelsView }) => (
  <Layout page={page} title="Alert channels">
    <header class="page-head">
      <Crumbs trail={[["Alerts", "/alerts"]]} />
      <h1>Channels</h1>
    </header>
    <FlashMessage flash={view.flash} />
    <div class="alerts">
      {view.keepsSecrets ? (
        <ChannelForm view={view} />
      ) : (
        <p class="alert-note">Set BARKEEP_SECRET first: addresses and tokens are encrypted with it.</p>
      )}
      <section aria-label="Channels">
        {view.channels.length === 0 ? (
          <Empty title="No channel yet">
            Alerts go out by mail alone. {view.keepsSecrets ? "Add a channel, then send it a test message." : ""}
          </Empty>
        ) : (
          <ul class="channels">
            {view.channels.map((channel) => (
              <Channel channel={channel} />
            ))}
          </ul>
        )}
      </section>
    </div>
  </Layout>
);

const Channel = ({ channel }: { channel: ChannelSummary }) => {
  const { id, name, kind, host, enabled, unreadable, fault, on } = channel;
  const address = `/alerts/channels/${id}`;
  return (
    <li class="channel">
      <h2>{name}</h2>
      <p class="muted">
        {KINDS[kind]} · {host} · {on.length} of {ALERT_KINDS.length} kinds{" "}
        {unreadable ? (
          <Pill look="failed" icon="failed">
            Cannot be read with this BARKEEP_SECRET
          </Pill>
        ) : enabled ? null : (
          <Pill look="paused" icon="paused">
            Paused
          </Pill>
        )}
      </p>
      {fault === null ? null : <p class="alert-note">The channel is not safe: {fault}.</p>}
      <div class="actions">
        <form method="post" action={`${address}/test`}>
          <button type="submit" class="button" aria-label={`Send a test message to ${name}`}>
            Send a test
          </button>
        </form>
        <a class="button" href={`${address}#channel-form`} aria-label={`Change ${name}`}>
          Change
        </a>
        <form method="post" action={`${address}/delete`}>
          <button type="submit" class="button" aria-label={`Delete ${name}`}>
            Delete
          </button>
        </form>
      </div>
    </li>
  );
};

const Input = (props: { name: Name; title: string; type?: string; form: FormState<Name>; placeholder?: string }) => {
  const { name, title, form, ...attributes } = props;
  return (
    <Field name={name} title={title} form={form}>
      <input {...control(name, form)} value={form.values[name]} autocomplete="off" {...attributes} />
    </Field>
  );
};

const ChannelForm = ({ view: { fields, errors, changed } }: { view: ChannelsView }) => {
  const form = { values: fields, errors };
  const kept = changed === null || changed.unreadable ? undefined : "Set; empty keeps it";
  return (
    <form
      id="channel-form"
      class="alert-rules"
      method="post"
      action={changed === null ? "/alerts/channels" : `/alerts/channels/${changed.id}`}
      novalidate
    >
      <h2>{changed === null ? "Add a channel" : `Change ${changed.name}`}</h2>
      <Input name="name" title="Name" type="text" form={form} />
      <Field name="kind" title="Kind" form={form}>
        <Choice name="kind" form={form} options={CHANNEL_KINDS.map((kind) => [kind, KINDS[kind]] as const)} />
      </Field>
      <Input name="url" title="Address" type="url" form={form} placeholder={kept} />
      <Input name="secret" title="Key or token" type="password" form={form} placeholder={kept} />
      <Input name="place" title="Chat or topic" type="text" form={form} />
      <fieldset>
        <legend>Post when</legend>
        {(Object.keys(KIND_TITLES) as AlertKind[]).map((kind) => (
          <label class="check">
            <input type="checkbox" name="on" value={kind} checked={fields.on.includes(kind) || undefined} />
            <span>{KIND_TITLES[kind][0]}</span>
          </label>
        ))}
      </fieldset>
      <Input name="digest_minutes" title="Collect into one message for, minutes" type="number" form={form} />
      <label class="check">
        <input type="checkbox" name="quiet" value="on" checked={fields.quiet === "on" || undefined} />
        <span>Quiet hours</span>
      </label>
      <div class="quiet-row">
        <Input name="quiet_from" title="From" {...TIME} form={form} />
        <Input name="quiet_to" title="To" {...TIME} form={form} />
        <Input name="quiet_zone" title="Time zone" type="text" form={form} />
      </div>
      <label class="check">
        <input type="checkbox" name="enabled" value="on" checked={fields.enabled === "on" || undefined} />
        <span>Enabled</span>
      </label>
      <Reason of="channel" />
      <button type="submit" class="button primary">
        {changed === null ? "Add channel" : "Save channel"}
      </button>
    </form>
  );
};
