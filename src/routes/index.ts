/** All routes: middleware in order, then one line per route file. Each group is loaded with its first request. */

import { Hono } from "hono";
import { MAX_AT_WORK } from "../domain/defaults.ts";
import { versionText } from "../installation.ts";
import { HostList } from "../scheduler/hosts/host-list.ts";
import { liveTrouble } from "../views/live.tsx";
import { Authenticator } from "./access/authenticator.ts";
import { ClientAddresses } from "./access/client-address.ts";
import { RefusalRecord } from "./access/refusal-record.ts";
import { SessionCookie } from "./access/session-cookie.ts";
import { loadAssets } from "./assets.ts";
import { groupsOf } from "./groups.ts";
import { BasePath } from "./http/base-path.ts";
import { type GroupRoutes, LazyRoutes } from "./http/lazy-routes.ts";
import { RequestBodies } from "./http/request-body.ts";
import { StreamLimits } from "./http/stream-limits.ts";
import { LiveBroadcaster } from "./live/broadcaster.ts";
import { Notifications } from "./live/notifications.ts";
import { notificationRoutes, streamRoutes } from "./live/stream.ts";
import { addMiddleware } from "./middleware.ts";
import { healthRoutes } from "./ops/health.ts";
import { problemTitle, problemType, problemUri } from "./problem.ts";
import { quotasInUse } from "./quotas/gauges.ts";
import { lastHourView } from "./quotas/last-hour.ts";
import { monitorPages } from "./runs/monitor.tsx";
import { type Services, troubleOf } from "./services.ts";

export interface Routes {
  fetch(request: Request, server?: object): Response | Promise<Response>;
  /** Every method and path that is answered. */
  table(): Promise<readonly { readonly method: string; readonly path: string }[]>;
  /** Ends the live streams of the pages. */
  close(): void;
}

export async function createRoutes(services: Services): Promise<Routes> {
  const base = new BasePath(services.config.publicUrl);
  const assets = await loadAssets();
  const access = await Authenticator.open(services.db, services.config, services.ownToken);
  const broadcaster = new LiveBroadcaster(services.hub, {
    quota: () => quotasInUse(services),
    lastHour: () => lastHourView(services),
    promises: () => services.promises.panel(),
    markup: (html) => base.markup(html),
    banner: bannerOf(services, base),
  });
  const notifications = new Notifications({
    hub: services.hub,
    onPromise: (listener) => services.promises.onEvent(listener),
  });
  const streams = new StreamLimits();
  const clients = new ClientAddresses(services.config.trustedProxies, services.config.publicUrl);
  const cookie = new SessionCookie(services.config, clients);
  const refusals = new RefusalRecord(services.db, services.log);
  const bodies = new RequestBodies();
  const { config } = services;
  const site = {
    assets: assets.addresses,
    version: versionText(services.version),
    base,
    upkeep: () => services.rejudging.progress,
    trouble: () => troubleOf(services),
  };
  const hostList = new HostList({
    hosts: services.hosts,
    version: versionText(services.version),
    threads: services.pool.size,
    jobs: () => services.dispatcher.counts().active,
    maxJobs: MAX_AT_WORK,
    barsPerSecond: () => services.lastHour.barsPerSecond(),
  });
  const first: GroupRoutes = {
    plain: [
      healthRoutes(services),
      assets.route,
      streamRoutes(broadcaster, streams),
      notificationRoutes(notifications, streams),
    ],
    pages: [monitorPages(services, broadcaster)],
  };
  const build = (loaded: readonly GroupRoutes[], failure?: unknown) => {
    const routes = new Hono({ getPath: base.read });
    addMiddleware(routes, services, { access, config, clients, cookie, refusals }, { bodies, site });
    if (failure !== undefined) {
      routes.all("*", () => {
        throw failure;
      });
    }
    const groups = [first, ...loaded];
    for (const each of groups.flatMap(({ api = [] }) => api)) routes.route("/api", each);
    for (const each of groups.flatMap(({ plain = [] }) => plain)) routes.route("/", each);
    // The monitor's pages are first, and compress what follows.
    for (const each of groups.flatMap(({ pages = [] }) => pages)) routes.route("/", each);
    return routes;
  };
  const closers: (() => void)[] = [];
  const lazy: LazyRoutes = new LazyRoutes({
    pathOf: base.read,
    groups: groupsOf({
      services,
      access,
      broadcaster,
      streams,
      clients,
      cookie,
      refusals,
      hostList,
      dispatch: (request, server) => lazy.fetch(request, server),
      api: async () => (await lazy.all()).flatMap(({ api = [] }) => api),
      onClose: (end) => closers.push(end),
    }),
    build,
  });
  broadcaster.start();
  notifications.start();
  const close = () => {
    refusals.close();
    broadcaster.close();
    notifications.close();
    access.signals.end(() => true);
    for (const end of closers) end();
  };
  const fetch = (request: Request, server?: object) =>
    server === undefined || (request.headers.has("Host") && URL.canParse(request.url))
      ? lazy.fetch(request, server)
      : withoutHost(base.path);
  return { fetch, table: async () => build(await lazy.all()).routes, close };
}

/** How long the end of the trouble is sent to pages, milliseconds: each gets several heartbeats. */
const OVER_MS = 60_000;

/** The banner of live pages, while it is shown and a little longer. */
function bannerOf(services: Services, base: BasePath): () => string {
  let shownAt = Number.NEGATIVE_INFINITY;
  return () => {
    const trouble = troubleOf(services);
    if (trouble !== null) shownAt = performance.now();
    return performance.now() - shownAt < OVER_MS ? base.markup(liveTrouble(trouble)) : "";
  };
}

/** Without a host, as HTTP/1.0 allows, or with one such as `x:99999`, the address is no URL, and no route is found for it. */
const withoutHost = (basePath: string) =>
  Response.json(
    {
      type: problemUri(400, basePath),
      title: problemTitle(400),
      status: 400,
      detail: "The request names no valid Host",
    },
    { status: 400, headers: { "Content-Type": problemType, "Cache-Control": "no-store" } },
  );
