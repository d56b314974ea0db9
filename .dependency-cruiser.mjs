// The floors of the house (docs/architecture.md): a file imports its own folder or a lower floor,
// never a higher floor and never a sister folder on its own floor.
const floors = [
  ["src/domain/"],
  ["src/(auth|clock|config|hub|log|metrics|redact)\\.ts$"],
  ["src/features/"],
  ["src/providers/", "src/storage/"],
  ["src/pipeline/", "src/alerts/"],
  ["src/scheduler/"],
  ["src/views/"],
  ["src/routes/"],
  ["src/app\\.ts$"],
  ["src/(server|cli|doctor)\\.ts$"],
];

const rooms = floors.flatMap((paths, floor) => paths.map((path) => ({ path, floor })));

const forbidden = rooms.flatMap(({ path, floor }) => {
  const higher = rooms.filter((room) => room.floor >= floor && room.path !== path).map((room) => `^${room.path}`);
  const name = `floor-${floor}-${path.replace(/\W+/g, "-")}`;
  return higher.length === 0 ? [] : [{ name, severity: "error", from: { path: `^${path}` }, to: { path: higher } }];
});

export default {
  forbidden: [
    ...forbidden,
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
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "src-never-imports-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(tests|bench|docs)/" },
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
