/** @jsxImportSource hono/jsx */
/** The open login sessions on the access page. */

import { actorOfToken } from "../../domain/access.ts";
import { Moment, TimeHead } from "../ui/components.tsx";
import { browserName } from "./browser-name.ts";

export interface SessionSummary {
  /** Names the session; it is of no use for signing in. */
  readonly id: string;
  /** The token that was used to sign in; `null` for the password. */
  readonly token: string | null;
  /** Where and with which browser it was opened; empty if that is not known. */
  readonly address: string;
  readonly agent: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly usedAt: number;
  /** Whether it is the reader's own. */
  readonly own: boolean;
}

const nameOf = (token: string | null) => (token === null ? "owner" : actorOfToken(token));

export const SessionsSection = ({ sessions }: { sessions: readonly SessionSummary[] }) =>
  sessions.length === 0 ? null : (
    <section class="sessions" aria-labelledby="sessions-title">
      <h2 id="sessions-title">Signed in</h2>
      <p class="muted">
        A login ends after 3 days without use, after 14 days in any case, and when the password changes. Tokens stay
        valid when the password changes.
      </p>
      <section class="scroll" tabindex={0} aria-label="Logins">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Who</th>
              <th scope="col">From</th>
              <th scope="col">Browser</th>
              <TimeHead title="Since" />
              <TimeHead title="Last used" />
              <th scope="col">
                <span class="visually-hidden">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sessions.map(({ id, token, address, agent, createdAt, usedAt, own }) => (
              <tr>
                <th scope="row">{own ? "You, here" : nameOf(token)}</th>
                <td>{address || "–"}</td>
                <td title={agent || undefined}>{browserName(agent) || "–"}</td>
                <td>
                  <Moment at={createdAt} style="column" />
                </td>
                <td>
                  <Moment at={usedAt} style="column" />
                </td>
                <td class="c-actions">
                  <form method="post" action={`/settings/access/sessions/${id}/end`}>
                    <button type="submit" class="button" aria-label={`Sign out ${nameOf(token)} at ${address}`}>
                      Sign out
                    </button>
                  </form>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <form method="post" action="/settings/access/sessions/end" class="button-row">
        <button type="submit" class="button">
          Sign out everywhere
        </button>
      </form>
    </section>
  );
