/** All routes: middleware in order, then one line per route file. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { MAX_AT_WORK } from "../domain/defaults.ts";
import { versionText } from "../installation.ts";
import { HostList } from "../scheduler/hosts/host-list.ts";
import { liveTrouble } from "../views/live.tsx";
import { auditApi, auditPages } from "./access/audit.tsx";
import { Authenticator } from "./access/authenticator.ts";
import { ClientAddresses } from "./access/client-address.ts";
import { loginRoutes } from "./access/login.tsx";
import { RefusalRecord } from "./access/refusal-record.ts";
import { SessionCookie } from "./access/session-cookie.ts";
import { tokenPages } from "./access/tokens.tsx";
import { alertRoutes } from "./alerts/api.ts";
import { channelPages } from "./alerts/channels.tsx";
import { alertPages } from "./alerts/pages.tsx";
import { docsRoutes } from "./api/docs.tsx";
import { apiDocument } from "./api/document.ts";
import { catalogueRoutes } from "./api/features.ts";
import { loadAssets } from "./assets.ts";
import { companyRoutes } from "./companies/api.ts";
import { barFilePages } from "./companies/bar-files.tsx";
import { companyPages } from "./companies/pages.tsx";
import { Uploads } from "./companies/uploads.ts";
import { exportRoutes } from "./exports/api.ts";
import { lakeApi } from "./exports/lake-api.ts";
import { lakeRoutes } from "./exports/lake-files.ts";
import { panelPages } from "./exports/pages.tsx";
import { snapshotRoutes } from "./exports/snapshots-api.ts";
import { snapshotPages } from "./exports/snapshots-pages.tsx";
import { hostRoutes } from "./hosts/api.ts";
import { hostPages } from "./hosts/pages.tsx";
import { BasePath } from "./http/base-path.ts";
import { StreamLimits } from "./http/stream-limits.ts";
import { bulkRoutes } from "./jobs/bulk-actions.tsx";
import { refetchRoutes } from "./jobs/refetch.tsx";
import { LiveBroadcaster } from "./live/broadcaster.ts";
import { eventRoutes } from "./live/json-stream.ts";
import { logRoutes } from "./live/log-api.ts";
import { Notifications } from "./live/notifications.ts";
import { notificationRoutes, streamRoutes } from "./live/stream.ts";
import { mcpRoutes } from "./mcp/endpoint.ts";
import { addMiddleware } from "./middleware.ts";
import { healthRoutes } from "./ops/health.ts";
import { metricsRoutes } from "./ops/metrics.ts";
import { workerRoutes } from "./ops/worker-api.ts";
import { problemTitle, problemType, problemUri } from "./problem.ts";
import { analysisPages } from "./profiles/analysis/pages.tsx";
import { profileRoutes } from "./profiles/api.ts";
import { barPages } from "./profiles/chart/bars.tsx";
import { chartMarkRoutes } from "./profiles/chart/marks.ts";
import { compareApi, comparePages } from "./profiles/compare.tsx";
import { profileListRoutes } from "./profiles/list.tsx";
import { profilePageRoutes } from "./profiles/pages.tsx";
import { profileQualityRoutes } from "./profiles/quality.tsx";
import { qualityApi, qualityMapPages, qualityMapReader } from "./profiles/quality-map.tsx";
import { profileRenewRoutes } from "./profiles/renew.tsx";
import { promiseRoutes } from "./promises/api.ts";
import { promisePages } from "./promises/pages.tsx";
import { usageRoutes } from "./quotas/api.ts";
import { quotasInUse } from "./quotas/gauges.ts";
import { lastHourView } from "./quotas/last-hour.ts";
import { actionRoutes } from "./runs/actions.tsx";
import { runRoutes } from "./runs/api.ts";
import { previewRoutes } from "./runs/cost-preview.tsx";
import { monitorPages } from "./runs/monitor.tsx";
import { runPages } from "./runs/pages.tsx";
import { scheduleRoutes } from "./schedules/api.ts";
import { schedulePages } from "./schedules/pages.tsx";
import { searchRoutes, symbolRoutes } from "./search.tsx";
import { storageApi } from "./series/api.ts";
import { storagePages } from "./series/pages.tsx";
import { type Services, troubleOf } from "./services.ts";
import { settingsPages } from "./settings/pages.tsx";
import { preferenceRoutes } from "./settings/preferences.ts";
import { providerRoutes } from "./settings/providers-api.ts";

export interface Routes {
  fetch(request: Request, server?: object): Response | Promise<Response>;
  /** Every method and path that is answered. */
  readonly table: readonly { readonly method: string; readonly path: string }[];
  /** Ends the live streams of the pages. */
  close(): void;
}

