/** From an event in the database to a message in a channel that refuses, stalls and comes back. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { ChannelDispatcher, type ChannelInput } from "../../../src/alerts/channels/channel-dispatcher.ts";
import { type ChannelError, postToChannel } from "../../../src/alerts/channels/post.ts";
import { secretsOfTarget } from "../../../src/alerts/channels/target.ts";
import { type AlertEvent, CHANNEL_KINDS, DEFAULT_ALERT_RULES } from "../../../src/domain/alerts.ts";
import { listMails, recordStatements } from "../../../src/storage/alerts/outbox.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { Cipher, newSalt } from "../../../src/storage/encryption.ts";
import { correctFutureMoments } from "../../../src/storage/future-moments.ts";
import { type FakeChannel, startChannel } from "../../fakes/channel.ts";
import { gap, jobFailed, missed, quota, revision, runEnded, runReport } from "../../helpers/alert-events.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

const MINUTE = 60_000;
const SECRET = "whsec_c2lnbmluZy1rZXktb2YtdGhlLXRlc3Q=";
const cipher = new Cipher("the secret of this test", newSalt());

let folder: Folder;
let db: Database;
let server: FakeChannel;
let clock: VirtualClock;
let channels: ChannelDispatcher;
let lines: string[];
/** How long a channel may take to answer, milliseconds of the machine: it may be busy, so little only for one that stalls. */
let timeoutMs: number;

const open = async (more: Partial<Parameters<typeof ChannelDispatcher.open>[0]> = {}) => {
  const log = { write: (_: string, message: string) => void lines.push(message) };
  const opened = await ChannelDispatcher.open({
    ...{ db, log, clock, cipher },
    get timeoutMs() {
      return timeoutMs;
    },
    ...more,
  });
  opened.start("http://barkeep.test:3000");
  return opened;
};
const input = (more: Partial<ChannelInput> = {}): ChannelInput => ({
  name: "Team",
  kind: "webhook",
  target: { url: `${server.url}/hooks/T0K3N-in-path`, secret: SECRET, place: "" },
  rules: { ...DEFAULT_ALERT_RULES, digestMinutes: 0 },
  enabled: true,
  ...more,
});

async function poll(...events: AlertEvent[]): Promise<void> {
  await db.write(recordStatements(events));
  channels.notify();
  await channels.idle();
}
const pass = async (milliseconds: number) => {
  await clock.advance(milliseconds);
  await channels.idle();
};
const states = async () =>
  (await listMails(db, { limit: 50 })).rows.map(({ state, attempts, error }) => ({ state, attempts, error }));

beforeEach(async () => {
  lines = [];
  timeoutMs = 60_000;
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
  server = startChannel();
  clock = new VirtualClock();
  channels = await open();
});
afterEach(async () => {
  await channels.close();
  await server[Symbol.asyncDispose]();
  db.close();
  folder[Symbol.dispose]();
});

