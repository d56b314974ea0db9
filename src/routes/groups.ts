/** Route files by group: each is read with the first request of one of the group's areas. */

import type { Hono } from "hono";
import { once } from "../installation.ts";
import type { HostList } from "../scheduler/hosts/host-list.ts";
import type { Authenticator } from "./access/authenticator.ts";
import type { ClientAddresses } from "./access/client-address.ts";
import type { RefusalRecord } from "./access/refusal-record.ts";
import type { SessionCookie } from "./access/session-cookie.ts";
import { inTurn, type RouteGroup } from "./http/lazy-routes.ts";
import type { StreamLimits } from "./http/stream-limits.ts";
import type { LiveBroadcaster } from "./live/broadcaster.ts";
import type { Dispatch } from "./mcp/own-api.ts";
import type { Services } from "./services.ts";

/** What the route files take besides the services. */
interface Parts {
  readonly services: Services;
  readonly access: Authenticator;
  readonly broadcaster: LiveBroadcaster;
  readonly streams: StreamLimits;
  readonly clients: ClientAddresses;
  readonly cookie: SessionCookie;
  readonly refusals: RefusalRecord;
  readonly hostList: HostList;
  /** Answers requests to the server's own API. */
  readonly dispatch: Dispatch;
  /** All routes below `/api`. */
  api(): Promise<readonly Hono[]>;
  /** Called when the server closes. */
  onClose(end: () => void): void;
}

const runGroup = ({ services, broadcaster }: Parts) => ({
  areas: ["runs", "undo", "api/runs"],
  async load() {
    const [api, pages, preview, refetch, bulk, actions] = await inTurn([
      () => import("./runs/api.ts"),
      () => import("./runs/pages.tsx"),
      () => import("./runs/cost-preview.tsx"),
      () => import("./jobs/refetch.tsx"),
      () => import("./jobs/bulk-actions.tsx"),
      () => import("./runs/actions.tsx"),
    ]);
    return {
      api: [api.runRoutes(services)],
      pages: [
        pages.runPages(services, broadcaster),
        preview.previewRoutes(services),
        refetch.refetchRoutes(services),
        bulk.bulkRoutes(services),
        actions.actionRoutes(services, broadcaster),
      ],
    };
  },
});

const profileGroup = ({ services }: Parts) => ({
  areas: ["profiles", "quality", "api/profiles", "api/quality"],
  async load() {
    const [, api, compare, map, list, marks, bars, analysis, quality, renew, pages] = await inTurn([
      // A third of the modules.
      () => import("../features/catalog.ts"),
      () => import("./profiles/api.ts"),
      () => import("./profiles/compare.tsx"),
      () => import("./profiles/quality-map.tsx"),
      () => import("./profiles/list.tsx"),
      () => import("./profiles/chart/marks.ts"),
      () => import("./profiles/chart/bars.tsx"),
      () => import("./profiles/analysis/pages.tsx"),
      () => import("./profiles/quality.tsx"),
      () => import("./profiles/renew.tsx"),
      () => import("./profiles/pages.tsx"),
    ]);
    const mapReader = map.qualityMapReader(services);
    return {
      api: [api.profileRoutes(services), compare.compareApi(services), map.qualityApi(mapReader)],
      pages: [
        list.profileListRoutes(services),
        map.qualityMapPages(mapReader),
        compare.comparePages(services),
        marks.chartMarkRoutes(services),
        bars.barPages(services),
        analysis.analysisPages(services),
        quality.profileQualityRoutes(services),
        renew.profileRenewRoutes(services),
        pages.profilePageRoutes(services),
      ],
    };
  },
});

const exportGroup = ({ services }: Parts) => ({
  areas: ["api/bars", "api/features", "api/panel", "panel", "api/snapshots", "snapshots"],
  async load() {
    const [catalogue, api, snapshots, panel, snapshotPages] = await inTurn([
      () => import("./api/features.ts"),
      () => import("./exports/api.ts"),
      () => import("./exports/snapshots-api.ts"),
      () => import("./exports/pages.tsx"),
      () => import("./exports/snapshots-pages.tsx"),
    ]);
    return {
      api: [catalogue.catalogueRoutes(), api.exportRoutes(services), snapshots.snapshotRoutes(services)],
      pages: [panel.panelPages(services), snapshotPages.snapshotPages(services)],
    };
  },
});

const eventGroup = ({ services, broadcaster, streams, hostList }: Parts) => ({
  areas: ["api/events", "api/usage", "api/logs", "metrics"],
  async load() {
    const [events, usage, logs, metrics] = await inTurn([
      () => import("./live/json-stream.ts"),
      () => import("./quotas/api.ts"),
      () => import("./live/log-api.ts"),
      () => import("./ops/metrics.ts"),
    ]);
    return {
      api: [events.eventRoutes(services, streams), usage.usageRoutes(services), logs.logRoutes(services)],
      plain: [metrics.metricsRoutes(services, broadcaster, hostList)],
    };
  },
});

const companyGroup = ({ services, onClose }: Parts) => ({
  areas: ["companies", "files", "api/companies", "api/watchlists"],
  async load() {
    const [api, pages, files, { Uploads }] = await inTurn([
      () => import("./companies/api.ts"),
      () => import("./companies/pages.tsx"),
      () => import("./companies/bar-files.tsx"),
      () => import("./companies/uploads.ts"),
    ]);
    const uploads = new Uploads();
    onClose(() => uploads.close());
    return {
      api: [api.companyRoutes(services)],
      pages: [pages.companyPages(services), files.barFilePages(services, uploads)],
    };
  },
});

