// The structure of docs/architecture.md: a file imports its own folder, the shared files of its floor, what its area
// may see beside it, or a lower floor.
const floors = [
  ["src/domain/"],
  ["src/((auth|clock|config|hub|installation|log|redact|schemas)\\.ts$|config/)", "src/metrics/"],
  ["src/features/"],
  ["src/providers/", "src/storage/"],
  ["src/pipeline/", "src/alerts/"],
  ["src/scheduler/"],
  ["src/views/"],
  ["src/routes/"],
  ["src/app(/|\\.ts$)"],
  ["src/cli/"],
  ["src/(server|cli|doctor)\\.ts$"],
];

/** Files and folders of a floor that all of its areas may import; they import no area themselves. */
const shared = {
  domain: ["errors.ts", "time.ts", "log.ts", "defaults.ts", "plan.ts", "sliding-sum.ts", "zone.ts"],
  providers: ["provider.ts", "setting.ts", "timestamp.ts", "sleep.ts", "http-request.ts"],
  storage: ["db.ts", "connection/", "pagination.ts", "deferred-write.ts", "encryption.ts", "schema/"],
  pipeline: [
    "messages.ts",
    "job-context.ts",
    "price-adjustment.ts",
    "idle-timer.ts",
    "stored-prices.ts",
    "written-bars.ts",
    "store/",
  ],
  scheduler: [],
  views: ["ui/"],
  routes: [
    "services.ts",
    "http/",
    "page-context.ts",
    "page-query.ts",
    "problem.ts",
    "cached.ts",
    "compression.ts",
    "cursor.ts",
    "assets.ts",
    "form-errors.ts",
    "api/parameters.ts",
  ],
};

/** What an area (a folder, or a file at the floor's root) imports beside itself; `*` is everything. */
const sideways = {
  domain: {
    runs: ["market"],
    hosts: ["market"],
    profiles: ["market", "companies"],
    alerts: ["market", "runs"],
    schedules: ["market", "runs"],
    promises: ["market"],
    series: ["market"],
  },
  providers: {
    http: ["quotas"],
    vendors: ["http"],
    ccxt: ["http", "quotas", "entry"],
    entry: ["*"],
    "vendor-entry": ["*"],
    registry: ["*"],
    "load-entry": ["*"],
    "local-entries": ["*"],
    "provider-cache": ["*"],
  },
  storage: {
    runs: ["access", "market", "alerts"],
    profiles: ["access", "market", "runs"],
    companies: ["access"],
    alerts: ["access"],
    schedules: ["access", "runs"],
    promises: ["access", "market"],
    search: ["runs"],
    upgrade: ["profiles"],
    backup: ["maintenance"],
    "future-moments": ["access"],
    quotas: ["settings"],
    series: ["access", "market", "profiles"],
  },
  pipeline: {
    fetch: ["first-bar", "bulk", "validation"],
    bulk: ["fetch"],
    workers: ["fetch", "engineer", "permit-requests", "leased-permits", "validation", "remote"],
    companies: ["workers"],
    lake: ["exports"],
    analysis: ["exports", "lake"],
  },
  scheduler: {
    runs: ["queue", "quotas"],
    schedules: ["runs"],
    promises: ["runs", "schedules"],
    live: ["runs", "queue", "quotas"],
    maintenance: ["queue"],
    rejudging: ["runs"],
    backups: ["schedules"],
    series: ["backups", "lake", "maintenance", "runs"],
  },
  views: {
    runs: ["jobs", "promises", "quotas"],
    "script-parts": ["jobs", "notifications"],
    companies: ["runs"],
    profiles: ["runs"],
    schedules: ["runs"],
    settings: ["alerts", "backups", "lake", "notifications", "quotas"],
    live: ["runs", "jobs", "promises", "quotas"],
  },
  routes: {
    runs: ["jobs", "live"],
    jobs: ["live"],
    companies: ["runs"],
    schedules: ["runs"],
    profiles: ["runs"],
    exports: ["profiles"],
    mcp: ["profiles", "runs"],
    settings: ["alerts", "quotas"],
    ops: ["access", "live", "quotas"],
    middleware: ["access"],
    index: ["*"],
    groups: ["*"],
  },
};