export async function createRoutes(services: Services): Promise<Routes> {
  const base = new BasePath(services.config.publicUrl);
  const routes = new OpenAPIHono({ getPath: base.read });
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
  const clients = new ClientAddresses(services.config.trustedProxies);
  const cookie = new SessionCookie(services.config, clients);
  const uploads = new Uploads();
  const refusals = new RefusalRecord(services.db, services.log);
  const { db, config } = services;
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
  addMiddleware(routes, services, { access, config, clients, cookie, refusals }, site);
  routes.route("/", healthRoutes(services));
  routes.route("/", metricsRoutes(services, broadcaster, hostList));
  routes.route("/api", runRoutes(services));
  routes.route("/api", profileRoutes(services));
  routes.route("/api", compareApi(services));
  const qualityMap = qualityMapReader(services);
  routes.route("/api", qualityApi(qualityMap));
  routes.route("/api", catalogueRoutes());
  routes.route("/api", exportRoutes(services));
  routes.route("/api", snapshotRoutes(services));
  routes.route("/api", eventRoutes(services, streams));
  routes.route("/api", usageRoutes(services));
  routes.route("/api", companyRoutes(services));
  routes.route("/api", scheduleRoutes(services));
  routes.route("/api", promiseRoutes(services));
  routes.route("/api", hostRoutes(services, hostList));
  routes.route("/api", auditApi(services));
  routes.route("/api", logRoutes(services));
  routes.route("/api", providerRoutes(services));
  routes.route("/api", alertRoutes(services));
  routes.route("/api", lakeApi(services));
  routes.route("/api", workerRoutes(services, clients));
  routes.route("/api", storageApi(services));
  routes.route("/", lakeRoutes(services));
  routes.route(
    "/",
    mcpRoutes(services, (request, server) => routes.fetch(request, server)),
  );
  routes.route("/", assets.route);
  routes.route("/", loginRoutes({ db, access, clients, cookie, refusals }));
  routes.route("/", preferenceRoutes());
  routes.route("/", tokenPages({ db, access, cookie }));
  routes.route("/", auditPages(services));
  routes.route("/", streamRoutes(broadcaster, streams));
  routes.route("/", notificationRoutes(notifications, streams));
  routes.route("/", monitorPages(services, broadcaster));
  routes.route("/", profileListRoutes(services));
  routes.route("/", qualityMapPages(qualityMap));
  routes.route("/", comparePages(services));
  routes.route("/", chartMarkRoutes(services));
  routes.route("/", barPages(services));
  routes.route("/", analysisPages(services));
  routes.route("/", panelPages(services));
  routes.route("/", snapshotPages(services));
  routes.route("/", runPages(services, broadcaster));
  routes.route("/", companyPages(services));
  routes.route("/", barFilePages(services, uploads));
  routes.route("/", searchRoutes(services));
  routes.route("/", symbolRoutes(services));
  routes.route("/", previewRoutes(services));
  routes.route("/", refetchRoutes(services));
  routes.route("/", bulkRoutes(services));
  routes.route("/", profileQualityRoutes(services));
  routes.route("/", profileRenewRoutes(services));
  routes.route("/", profilePageRoutes(services));
  routes.route("/", schedulePages(services));
  routes.route("/", promisePages(services));
  routes.route("/", channelPages(services));
  routes.route("/", alertPages(services));
  routes.route("/", hostPages(services, hostList));
  routes.route("/", storagePages(services));
  routes.route("/", settingsPages(services));
  routes.route("/", actionRoutes(services, broadcaster));
  routes.route(
    "/",
    docsRoutes(config, () => apiDocument(routes, config)),
  );
  broadcaster.start();
  notifications.start();
  const close = () => {
    refusals.close();
    broadcaster.close();
    notifications.close();
    access.signals.end(() => true);
    uploads.close();
  };
  const fetch = (request: Request, server?: object) =>
    server === undefined || request.headers.has("Host") ? routes.fetch(request, server) : withoutHost(base.path);
  return { fetch, table: routes.routes, close };
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

/** HTTP/1.0 allows a request without a host; its address is no URL then, and no route is found for it. */
const withoutHost = (basePath: string) =>
  Response.json(
    { type: problemUri(400, basePath), title: problemTitle(400), status: 400, detail: "The request names no Host" },
    { status: 400, headers: { "Content-Type": problemType, "Cache-Control": "no-store" } },
  );