test("a webhook gets the events as JSON, signed as the Standard Webhooks scheme says", async () => {
  await channels.save(null, input());
  await poll(runEnded());
  expect(server.posts.length).toBe(1);
  const { headers, text } = server.posts[0]!;
  const [id, timestamp] = [headers.get("webhook-id"), headers.get("webhook-timestamp")];
  const key = Buffer.from(SECRET.slice(6), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${text}`).digest("base64");
  expect(headers.get("webhook-signature")).toBe(`v1,${expected}`);
  expect(Number(timestamp)).toBe(Math.floor(clock.now() / 1_000));
  const message = JSON.parse(text);
  expect(message).toMatchObject({ id, kind: "run_failed", url: "http://barkeep.test:3000/runs/r1" });
  expect(message.events).toEqual([runEnded()]);
  expect((await states())[0]).toMatchObject({ state: "sent" });
});

test.each(CHANNEL_KINDS)(
  "%s refuses, does not answer and comes back: the message arrives once, and no secret leaks",
  async (kind) => {
    const secret = kind === "telegram" ? "123456:ABC-DEF-GHI-JKL" : SECRET;
    await channels.save(
      null,
      input({ kind, target: { url: `${server.url}/hooks/T0K3N-in-path`, secret, place: "ops" } }),
    );
    server.behaviour = 503;
    await poll(runEnded());
    expect((await states())[0]).toMatchObject({ state: "waiting", attempts: 1 });
    server.behaviour = "stall";
    timeoutMs = 200;
    await pass(MINUTE);
    timeoutMs = 60_000;
    expect((await states())[0]).toMatchObject({ state: "waiting", attempts: 2 });
    expect((await states())[0]!.error).toContain("no answer within 0.2s");
    server.behaviour = "accept";
    await pass(3 * MINUTE);
    expect(await states()).toEqual([{ state: "sent", attempts: 3, error: null }]);
    await pass(60 * MINUTE);
    expect(server.posts.length).toBe(3);
    const { text, path } = server.posts[2]!;
    expect(text).toContain("Run failed");
    expect(text).toContain("http://barkeep.test:3000/runs/r1");
    expect(path).toBe(kind === "telegram" ? `/hooks/T0K3N-in-path/bot${secret}/sendMessage` : "/hooks/T0K3N-in-path");
    const said = JSON.stringify([
      lines,
      await db.rows("SELECT * FROM mails", []),
      await db.rows("SELECT * FROM audit", []),
    ]);
    expect(said).not.toContain("T0K3N-in-path");
    expect(said).not.toContain(secret);
    expect(JSON.stringify(await db.rows("SELECT * FROM channels", []))).not.toContain("T0K3N");
  },
);

test("a redirect is not followed, and what will never be accepted is given up", async () => {
  await channels.save(null, input());
  server.behaviour = "redirect";
  await poll(runEnded());
  expect(server.posts.map(({ path }) => path)).toEqual(["/hooks/T0K3N-in-path"]);
  expect((await states())[0]).toMatchObject({ state: "waiting" });
  expect((await states())[0]!.error).toContain("it redirects, which is not followed");
  server.behaviour = 400;
  await pass(MINUTE);
  expect((await states())[0]).toMatchObject({ state: "failed", attempts: 2 });
});

test("each channel has its own kinds, digest and quiet hours, beside those of mail", async () => {
  const on = (kinds: string[]) =>
    Object.fromEntries(
      Object.keys(DEFAULT_ALERT_RULES.on).map((kind) => [kind, kinds.includes(kind)]),
    ) as typeof DEFAULT_ALERT_RULES.on;
  const rules = { ...DEFAULT_ALERT_RULES, digestMinutes: 15 };
  const target = (path: string) => ({ url: `${server.url}/${path}`, secret: "", place: "" });
  await channels.save(
    null,
    input({ name: "a", kind: "slack", target: target("a"), rules: { ...rules, on: on(["gap_found"]) } }),
  );
  const quiet = { from: "11:30", to: "12:30", zone: "UTC" };
  await channels.save(
    null,
    input({ name: "b", kind: "discord", target: target("b"), rules: { ...rules, on: on(["run_failed"]), quiet } }),
  );
  await channels.save(null, input({ name: "c", kind: "slack", target: target("c"), enabled: false }));
  await poll(runEnded(), ...Array.from({ length: 40 }, (_, i) => gap({ symbol: `S${i}` })));
  const posts = () => server.posts.map(({ path }) => path);
  expect(posts()).toEqual([]);
  await pass(16 * MINUTE);
  expect(posts()).toEqual(["/a"]);
  expect(JSON.parse(server.posts[0]!.text).text).toContain("S0");
  await pass(20 * MINUTE);
  expect(posts()).toEqual(["/a", "/b"]);
  await pass(60 * MINUTE);
  expect(posts().length).toBe(2);
});

test("a symbol or an error in a message calls nobody, makes no link, and fits the channel", async () => {
  const reason = `@everyone <!channel> <http://x|y> ${"x".repeat(9_000)}`;
  for (const kind of ["slack", "discord", "telegram"] as const) {
    const secret = kind === "telegram" ? "123456:ABC-DEF-GHI-JKL" : "";
    const rules = { ...DEFAULT_ALERT_RULES, digestMinutes: 0, on: { ...DEFAULT_ALERT_RULES.on, run_failed: false } };
    await channels.save(
      null,
      input({ name: kind, kind, rules, target: { url: `${server.url}/${kind}`, secret, place: "1" } }),
    );
  }
  await poll(jobFailed({ reason }), jobFailed({ reason, symbol: "MSFT" }));
  expect(server.posts.length).toBe(3);
  const bodies = new Map(server.posts.map(({ path, text }) => [path.split("/")[1], JSON.parse(text)]));
  expect(bodies.get("slack").text).not.toContain("<!channel>");
  expect(bodies.get("discord").allowed_mentions).toEqual({ parse: [] });
  expect(bodies.get("discord").content.length).toBeLessThanOrEqual(2_000);
  expect(bodies.get("telegram").text.length).toBeLessThanOrEqual(4_096);
});

test.each(["", "x"])(
  "no character is cut in halves, and ntfy gets at most the bytes that it takes, after “%s”",
  async (before) => {
    for (const kind of ["slack", "discord", "telegram", "ntfy"] as const) {
      const secret = kind === "telegram" ? "123456:ABC-DEF-GHI-JKL" : "";
      const rules = { ...DEFAULT_ALERT_RULES, digestMinutes: 0, on: { ...DEFAULT_ALERT_RULES.on, run_failed: false } };
      await channels.save(
        null,
        input({ name: kind, kind, rules, target: { url: `${server.url}/${kind}`, secret, place: "1" } }),
      );
    }
    const reason = `${before}${"🜁".repeat(9_000)}`;
    await poll(jobFailed({ reason }), jobFailed({ reason, symbol: "MSFT" }));
    expect(server.posts.length).toBe(4);
    for (const { path, text } of server.posts) {
      expect(text.toWellFormed() === text && !/\\ud[89a-f][0-9a-f]{2}/i.test(text)).toBe(true);
      if (path !== "/ntfy") continue;
      const bytes = Buffer.byteLength(JSON.parse(text).message);
      expect([bytes <= 4_096, bytes > 4_080]).toEqual([true, true]);
    }
  },
);

test("the status decides: a message that was accepted is not posted again because its answer breaks off", async () => {
  const target = { url: "", secret: "0123456789abcdef", place: "" };
  const message = JSON.stringify({ id: "1", kind: "test", subject: "s", text: "t", url: "http://x/", events: [] });
  const answers = (init: string) => `HTTP/1.1 ${init}\r\nContent-Length: 100\r\n`;
  const post = async (answer: string): Promise<string> => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(answer) },
    });
    const url = `http://127.0.0.1:${server.port}/`;
    const sent = postToChannel("webhook", { ...target, url }, message, {
      now: 0,
      signal: new AbortController().signal,
    });
    const outcome = await sent.then(
      () => "accepted",
      (error: ChannelError) => `${error.final} ${error.message}`,
    );
    server.stop(true);
    return outcome.replace(/127\.0\.0\.1:\d+/, "HOST");
  };
  expect(await post(`${answers("200 OK")}\r\nonly this`)).toBe("accepted");
  expect(await post(`${answers("202 Accepted")}Content-Encoding: gzip\r\n\r\nnot gzip`)).toBe("accepted");
  expect(await post(`${answers("422 No")}\r\nonly this`)).toStartWith("true HOST: HTTP 422");
  // Nothing is unpacked, whatever it would become.
  expect(await post(`${answers("500 Oops")}Content-Encoding: gzip\r\n\r\nnot gzip`)).toBe("false HOST: HTTP 500");
});

