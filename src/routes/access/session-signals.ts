/** Streams outlive the request that opened them: a lease ends them together with what let the request in. */

/** What let a request in. */
export interface Pass {
  /** The hash of the session's cookie; `null` for a program that sends its token. */
  readonly session: string | null;
  /** The API token that it rests on; `null` for a session that was opened with the password. */
  readonly token: number | null;
  /** When it ends by itself, epoch milliseconds; `null` for never. */
  readonly until: number | null;
}

interface Lease {
  readonly pass: Pass;
  readonly controller: AbortController;
  readonly timer: ReturnType<typeof setTimeout> | null;
}

export class Leases {
  readonly #leases = new Map<string, Lease>();

  /** Aborts when the pass ends: by a log-out, a revoked token, or because its time is over. */
  signalOf(pass: Pass): AbortSignal {
    const key = pass.session ?? `token ${pass.token}`;
    const known = this.#leases.get(key);
    if (known) return known.controller.signal;
    const timer =
      pass.until === null
        ? null
        : setTimeout(() => this.end((each) => each === pass), Math.max(0, pass.until - Date.now())).unref();
    const lease: Lease = { pass, controller: new AbortController(), timer };
    this.#leases.set(key, lease);
    return lease.controller.signal;
  }

  /** Ends the passes that `ends` picks, and every stream that they opened. */
  end(ends: (pass: Pass) => boolean): void {
    for (const [key, { pass, controller, timer }] of this.#leases) {
      if (!ends(pass)) continue;
      this.#leases.delete(key);
      if (timer) clearTimeout(timer);
      controller.abort();
    }
  }
}
