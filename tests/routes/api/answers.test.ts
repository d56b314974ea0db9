/** The schemas of the document against what a running server answers. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { z } from "zod";
import { exampleOf } from "../../../src/routes/api/document.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { ask } from "../../helpers/http.ts";

setDefaultTimeout(60_000);

/** The part of a JSON schema that is looked into here. */
interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

const lake = temporaryFolder();
let app: TestApp;
let run: string;
let schemas: Readonly<Record<string, Schema>>;
const operations = new Map<string, Operation>();
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_LAKE: lake.path } });
  run = await app.start({ symbols: ["AAPL", "MSFT"], years: 1, provider: "demo", batch_days: 365 });
  await app.waitForRun(run, "complete");
  const { body } = await app.get("/api/openapi.json");
  schemas = body.components.schemas;
  for (const methods of Object.values<Record<string, Operation>>(body.paths)) {
    for (const operation of Object.values(methods)) operations.set(operation.operationId, operation);
  }
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  lake[Symbol.dispose]();
});

const resolve = (schema: Schema): Schema => (schema.$ref ? schemas[schema.$ref.split("/").at(-1)!]! : schema);

/** The schemas that the value of an object may follow: of `allOf` and `anyOf` all. */
function parts(schema: Schema): Schema[] {
  const own = resolve(schema);
  return [own, ...[...(own.allOf ?? []), ...(own.anyOf ?? [])].flatMap(parts)];
}

/** The fields of `value` that `schema` does not declare. */
function undeclared(schema: Schema, value: unknown, path = ""): string[] {
  const all = parts(schema);
  if (Array.isArray(value)) {
    const items = all.flatMap(({ items, prefixItems = [] }) => [...prefixItems, ...(items ? [items] : [])]);
    return items.length === 0 ? [path] : value.flatMap((each) => undeclared({ anyOf: items }, each, `${path}[]`));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => {
    const declared = all.flatMap(({ properties, additionalProperties: more }) => {
      return properties?.[key] ?? (typeof more === "object" ? more : more === true ? {} : []);
    });
    if (declared.length === 0) return [`${path}.${key}`];
    return declared.some((each) => Object.keys(each).length === 0)
      ? []
      : undeclared({ anyOf: declared }, field, `${path}.${key}`);
  });
}

/** What is wrong with an answer, by the schema of its operation and status. */
function faults(operationId: string, status: number, body: unknown): string[] {
  const content = operations.get(operationId)?.responses[status]?.content ?? {};
  const schema = (content["application/json"] ?? content["application/problem+json"])?.schema;
  return schema === undefined ? [`${operationId} declares no ${status}`] : faultsOf(schema, body);
}

function faultsOf(schema: Schema, body: unknown): string[] {
  // The reader of schemas follows references inside of one document alone.
  const text = JSON.stringify({ ...schema, $defs: schemas }).replaceAll("#/components/schemas/", "#/$defs/");
  const { error } = z.fromJSONSchema(JSON.parse(text)).safeParse(body);
  return [
    ...(error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? []),
    ...undeclared(schema, body).map((path) => `${path} is not declared`),
  ];
}

test("every operation has an example, whose request and answer follow their schemas", () => {
  const found = [...operations.values()].flatMap(({ operationId, requestBody, responses }) => {
    const example = exampleOf(operationId);
    if (example === null) return [`${operationId} has no example: bun docs/api-examples.ts takes them`];
    const { request, response } = example;
    const sent = requestBody?.content[request.type ?? ""]?.schema;
    const type = (response.headers["content-type"] ?? "").split(";")[0]!;
    const answer = responses[response.status];
    if (answer === undefined || response.status >= 300) return [`${operationId} has no answer ${response.status}`];
    const declared = answer.content?.[type]?.schema;
    const isBinary = type.endsWith("parquet");
    const isLines = type.endsWith("ndjson");
    const bodies = isLines
      ? `${response.body}`
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line))
      : [response.body];
    if (declared === undefined) return response.body === undefined ? [] : [`${operationId} declares no ${type}`];
    return [
      ...(requestBody !== undefined && sent === undefined ? [`${operationId} sends nothing`] : []),
      ...(sent === undefined ? [] : faultsOf(sent, request.body)),
      ...(isBinary ? [] : bodies.flatMap((body) => faultsOf(declared, body))),
    ].map((fault) => `${operationId}: ${fault}`);
  });
  expect(found).toEqual([]);
  // Lists are cut, not empty: an empty one shows nothing.
  const listed = exampleOf("listProfiles")?.response.body as { profiles: unknown[] };
  expect(listed.profiles.length).toBeGreaterThan(0);
});