test("of a secret that the end of a shown answer would cut nothing is left", async () => {
  await channels.save(null, input());
  server.behaviour = 503;
  for (let before = 150; before <= 195; before += 5) {
    server.before = "x".repeat(before);
    await poll(runEnded());
    await pass(60 * MINUTE);
    const said = JSON.stringify([lines, await db.rows("SELECT * FROM mails", [])]);
    expect(said).toContain("HTTP 503: xxx");
    expect(said).not.toContain("T0K3N");
  }
});

test("a channel keeps its secret when it is changed, but not for another address", async () => {
  const id = await channels.save(null, input());
  const kept = { url: "", secret: "", place: "" };
  await channels.save(id, input({ name: "Ops", target: kept }));
  await channels.sendTest(id);
  await channels.idle();
  expect(server.posts[0]!.headers.get("webhook-signature")).toStartWith("v1,");
  const moved = channels.save(id, input({ target: { ...kept, url: "http://127.0.0.1:1/other" } }));
  await expect(moved).rejects.toThrow("Wants the token or the signing key");
  expect(JSON.stringify(channels.list())).not.toContain("T0K3N");
});

test("a channel survives a restart; with another secret its messages wait, and it says so", async () => {
  await channels.save(null, input());
  await channels.close();
  channels = await open({ cipher: new Cipher("another secret altogether", newSalt()) });
  expect(channels.list()[0]).toMatchObject({ name: "Team", unreadable: true });
  await poll(runEnded());
  expect(server.posts.length).toBe(0);
  await channels.close();
  channels = await open();
  await channels.idle();
  expect(server.posts.length).toBe(1);
});