const scheduleGroup = ({ services }: Parts) => ({
  areas: ["schedules", "api/schedules"],
  async load() {
    const [api, pages] = await inTurn([() => import("./schedules/api.ts"), () => import("./schedules/pages.tsx")]);
    return { api: [api.scheduleRoutes(services)], pages: [pages.schedulePages(services)] };
  },
});

const promiseGroup = ({ services }: Parts) => ({
  areas: ["promises", "api/promises"],
  async load() {
    const [api, pages] = await inTurn([() => import("./promises/api.ts"), () => import("./promises/pages.tsx")]);
    return { api: [api.promiseRoutes(services)], pages: [pages.promisePages(services)] };
  },
});

const hostGroup = ({ services, hostList }: Parts) => ({
  areas: ["hosts", "api/hosts"],
  async load() {
    const [api, pages] = await inTurn([() => import("./hosts/api.ts"), () => import("./hosts/pages.tsx")]);
    return { api: [api.hostRoutes(services, hostList)], pages: [pages.hostPages(services, hostList)] };
  },
});

const accessGroup = ({ services, access, clients, cookie, refusals }: Parts) => ({
  areas: ["audit", "api/audit", "login", "logout", "theme", "zone"],
  async load() {
    const { db } = services;
    const [audit, login, preferences] = await inTurn([
      () => import("./access/audit.tsx"),
      () => import("./access/login.tsx"),
      () => import("./settings/preferences.ts"),
    ]);
    return {
      api: [audit.auditApi(services)],
      plain: [
        login.loginRoutes({ db, access, clients, cookie, refusals }),
        preferences.preferenceRoutes(),
        audit.auditPages(services),
      ],
    };
  },
});

const settingsGroup = ({ services, access, cookie }: Parts) => ({
  areas: ["settings", "api/providers"],
  async load() {
    const [api, tokens, pages] = await inTurn([
      () => import("./settings/providers-api.ts"),
      () => import("./access/tokens.tsx"),
      () => import("./settings/pages.ts"),
    ]);
    return {
      api: [api.providerRoutes(services)],
      // Before the providers' pages, whose names are parameters.
      plain: [tokens.tokenPages({ db: services.db, access, cookie })],
      pages: [pages.settingsPages(services)],
    };
  },
});

const alertGroup = ({ services }: Parts) => ({
  areas: ["alerts", "api/alerts"],
  async load() {
    const [api, channels, pages] = await inTurn([
      () => import("./alerts/api.ts"),
      () => import("./alerts/channels.tsx"),
      () => import("./alerts/pages.tsx"),
    ]);
    return {
      api: [api.alertRoutes(services)],
      pages: [channels.channelPages(services), pages.alertPages(services)],
    };
  },
});

const lakeGroup = ({ services }: Parts) => ({
  areas: ["lake", "api/lake"],
  async load() {
    const [api, files] = await inTurn([() => import("./exports/lake-api.ts"), () => import("./exports/lake-files.ts")]);
    return { api: [api.lakeApi(services)], plain: [files.lakeRoutes(services)] };
  },
});

const workerGroup = ({ services, clients }: Parts) => ({
  areas: ["api/worker"],
  async load() {
    const { workerRoutes } = await import("./ops/worker-api.ts");
    return { api: [workerRoutes(services, clients)] };
  },
});

const storageGroup = ({ services }: Parts) => ({
  areas: ["storage", "api/storage"],
  async load() {
    const [api, pages] = await inTurn([() => import("./series/api.ts"), () => import("./series/pages.tsx")]);
    return { api: [api.storageApi(services)], pages: [pages.storagePages(services)] };
  },
});

const searchGroup = ({ services }: Parts) => ({
  areas: ["search", "symbols"],
  async load() {
    const { searchRoutes, symbolRoutes } = await import("./search.tsx");
    return { pages: [searchRoutes(services), symbolRoutes(services)] };
  },
});

const mcpGroup = ({ services, dispatch }: Parts) => ({
  areas: ["mcp"],
  async load() {
    const { mcpRoutes } = await import("./mcp/endpoint.ts");
    return { plain: [mcpRoutes(services, dispatch)] };
  },
});

const documentGroup = ({ services, api }: Parts) => ({
  areas: ["api/docs", "api/openapi.json"],
  async load() {
    const [{ docsRoutes }, { apiDocument }] = await inTurn([
      () => import("./api/docs.tsx"),
      () => import("./api/document.ts"),
    ]);
    const { config } = services;
    // Putting it together takes 20 ms of the server's thread, and it stays the same.
    const document = once(async () => apiDocument(await api(), config));
    return { pages: [docsRoutes(config, document)] };
  },
});

/** In the order in which the API's document shows them. */
export const groupsOf = (parts: Parts): readonly RouteGroup[] => [
  runGroup(parts),
  profileGroup(parts),
  exportGroup(parts),
  eventGroup(parts),
  companyGroup(parts),
  scheduleGroup(parts),
  promiseGroup(parts),
  hostGroup(parts),
  accessGroup(parts),
  settingsGroup(parts),
  alertGroup(parts),
  lakeGroup(parts),
  workerGroup(parts),
  storageGroup(parts),
  searchGroup(parts),
  mcpGroup(parts),
  documentGroup(parts),
];
