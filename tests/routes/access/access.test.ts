import { afterAll, beforeAll, describe, expect, setDefaultTimeout, setSystemTime, test } from "bun:test";
import { hashSecret, newSecret, TOKEN_PREFIX } from "../../../src/auth.ts";
import { changesState } from "../../../src/domain/access.ts";
import { createRoutes } from "../../../src/routes/index.ts";
import { listTokens, saveToken } from "../../../src/storage/access/tokens.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { ask } from "../../helpers/http.ts";
import { PASSWORD, PASSWORD_HASH } from "../../helpers/password.ts";

setDefaultTimeout(60_000);

const HTML = { Accept: "text/html" };

/** A form as a browser sends it, without following where it leads. */
const submit = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { ...HTML, ...headers },
    redirect: "manual",
  });

async function signIn(app: TestApp, password = PASSWORD, headers: Record<string, string> = {}): Promise<string> {
  const response = await submit(`${app.url}/login`, { password }, headers);
  expect(response.status).toBe(303);
  return response.headers.get("Set-Cookie")!.split(";")[0]!;
}

async function makeToken(app: TestApp, scope: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await submit(`${app.url}/settings/access`, { name: `${scope} token`, scope }, headers);
  expect(response.status).toBe(200);
  return /bk_[\w-]{43}/.exec(await response.text())![0];
}

/** Every route of the app that takes a body, with its parameters filled in. */
async function postedRoutes(app: TestApp): Promise<[method: string, path: string][]> {
  const routes = await createRoutes(app.app);
  routes.close();
  const posted = (await routes.table()).filter(({ method }) => !["ALL", "GET", "HEAD", "OPTIONS"].includes(method));
  const filled = posted.map(({ method, path }): [string, string] => [method, path.replace(/:\w+/g, "x")]);
  return [...new Map(filled.map((route) => [route.join(" "), route])).values()];
}

/** Those of them that change what is stored. */
const changingRoutes = async (app: TestApp) =>
  (await postedRoutes(app)).filter(([method, path]) => changesState(method, path));

