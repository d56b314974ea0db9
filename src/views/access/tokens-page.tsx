/** @jsxImportSource hono/jsx */
/** The access page: API tokens with their scopes, and open login sessions. */

import { SCOPES, type Scope } from "../../domain/access.ts";
import { Crumbs, Moment, TimeHead } from "../ui/components.tsx";
import { type FormState, formFields } from "../ui/forms/form-field.tsx";
import { Empty, Layout, type PageContext } from "../ui/layout.tsx";
import { type SessionSummary, SessionsSection } from "./sessions-section.tsx";

const TOKEN_FIELDS = ["name", "scope", "expires"] as const;
type TokenField = (typeof TOKEN_FIELDS)[number];

const { Field, Choice, control } = formFields("token", TOKEN_FIELDS);

/** After how many days a token expires. */
export const TOKEN_TERMS = ["30", "90", "365", "never"] as const;
const termTitle = (term: string) => (term === "never" ? "Never" : `After ${term} days`);

export interface AccessView {
  readonly tokens: readonly {
    readonly id: number;
    readonly name: string;
    readonly scope: Scope;
    /** Epoch milliseconds. */
    readonly createdAt: number;
    readonly lastUsedAt: number | null;
    /** `null` for one that does not expire. */
    readonly expiresAt: number | null;
  }[];
  readonly sessions: readonly SessionSummary[];
  /** A new token: this is the only time that it is shown. */
  readonly fresh: { readonly name: string; readonly secret: string } | null;
  readonly form: FormState<TokenField>;
}

const SCOPE_TITLES: Readonly<Record<Scope, string>> = {
  read: "Read: see everything, change nothing",
  operate: "Operate: also runs, companies, schedules, profiles",
  admin: "Admin: also settings, tokens and the audit page",
  worker: "Worker: only fetches and computes for this server, on another machine",
};

export const AccessPage = ({ page, view }: { page: PageContext; view: AccessView }) => (
  <Layout page={page} title="Access">
    <header class="page-head">
      <Crumbs trail={[["Settings", "/settings"]]} />
      <h1>Access</h1>
      <a href="/audit">Audit</a>
    </header>
    {view.fresh ? <Fresh {...view.fresh} /> : null}
    <section class="access card" aria-labelledby="new-token">
      <h2 id="new-token">New token</h2>
      <p class="muted">
        A program sends it as <code>Authorization: Bearer …</code>; a guest types it in place of the password.
      </p>
      <form method="post" action="/settings/access" class="token-form">
        <Field name="name" title="Name" form={view.form}>
          <input
            {...control("name", view.form)}
            value={view.form.values.name}
            maxlength={60}
            required
            autocomplete="off"
          />
        </Field>
        <Field name="scope" title="Scope" form={view.form}>
          <Choice name="scope" form={view.form} options={SCOPES.map((scope) => [scope, SCOPE_TITLES[scope]])} />
        </Field>
        <Field name="expires" title="Expires" form={view.form}>
          <Choice name="expires" form={view.form} options={TOKEN_TERMS.map((term) => [term, termTitle(term)])} />
        </Field>
        <button type="submit" class="button primary">
          Create token
        </button>
      </form>
    </section>
    {view.tokens.length === 0 ? (
      <Empty title="No token yet">Create one for each program and each guest, so that each can be revoked alone.</Empty>
    ) : (
      <Tokens tokens={view.tokens} now={page.now} />
    )}
    <SessionsSection sessions={view.sessions} />
  </Layout>
);

const Fresh = ({ name, secret }: { name: string; secret: string }) => (
  <section class="access card fresh-token" role="status" aria-labelledby="fresh-title">
    <h2 id="fresh-title">{name}: copy this token now</h2>
    <p>
      <code>{secret}</code>
    </p>
    <p class="muted">It is not shown again; only its hash is stored.</p>
  </section>
);

const Tokens = ({ tokens, now }: Pick<AccessView, "tokens"> & { now: number }) => (
  <section class="scroll" tabindex={0} aria-label="Tokens">
    <table class="list">
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">Scope</th>
          <TimeHead title="Created" />
          <TimeHead title="Last used" />
          <TimeHead title="Expires" />
          <th scope="col">
            <span class="visually-hidden">Action</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map(({ id, name, scope, createdAt, lastUsedAt, expiresAt }) => (
          <tr>
            <th scope="row" class="named">
              {name}
            </th>
            <td>{scope}</td>
            <td>
              <Moment at={createdAt} style="column" />
            </td>
            <td>{lastUsedAt === null ? "never" : <Moment at={lastUsedAt} style="column" />}</td>
            <td>
              {expiresAt === null ? "never" : expiresAt <= now ? "expired" : <Moment at={expiresAt} style="column" />}
            </td>
            <td class="c-actions">
              <form method="post" action={`/settings/access/${id}/revoke`}>
                <button type="submit" class="button" aria-label={`Revoke ${name}`}>
                  Revoke
                </button>
              </form>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
