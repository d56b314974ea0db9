import { expect, spyOn, test } from "bun:test";
import Driver from "libsql";
import { hashSecret, newSecret } from "../../../src/auth.ts";
import { SCOPES } from "../../../src/domain/access.ts";
import { decode, encode } from "../../../src/pipeline/remote/codec.ts";
import type { SyncAnswer } from "../../../src/pipeline/remote/protocol.ts";
import { CONTENT_TYPE } from "../../../src/pipeline/remote/server-connection.ts";
import { WorkerHandle } from "../../../src/pipeline/workers/worker-handle.ts";
import { RULES } from "../../../src/scheduler/hosts/rules.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import {
  endOfWorker,
  eventually,
  hasJobs,
  hostOf,
  ORDER,
  spawnWorker,
  startProxy,
  startServer,
  startWorker,
  stored,
  storedAlone,
} from "./workers.ts";

const STOCKS = ["AAPL", "MSFT", "NVDA", "TSLA"];
const disposable = <T extends { close(): Promise<void> }>(of: T) =>
  Object.assign(of, { [Symbol.asyncDispose]: () => of.close() });

test("a run that a worker shares in, over a network that drops answers, ends like one without it", async () => {
  // Long enough that it is not lost by answers that are dropped one after the other.
  await using app = await startServer({ workerLeaseMs: 10_000 });
  await using proxy = startProxy(app.url, 0.25);
  await using worker = startWorker(proxy.url, app.secret);
  // If the answer to its registration is dropped, it registers again, and the server waits for the first one in vain.
  const host = () => app.app.hosts.list().find(({ threads }) => threads === 1);
  await eventually(host);
  const seen = new Set<string>();
  const run = await app.start(ORDER);
  const ofWorker = await eventually(() => (host()?.symbols ?? [])[0]);
  await app.waitForJob(ofWorker, ({ microStage }) => {
    seen.add(microStage.replace(/\d+/g, "n"));
    return microStage.startsWith("Completed");
  });
  await app.waitForRun(run, "complete");
  expect(proxy.dropped).toBeGreaterThan(10);
  expect(await stored(app.app.db)).toEqual(await storedAlone());
  expect([...seen]).toContain("Batch n/n: n%");
  expect(host()).toMatchObject({ name: "elsewhere", token: "worker", address: "127.0.0.1", jobs: 0 });
  expect(host()!.ended).toBeGreaterThan(0);
  expect(host()!.bars).toBeGreaterThan(300);
  expect(worker.lines).toEqual([expect.stringMatching(/^Connected to .* with 1 thread$/)]);
});

test("jobs that a worker has can be paused, skipped and cancelled, and go on where they were", async () => {
  // What a worker had that is lost is fetched again: this one is not, on a machine with much to do.
  await using app = await startServer({ workerLeaseMs: 10_000, env: { DEMO_LATENCY_MS: "240" } });
  await using worker = startWorker(app.url, app.secret);
  await eventually(() => hostOf(app)?.threads === 1);
  const run = await app.start(ORDER);
  await hasJobs(app);
  const [first, second] = await eventually(() => {
    const symbols = hostOf(app)?.symbols ?? [];
    return symbols.length > 1 && symbols;
  });
  await app.post(`/api/runs/${run}/jobs/${first}/skip`, {});
  await app.post(`/api/runs/${run}/jobs/${second}/cancel`, {});
  await app.post(`/api/runs/${run}/pause`, {});
  await eventually(() => hostOf(app)?.jobs === 0);
  expect((await app.get(`/api/runs/${run}`)).body.run.status).toBe("paused");
  await app.post(`/api/runs/${run}/resume`, {});
  const { jobs } = await app.waitForRun(run, "complete", "failed", "cancelled");
  expect(jobs.filter(({ state }) => state === "complete").length).toBe(ORDER.symbols.length - 2);
  const states = Object.fromEntries(jobs.map(({ symbol, state }) => [symbol, state]));
  expect([states[first!], states[second!]]).toEqual(["skipped", "cancelled"]);
  const [[most]] = (await app.app.db.rows("SELECT max(attempts) FROM batches", [])) as [[number]];
  // What was under way when it was paused is stored or fetched again, and nothing else is.
  expect(most).toBe(1);
  expect(worker.lines.length).toBe(1);
});

