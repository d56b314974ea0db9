/** Jobs that were just cancelled or skipped, for as long as that can be undone. */

/** How long an action can be undone, milliseconds: the 8 s that the toast is shown, and the request. */
const UNDO_MS = 10_000;

export interface Undoable {
  readonly runId: string;
  readonly symbols: ReadonlySet<string>;
}

export class UndoStore {
  /** `until` in milliseconds of `performance.now()`: a machine clock that is set changes nothing. */
  readonly #entries = new Map<string, Undoable & { readonly until: number }>();

  /** Stores an action; returns the token that undoes it. */
  add(runId: string, symbols: readonly string[]): string {
    const now = performance.now();
    for (const [token, { until }] of this.#entries) if (until < now) this.#entries.delete(token);
    const token = Bun.randomUUIDv7();
    this.#entries.set(token, { runId, symbols: new Set(symbols), until: now + UNDO_MS });
    return token;
  }

  /** The action of a token: once, and until it expires. */
  take(token: string): Undoable | undefined {
    const entry = this.#entries.get(token);
    this.#entries.delete(token);
    return entry && entry.until >= performance.now() ? entry : undefined;
  }
}
