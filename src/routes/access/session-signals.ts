/** Streams outlive the request that opened them: a signal ends them together with its login session or token. */

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
  readonly timer: ReturnType<typeof setTimeout> | null;
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
    const timer =
      grant.until === null
        ? null
        : setTimeout(() => this.end((each) => each === grant), Math.max(0, grant.until - Date.now())).unref();
    const signal: SessionSignal = { grant, controller: new AbortController(), timer };
    this.#signals.set(key, signal);
    return signal.controller.signal;
  }

  /** Ends the grants that `ends` selects, and every stream opened with them. */
  end(ends: (grant: Grant) => boolean): void {
    for (const [key, { grant, controller, timer }] of this.#signals) {
      if (!ends(grant)) continue;
      this.#signals.delete(key);
      if (timer) clearTimeout(timer);
      controller.abort();
    }
  }
}