test("a worker that is drained and sent away gives its jobs back at once, and others end them", async () => {
  await using app = await startServer({ env: { DEMO_LATENCY_MS: "160" } });
  const worker = startWorker(app.url, app.secret);
  await eventually(() => hostOf(app)?.threads === 1);
  const run = await app.start(ORDER);
  await hasJobs(app);
  // It takes no more jobs, keeps those that it has, and is then sent away.
  const { id } = hostOf(app)!;
  await app.app.hosts.setDraining(id, true);
  const symbols = hostOf(app)!.symbols;
  app.app.hosts.stop(id);
  await worker.ended;
  expect(symbols.length).toBeGreaterThan(0);
  // The server has yet to hear that it has left.
  await eventually(() => app.app.hosts.list().length === 0);
  await app.waitForRun(run, "complete");
  expect(await stored(app.app.db)).toEqual(await storedAlone());
});

test("a worker comes back to a server that has been started again, and the jobs that it had are done once", async () => {
  using folder = temporaryFolder();
  await using proxy = startProxy(null);
  let run: string;
  let secret: string;
  let worker: ReturnType<typeof startWorker> | undefined;
  {
    await using app = await startServer({ folder });
    secret = app.secret;
    proxy.target = app.url;
    worker = startWorker(proxy.url, secret);
    await eventually(() => hostOf(app)?.threads === 1);
    run = await app.start(ORDER);
    await hasJobs(app);
    // As when the machine of the server fails: what its jobs report is not heard any more.
    proxy.target = null;
  }
  await using _ = worker;
  await using app = await startServer({ folder }, secret);
  proxy.target = app.url;
  await app.waitForRun(run, "complete");
  expect(await stored(app.app.db)).toEqual(await storedAlone());
  await eventually(() => hostOf(app)?.threads === 1);
  // The server's own threads take none of the next ones, however late the worker is heard of.
  using _takes = spyOn(WorkerHandle.prototype, "takes").mockReturnValue(false);
  await app.waitForRun(await app.start({ ...ORDER, symbols: ["NEXT", "MORE"] }), "complete");
  expect(hostOf(app)!.ended).toBeGreaterThanOrEqual(2);
});

test("a worker that is killed, and one that is stopped for longer than its lease, lose their jobs and store nothing more", async () => {
  await using app = await startServer({ env: { DEMO_LATENCY_MS: "240" } });
  await using killed = spawnWorker(app.url, app.secret);
  await using stopped = spawnWorker(app.url, app.secret);
  await eventually(() => app.app.hosts.list().filter(({ threads }) => threads === 1).length === 2);
  const run = await app.start(ORDER);
  await eventually(() => app.app.hosts.list().every(({ jobs }) => jobs > 0));
  stopped.child.kill("SIGSTOP");
  killed.child.kill("SIGKILL");
  await eventually(() => app.app.hosts.list().length === 0);
  await app.waitForRun(run, "complete");
  const before = await stored(app.app.db);
  stopped.child.kill("SIGCONT");
  // It is told that its jobs are another's, lets go of them, and is ready for new ones.
  await eventually(() => hostOf(app)?.threads === 1);
  await app.waitForRun(await app.start({ ...ORDER, symbols: ["NEXT"] }), "complete");
  const after = await stored(app.app.db);
  const others = (rows: readonly (readonly unknown[])[]) => rows.filter(([symbol]) => symbol !== "NEXT");
  expect([others(after.bars), others(after.ledger)]).toEqual([[...before.bars], [...before.ledger]]);
  expect(before).toEqual(await storedAlone());
  const warnings = app.printed.filter((line) => line.includes("is not heard of any more: "));
  expect(warnings.length).toBe(2);
  expect(app.printed.filter((line) => /error/i.test(line))).toEqual([]);
});

