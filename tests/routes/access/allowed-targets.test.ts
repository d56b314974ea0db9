/** What pages offer to whom: every form, button and link leads to what its reader may send. */

import { expect, test } from "bun:test";
import { hashSecret } from "../../../src/auth.ts";
import { neededScope, type Scope } from "../../../src/domain/access.ts";
import { createRoutes } from "../../../src/routes/index.ts";
import { RULES } from "../../../src/scheduler/hosts/rules.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { ask } from "../../helpers/http.ts";
import { PASSWORD } from "../../helpers/password.ts";

const READERS = ["read", "operate", "admin"] as const;
type Reader = (typeof READERS)[number];

const RANK: Readonly<Record<Reader, number>> = { read: 0, operate: 1, admin: 2 };

/** Signs in as an API token of the scope, as a browser does with the header of its session. */
const as = (reader: Reader) => ({ Authorization: `Bearer of-${reader}`, Accept: "text/html" });

/** Everything that a page may offer: a run of each outcome, a schedule, a promise, a hold, a plan, hosts and files. */
async function fill({ app, url }: TestApp, backups: string): Promise<void> {
  const headers = { ...as("admin"), "Content-Type": "application/json" };
  const post = async (path: string, body: object) => {
    const answer = await ask(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.status >= 400) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };
  const { run } = await post("/api/runs", { symbols: ["AAPL", "NOSUCH-1"], years: 1 });
  await post("/api/watchlists", { name: "Two", symbols: ["AAPL"] });
  await post("/api/schedules", { name: "Nightly", cron: "0 3 * * *", symbols: ["AAPL"] });
  await post("/api/promises", { name: "Days", symbols: ["AAPL"], interval: "1d", by_time: "07:00" });
  const registration = { rules: RULES, version: "0.2.0", host: "rack-1", cores: 1, memory: 1e9, jobs: 1 };
  app.hosts.register(
    { ...registration, providers: null, intervals: null },
    { token: "t", address: "10.1.2.3", mayHaveKeys: true },
  );
  app.limiter.report("alpaca", { holdSeconds: 86_400, reason: "the vendor has banned this address" });
  await app.backups.change({ folder: backups, at: null, keep: 1 });
  for (;;) {
    const { body } = await ask(`${url}/api/runs/${run.id}`, { headers });
    if (body.run.status !== "running") break;
    await Bun.sleep(10);
  }
}

interface Target {
  readonly method: string;
  readonly address: string;
}

/** What the elements of a page send, and where its links lead. */
async function targetsOf(html: string, page: string): Promise<Target[]> {
  const found: Target[] = [];
  let form: Target | null = null;
  const add = (method: string, address: string | null) => {
    if (address !== null) found.push({ method, address: new URL(address || page, `http://here${page}`).href });
  };
  const rewriter = new HTMLRewriter()
    .on("form", {
      element(element) {
        form = {
          method: (element.getAttribute("method") ?? "get").toUpperCase(),
          address: element.getAttribute("action") ?? page,
        };
        // Without an address of its own a form sends what its buttons say.
        if (element.hasAttribute("action")) add(form.method, form.address);
        element.onEndTag(() => {
          form = null;
        });
      },
    })
    .on("a[href]", { element: (element) => add("GET", element.getAttribute("href")) })
    .on("[hx-get]", { element: (element) => add("GET", element.getAttribute("hx-get")) })
    .on("[hx-post]", { element: (element) => add("POST", element.getAttribute("hx-post")) })
    .on("button[formaction]", {
      element: (element) => add(form?.method ?? "POST", element.getAttribute("formaction")),
    });
  await rewriter.transform(new Response(html)).text();
  return found.filter(({ address }) => new URL(address).host === "here");
}

