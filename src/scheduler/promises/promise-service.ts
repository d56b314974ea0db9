/** Lists, reads, previews, creates, changes and deletes promises. */

import { type Clock, waitAtMost } from "../../clock.ts";
import type { PromiseEvent } from "../../domain/alerts.ts";
import { invalid, Refusal } from "../../domain/errors.ts";
import {
  FORECASTS,
  type FreshnessPromise,
  type PromiseInput,
  type PromiseResult,
} from "../../domain/promises/promise.ts";
import type { Provider } from "../../providers/provider.ts";
import { whyNotUsable } from "../../providers/registry.ts";
import { patchedFields } from "../../schemas.ts";
import { requireWatchlist } from "../../storage/companies/watchlists.ts";
import type { Database } from "../../storage/db.ts";
import {
  deletePromise,
  insertPromise,
  listResults,
  readPromises,
  requirePromise,
  resultsOf,
  updatePromise,
} from "../../storage/promises/promises.ts";
import { type PromisePatch, parsePromise, promiseToWire } from "./promise-request.ts";
import type { PromiseStatus, PromiseWatch } from "./promise-watch.ts";

/** Results that are returned with a promise. */
const PAST_RESULTS = 60;
/** How near a deadline is that the monitor shows, milliseconds. */
const PANEL_MS = 24 * 3_600_000;
/** How long an answer may wait for the first check of what has changed, milliseconds: it goes on without it. */
const SOON_MS = 1_000;

export interface KnownPromise {
  readonly promise: FreshnessPromise;
  /** `undefined` for a paused one, and while it is not known yet. */
  readonly status: PromiseStatus | undefined;
  /** The last results, newest first. */
  readonly results: readonly PromiseResult[];
}

interface Dependencies {
  readonly db: Database;
  readonly watch: PromiseWatch;
  readonly clock: Clock;
  provider(name: string): Provider | undefined;
}

export class PromiseService {
  constructor(private readonly dependencies: Dependencies) {}

  async list(): Promise<KnownPromise[]> {
    return this.#known(await readPromises(this.dependencies.db));
  }

  /** What was known of all enabled promises at the last check, in the order of their names. */
  statuses(): ReturnType<PromiseWatch["statuses"]> {
    return this.dependencies.watch.statuses();
  }

  /** Follows what is reported of promises; returns the function that stops it. */
  onEvent(listener: (event: PromiseEvent) => void): () => void {
    return this.dependencies.watch.onEvent(listener);
  }

  /** The promises whose deadline is near, the most urgent first: the worst forecast, then the nearest. */
  panel(): { readonly id: number; readonly name: string; readonly status: PromiseStatus & { deadline: number } }[] {
    const { watch, clock } = this.dependencies;
    const until = clock.now() + PANEL_MS;
    return watch
      .statuses()
      .flatMap(({ id, name, status }) => {
        const { deadline } = status;
        return deadline === null || deadline > until ? [] : [{ id, name, status: { ...status, deadline } }];
      })
      .toSorted(
        (a, b) =>
          FORECASTS.indexOf(b.status.state) - FORECASTS.indexOf(a.status.state) ||
          a.status.deadline - b.status.deadline,
      );
  }

  /** @throws Refusal if there is no such promise */
  async read(id: number): Promise<KnownPromise> {
    return (await this.#known([await requirePromise(this.dependencies.db, id)]))[0]!;
  }

  /** The results of a promise before a moment (epoch milliseconds), newest first. @throws Refusal if there is no such promise */
  async results(id: number, window: { readonly before: number; readonly limit: number }): Promise<PromiseResult[]> {
    await requirePromise(this.dependencies.db, id);
    return listResults(this.dependencies.db, id, window);
  }

  /** What a promise would mean now. @throws Refusal with what is wrong, by field */
  async preview(body: unknown): Promise<{ input: PromiseInput; status: PromiseStatus }> {
    const input = await this.#checked(parsePromise(body));
    return { input, status: await this.dependencies.watch.preview(input) };
  }

  /**
   * Stores a new promise (`null`), or one in the place of the promise `id`.
   * @throws Refusal if there is no such promise, or with what is wrong, by field
   */
  async save(id: number | null, body: unknown): Promise<KnownPromise> {
    const { db, clock } = this.dependencies;
    const input = await this.#checked(parsePromise(body));
    const saved = id === null ? await insertPromise(db, input, clock.now()) : await this.#replace(id, input);
    await this.#checkSoon();
    return this.read(saved);
  }

  /** @throws Refusal if there is no such promise, or with what is wrong, by field */
  async change(id: number, patch: PromisePatch): Promise<KnownPromise> {
    const before = await requirePromise(this.dependencies.db, id);
    const { enabled, ...others } = patch;
    if (Object.keys(others).length > 0) return this.save(id, patchedFields(promiseToWire(before), patch));
    // Pausing must be possible even for a promise that could not be saved any more.
    await this.#replace(id, { ...before, enabled: enabled ?? before.enabled });
    await this.#checkSoon();
    return this.read(id);
  }

  /** @throws Refusal if there is no such promise */
  async remove(id: number): Promise<void> {
    const { db } = this.dependencies;
    await deletePromise(db, await requirePromise(db, id));
    await this.#checkSoon();
  }

  async #replace(id: number, input: PromiseInput): Promise<number> {
    const { db, clock } = this.dependencies;
    const before = await requirePromise(db, id);
    const isOther =
      (input.enabled && !before.enabled) ||
      (["byTime", "timeZone", "days", "venue"] as const).some((field) => input[field] !== before[field]);
    // Deadlines while it was paused, or at another time, have no result.
    await updatePromise(db, before, { ...input, id, checkedAt: isOther ? clock.now() : before.checkedAt });
    return id;
  }

  #checkSoon(): Promise<void> {
    return waitAtMost(this.dependencies.watch.check(), SOON_MS);
  }

  async #known(promises: readonly FreshnessPromise[]): Promise<KnownPromise[]> {
    const { db, watch } = this.dependencies;
    const results = await resultsOf(
      db,
      promises.map(({ id }) => id),
      PAST_RESULTS,
    );
    return promises.map((promise) => ({
      promise,
      status: watch.statusOf(promise.id),
      results: results.get(promise.id) ?? [],
    }));
  }

  /** Checks that need the server: providers and watchlists. */
  async #checked(input: PromiseInput): Promise<PromiseInput> {
    const { db } = this.dependencies;
    if (input.provider !== null) {
      const provider = this.dependencies.provider(input.provider);
      if (provider === undefined) throw invalid("provider", whyNotUsable(input.provider));
      if (!provider.intervals.includes(input.interval)) {
        const { title, intervals } = provider;
        throw invalid("interval", `${title} has no ${input.interval} bars, only ${intervals.join(", ")}`);
      }
    }
    if (input.watchlistId !== null) {
      await requireWatchlist(db, input.watchlistId).catch((error) => {
        if (error instanceof Refusal) throw invalid("watchlist_id", error.message);
        throw error;
      });
    }
    return input;
  }
}
