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

/** The longest that a timer can wait, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface SessionSignal {
  readonly grant: Grant;
  readonly controller: AbortController;
  timer: ReturnType<typeof setTimeout> | null;
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
    const signal: SessionSignal = { grant, controller: new AbortController(), timer: null };
    this.#watch(signal);
    this.#signals.set(key, signal);
    return signal.controller.signal;
  }

  /** Ends the grant when it expires. A longer wait than a timer can hold is taken in parts. */
  #watch(signal: SessionSignal): void {
    const { grant } = signal;
    if (grant.until === null) return;
    const left = Math.max(0, grant.until - Date.now());
    const due = () => (left > MAX_TIMER_MS ? this.#watch(signal) : this.end((each) => each === grant));
    signal.timer = setTimeout(due, Math.min(left, MAX_TIMER_MS)).unref();
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
