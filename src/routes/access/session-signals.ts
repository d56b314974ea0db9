/** Streams outlive the request that opened them: a lease ends them together with what let the request in. */

/** What let a request in. */
export interface Grant {
  /** The hash of the session's cookie; `null` for a program that sends its token. */
  readonly session: string | null;
  /** The API token that it rests on; `null` for a session that was opened with the password. */
  readonly token: number | null;
  /** When it ends by itself, epoch milliseconds; `null` for never. */
  readonly until: number | null;
}

interface SessionSignal {
  readonly grant: Grant;
  readonly controller: AbortController;
  readonly timer: ReturnType<typeof setTimeout> | null;
}

export class SessionSignals {
  readonly #signals = new Map<string, SessionSignal>();

  /** Aborts when the pass ends: by a log-out, a revoked token, or because its time is over. */
  signalOf(grant: Grant): AbortSignal {
    const key = grant.session ?? `token ${grant.token}`;
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

  /** Ends the passes that `ends` picks, and every stream that they opened. */
  end(ends: (grant: Grant) => boolean): void {
    for (const [key, { grant, controller, timer }] of this.#signals) {
      if (!ends(grant)) continue;
      this.#signals.delete(key);
      if (timer) clearTimeout(timer);
      controller.abort();
    }
  }
}
