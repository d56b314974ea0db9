/** What was cancelled or skipped a moment ago and can be had back. */

/** Time in which something can be undone, milliseconds: the 8 s that the notice stays, and the way here. */
const UNDO_MS = 10_000;

export interface Undoable {
  readonly runId: string;
  readonly symbols: ReadonlySet<string>;
}

export class UndoStore {
  readonly #entries = new Map<string, Undoable & { readonly until: number }>();

  /** Remembers what was done; returns the token that takes it back. */
  keep(runId: string, symbols: readonly string[]): string {
    const now = Date.now();
    for (const [token, { until }] of this.#entries) if (until < now) this.#entries.delete(token);
    const token = Bun.randomUUIDv7();
    this.#entries.set(token, { runId, symbols: new Set(symbols), until: now + UNDO_MS });
    return token;
  }

  /** What the token stands for, once and while it lasts. */
  take(token: string): Undoable | undefined {
    const entry = this.#entries.get(token);
    this.#entries.delete(token);
    return entry && entry.until >= Date.now() ? entry : undefined;
  }
}
