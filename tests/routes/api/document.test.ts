/** The OpenAPI document against the routes that are answered. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { isOfWorker, neededScope } from "../../../src/domain/access.ts";
import { createRoutes } from "../../../src/routes/index.ts";
import { startApp } from "../../helpers/app.ts";

setDefaultTimeout(60_000);

/** What describes the API is no part of it. */
const DESCRIPTIONS = ["/api/openapi.json", "/api/docs"];

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly responses?: Readonly<Record<string, { readonly description: string }>>;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

test("the document has every route of the API, each with an id, a tag, a summary and its scope", async () => {
  await using app = await startApp();
  const { table, close } = await createRoutes(app.app);
  close();
  const { body } = await app.get("/api/openapi.json");
  const operations = Object.entries<Record<string, Operation>>(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
  );
  const answered = (await table())
    // What a worker sends has no description: only a worker of the same version understands it.
    .filter(({ method, path }) => method !== "ALL" && path.startsWith("/api/") && !isOfWorker(path))
    .filter(({ path }) => !DESCRIPTIONS.includes(path))
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  expect(operations.map(({ route }) => route).toSorted()).toEqual([...new Set(answered)].toSorted());

  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const tags = body.tags.map(({ name }: { name: string }) => name);
  for (const { route, operation } of operations) {
    const [method = "", path = ""] = route.split(" ");
    expect([route, operation.operationId]).toEqual([route, expect.stringMatching(/^[a-z][A-Za-z]+$/)]);
    expect([route, operation.summary]).toEqual([route, expect.stringMatching(/./)]);
    expect([route, operation.tags?.length, tags.includes(operation.tags?.[0])]).toEqual([route, 1, true]);
    expect([route, operation.security]).toEqual([route, [{ token: [neededScope(method, path)] }]]);
    const forbidden = operation.responses?.[403]?.description;
    expect([route, forbidden]).toEqual([route, expect.stringContaining(`the scope ${neededScope(method, path)}`)]);
    expect([route, operation.responses?.[401]?.description]).toEqual([route, expect.stringContaining("token")]);
  }
  expect(body.components.securitySchemes.token).toMatchObject({ type: "http", scheme: "bearer" });
  expect(body.servers).toEqual([{ url: "/" }]);
});