test("what happened before a channel was made, or while it was paused, is not posted", async () => {
  await poll(quota({ at: clock.now() - 1 }));
  const id = await channels.save(null, input());
  await channels.save(id, input({ enabled: false }));
  await poll(missed({ at: clock.now() }), revision({ at: clock.now() }));
  await clock.advance(1_000);
  await channels.save(id, input());
  await pass(30 * MINUTE);
  expect(server.posts).toEqual([]);
});

test.each([
  ["an address that is none", { url: "slack", secret: "", place: "" }, "url"],
  ["a file", { url: "file:///etc/passwd", secret: SECRET, place: "" }, "url"],
  ["a user in the address", { url: "https://a:b@example.com/", secret: SECRET, place: "" }, "url"],
  ["a webhook without a key", { url: "https://example.com/", secret: "", place: "" }, "secret"],
  ["a webhook with a short key", { url: "https://example.com/", secret: "short", place: "" }, "secret"],
  [
    "a webhook with a key that is no Base64",
    { url: "https://example.com/", secret: "whsec_!!!!!!!!!!!!!!!!", place: "" },
    "secret",
  ],
  [
    "a webhook with a key of few bytes",
    { url: "https://example.com/", secret: "whsec_c2lnbmluZyBr", place: "" },
    "secret",
  ],
])("%s is refused at its field, and nothing is stored", async (_, target, path) => {
  const refusal = await channels.save(null, input({ target })).catch((error) => error);
  expect(refusal.errors[0].path).toBe(path);
  expect(channels.list()).toEqual([]);
});

test("the values of an address's query are secrets by themselves, as they are and decoded", () => {
  const url = "https://example.com/hooks/p%20a%20t%20h?key=s%2Fe%2Fc%2Fret1&n=1";
  expect(secretsOfTarget({ url, secret: "", place: "" })).toEqual([
    "p%20a%20t%20h",
    "key=s%2Fe%2Fc%2Fret1&n=1",
    "key=s/e/c/ret1&n=1",
    "s/e/c/ret1",
  ]);
});

test("a channel that was made in the future gets what happens after the clock was set back, also when it is saved again", async () => {
  clock.set(400 * 24 * 60 * MINUTE);
  const id = await channels.save(null, input());
  clock.set(-400 * 24 * 60 * MINUTE);
  await correctFutureMoments(db, clock.now());
  await pass(MINUTE);
  await poll({ ...runEnded(), at: clock.now() });
  expect(server.posts.length).toBe(1);
  await channels.save(id, input());
  await pass(MINUTE);
  await poll({ ...runEnded({ run: runReport({ id: "r2" }) }), at: clock.now() });
  expect(server.posts.length).toBe(2);
});