/** Whether there are texts or files to enter that are shown to readers, who may not send them. */
async function hasUselessFields(html: string): Promise<boolean> {
  let isSent = false;
  let hidden = 0;
  let found = false;
  const rewriter = new HTMLRewriter()
    .on('form[method="post"]', {
      element: (form) => {
        isSent = neededScope("POST", new URL(form.getAttribute("action") ?? "", "http://here").pathname) === "read";
      },
    })
    .on("[data-changes], .run-form, fieldset[disabled]", {
      element(element) {
        hidden += 1;
        element.onEndTag(() => {
          hidden -= 1;
        });
      },
    })
    .on('form[method="post"] textarea, form[method="post"] input', {
      element(element) {
        const isShown = hidden === 0 && !["hidden", "checkbox"].includes(element.getAttribute("type") ?? "");
        found ||= isShown && !isSent && !element.hasAttribute("disabled");
      },
    });
  await rewriter.transform(new Response(html)).text();
  return found;
}

/** The patterns of all addresses that answer GET, those without parameters first. */
async function patternsOf(app: TestApp): Promise<string[]> {
  const routes = await createRoutes(app.app);
  routes.close();
  const paths = (await routes.table()).filter(({ method }) => method === "GET").map(({ path }) => path);
  return [...new Set(paths)]
    .filter((path) => !path.includes("*"))
    .sort((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
}

/** The route of an address and the names of its parameters: with other values a page offers the same. */
function kindOf({ pathname, searchParams }: URL, patterns: readonly string[]): string {
  const fits = (pattern: string) => new RegExp(`^${pattern.replace(/:\w+(\{.*?\})?/g, "[^/]+")}$`).test(pathname);
  return `${patterns.find(fits) ?? pathname}?${[...searchParams.keys()].sort().join("&")}`;
}

test("every form, button and link of every page leads to what its reader may send", async () => {
  using folder = temporaryFolder();
  await using app = await startApp({ env: { BARKEEP_PASSWORD: PASSWORD } });
  for (const scope of READERS)
    await saveToken(app.app.db, { name: scope, scope, hash: hashSecret(`of-${scope}`), expiresAt: null });
  await fill(app, folder.path);
  const patterns = await patternsOf(app);
  const fixed = patterns.filter((path) => !/:|^\/api|events$/.test(path));

  const forbidden: string[] = [];
  const seen: Record<string, number> = {};
  for (const reader of READERS) {
    const queue = fixed.filter((path) => RANK[neededScope("GET", path) as Reader] <= RANK[reader]);
    const visited = new Set<string>();
    for (const address of queue) {
      const url = new URL(address, "http://here");
      const kind = kindOf(url, patterns);
      if (visited.has(kind)) continue;
      visited.add(kind);
      const page = url.pathname + url.search;
      const abort = new AbortController();
      const answer = await fetch(app.url + page, { headers: as(reader), signal: abort.signal });
      if (answer.status === 403) forbidden.push(`${reader}: GET ${page} answers 403`);
      if (!answer.headers.get("Content-Type")?.startsWith("text/html")) {
        abort.abort();
        continue;
      }
      seen[reader] = (seen[reader] ?? 0) + 1;
      const html = await answer.text();
      if (reader === "read" && page !== "/login" && (await hasUselessFields(html)))
        forbidden.push(`read: ${page} has fields for others`);
      if (reader === "read" && /Set up the mail server|<code>BARKEEP_(SECRET|TOKEN)/.test(html))
        forbidden.push(`read: ${page} has advice for others`);
      for (const target of await targetsOf(html, page)) {
        const { pathname, search } = new URL(target.address);
        const needed: Scope = neededScope(target.method, pathname);
        // What a reader may not change on live pages is in the bytes that all readers share, and not shown
        // by the style sheet: tests/e2e/session.test.ts has that.
        const isHidden = reader === "read" && needed === "operate" && target.method === "POST";
        if (RANK[needed as Reader] > RANK[reader] && !isHidden)
          forbidden.push(`${reader}: ${page} offers ${target.method} ${pathname}`);
        if (target.method === "GET") queue.push(pathname + search);
      }
    }
  }
  expect([...new Set(forbidden)]).toEqual([]);
  for (const reader of READERS) expect(seen[reader]).toBeGreaterThan(30);
});