test("a worker that is stopped between a permit and its request does not send it when it goes on after its lease", async () => {
  await using vendor = disposable(fakeMassive());
  for (const symbol of STOCKS) vendor.market.known.add(symbol);
  const massive = { MASSIVE_API_KEY: vendor.key, MASSIVE_BASE_URL: vendor.url, MASSIVE_PER_MINUTE: "60000" };
  await using app = await startServer({ env: massive });
  await using proxy = startProxy(app.url);
  await using worker = spawnWorker(proxy.url, app.secret);
  await eventually(() => hostOf(app)?.threads === 1);
  const granted = new Set<number>();
  let isStopped = false;
  proxy.onAnswer = (path, bytes) => {
    if (path !== "/api/worker/sync" || isStopped) return;
    const { orders } = decode(bytes) as SyncAnswer;
    for (const { number, order } of orders) if (order.type === "granted") granted.add(number);
    // Permits ahead are leased to jobs that are fast enough, which they may not be here.
    isStopped = granted.size >= 4 || orders.some(({ order }) => order.type === "leased" && order.count > 0);
    // It has sent others before. The answer reaches the socket of a process that does not read it any more.
    if (isStopped) worker.child.kill("SIGSTOP");
  };
  const run = await app.start({ ...ORDER, symbols: STOCKS, provider: "massive" });
  await eventually(() => isStopped);
  await eventually(() => app.app.hosts.list().length === 0);
  const sent = vendor.urls.length;
  await app.waitForRun(run, "complete");
  const before = vendor.urls.length;
  worker.child.kill("SIGCONT");
  await eventually(() => hostOf(app)?.threads === 1);
  // Its next job: what it had to send before would have come first.
  await app.waitForRun(await app.start({ ...ORDER, symbols: ["NEXT"] }), "complete");
  expect(vendor.urls.length).toBe(before);
  // What the worker had sent and not reported when it was stopped is requested again by another, once.
  const asked = vendor.urls.slice(sent).map(String);
  expect(new Set(asked).size).toBe(asked.length);
});

test("jobs of a worker wait while the database cannot be written, and go on by themselves", async () => {
  using folder = temporaryFolder();
  await using app = await startServer({ folder, env: { DEMO_LATENCY_MS: "240" } });
  await using worker = startWorker(app.url, app.secret);
  await eventually(() => hostOf(app)?.threads === 1);
  const run = await app.start(ORDER);
  await hasJobs(app);
  const other = new Driver(folder.database().slice("file:".length));
  other.exec("PRAGMA busy_timeout = 30000");
  other.exec("BEGIN IMMEDIATE");
  await eventually(() => app.app.storage.current()?.kind === "locked");
  other.exec("ROLLBACK");
  other.close();
  const { jobs } = await app.waitForRun(run, "complete", "failed");
  expect(jobs.map(({ state }) => state)).toEqual(ORDER.symbols.map(() => "complete"));
  expect(await stored(app.app.db)).toEqual(await storedAlone());
  expect(worker.lines.length).toBe(1);
});

test("a worker takes jobs of the providers and intervals that it is for, and no others", async () => {
  // Each line of a worker counts: on a machine with much to do it would be lost, and say that it connects again.
  await using app = await startServer({ workerLeaseMs: 10_000 });
  await using other = startWorker(app.url, app.secret, { host: "other provider", providers: ["eodhd"] });
  await using minutes = startWorker(app.url, app.secret, { host: "other interval", intervals: ["1m"] });
  await eventually(() => app.app.hosts.list().filter(({ threads }) => threads === 1).length === 2);
  await app.waitForRun(await app.start({ ...ORDER, symbols: ORDER.symbols.slice(0, 2) }), "complete");
  expect(app.app.hosts.list().map(({ ended }) => ended)).toEqual([0, 0]);
  expect([other.lines.length, minutes.lines.length]).toEqual([1, 1]);
});

