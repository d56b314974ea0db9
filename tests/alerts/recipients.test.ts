/** What becomes of a mail whose recipients, sender or login a mail server refuses. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { MailDispatcher } from "../../src/alerts/mail-dispatcher.ts";
import { retryDelay } from "../../src/alerts/poll-loop.ts";
import { Mailer } from "../../src/alerts/smtp.ts";
import type { Log } from "../../src/log.ts";
import { listMails, recordStatements } from "../../src/storage/alerts/outbox.ts";
import { type Database, openDatabase } from "../../src/storage/db.ts";
import { type FakeMailServer, startMailServer } from "../fakes/smtp.ts";
import { runEnded } from "../helpers/alert-events.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";

const MINUTE = 60_000;

let folder: Folder;
let db: Database;
let server: FakeMailServer;
let clock: VirtualClock;
let outbox: MailDispatcher;
let lines: string[];

const log: Log = { write: (_level, message) => void lines.push(message) };
const account = () => ({ url: server.url, from: "Barkeep <barkeep@example.com>", to: ["ops@example.com"] });

beforeEach(async () => {
  lines = [];
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
  server = await startMailServer();
  clock = new VirtualClock();
  outbox = await MailDispatcher.open({ db, log, clock, maxWait: 5_000 });
  await outbox.use(account());
});
afterEach(async () => {
  await outbox.close();
  await server.stop();
  db.close();
  folder[Symbol.dispose]();
});

/** Records the end of a run and polls the outbox. */
async function recordAndPoll(event = runEnded()): Promise<void> {
  await db.write(recordStatements([event]));
  outbox.start("http://barkeep.test:3000/");
  await outbox.idle();
}

/** Advances the clock, and waits until everything due is done. */
async function pass(milliseconds: number): Promise<void> {
  await clock.advance(milliseconds);
  await outbox.idle();
}

const only = async () => (await listMails(db, { limit: 1 })).rows[0]!;

describe("a mail to several recipients", () => {
  const [A, B, C] = ["a@example.com", "b@example.com", "c@example.com"] as const;
  const to = (...recipients: string[]) => outbox.use({ ...account(), to: recipients });

  test("a mail that one recipient gets later is sent to that one only, and to nobody twice", async () => {
    await to(A, B);
    server.refusals = { rcpt: { [B]: "450 4.2.0 greylisted" } };
    await recordAndPoll(runEnded());
    expect(server.received).toEqual([[A]]);
    expect(await only()).toMatchObject({ state: "waiting", later: [B] });
    expect((await only()).error).toBe("not accepted for b@example.com: 450 4.2.0 greylisted");
    await pass(retryDelay(1));
    expect(await only()).toMatchObject({ state: "waiting", attempts: 2, later: [B] });
    server.refusals = {};
    await pass(retryDelay(2));
    expect(server.received).toEqual([[A], [B]]);
    expect(await only()).toMatchObject({ state: "sent", attempts: 3 });
    // Who reads it sees everybody to whom it went.
    expect(server.mails[1]!.to?.map(({ address }) => address)).toEqual([A, B]);
    expect(new Set(server.mails.map(({ messageId }) => messageId)).size).toBe(1);
    expect(lines.join("\n")).not.toContain("@example.com");
  });

  test("a mail that everybody is asked to wait for is sent to everybody later", async () => {
    await to(A, B);
    server.refusals = { rcpt: { [A]: "450 wait", [B]: "451 wait" } };
    await recordAndPoll(runEnded());
    server.refusals = {};
    await pass(retryDelay(1));
    expect(server.received).toEqual([[A, B]]);
  });

  test("a mail that one recipient cannot get is given up for that one, after the others have it", async () => {
    await to(A, B, C);
    server.refusals = { rcpt: { [B]: "450 wait", [C]: "550 5.1.1 no such mailbox" } };
    await recordAndPoll(runEnded());
    expect(await only()).toMatchObject({ state: "waiting", later: [B], refused: [C] });
    server.refusals = {};
    await pass(retryDelay(1));
    expect(server.received).toEqual([[A], [B]]);
    expect(await only()).toMatchObject({ state: "failed", later: [], refused: [C], error: `refused before: ${C}` });
    // By hand it goes to those who do not have it.
    await outbox.sendAgain((await only()).id);
    await outbox.idle();
    expect(server.received).toEqual([[A], [B], [C]]);
    expect((await only()).state).toBe("sent");
  });

  test("a mail that a recipient gets too late is given up after five days", async () => {
    await to(A, B);
    server.refusals = { rcpt: { [B]: "450 wait" } };
    await recordAndPoll(runEnded());
    await db.write([{ sql: "UPDATE mails SET created_at = ?", args: [clock.now() - 5 * 24 * 60 * MINUTE] }]);
    await pass(retryDelay(1));
    expect(await only()).toMatchObject({ state: "failed", later: [B] });
    expect(server.received).toEqual([[A]]);
  });
});

