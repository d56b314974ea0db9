/** The hosts page and `/api/hosts`, with workers that a test plays. */

import { expect, test } from "bun:test";
import { hostname } from "node:os";
import { hashSecret, newSecret, TOKEN_PREFIX } from "../../../src/auth.ts";
import type { Registration } from "../../../src/pipeline/remote/protocol.ts";
import { RULES } from "../../../src/scheduler/hosts/rules.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { ask, formOf } from "../../helpers/http.ts";
import { PASSWORD } from "../../helpers/password.ts";

const GB = 1_073_741_824;

/** A worker with one thread comes; it does nothing by itself. */
async function join(app: TestApp, host: string, more: Partial<Registration> = {}) {
  const { hosts } = app.app;
  const { session } = hosts.register(
    {
      ...{ rules: RULES, version: "0.2.0 (abcdef012345)", host, cores: 16, memory: 64 * GB, jobs: 40 },
      ...{ providers: null, intervals: null, ...more },
    },
    { token: "rack token", address: "10.1.2.3", mayHaveKeys: true },
  );
  const base = { session, reports: [], ordered: 0, mayWait: false, memory: 2 * GB, isLeaving: false, queue: null };
  await hosts.sync({ ...base, first: 1, reports: [{ thread: 1, report: { type: "thread_started" } }] });
  return {
    session,
    orders: async () => (await hosts.sync({ ...base, first: 2 }))!.orders.map(({ order }) => order.type),
  };
}

const listed = async (app: TestApp) => (await app.get("/api/hosts")).body.hosts;
const submit = (app: TestApp, path: string, fields: Record<string, string> = {}) =>
  fetch(app.url + path, {
    ...formOf(fields),
    headers: { Origin: app.url },
  });

test("the page and the API show the server and every worker with what it has, does and takes", async () => {
  await using app = await startApp();
  expect(await listed(app)).toEqual([
    expect.objectContaining({ id: null, name: hostname(), is_server: true, status: "working", jobs: 0, threads: 2 }),
  ]);
  expect((await app.get("/hosts")).text).toContain("barkeep worker --server");

  await join(app, "rack-1");
  await join(app, "rack-2", { providers: ["demo"], intervals: ["1m"] });
  const [, first, second] = await listed(app);
  expect(first).toMatchObject({
    ...{ name: "rack-1", is_server: false, status: "working", version: "0.2.0 (abcdef012345)", address: "10.1.2.3" },
    ...{ token: "rack token", cores: 16, machine_memory_bytes: 64 * GB, memory_bytes: 2 * GB, threads: 1, jobs: 0 },
    ...{ max_jobs: 40, bars_per_second: 0, providers: null, intervals: null },
  });
  expect(second).toMatchObject({ name: "rack-2", providers: ["demo"], intervals: ["1m"] });
  const { text } = await app.get("/hosts");
  for (const part of ["rack-1", "10.1.2.3, rack token", "demo, 1m", "0 of 40", "this server", "Queue works"]) {
    expect(text).toContain(part);
  }
  expect(text).not.toContain("barkeep worker --server");
  const metrics = (await app.get("/metrics")).text;
  expect(metrics).toContain('barkeep_hosts{status="working"} 3');
  expect(metrics).toContain('barkeep_host_jobs{host="rack-2"} 0');
});

test("a worker is drained and stopped after a question, takes jobs again after Resume, and the audit has it", async () => {
  await using app = await startApp();
  const worker = await join(app, "rack-1");
  const { id } = (await listed(app))[1];
  const asked = await (await submit(app, `/hosts/${id}/drain`)).text();
  expect(asked).toContain("Let rack-1 take no more jobs?");
  expect((await listed(app))[1].status).toBe("working");
  expect((await submit(app, `/hosts/${id}/drain`, { expect: String(id) })).headers.get("location")).toBe("/hosts");
  expect((await listed(app))[1].status).toBe("draining");
  expect((await app.get("/hosts")).text).toContain("Resume rack-1");
  await submit(app, `/hosts/${id}/resume`);
  expect((await listed(app))[1].status).toBe("working");
  expect(await (await submit(app, `/hosts/${id}/stop`)).text()).toContain("Stop the worker on rack-1?");
  expect(await worker.orders()).toEqual([]);
  await submit(app, `/hosts/${id}/stop`, { expect: String(id) });
  expect(await worker.orders()).toEqual(["leave"]);
  app.app.hosts.leave(worker.session);
  expect((await listed(app)).length).toBe(1);
  expect((await submit(app, `/hosts/${id}/drain`)).status).toBe(404);
  expect((await app.post(`/api/hosts/${id}/drain`)).status).toBe(404);
  expect((await app.post(`/api/hosts/${id}/burn`)).status).toBe(422);
  const actions = (await app.app.db.rows("SELECT action, subject FROM audit ORDER BY id", [])).map(String);
  expect(actions).toEqual(["host.drain,rack-1", "host.resume,rack-1", "host.stop,rack-1"]);
});

