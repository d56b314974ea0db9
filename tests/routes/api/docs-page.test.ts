/** `/api/docs`: its contents and its commands. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { hashSecret, newSecret } from "../../../src/auth.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import { startApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { ask } from "../../helpers/http.ts";
import { PASSWORD_HASH } from "../../helpers/password.ts";

setDefaultTimeout(60_000);

const unescaped = (html: string) =>
  html.replaceAll("&#39;", "'").replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&amp;", "&");

/** The commands of a page, with what they send. */
const commandsOf = (page: string) =>
  [...page.matchAll(/<pre>(.*?)<\/pre>/gs)].map(([, text = ""]) => {
    const command = unescaped(text);
    const method = /-X (\w+)/.exec(command)?.[1] ?? "GET";
    const body = /--data-binary '(\{.*?\})'/.exec(command)?.[1];
    return { command, method, body, url: /'(https?:[^']*)'$/.exec(command)![1]! };
  });

test("every place that the contents of the API's page name is on it, and so is every operation", async () => {
  await using app = await startApp();
  const { text } = await app.get("/api/docs");
  const { body } = await app.get("/api/openapi.json");
  // Icons come with the script.
  const named = [...text.matchAll(/ href="#(?!i-)([\w-]+)"/g)].map(([, id]) => id!);
  const ids = new Set([...text.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id!));
  expect(named.filter((id) => id !== "main" && !ids.has(id))).toEqual([]);
  const operations = Object.values<Record<string, { operationId: string }>>(body.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  expect(operations.filter((id) => !named.includes(id))).toEqual([]);
  expect(commandsOf(text)).toHaveLength(operations.length);
  expect(operations.filter((id) => !text.includes(`<summary>Example of ${id}, in short</summary>`))).toEqual([]);
  const { example } = body.paths["/api/bars/{symbol}"].get.responses[200].content["application/json"];
  expect(unescaped(text)).toContain(JSON.stringify(example, null, 2));
});

test("commands of the API's page without words in capitals are accepted as they are", async () => {
  using lake = temporaryFolder();
  await using app = await startApp({ env: { BARKEEP_LAKE: lake.path } });
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1, provider: "demo", batch_days: 365 }), "complete");
  const { text } = await app.get("/api/docs");
  // Words in capitals and ids are the reader's own; the stream does not end, and the demo provider has no facts.
  const own = commandsOf(text).filter(({ method, url, body = "" }) => {
    const hasWords = [url, body].some((each) => /(?<![A-Z])[A-Z]{2,}/.test(each.replace("AAPL", "")));
    return method !== "DELETE" && !hasWords && !/\/1(\/|$)|\/(events|import|facts)$/.test(url);
  });
  const refused: unknown[] = [];
  for (const { command, method, url, body } of own) {
    const init = body === undefined ? {} : { body, headers: { "Content-Type": "application/json" } };
    const { status, text: answer } = await ask(url, { method, ...init });
    // Runs that this test has started itself.
    if (status >= 300 && status !== 409) refused.push([command, status, answer]);
  }
  expect(refused).toEqual([]);
  expect(own.length).toBeGreaterThan(15);
});

test("commands of the API's page name BARKEEP_URL, and send the token where a password is set", async () => {
  const env = { BARKEEP_PASSWORD_HASH: PASSWORD_HASH, BARKEEP_URL: "https://example.com/barkeep" };
  await using app = await startApp({ env });
  const secret = newSecret("bk_");
  await saveToken(app.app.db, { name: "reader", scope: "read", hash: hashSecret(secret), expiresAt: null });
  const { text } = await ask(`${app.url}/api/docs`, { headers: { Authorization: `Bearer ${secret}` } });
  const commands = commandsOf(text).map(({ command }) => command);
  const begin = `curl --fail-with-body -H "Authorization: Bearer $BARKEEP_TOKEN" '`;
  expect(commands).toContain(`${begin}https://example.com/barkeep/api/bars/AAPL'`);
  expect(
    commands.filter(
      (each) => !each.includes("Bearer $BARKEEP_TOKEN") || !each.includes("'https://example.com/barkeep/api/"),
    ),
  ).toEqual([]);
});
