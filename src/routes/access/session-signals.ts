/** Streams outlive the request that opened them: a signal ends them together with its login session or token. */

import { after } from "../../clock.ts";

/** The login session or token that admitted a request. */
export interface Grant {
  /** The hash of the session's cookie; `null` for a program that sends its token. */
  readonly session: string | null;
  /** The id of the API token; `null` for a session opened with the password. */
  readonly token: number | null;
  /** When it expires, epoch milliseconds; `null` for never. */
  readonly until: number | null;
}

interface SessionSignal {
  readonly grant: Grant;
  readonly controller: AbortController;
  /** Stops the wait for its expiry. */
  readonly stopWaiting: () => void;
}

/** Names the login session or token of a grant. */
export const holderOf = ({ session, token }: Grant): string => session ?? `token ${token}`;

export class SessionSignals {
  readonly #signals = new Map<string, SessionSignal>();

  /** Aborts when the grant ends: by a logout, a revoked token, or because it expires. */
  signalOf(grant: Grant): AbortSignal {
    const key = holderOf(grant);
    const known = this.#signals.get(key);
    if (known) return known.controller.signal;
    const { until } = grant;
    const expire = () => this.end((each) => each === grant);
    const stopWaiting = until === null ? () => {} : after(until - Date.now(), expire);
    const controller = new AbortController();
    this.#signals.set(key, { grant, controller, stopWaiting });
    return controller.signal;
  }

  /** Ends the grants that `ends` selects, and every stream opened with them. */
  end(ends: (grant: Grant) => boolean): void {
    for (const [key, { grant, controller, stopWaiting }] of this.#signals) {
      if (!ends(grant)) continue;
      this.#signals.delete(key);
      stopWaiting();
      controller.abort();
    }
  }
}
