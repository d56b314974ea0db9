import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { connect as connectTo } from "node:net";
import { SessionSignals } from "../../../src/routes/access/session-signals.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { PASSWORD, PASSWORD_HASH } from "../../helpers/password.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_PASSWORD_HASH: PASSWORD_HASH, BARKEEP_WORKERS: "1" } });
});
afterAll(() => app[Symbol.asyncDispose]());

const submit = (path: string, fields: Record<string, string>, cookie = "") =>
  fetch(app.url + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { Accept: "text/html", Cookie: cookie },
    redirect: "manual",
  });

async function signIn(password = PASSWORD): Promise<string> {
  return (await submit("/login", { password })).headers.get("Set-Cookie")!.split(";")[0]!;
}

/** A stream that is connected; `ended` resolves when the server ends it. */
async function connect(path: string, headers: Record<string, string>) {
  const abort = new AbortController();
  const response = await fetch(app.url + path, { headers, signal: abort.signal });
  expect(response.status).toBe(200);
  const reader = response.body!.getReader();
  await reader.read();
  const drain = async () => {
    while (!(await reader.read()).done);
    return "ended";
  };
  const ended = drain().catch(() => "cut by us");
  return { ended, cut: () => abort.abort() };
}

const PATHS = ["/events", "/events/notifications", "/api/events"];

test.each(PATHS)("%s ends with the log-out of its session, and only of that one", async (path) => {
  const [leaving, staying] = [await signIn(), await signIn()];
  const first = await connect(path, { Cookie: leaving });
  const second = await connect(path, { Cookie: leaving });
  const other = await connect(path, { Cookie: staying });
  await submit("/logout", {}, leaving);
  expect(await Promise.all([first.ended, second.ended])).toEqual(["ended", "ended"]);
  expect((await fetch(app.url + path, { headers: { Cookie: leaving } })).status).toBe(401);
  expect(await Promise.race([other.ended, Bun.sleep(0).then(() => "open")])).toBe("open");
  other.cut();
  expect(await other.ended).toBe("cut by us");
});

test("streams end with the time of their session, and the page leads to the login and back", async () => {
  const cookie = await signIn();
  await app.app.db.write([{ sql: "update sessions set expires_at = ?", args: [Date.now() + 1_500] }]);
  const streams = await Promise.all(PATHS.map((path) => connect(path, { Cookie: cookie })));
  expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(PATHS.map(() => "ended"));
  const page = await fetch(`${app.url}/runs?q=1`, {
    headers: { Cookie: cookie, Accept: "text/html" },
    redirect: "manual",
  });
  expect([page.status, page.headers.get("Location")]).toEqual([303, "/login?next=%2Fruns%3Fq%3D1"]);
});

test("a revoked token ends its own streams and those of the sessions opened with it", async () => {
  const owner = await signIn();
  const made = await (await submit("/settings/access", { name: "screen", scope: "read" }, owner)).text();
  const token = /bk_[\w-]{43}/.exec(made)![0];
  const own = await connect("/api/events", { Authorization: `Bearer ${token}` });
  const guest = await connect("/events", { Cookie: await signIn(token) });
  const owners = await connect("/events", { Cookie: owner });
  const [, id] = /settings\/access\/(\d+)\/revoke/.exec(made)!;
  await submit(`/settings/access/${id}/revoke`, {}, owner);
  expect(await Promise.all([own.ended, guest.ended])).toEqual(["ended", "ended"]);
  owners.cut();
  expect(await owners.ended).toBe("cut by us");
});

test("a revoked token ends an export that is read with it, which its reader does not take for whole", async () => {
  const owner = await signIn();
  const made = await (await submit("/settings/access", { name: "reader", scope: "operate" }, owner)).text();
  const Authorization = `Bearer ${/bk_[\w-]{43}/.exec(made)![0]}`;
  const { run } = (await (
    await fetch(`${app.url}/api/runs`, {
      method: "POST",
      body: JSON.stringify({ symbols: ["AAPL"], interval: "1h", years: 5 }),
      headers: { Authorization, "Content-Type": "application/json" },
    })
  ).json()) as { run: { id: string } };
  await app.waitForRun(run.id, "complete");
  const { hostname, port } = new URL(app.url);
  const socket = connectTo(Number(port), hostname);
  const path = "/api/features/AAPL?interval=1h&format=csv";
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: ${Authorization}\r\n\r\n`);
  const [first] = await once(socket, "data");
  // More than the connection holds is left, so the export waits for its reader.
  socket.pause();
  expect(String(first)).toStartWith("HTTP/1.1 200 OK");
  const [, id] = /settings\/access\/(\d+)\/revoke/.exec(made)!;
  await submit(`/settings/access/${id}/revoke`, {}, owner);
  let end = "";
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  socket.on("data", (piece) => {
    end = (end + piece.toString("latin1")).slice(-5);
  });
  socket.resume();
  await closed;
  expect(end).not.toBe("0\r\n\r\n");
});

test("a grant that ends later than a timer can wait is not ended at once", async () => {
  const signals = new SessionSignals();
  const year = signals.signalOf({ session: null, token: 1, until: Date.now() + 365 * 86_400_000 });
  const soon = signals.signalOf({ session: null, token: 2, until: Date.now() + 5 });
  while (!soon.aborted) await Bun.sleep(1);
  expect(year.aborted).toBe(false);
});