test("a worker that is not heard of is shown as lost, until it comes back or is forgotten", async () => {
  await using app = await startApp({ workerLeaseMs: 40 });
  const untilLost = async (name: string) => {
    while (
      !(await listed(app)).some(
        (host: { name: string; status: string }) => host.name === name && host.status === "lost",
      )
    )
      await Bun.sleep(5);
  };
  await join(app, "rack-1");
  await untilLost("rack-1");
  const recorded = await app.app.db.rows("SELECT kind, json_extract(event, '$.name') FROM alert_events", []);
  expect(recorded).toEqual([["worker_lost", "rack-1"]]);
  const { text } = await app.get("/hosts");
  expect(text).toContain("Remove rack-1");
  expect((await app.get("/metrics")).text).toContain('barkeep_hosts{status="lost"} 1');
  await join(app, "rack-1");
  expect((await listed(app)).filter(({ status }: { status: string }) => status === "lost")).toEqual([]);
  await untilLost("rack-1");
  await submit(app, "/hosts/forget", { name: "rack-1" });
  expect((await listed(app)).length).toBe(1);
  expect((await submit(app, "/hosts/forget", { name: "rack-1" })).status).toBe(404);
});

test("a drained worker stays so over its end and a restart of the server, is shown, and takes jobs again after Resume", async () => {
  using folder = temporaryFolder();
  {
    await using app = await startApp({ folder });
    const { session } = await join(app, "rack-1");
    const { id } = (await listed(app))[1];
    await submit(app, `/hosts/${id}/drain`, { expect: String(id) });
    app.app.hosts.leave(session);
    expect((await app.get("/hosts")).text).toContain("rack-1 was drained and is not here");
  }
  await using app = await startApp({ folder });
  expect((await app.get("/hosts")).text).toContain("rack-1 was drained and is not here");
  await join(app, "rack-1");
  expect((await listed(app))[1]).toMatchObject({ status: "draining", is_draining: true });
  expect(app.printed.some((line) => line.includes("rack-1 was drained: it takes no jobs until it is resumed"))).toBe(
    true,
  );
  expect((await app.get("/hosts")).text).not.toContain("is not here");
  await submit(app, "/hosts/resume", { name: "rack-1" });
  expect((await listed(app))[1]).toMatchObject({ status: "working", is_draining: false });
  expect((await submit(app, "/hosts/resume", { name: "rack-1" })).status).toBe(404);
});

test("readers see no addresses and tokens, and only admins give orders", async () => {
  await using app = await startApp({ env: { BARKEEP_PASSWORD: PASSWORD } });
  await join(app, "rack-1");
  const bearer = async (scope: "operate" | "admin") => {
    const secret = newSecret(TOKEN_PREFIX);
    await saveToken(app.app.db, { name: scope, scope, hash: hashSecret(secret), expiresAt: null });
    return { Authorization: `Bearer ${secret}` };
  };
  const [operator, admin] = [await bearer("operate"), await bearer("admin")];
  const { body } = await ask(`${app.url}/api/hosts`, { headers: operator });
  const [, seen] = body.hosts;
  expect(seen).toMatchObject({ name: "rack-1", address: null, token: null });
  const order = (headers: Record<string, string>) =>
    fetch(`${app.url}/api/hosts/${seen.id}/drain`, { method: "POST", headers });
  expect((await order(operator)).status).toBe(403);
  expect((await order(admin)).status).toBe(204);
});