test("every JSON answer of the server has exactly the fields that its schema declares", async () => {
  const order = { name: "Evening", cron: "30 18 * * 1-5", time_zone: "America/New_York", symbols: ["AAPL"] };
  const snapshot = { name: "One", symbols: ["AAPL"], interval: "1d", names: ["rsi_14"] };
  const { body: first } = await app.post("/api/snapshots", snapshot);
  const { body: other } = await app.post("/api/snapshots", { ...snapshot, symbols: ["AAPL", "MSFT"] });
  const calls: [operationId: string, method: string, path: string, body?: unknown][] = [
    ["createSchedule", "POST", "/api/schedules", order],
    ["runSchedule", "POST", "/api/schedules/1/run"],
    ["readLake", "GET", "/api/lake"],
    ["listStoredSeries", "GET", "/api/storage"],
    ["pruneSeries", "POST", "/api/storage/prune", { before: "1mo", filter: {} }],
    ["listSchedules", "GET", "/api/schedules"],
    ["readSchedule", "GET", "/api/schedules/1"],
    ["changeSchedule", "PATCH", "/api/schedules/1", { enabled: false }],
    ["createPromise", "POST", "/api/promises", { name: "Mine", symbols: ["AAPL"], by_time: "07:00" }],
    ["listPromises", "GET", "/api/promises"],
    ["readPromise", "GET", "/api/promises/1"],
    ["changePromise", "PATCH", "/api/promises/1", { max_gaps: 3 }],
    ["listPromiseResults", "GET", "/api/promises/1/results"],
    ["createWatchlist", "POST", "/api/watchlists", { name: "Mine", symbols: ["AAPL"] }],
    ["listWatchlists", "GET", "/api/watchlists"],
    ["readWatchlist", "GET", "/api/watchlists/1"],
    ["changeWatchlist", "PATCH", "/api/watchlists/1", { add: ["MSFT"] }],
    ["startRun", "POST", "/api/runs", { symbols: [] }],
    ["listRuns", "GET", "/api/runs"],
    ["readRun", "GET", `/api/runs/${run}`],
    ["readRun", "GET", "/api/runs/none"],
    ["recomputeOutdated", "POST", "/api/runs/outdated"],
    ["listProfiles", "GET", "/api/profiles"],
    ["readProfile", "GET", "/api/profiles/AAPL"],
    ["renewProfiles", "POST", "/api/profiles/renew", { order: "engineer", profiles: ["MSFT/1d"] }],
    ["compareProviders", "GET", "/api/profiles/AAPL/compare"],
    ["readQuality", "GET", "/api/quality"],
    ["listFeatures", "GET", "/api/features"],
    ["readBars", "GET", "/api/bars/AAPL"],
    ["readBars", "GET", "/api/bars/AAPL?interval=1w&adjust=none&as_known_at=2026-01-01"],
    ["readFeatures", "GET", "/api/features/AAPL?names=rsi_14,sma_5"],
    ["readPanel", "GET", "/api/panel?symbols=AAPL,ZZZ&names=rsi_14&include=ohlcv&labels=fwd_ret_1"],
    ["createSnapshot", "POST", "/api/snapshots", snapshot],
    ["listSnapshots", "GET", "/api/snapshots"],
    ["readSnapshot", "GET", `/api/snapshots/${first.id}`],
    ["compareSnapshots", "GET", `/api/snapshots/${first.id}/diff/${other.id}`],
    ["readUsage", "GET", "/api/usage"],
    ["listHosts", "GET", "/api/hosts"],
    ["importCompanies", "POST", "/api/companies/import", "AAPL,Apple,NASDAQ\n,none"],
    ["fetchCompanies", "POST", "/api/companies/fetch", { provider: "demo" }],
    ["searchCompanies", "GET", "/api/companies"],
    ["listAudit", "GET", "/api/audit"],
    ["listLogs", "GET", "/api/logs"],
    ["listProviders", "GET", "/api/providers"],
    ["listAlerts", "GET", "/api/alerts"],
  ];
  const found: unknown[] = [];
  const done = new Set<string>();
  const call = async (id: string, method: string, path: string, sent?: unknown) => {
    const type = typeof sent === "string" ? "text/csv" : "application/json";
    const text = typeof sent === "string" ? sent : JSON.stringify(sent);
    const init = sent === undefined ? {} : { body: text, headers: { "Content-Type": type } };
    const { status, body } = await ask(app.url + path, { method, ...init });
    if (status < 300) done.add(id);
    found.push(...faults(id, status, body).map((fault) => `${id} ${status}: ${fault}`));
    return body;
  };
  for (const each of calls) await call(...each);
  // Long enough to be still at work when it is cancelled.
  const long = { symbols: ["NVDA", "TSLA"], years: 30, provider: "demo", batch_days: 1 };
  const { run: started } = await call("startRun", "POST", "/api/runs", long);
  await call("controlJob", "POST", `/api/runs/${started.id}/jobs/NVDA/skip`);
  await call("controlRun", "POST", `/api/runs/${started.id}/cancel`);
  const failed = await app.start({ symbols: ["DEMO-FAIL"], years: 1 });
  await app.waitForRun(failed, "failed");
  await call("acknowledgeRun", "POST", `/api/runs/${failed}/acknowledge`);
  expect(found).toEqual([]);
  const isJson = ({ responses }: Operation) =>
    Object.entries(responses).some(([status, { content }]) => status < "300" && content?.["application/json"]);
  const expected = [...operations.values()].filter(isJson).map(({ operationId }) => operationId);
  // The demo provider gives no facts; no other can be asked here.
  expect(expected.filter((id) => !done.has(id))).toEqual(["fetchFacts"]);
});