describe("with a password", () => {
  let app: TestApp;
  let cookie: string;
  beforeAll(async () => {
    app = await startApp({
      env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH, BARKEEP_WORKERS: "1", BARKEEP_TRUSTED_PROXIES: "127.0.0.1" },
    });
    cookie = await signIn(app);
  });
  afterAll(() => app[Symbol.asyncDispose]());
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(app.url + path, { headers, redirect: "manual" });

  test("a token cannot be named like another actor, and a stored one of such a name is one in the audit and among the logins", async () => {
    const taken = await submit(`${app.url}/settings/access`, { name: "0wner", scope: "admin" }, { Cookie: cookie });
    expect([taken.status, await taken.text()]).toEqual([422, expect.stringContaining("could take")]);
    const { db } = app.app;
    const secret = newSecret(TOKEN_PREFIX);
    await saveToken(db, { name: "owner", scope: "admin", hash: hashSecret(secret), expiresAt: null });
    await signIn(app, secret);
    const made = await fetch(`${app.url}/api/watchlists`, {
      method: "POST",
      headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/json" },
      body: JSON.stringify({ name: "By a token", symbols: [] }),
    });
    expect(made.status).toBe(201);
    const entries = await db.rows("select actor, action from audit order by id desc limit 2", []);
    expect(entries.map((row) => [...row])).toEqual([
      ["token owner", "watchlist.create"],
      ["token owner", "login"],
    ]);
    const page = await (await get("/settings/access", { ...HTML, Cookie: cookie })).text();
    expect(page).toContain('<th scope="row">token owner</th>');
    const id = (await listTokens(db)).find(({ name }) => name === "owner")!.id;
    await submit(`${app.url}/settings/access/${id}/revoke`, {}, { Cookie: cookie });
    expect((await listTokens(db)).map(({ name }) => name)).not.toContain("owner");
  });

  test("people are sent to the login and back to the page they wanted", async () => {
    const turned = await get("/runs?q=1", HTML);
    expect([turned.status, turned.headers.get("Location")]).toEqual([303, "/login?next=%2Fruns%3Fq%3D1"]);
    expect(await (await get("/login?next=%2Fruns%3Fq%3D1")).text()).toContain('name="next" value="/runs?q=1"');
    const unsent = await submit(`${app.url}/schedules`, { name: "x" }, { ...HTML, Referer: `${app.url}/schedules` });
    expect([unsent.status, unsent.headers.get("Location")]).toEqual([303, "/login?next=%2Fschedules&unsent=1"]);
    expect(await (await get("/login?next=%2Fschedules&unsent=1")).text()).toContain("what you sent was not stored");
    const back = await submit(`${app.url}/login`, { password: PASSWORD, next: "/runs?q=1" });
    expect([back.status, back.headers.get("Location")]).toEqual([303, "/runs?q=1"]);
  });

  test("the login redirects only to pages of this server", async () => {
    for (const next of [
      "https://evil.example/",
      "//evil.example",
      "/\\evil.example",
      "javascript:alert(1)",
      "/login",
      "/logout",
    ]) {
      const { headers } = await submit(`${app.url}/login`, { password: PASSWORD, next });
      expect([next, headers.get("Location")]).toEqual([next, "/"]);
    }
  });

  test("programs, fragments and streams get 401, never a redirect", async () => {
    const api = await ask(`${app.url}/api/runs`);
    expect([api.status, api.type]).toEqual([401, "application/problem+json"]);
    expect(api.headers.get("WWW-Authenticate")).toContain("Bearer");
    for (const path of ["/events", "/api/events", "/metrics"]) {
      expect([path, (await get(path, { Accept: "text/event-stream, */*" })).status]).toEqual([path, 401]);
    }
    expect((await get("/events", { Accept: "text/html, text/event-stream" })).status).toBe(401);
    const fragment = await get("/companies", {
      ...HTML,
      "HX-Request": "true",
      "HX-Current-URL": `${app.url}/companies?q=a`,
    });
    expect([fragment.status, fragment.headers.get("HX-Redirect")]).toEqual([401, "/login?next=%2Fcompanies%3Fq%3Da"]);
  });

  test("supervisors need no login", async () => {
    expect((await get("/healthz")).status).toBe(200);
    expect(await (await get("/readyz")).json()).toMatchObject({ database: true });
  });

  test("the session cookie is hidden from scripts and other sites, and goes over TLS only where there is TLS", async () => {
    const plain = await submit(`${app.url}/login`, { password: PASSWORD });
    expect(plain.headers.get("Set-Cookie")).toMatch(
      /^barkeep-session=[\w-]{43}; Max-Age=1209600; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const proxied = await submit(`${app.url}/login`, { password: PASSWORD }, { "X-Forwarded-Proto": "https" });
    expect(proxied.headers.get("Set-Cookie")).toMatch(
      /^__Host-barkeep-session=[\w-]{43}; Max-Age=1209600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  test("HSTS is sent over TLS, with pages, assets and refusals alike, and never over plain HTTP", async () => {
    for (const path of ["/login", "/favicon.svg", "/healthz", "/api/runs", "/events", "/nowhere"]) {
      const hsts = async (headers: Record<string, string>) => {
        const answer = await get(path, headers);
        await answer.body?.cancel();
        return answer.headers.get("Strict-Transport-Security");
      };
      expect([path, await hsts({})]).toEqual([path, null]);
      expect([path, await hsts({ "X-Forwarded-Proto": "http" })]).toEqual([path, null]);
      expect([path, await hsts({ "X-Forwarded-Proto": "https" })]).toEqual([path, "max-age=31536000"]);
    }
  });

  test("HSTS follows no proxy that is not trusted, but BARKEEP_URL", async () => {
    await using untrusted = await startApp({ env: { BARKEEP_PASSWORD: PASSWORD } });
    const forged = await ask(`${untrusted.url}/healthz`, { headers: { "X-Forwarded-Proto": "https" } });
    expect(forged.headers.get("Strict-Transport-Security")).toBeNull();
    await using published = await startApp({
      env: { BARKEEP_PASSWORD: PASSWORD, BARKEEP_URL: "https://barkeep.example" },
    });
    const plain = await ask(`${published.url}/healthz`);
    expect(plain.headers.get("Strict-Transport-Security")).toBe("max-age=31536000");
  });

  test("a signed-in reader sees the pages and can sign out", async () => {
    const own = await signIn(app);
    const page = await (await get("/", { ...HTML, Cookie: own })).text();
    expect(page).toContain('action="/logout"');
    await submit(`${app.url}/logout`, {}, { Cookie: own });
    expect((await get("/", { ...HTML, Cookie: own })).status).toBe(303);
  });

  test("neither the password nor a cookie or token is stored", async () => {
    await using own = await startApp({ env: { BARKEEP_PASSWORD: PASSWORD } });
    const session = await signIn(own);
    const token = await makeToken(own, "operate", { Cookie: session });
    const rows = await Promise.all(
      ["settings", "sessions", "tokens", "audit", "logs"].map((table) => own.app.db.rows(`select * from ${table}`, [])),
    );
    const stored = JSON.stringify(rows);
    for (const secret of [PASSWORD, token, session.split("=")[1]!]) expect(stored).not.toContain(secret);
    expect(stored).toContain("$argon2id$");
  });

  test("an expired session is refused", async () => {
    const own = await signIn(app);
    expect((await get("/runs", { ...HTML, Cookie: own })).status).toBe(200);
    await app.app.db.write([{ sql: "update sessions set expires_at = ?", args: [Date.now() - 1] }]);
    expect((await get("/runs", { ...HTML, Cookie: own })).status).toBe(303);
    cookie = await signIn(app);
  });

  test("a session without use for three days is over; requests keep it open", async () => {
    const own = await signIn(app);
    const statusOf = async () => (await get("/runs", { ...HTML, Cookie: own })).status;
    const usedAt = (days: number) =>
      app.app.db.write([
        { sql: "update sessions set last_used_at = ?1, created_at = ?1", args: [Date.now() - days * 86_400_000] },
      ]);
    await usedAt(2.9);
    expect(await statusOf()).toBe(200);
    const [[last]] = (await app.app.db.rows("select max(last_used_at) from sessions", [])) as [[number]];
    expect(Date.now() - last).toBeLessThan(3_600_000);
    await usedAt(3.1);
    expect(await statusOf()).toBe(303);
    cookie = await signIn(app);
  });

  test("signing in again ends the former session of the browser", async () => {
    const former = await signIn(app);
    const next = await signIn(app, PASSWORD, { Cookie: former });
    expect((await get("/runs", { ...HTML, Cookie: former })).status).toBe(303);
    expect((await get("/runs", { ...HTML, Cookie: next })).status).toBe(200);
  });

  test("open sessions are listed, and end one by one or all at once", async () => {
    const [mine, other, third] = [
      await signIn(app, PASSWORD, { "User-Agent": "Browser A" }),
      await signIn(app),
      await signIn(app),
    ];
    const page = await (await get("/settings/access", { ...HTML, Cookie: mine })).text();
    expect(page).toContain("Browser A");
    expect(page).toContain("You, here");
    const hash = new Bun.CryptoHasher("sha256").update(other.split("=")[1]!).digest("hex");
    expect(page).toContain(`/settings/access/sessions/${hash}/end`);
    const statusOf = async (cookie: string) => (await get("/runs", { ...HTML, Cookie: cookie })).status;
    const end = (path: string) => submit(`${app.url}/settings/access/sessions${path}`, {}, { Cookie: mine });
    expect((await end(`/${hash}/end`)).status).toBe(303);
    expect((await end(`/${hash}/end`)).status).toBe(404);
    expect([await statusOf(other), await statusOf(third), await statusOf(mine)]).toEqual([303, 200, 200]);
    expect((await end("/end")).status).toBe(303);
    expect([await statusOf(third), await statusOf(mine)]).toEqual([303, 303]);
    cookie = await signIn(app);
  });

  test("a token expires when it was said to, and with it the sessions opened with it", async () => {
    const response = await submit(
      `${app.url}/settings/access`,
      { name: "short", scope: "read", expires: "30" },
      { Cookie: cookie },
    );
    const token = /bk_[\w-]{43}/.exec(await response.text())![0];
    const [[expires]] = (await app.app.db.rows("select expires_at from tokens where name = 'short'", [])) as [[number]];
    expect(Math.round((expires - Date.now()) / 86_400_000)).toBe(30);
    const soon = Date.now() + 60_000;
    await app.app.db.write([{ sql: "update tokens set expires_at = ? where name = 'short'", args: [soon] }]);
    const guest = await signIn(app, token);
    const statuses = async () => [
      (await get("/api/runs", { Authorization: `Bearer ${token}` })).status,
      (await get("/", { ...HTML, Cookie: guest })).status,
    ];
    expect(await statuses()).toEqual([200, 200]);
    try {
      setSystemTime(soon);
      expect(await statuses()).toEqual([401, 303]);
      expect((await submit(`${app.url}/login`, { password: token })).status).toBe(401);
    } finally {
      setSystemTime();
    }
  });

  test("login attempts from one address are slowed down; another address does not wait", async () => {
    const guess = (address: string, password: string) =>
      submit(`${app.url}/login`, { password }, { "X-Forwarded-For": address });
    const answers: number[] = [];
    for (let i = 0; i < 6; i++) answers.push((await guess("203.0.113.7", `wrong ${i}`)).status);
    expect(answers.slice(0, 3)).toEqual([401, 401, 401]);
    expect(answers).toContain(429);
    expect((await guess("203.0.113.8", PASSWORD)).status).toBe(303);
  });

  test("a token is not made with a scope or a term that there is not, and each is named at its field", async () => {
    const wanted = { name: "odd", scope: "read", expires: "30" };
    for (const [field, value, words] of [
      ["scope", "root", "Wants one of read, operate, admin, worker"],
      ["scope", "Admin", "Wants one of read, operate, admin, worker"],
      ["expires", "1e9", "Wants one of 30, 90, 365, never"],
      ["expires", "", "Wants one of 30, 90, 365, never"],
    ] as const) {
      const answer = await submit(`${app.url}/settings/access`, { ...wanted, [field]: value }, { Cookie: cookie });
      const page = await answer.text();
      expect([field, answer.status]).toEqual([field, 422]);
      expect(page).toContain(`<p class="error" id="token-${field}-error">${words}`);
      expect(page).not.toMatch(/bk_[\w-]{43}/);
    }
    expect(await app.app.db.rows("select id from tokens where name = 'odd'", [])).toEqual([]);
  });

  test("a token opens the API as far as its scope goes, and is shown once", async () => {
    const token = await makeToken(app, "read", { Cookie: cookie });
    const bearer = { Authorization: `Bearer ${token}` };
    expect((await get("/api/runs", bearer)).status).toBe(200);
    expect((await get("/metrics", bearer)).status).toBe(200);
    expect((await get("/settings/access", { ...HTML, ...bearer })).status).toBe(403);
    expect((await get("/api/runs", { Authorization: "Bearer bk_wrong" })).status).toBe(401);
    const page = await (await get("/settings/access", { ...HTML, Cookie: cookie })).text();
    expect(page).toContain("read token");
    expect(page).not.toContain(token);
    const row = /<tr><th scope="row" class="named">read token.*?<\/tr>/s.exec(page)![0];
    expect(row.match(/<time /g)).toHaveLength(3); // when it was made, when it was used last, and when it expires

    const guest = await signIn(app, token);
    const seen = await (await get("/", { ...HTML, Cookie: guest })).text();
    expect(seen).toContain('data-scope="read"');

    const [, id] = /\/settings\/access\/(\d+)\/revoke"[^>]*><button[^>]*aria-label="Revoke read token"/.exec(page)!;
    expect((await submit(`${app.url}/settings/access/${id}/revoke`, {}, { Cookie: cookie })).status).toBe(303);
    expect((await get("/api/runs", bearer)).status).toBe(401);
    expect((await get("/", { ...HTML, Cookie: guest })).status).toBe(303);
  });

  test("the read scope is refused on every route that changes something", async () => {
    const token = await makeToken(app, "read", { Cookie: cookie });
    const routes = await changingRoutes(app);
    expect(routes.length).toBeGreaterThan(15);
    for (const [method, path] of routes) {
      const { status } = await ask(app.url + path, { method, headers: { Authorization: `Bearer ${token}` } });
      expect([method, path, status]).toEqual([method, path, 403]);
    }
  });

  test("a page of another site is refused on every route that takes a form or a body", async () => {
    const routes = await postedRoutes(app);
    expect(routes.length).toBeGreaterThan(40);
    for (const path of ["/login", "/logout", "/theme", "/zone", "/runs/preview", "/api/runs"]) {
      expect(routes).toContainEqual(["POST", path]);
    }
    const forged: Record<string, string>[] = [
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { "Sec-Fetch-Site": "cross-site", Origin: app.url },
      { "Sec-Fetch-Site": "same-site" },
    ];
    for (const [method, path] of routes) {
      for (const headers of forged) {
        const { status } = await ask(app.url + path, { method, headers: { Cookie: cookie, ...headers } });
        expect([method, path, headers, status]).toEqual([method, path, headers, 403]);
      }
    }
    // A page of this server is not refused.
    const own = { Cookie: cookie, Origin: app.url, "Sec-Fetch-Site": "same-origin" };
    expect((await submit(`${app.url}/theme`, { theme: "dark" }, own)).status).toBe(303);
  });
});

test("another password ends the sessions of the one before; the same password keeps them", async () => {
  using folder = temporaryFolder();
  const begin = (password: string) => startApp({ folder, env: { BARKEEP_PASSWORD: password, BARKEEP_WORKERS: "1" } });
  const statusOf = async (app: TestApp, cookie: string) =>
    (await fetch(`${app.url}/api/runs`, { headers: { Cookie: cookie } })).status === 200;
  let cookie = "";
  {
    await using app = await begin(PASSWORD);
    cookie = await signIn(app);
  }
  {
    await using app = await begin(PASSWORD);
    expect(await statusOf(app, cookie)).toBe(true);
  }
  await using app = await begin("another password");
  expect(await statusOf(app, cookie)).toBe(false);
  const rows = await app.app.db.rows("select actor, action from audit where action like 'password%' order by id", []);
  expect(rows.map((row) => row.join(" "))).toEqual(["server password.set", "server password.change"]);
});

describe("without a password", () => {
  test("without a password nobody signs in, and only names of this machine are answered", async () => {
    await using app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
    expect((await app.get("/runs")).status).toBe(200);
    const rebound = await ask(`${app.url}/api/runs`, { headers: { Host: "evil.example:3000" } });
    expect([rebound.status, rebound.body.detail]).toEqual([403, expect.stringContaining("evil.example")]);
    expect((await ask(`${app.url}/api/runs`, { headers: { Host: "localhost:3000" } })).status).toBe(200);
    const login = await fetch(`${app.url}/login?next=/runs`, { redirect: "manual" });
    expect([login.status, login.headers.get("Location")]).toEqual([303, "/runs"]);
  });

  test("BARKEEP_READ_ONLY lets everybody read and nobody change anything", async () => {
    await using app = await startApp({ env: { BARKEEP_READ_ONLY: "true", BARKEEP_WORKERS: "1" } });
    expect((await ask(app.url, { headers: HTML })).text).toContain('data-scope="read"');
    for (const [method, path] of await changingRoutes(app)) {
      expect([method, path, (await ask(app.url + path, { method })).status]).toEqual([method, path, 403]);
    }
  });
});
