/** Workers that were given up: the last of each name is shown, and their loss is an alert. */

import type { WorkerLost } from "../../domain/alerts.ts";
import { messageOf } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import type { Database } from "../../storage/db.ts";
import type { HostFacts } from "./host-facts.ts";

/** Lost workers that are remembered. */
const MAX_LOST = 50;
/** Workers that are lost at the same time and have an alert each; more have one together. */
const MAX_SINGLE = 3;

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  /** An alert event was recorded. */
  onAlert?(): void;
}

export class LostHosts {
  readonly #lost = new Map<string, HostFacts>();

  constructor(private readonly dependencies: Dependencies) {}

  list(): HostFacts[] {
    return [...this.#lost.values()];
  }

  note(facts: HostFacts): void {
    this.#lost.delete(facts.name);
    this.#lost.set(facts.name, facts);
    const [oldest] = this.#lost.keys();
    if (this.#lost.size > MAX_LOST && oldest !== undefined) this.#lost.delete(oldest);
  }

  /** Shows a lost worker no longer; whether there was one of this name. */
  forget(name: string): boolean {
    return this.#lost.delete(name);
  }

  /** Records the alerts of workers that were lost together: a network that is cut is one alert, not one for each. */
  alert(lost: readonly Omit<WorkerLost, "kind">[]): void {
    if (lost.length === 0) return;
    const { db, log, onAlert } = this.dependencies;
    const events = lost.map((each): WorkerLost => ({ kind: "worker_lost", ...each }));
    const [first, ...others] = events;
    const recorded =
      lost.length <= MAX_SINGLE ? events : [{ ...first!, others: others.map(({ kind, ...each }) => each) }];
    db.write(recordStatements(recorded)).then(
      () => onAlert?.(),
      (error) => {
        const names = lost.map(({ name }) => name).join(", ");
        log.write("error", `The loss of ${names} could not be recorded: ${messageOf(error)}`);
      },
    );
  }
}