test("the routes of workers take tokens with the scope worker only, and that scope opens nothing else", async () => {
  await using app = await startServer({ env: { BARKEEP_PASSWORD: "correct horse battery" } });
  const post = async (path: string, secret: string | null, body: Uint8Array<ArrayBuffer> = encode({})) => {
    const authorization: Record<string, string> = secret === null ? {} : { Authorization: `Bearer ${secret}` };
    const headers = { "Content-Type": CONTENT_TYPE, ...authorization };
    return (await fetch(`${app.url}/api/worker/${path}`, { method: "POST", headers, body })).status;
  };
  for (const scope of SCOPES.filter((each) => each !== "worker")) {
    const secret = newSecret("bk_");
    await saveToken(app.app.db, { name: scope, scope, hash: hashSecret(secret), expiresAt: null });
    for (const path of ["register", "sync", "claim", "store", "leave"])
      expect([scope, path, await post(path, secret)]).toEqual([scope, path, 403]);
  }
  expect(await post("register", null)).toBe(401);
  const asWorker = { Authorization: `Bearer ${app.secret}` };
  for (const path of ["/", "/api/runs", "/api/usage", "/events", "/settings/access"])
    expect([path, (await fetch(app.url + path, { headers: asWorker })).status]).toEqual([path, 403]);
  // What is wrong is refused, and what belongs to nobody is gone.
  expect(await post("register", app.secret)).toBe(422);
  expect(await post("register", app.secret, Uint8Array.of(1, 2, 3))).toBe(422);
  // Few bytes that become many are not read on the thread that answers everybody.
  const bomb = encode({ text: "x".repeat(17 * 1024 * 1024) });
  const headers = { "Content-Type": CONTENT_TYPE, Authorization: `Bearer ${app.secret}` };
  const answer = await fetch(`${app.url}/api/worker/sync`, { method: "POST", headers, body: bomb });
  expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining("not a message")]);
  const sync = {
    session: "x",
    first: 1,
    reports: [],
    ordered: 0,
    mayWait: false,
    memory: 1,
    isLeaving: false,
    queue: null,
  };
  expect(await post("sync", app.secret, encode(sync))).toBe(410);
  expect(await post("store", app.secret)).toBe(410);
  expect(await post("claim", app.secret, encode({ session: "x", key: "run:AAPL" }))).toBe(410);
  const json = { method: "POST", headers: { ...asWorker, "Content-Type": "application/json" }, body: "{}" };
  expect((await fetch(`${app.url}/api/worker/register`, json)).status).toBe(415);
});

test("a worker of another version is refused with a sentence that says what to do", async () => {
  await using app = await startServer();
  const registration = {
    rules: { ...RULES, features: RULES.features + 1 },
    version: "9.9.9",
    host: "newer",
    cores: 1,
    memory: 1,
    jobs: 1,
    providers: null,
    intervals: null,
  };
  const headers = { "Content-Type": CONTENT_TYPE, Authorization: `Bearer ${app.secret}` };
  const send = (body: unknown) =>
    fetch(`${app.url}/api/worker/register`, { method: "POST", headers, body: encode(body) });
  const refused = await send(registration);
  expect(refused.status).toBe(409);
  const { detail } = (await refused.json()) as { detail: string };
  expect(detail).toMatch(
    /^This worker is Barkeep 9\.9\.9, the server 0\.\S+.*: they do not fit together\. Install the same version on both$/,
  );
  const taken = await send({ ...registration, rules: RULES });
  expect(decode(new Uint8Array(await taken.arrayBuffer()))).toMatchObject({ session: expect.any(String) });
  expect(await endOfWorker(app.url, "bk_wrong")).toMatchObject({ code: 1, text: expect.stringContaining("Sign in") });
  expect(await endOfWorker("ftp://x", app.secret)).toMatchObject({
    code: 2,
    text: expect.stringContaining("--server"),
  });
});