const rooms = floors.flatMap((paths, floor) => paths.map((path) => ({ path, floor })));
const escaped = (text) => text.replaceAll(".", "\\.");

const floorRules = rooms.flatMap(({ path, floor }) => {
  const higher = rooms.filter((room) => room.floor >= floor && room.path !== path).map((room) => `^${room.path}`);
  const name = `floor-${floor}-${path.replace(/\W+/g, "-")}`;
  return higher.length === 0 ? [] : [{ name, severity: "error", from: { path: `^${path}` }, to: { path: higher } }];
});

const areaRules = Object.entries(sideways).flatMap(([floor, areas]) => {
  const root = `^src/${floor}/`;
  const common = shared[floor].map((path) => (path.endsWith("/") ? `${root}${path}` : `${root}${escaped(path)}$`));
  // `$1` is the area the importing file belongs to: its folder, or its own name.
  const own = `${root}$1(/|\\.tsx?$)`;
  const named = Object.entries(areas);
  return [
    ...named
      .filter(([, seen]) => !seen.includes("*"))
      .map(([area, seen]) => ({
        name: `area-${floor}-${area}`,
        severity: "error",
        from: { path: `${root}(${area})(/|\\.tsx?$)` },
        to: { path: root, pathNot: [own, ...common, ...seen.map((path) => `${root}${path}(/|\\.tsx?$)`)] },
      })),
    {
      name: `area-${floor}-alone`,
      comment: "An area without a line in `sideways` sees the shared files of its floor and nothing else.",
      severity: "error",
      from: {
        path: `${root}([^/.]+)(/|\\.tsx?$)`,
        pathNot: [...named.map(([area]) => `${root}${area}(/|\\.tsx?$)`), ...common],
      },
      to: { path: root, pathNot: [own, ...common] },
    },
    {
      name: `shared-${floor}`,
      comment: "What all areas import must not import one of them.",
      severity: "error",
      from: { path: common.length > 0 ? common : "^$" },
      to: { path: root, pathNot: common.length > 0 ? common : root },
    },
  ];
});

export default {
  forbidden: [
    ...floorRules,
    ...areaRules,
    {
      name: "area-alerts-templates",
      comment: "The files of alerts/ are one area; its templates word what they are handed.",
      severity: "error",
      from: { path: "^src/alerts/templates/" },
      to: { path: "^src/alerts/", pathNot: "^src/alerts/templates/" },
    },
    {
      name: "views-see-only-domain",
      comment: "A fragment is a pure function of domain data, so that the page and the push render the same.",
      severity: "error",
      from: { path: "^src/views/" },
      to: { path: "^src/", pathNot: "^src/(views|domain)/" },
    },
    {
      name: "domain-is-pure",
      severity: "error",
      from: { path: "^src/domain/" },
      to: { dependencyTypes: ["npm", "core"] },
    },
    {
      name: "jobs-use-the-job-store",
      comment: "A job works on any machine: its stages read and write through the job store.",
      severity: "error",
      from: {
        path: "^src/pipeline/((fetch|validation)/|(bulk|engineer|first-bar|job-context|price-adjustment)\\.ts$)",
        pathNot: "^src/pipeline/validation/worker\\.ts$",
      },
      to: { path: "^src/storage/", dependencyTypesNot: ["type-only"] },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "src-never-imports-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(tests|bench|docs)/" },
    },
    {
      name: "src-runs-without-dev-dependencies",
      comment: "`npm start` installs what the server needs and nothing else.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "^bun(:|$)" } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    builtInModules: { add: ["bun", "bun:test", "bun:sqlite"] },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["bun", "import", "types", "default"] },
  },
};
