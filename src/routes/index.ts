/** The contents page of the HTTP side: middleware in order, then one line a file. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { Access } from "./access.ts";
import { actionRoutes } from "./actions.tsx";
import { activityView } from "./activity-view.ts";
import { alertPages } from "./alerts.tsx";
import { companyRoutes } from "./api/companies.ts";
import { docsRoutes } from "./api/docs.tsx";
import { eventRoutes } from "./api/events.ts";
import { profileRoutes } from "./api/profiles.ts";
import { runRoutes } from "./api/runs.ts";
import { scheduleRoutes } from "./api/schedules.ts";
import { tableRoutes } from "./api/tables.ts";
import { usageRoutes } from "./api/usage.ts";
import { loadAssets } from "./assets.ts";
import { auditPages } from "./audit.tsx";
import { bulkRoutes } from "./bulk.tsx";
import { companyPages } from "./companies.tsx";
import { streamRoutes } from "./events.ts";
import { ScreenFeed } from "./feed.ts";
import { addMiddleware } from "./middleware.ts";
import { opsRoutes } from "./ops.ts";
import { pageRoutes } from "./pages.tsx";
import { preferenceRoutes } from "./preferences.ts";
import { previewRoutes } from "./preview.tsx";
import { profilePageRoutes } from "./profile-pages.tsx";
import { profileQualityRoutes } from "./profile-quality.tsx";
import { profileRenewRoutes } from "./profile-renew.tsx";
import { quotasInUse } from "./quota-view.ts";
import { refetchRoutes } from "./refetch.tsx";
import { runPages } from "./runs.tsx";
import { schedulePages } from "./schedules.tsx";
import { searchRoutes } from "./search.tsx";
import type { Services } from "./services.ts";
import { sessionRoutes } from "./session.tsx";
import { settingsPages } from "./settings.tsx";
import { tokenPages } from "./tokens.tsx";

const DESCRIPTION = {
  openapi: "3.1.0",
  info: { title: "Barkeep", version: "1", description: "Runs, profiles, bars and live progress." },
};

export interface Routes {
  fetch(request: Request): Response | Promise<Response>;
  /** The contents page as data: every method and path that is answered. */
  readonly table: readonly { readonly method: string; readonly path: string }[];
  /** Ends the streams of the screen. */
  close(): void;
}

export async function createRoutes(services: Services): Promise<Routes> {
  const routes = new OpenAPIHono();
  const assets = await loadAssets();
  const feed = new ScreenFeed(services.hub, {
    quota: () => quotasInUse(services),
    activity: () => activityView(services),
  });
  const access = await Access.open(services.db, services.config);
  addMiddleware(routes, services, access, assets.addresses);
  routes.route("/", opsRoutes(services, feed));
  routes.route("/api", runRoutes(services));
  routes.route("/api", profileRoutes(services));
  routes.route("/api", tableRoutes(services));
  routes.route("/api", eventRoutes(services));
  routes.route("/api", usageRoutes(services));
  routes.route("/api", companyRoutes(services));
  routes.route("/api", scheduleRoutes(services));
  routes.route("/", assets.route);
  routes.route("/", sessionRoutes(services.db, access, assets.addresses));
  routes.route("/", preferenceRoutes());
  routes.route("/", tokenPages(services.db, access, assets.addresses));
  routes.route("/", auditPages(services.db, assets.addresses));
  routes.route("/", streamRoutes(feed));
  routes.route("/", pageRoutes(services, feed, assets.addresses));
  routes.route("/", runPages(services, feed, assets.addresses));
  routes.route("/", companyPages(services, assets.addresses));
  routes.route("/", searchRoutes(services.db, assets.addresses));
  routes.route("/", previewRoutes(services));
  routes.route("/", refetchRoutes(services, assets.addresses));
  routes.route("/", bulkRoutes(services, assets.addresses));
  routes.route("/", profileQualityRoutes(services));
  routes.route("/", profileRenewRoutes(services, assets.addresses));
  routes.route("/", profilePageRoutes(services, assets.addresses));
  routes.route("/", schedulePages(services, assets.addresses));
  routes.route("/", alertPages(services, assets.addresses));
  routes.route("/", settingsPages(services, assets.addresses));
  routes.route("/", actionRoutes(services, feed, assets.addresses));
  routes.doc31("/api/openapi.json", DESCRIPTION);
  routes.route(
    "/",
    docsRoutes(() => routes.getOpenAPI31Document(DESCRIPTION), assets.addresses),
  );
  return { fetch: routes.fetch, table: routes.routes, close: () => feed.close() };
}
