import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Authenticator } from "../../../src/routes/access/authenticator.ts";
import { LoginBudget } from "../../../src/routes/access/login-budget.ts";
import { RefusalRecord } from "../../../src/routes/access/refusal-record.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { startApp, type TestApp, testConfig } from "../../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { ask } from "../../helpers/http.ts";
import { PASSWORD, PASSWORD_HASH } from "../../helpers/password.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp({
    env: {
      BARKEEP_PASSWORD_HASH: PASSWORD_HASH,
      BARKEEP_WORKERS: "1",
      BARKEEP_TRUSTED_PROXIES: "127.0.0.1",
      BARKEEP_URL: "http://barkeep.example",
    },
  });
});
afterAll(() => app[Symbol.asyncDispose]());

const signIn = (password: string, address: string) =>
  fetch(`${app.url}/login`, {
    method: "POST",
    body: new URLSearchParams({ password }),
    headers: { Accept: "text/html", "X-Forwarded-For": address },
    redirect: "manual",
  });

const onRecord = (action: string) =>
  app.app.db.rows("select actor, subject, after from audit where action = ? order by id", [action]);

test("guesses from many addresses are limited together, and a right password passes among them", async () => {
  const guesses = Array.from({ length: 60 }, (_, i) => signIn(`wrong ${i}`, `198.51.100.${i}`));
  const right = await signIn(PASSWORD, "203.0.113.1");
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  expect(right.status).toBe(303);
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect(statuses.filter((status) => status === 401).length).toBeLessThan(25);
  const refused = await onRecord("login.refuse");
  expect(refused[0]).toEqual(["nobody", "the login", expect.stringContaining("198.51.100.")]);
  // 60 guesses fill neither the audit nor the log.
  expect(refused.length).toBeLessThanOrEqual(32);
});

test("guesses from one /64 are one client's, and a forged header makes nobody another", async () => {
  const statuses: number[] = [];
  for (let i = 1; i <= 5; i++) statuses.push((await signIn("wrong", `1.1.1.${i}, 2001:db8::${i}`)).status);
  expect(statuses.slice(3)).toEqual([429, 429]);
});

test("a request that lacks a scope, a valid token or a known host is on record", async () => {
  const rows = async () => (await onRecord("request.refuse")).map((row) => row.join(" "));
  await ask(`${app.url}/api/runs`, { headers: { Authorization: "Bearer bk_wrong" } });
  await ask(`${app.url}/api/runs`, { headers: { Host: "evil.example" } });
  await ask(`${app.url}/api/runs`, { headers: { "Sec-Fetch-Site": "cross-site" } });
  while ((await rows()).length < 3) await Bun.sleep(1);
  const text = (await rows()).join("\n");
  expect(text).toContain("nobody GET /api/runs");
  for (const why of ["not a valid token", "another host: evil.example", "embedded"]) expect(text).toContain(why);
});

describe("the Host of a request", () => {
  const statusAs = async (host: string, path: string, headers: Record<string, string> = {}) =>
    (await ask(app.url + path, { headers: { Host: host, ...headers } })).status;

  test("with a password too, only this machine's names and BARKEEP_URL are answered", async () => {
    for (const host of ["evil.example", "barkeep.example.evil.example", "10.0.0.1", "127.0.0.1.evil.example"]) {
      expect([host, await statusAs(host, "/login")]).toEqual([host, 403]);
    }
    for (const host of ["localhost:3000", "127.0.0.1", "[::1]:3000", "barkeep.example", "BARKEEP.example:443"]) {
      expect([host, await statusAs(host, "/login")]).toEqual([host, 200]);
    }
  });

  test("probes and programs with a token may use another name", async () => {
    expect(await statusAs("barkeep.internal:3000", "/healthz")).toBe(200);
    const token = { Authorization: "Bearer bk_wrong" };
    expect(await statusAs("barkeep.internal:3000", "/metrics", token)).toBe(401);
  });
});

test("attempts beyond the budget wait, the newest first, and too many are refused", async () => {
  let now = 0;
  const budget = new LoginBudget(() => now);
  for (let i = 0; i < 10; i++) expect(await budget.take()).toBe(true);
  const order: string[] = [];
  const later = Array.from({ length: 10 }, (_, i) =>
    budget.take().then((granted) => void order.push(`${i} ${granted}`)),
  );
  await Promise.all(later.slice(0, 2));
  expect(order).toEqual(["0 false", "1 false"]);
  now = 500;
  await later[9];
  expect(order.at(-1)).toBe("9 true");
  now = 100_000;
  await Promise.all(later);
  expect(order.filter((each) => each.endsWith("true")).length).toBe(8);
});

test("a network that has signed in passes among guesses from everywhere, also after a restart", async () => {
  using folder = temporaryFolder();
  const database = await migratedDatabase(folder);
  const db = await openDatabase(database);
  const config = testConfig(database, { BARKEEP_PASSWORD: PASSWORD });
  const client = (address: string) => ({ address, agent: "" });
  const first = await Authenticator.open(db, config);
  expect(await first.signIn(client("203.0.113.7"), PASSWORD)).toHaveProperty("secret");
  const restarted = await Authenticator.open(db, config);
  const guess = (i: number) => restarted.signIn(client(`198.51.100.${i}`), `wrong ${i}`);
  // More than are checked and wait before it, and more than wait after it.
  const guesses = Array.from({ length: 18 }, (_, i) => guess(i));
  const [known, unknown] = ["203.0.113.7", "203.0.113.8"].map((from) => restarted.signIn(client(from), PASSWORD));
  guesses.push(...Array.from({ length: 9 }, (_, i) => guess(100 + i)));
  expect(await known).toHaveProperty("secret");
  expect(await unknown).toHaveProperty("wait");
  await Promise.all(guesses);
  db.close();
});

test("refusals of a kind are recorded once a window with their number, and kinds without end are counted together", async () => {
  const lines: string[] = [];
  const log = { write: (_level: string, message: string) => void lines.push(message) };
  const record = new RefusalRecord(app.app.db, log, 20);
  const note = (from: string) =>
    record.note({ action: "login.refuse", actor: "nobody", subject: "the login", why: "test", from });
  for (let i = 0; i < 500; i++) note("192.0.2.1");
  expect(lines).toEqual(["Refused: the login"]);
  while (lines.length < 2) await Bun.sleep(5);
  expect(lines[1]).toBe("Refused (499 times): the login");
  for (let i = 0; i < 500; i++) note(`192.0.2.${i}`);
  expect(lines.length).toBeLessThanOrEqual(2 + 31);
});
