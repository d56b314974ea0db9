/** Routes in groups, whose modules are read with the first request of one of their areas. */

import type { Hono } from "hono";
import { yieldToEvents } from "../../clock.ts";

/** The route files of a group, in order. */
export interface GroupRoutes {
  /** Below `/api`. */
  readonly api?: readonly Hono[];
  /** What is sent as it is. */
  readonly plain?: readonly Hono[];
  /** What is compressed. */
  readonly pages?: readonly Hono[];
}

export interface RouteGroup {
  /** First parts of paths, those below `/api` with the second one (`runs`, `api/runs`): each belongs to one group. */
  readonly areas: readonly string[];
  load(): Promise<GroupRoutes>;
}

type Loaded<Loads extends readonly (() => Promise<unknown>)[]> = {
  [At in keyof Loads]: Awaited<ReturnType<Loads[At]>>;
};

/** Reads modules one after the other, so that other requests are answered in between. */
export async function inTurn<const Loads extends readonly (() => Promise<unknown>)[]>(
  loads: Loads,
): Promise<Loaded<Loads>> {
  const modules: unknown[] = [];
  for (const load of loads) {
    modules.push(await load());
    await yieldToEvents();
  }
  return modules as Loaded<Loads>;
}

/** The area of a path: `/api/runs/1` lies in `api/runs`, `/runs/1` in `runs`. */
function areaOf(path: string): string {
  const first = partAt(path, 1);
  return first === "api" ? `api/${partAt(path, 5)}` : first;
}

function partAt(path: string, start: number): string {
  const end = path.indexOf("/", start);
  return path.slice(start, end === -1 ? undefined : end);
}

type Fetch = (request: Request, server?: object) => Response | Promise<Response>;

interface Dependencies {
  /** The local path of a request. */
  readonly pathOf: (request: Request) => string;
  readonly groups: readonly RouteGroup[];
  /** All routes of a server that has these groups; with `failure` every request that may pass ends with it. */
  readonly build: (loaded: readonly GroupRoutes[], failure?: unknown) => Hono;
}

/**
 * A router takes no routes after its first request, so each group that is loaded makes a new one. Requests that
 * are being answered keep theirs.
 */
export class LazyRoutes {
  readonly #dependencies: Dependencies;
  readonly #groupOf: ReadonlyMap<string, RouteGroup>;
  readonly #loading = new Map<RouteGroup, Promise<void>>();
  readonly #loaded = new Map<RouteGroup, GroupRoutes>();
  #routes: Hono;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#groupOf = new Map(dependencies.groups.flatMap((group) => group.areas.map((area) => [area, group] as const)));
    this.#routes = dependencies.build([]);
  }

  /** Answers a request, after its group is loaded. A group that cannot be loaded is tried again with the next request. */
  readonly fetch: Fetch = (request, server) => {
    const { pathOf, build } = this.#dependencies;
    const group = this.#groupOf.get(areaOf(pathOf(request)));
    if (group === undefined || this.#loaded.has(group)) return this.#routes.fetch(request, server);
    return this.#load(group).then(
      () => this.#routes.fetch(request, server),
      (error) => build([], error).fetch(request, server),
    );
  };

  /** Every group, in order. */
  async all(): Promise<readonly GroupRoutes[]> {
    // At once they would read their modules in the same turns of the thread.
    for (const group of this.#dependencies.groups) await this.#load(group);
    return this.#inOrder();
  }

  #load(group: RouteGroup): Promise<void> {
    let loading = this.#loading.get(group);
    if (loading === undefined) {
      loading = this.#read(group);
      this.#loading.set(group, loading);
      loading.catch(() => this.#loading.delete(group));
    }
    return loading;
  }

  async #read(group: RouteGroup): Promise<void> {
    const routes = await group.load();
    requireAreas(group, routes);
    this.#loaded.set(group, routes);
    this.#routes = this.#dependencies.build(this.#inOrder());
  }

  #inOrder(): GroupRoutes[] {
    return this.#dependencies.groups.flatMap((group) => this.#loaded.get(group) ?? []);
  }
}

/** @throws Error naming a route that no request would reach before another group is loaded */
function requireAreas({ areas }: RouteGroup, { api = [], plain = [], pages = [] }: GroupRoutes): void {
  const under = (prefix: string, apps: readonly Hono[]) =>
    apps.flatMap(({ routes }) => routes).map(({ method, path }) => ({ method, path: prefix + path }));
  const strange = [...under("/api", api), ...under("", [...plain, ...pages])].find(
    ({ method, path }) => method !== "ALL" && !areas.includes(areaOf(path)),
  );
  if (strange !== undefined)
    throw new Error(`${strange.method} ${strange.path} lies in no area of ${areas.join(", ")}`);
}
