/** The names of workers that take no more jobs until they are resumed: kept by name, also over a restart of the server. */

import type { Database } from "../../storage/db.ts";
import { readSettings, saveSetting } from "../../storage/settings.ts";

const KEY = "hosts:drained";
/** The oldest are forgotten beyond this number. */
const MAX_NAMES = 1_000;

export class DrainedNames {
  private constructor(
    private readonly db: Database,
    private names: ReadonlySet<string>,
  ) {}

  static async open(db: Database): Promise<DrainedNames> {
    const stored = (await readSettings(db, KEY)).find(({ key }) => key === KEY)?.value;
    return new DrainedNames(db, new Set(stored === undefined ? [] : (JSON.parse(stored) as string[])));
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  list(): string[] {
    return [...this.names];
  }

  /** Adds a name or removes it; what is stored changes first. */
  async set(name: string, isDrained: boolean): Promise<void> {
    if (this.names.has(name) === isDrained) return;
    const others = this.list().filter((each) => each !== name);
    const next = (isDrained ? [...others, name] : others).slice(-MAX_NAMES);
    await saveSetting(this.db, KEY, next.length === 0 ? null : JSON.stringify(next));
    this.names = new Set(next);
  }
}