describe("a refusal that a setting can cure", () => {
  for (const [what, refusals] of [
    ["no login, at the sender", { from: "530 5.7.0 Authentication required" }],
    ["a sender that is not the user's", { from: "553 5.7.1 Sender address rejected: not owned by user" }],
    ["a sender that does not exist", { from: "550 5.1.8 Sender address rejected: Domain not found" }],
    ["no login, at the recipient", { rcpt: { "ops@example.com": "530 Authentication required" } }],
    ["no relaying", { rcpt: { "ops@example.com": "554 5.7.1 Relay access denied" } }],
    ["no relaying, of qmail", { rcpt: { "ops@example.com": "553 sorry, not in my list of allowed rcpthosts" } }],
    ["a sender without DMARC", { data: "550 5.7.26 This mail is unauthenticated" }],
  ] as const) {
    test(`a refusal for ${what}, is tried again when the settings change`, async () => {
      server.refusals = refusals;
      await recordAndPoll(runEnded());
      expect(await only()).toMatchObject({ state: "waiting", attempts: 1 });
      expect((await only()).error).toMatch(/5\d\d /);
      server.refusals = {};
      await outbox.use(account());
      await outbox.idle();
      expect(await only()).toMatchObject({ state: "sent", attempts: 2 });
    });
  }

  for (const [what, refusals] of [
    ["an unknown mailbox", { rcpt: { "ops@example.com": "550 5.1.1 no such mailbox" } }],
    ["a mail that is too large", { from: "552 5.3.4 Message size exceeds fixed limit" }],
    ["a text that is refused", { data: "554 Transaction failed" }],
  ] as const) {
    test(`a refusal for ${what}, which no setting can cure, is final`, async () => {
      server.refusals = refusals;
      await recordAndPoll(runEnded());
      expect(await only()).toMatchObject({ state: "failed", attempts: 1 });
    });
  }
});

test("a mail server that always says a little more holds up nothing: an attempt ends in a bounded time", async () => {
  const timers: Timer[] = [];
  const drip = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => void socket.write("220 hello\r\n"),
      data: (socket) => void timers.push(setInterval(() => socket.write("250-more\r\n"), 10)),
    },
  });
  const account = { url: `smtp://127.0.0.1:${drip.port}`, from: "a@example.com", to: ["b@example.com"] };
  const mailer = new Mailer(account, 100);
  const mail = { id: "1", recipients: "b@example.com", later: null, subject: "s", text: "t", html: "" };
  const outcomes = await Promise.all(
    [mailer.verify(), mailer.send(mail)].map((each) => each.then(String, (error: Error) => error.message)),
  );
  for (const timer of timers) clearInterval(timer);
  drip.stop(true);
  expect(outcomes).toEqual(Array(2).fill(`127.0.0.1:${drip.port}: it was not done after 0.5s`));
});
