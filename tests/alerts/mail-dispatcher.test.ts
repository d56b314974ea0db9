/** From an event in the database to a mail in a mailbox, with an unreliable mail server. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { MailDispatcher } from "../../src/alerts/mail-dispatcher.ts";
import { retryDelay } from "../../src/alerts/poll-loop.ts";
import { type AlertEvent, type AlertRules, DEFAULT_ALERT_RULES } from "../../src/domain/alerts.ts";
import type { Log } from "../../src/log.ts";
import { deleteMails, findMail, listMails, recordStatements, takeMail } from "../../src/storage/alerts/outbox.ts";
import { type Database, openDatabase } from "../../src/storage/db.ts";
import { type FakeMailServer, MAIL_PASSWORD, startMailServer } from "../fakes/smtp.ts";
import { gap, jobFailed, missed, quota, revision, runEnded, runReport } from "../helpers/alert-events.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { VirtualClock } from "../helpers/virtual-clock.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let folder: Folder;
let db: Database;
let server: FakeMailServer;
let clock: VirtualClock;
let outbox: MailDispatcher;
let lines: string[];

const log: Log = { write: (_level, message) => void lines.push(message) };
const account = () => ({ url: server.url, from: "Barkeep <barkeep@example.com>", to: ["ops@example.com"] });

async function open(maxWait = 5_000): Promise<MailDispatcher> {
  const opened = await MailDispatcher.open({ db, log, clock, maxWait });
  await opened.use(account());
  return opened;
}

beforeEach(async () => {
  lines = [];
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
  server = await startMailServer();
  clock = new VirtualClock();
  outbox = await open();
});
afterEach(async () => {
  await outbox.close();
  await server.stop();
  db.close();
  folder[Symbol.dispose]();
});

/** Records events and polls the outbox. */
async function recordAndPoll(...events: AlertEvent[]): Promise<void> {
  await db.write(recordStatements(events));
  outbox.start("http://barkeep.test:3000/");
  await outbox.idle();
}

/** Advances the clock, and waits until everything due is done. */
async function pass(milliseconds: number): Promise<void> {
  await clock.advance(milliseconds);
  await outbox.idle();
}

const states = async () =>
  (await listMails(db, { limit: 10 })).rows.map(({ state, attempts }) => ({ state, attempts }));
const only = async () => (await listMails(db, { limit: 1 })).rows[0]!;

test("a failed run is one mail with its failing rows, as text and as HTML, with a link", async () => {
  const names = Array.from({ length: 500 }, (_, i) => `SYM${i}`);
  const jobs = names.map((symbol) => {
    return { symbol, state: "failed", dataPoints: 0, apiCalls: 1, seconds: 0, error: "<b>404</b>" } as const;
  });
  const counts = { ...runReport().counts, failed: 500, complete: 0 };
  const run = runReport({ total: 500, counts, jobs });
  await recordAndPoll(...names.map((symbol) => jobFailed({ symbol })), runEnded({ run }));
  await pass(60 * MINUTE);
  expect(server.mails.length).toBe(1);
  const { subject, text, html, from, to } = server.mails[0]!;
  expect(subject).toBe("Run failed: 500 of 500 symbols failed (SYM0, SYM1, SYM2 and 497 more)");
  expect(from?.address).toBe("barkeep@example.com");
  expect(to?.map(({ address }) => address)).toEqual(["ops@example.com"]);
  for (const name of names) expect(text).toMatch(new RegExp(`^${name} +<b>404</b>$`, "m"));
  expect(html).toContain("SYM499");
  expect(html).toContain("&lt;b&gt;404&lt;/b&gt;");
  expect(html).not.toContain("<b>404");
  expect(text).toContain("http://barkeep.test:3000/runs/r1\n");
  expect(html).toContain('href="http://barkeep.test:3000/runs/r1"');
  expect(text).toContain("Retry");
});

test("the waits between attempts double, up to an hour", () => {
  const minutes = Array.from({ length: 9 }, (_, at) => retryDelay(at + 1) / MINUTE);
  expect(minutes).toEqual([0.5, 1, 2, 4, 8, 16, 32, 60, 60]);
  expect(retryDelay(1_000)).toBe(60 * MINUTE);
});

test("every kind of event has a mail that names what happened, what to do, and where", async () => {
  const on = { ...DEFAULT_ALERT_RULES.on, job_failed: true, run_failed: false, gap_found: true };
  await outbox.changeRules({ ...DEFAULT_ALERT_RULES, on, digestMinutes: 0 });
  await recordAndPoll(jobFailed(), quota(), revision(), gap(), missed({ name: "Évery\r\nBcc: x@example.com" }));
  const mails = new Map(server.mails.map(({ subject, text, bcc }) => [subject, { text: text!, bcc }]));
  expect([...mails.keys()].toSorted()).toEqual(
    [
      "AAPL failed: HTTP 404: no such symbol",
      "twelvedata: 81% of the day's quota is used",
      "Split: AAPL",
      "Gap found: AAPL, 3 sessions",
      "Schedule missed: Évery Bcc: x@example.com",
    ].toSorted(),
  );
  for (const { text, bcc } of mails.values()) {
    expect(text).toMatch(/: http:\/\/barkeep\.test:3000\/\S*\n/);
    expect(bcc).toBeUndefined();
  }
  expect(mails.get("Gap found: AAPL, 3 sessions")!.text).toContain("Repair gaps");
});

test("many events of a kind are one mail at the end of the window, and no event is mailed twice", async () => {
  await recordAndPoll(...Array.from({ length: 40 }, (_, i) => revision({ symbol: `S${i}` })));
  await recordAndPoll(...Array.from({ length: 40 }, (_, i) => revision({ symbol: `S${i}` })));
  await pass(14 * MINUTE);
  expect(server.mails).toEqual([]);
  await pass(2 * MINUTE);
  expect(server.mails.map(({ subject }) => subject)).toEqual(["Revised history: S0, S1, S2 and 37 more"]);
  await pass(60 * MINUTE);
  expect(server.mails.length).toBe(1);
});

test("quiet hours hold mails back until they are over", async () => {
  const rules: AlertRules = { ...DEFAULT_ALERT_RULES, quiet: { from: "11:30", to: "12:30", zone: "UTC" } };
  await outbox.changeRules(rules);
  await recordAndPoll(runEnded());
  await pass(29 * MINUTE);
  expect(server.mails).toEqual([]);
  await pass(1 * MINUTE);
  expect(server.mails.length).toBe(1);
});

test("alert rules survive a restart", async () => {
  const rules: AlertRules = { ...DEFAULT_ALERT_RULES, quotaPercent: 55, quiet: { from: "1", to: "2", zone: "UTC" } };
  await outbox.changeRules(rules);
  await outbox.close();
  outbox = await open();
  expect(outbox.rules).toEqual(rules);
});

describe("a mail server", () => {
  test("a mail server that is down is tried again at growing intervals, and gets the mail when it is back", async () => {
    await server.stop();
    await recordAndPoll(runEnded());
    expect(await states()).toEqual([{ state: "waiting", attempts: 1 }]);
    expect((await only()).error).toMatch(/^127\.0\.0\.1:\d+: .*(refused|closed)/i);
    await pass(29 * SECOND);
    expect(await states()).toEqual([{ state: "waiting", attempts: 1 }]);
    await pass(1 * SECOND);
    expect(await states()).toEqual([{ state: "waiting", attempts: 2 }]);
    await pass(59 * SECOND);
    expect(await states()).toEqual([{ state: "waiting", attempts: 2 }]);
    await server.start();
    await pass(1 * SECOND);
    expect(await states()).toEqual([{ state: "sent", attempts: 3 }]);
    expect(server.mails.length).toBe(1);
  });

  test("a busy mail server is tried for five days, and then the mail says so", async () => {
    server.behaviour = "busy";
    await recordAndPoll(runEnded());
    expect((await only()).error).toContain("come back later");
    const made = (daysAgo: number) =>
      db.write([{ sql: "UPDATE mails SET created_at = ?", args: [clock.now() - daysAgo * 24 * 60 * MINUTE] }]);
    await made(4.9);
    await pass(retryDelay(1));
    expect((await only()).state).toBe("waiting");
    await made(5);
    await pass(retryDelay(2));
    expect((await only()).state).toBe("failed");
    server.behaviour = "accept";
    await outbox.sendAgain((await only()).id);
    await outbox.idle();
    expect((await only()).state).toBe("sent");
    expect(server.mails.length).toBe(1);
  });

  test("a mail server that does not know the recipient is not asked again", async () => {
    server.behaviour = "reject";
    await recordAndPoll(runEnded());
    expect(await only()).toMatchObject({ state: "failed", attempts: 1 });
    expect((await only()).error).toContain("no such mailbox");
  });

  test("a mail server that stalls is dropped, and asked again with the same Message-ID", async () => {
    await outbox.close();
    outbox = await open(150);
    server.behaviour = "stall";
    await recordAndPoll(runEnded());
    expect(await states()).toEqual([{ state: "waiting", attempts: 1 }]);
    server.behaviour = "accept";
    // With time enough to take it, however busy the machine is.
    await outbox.close();
    outbox = await open();
    outbox.start("http://barkeep.test:3000/");
    await outbox.idle();
    expect(server.mails).toEqual([]);
    await pass(retryDelay(1));
    expect(server.mails.map(({ messageId }) => messageId)).toEqual([`<${(await only()).id}@example.com>`]);
  });

  test("a mail server that refuses the password is asked again when the settings are right, and the password stays hidden", async () => {
    const wrong = "wr0ng:pass/word";
    const url = new URL(server.url);
    url.password = encodeURIComponent(wrong);
    await outbox.use({ ...account(), url: url.href });
    await recordAndPoll(runEnded());
    const { state, error } = await only();
    expect(state).toBe("waiting");
    expect(error).toContain("no such login: barkeep ***");
    for (const secret of [wrong, MAIL_PASSWORD, encodeURIComponent(wrong)]) {
      expect(JSON.stringify([error, lines])).not.toContain(secret);
    }
    await outbox.use(account());
    await outbox.idle();
    expect(await states()).toEqual([{ state: "sent", attempts: 2 }]);
  });
});

describe("when the process crashes", () => {
  test("when the process crashes before an event is mailed, the next one mails it", async () => {
    await db.write(recordStatements([runEnded()]));
    await recordAndPoll();
    expect(server.mails.length).toBe(1);
  });

  test("when the process crashes while sending a mail, the next one waits for the lease, and sends the same mail", async () => {
    await server.stop();
    await recordAndPoll(runEnded());
    await outbox.close();
    const taken = await takeMail(db, clock.now() + MINUTE, 2 * MINUTE);
    await server.start();
    outbox = await open();
    outbox.start("http://barkeep.test:3000");
    await outbox.idle();
    await pass(2 * MINUTE);
    expect(server.mails).toEqual([]);
    await pass(1 * MINUTE + SECOND);
    expect(server.mails.map(({ messageId }) => messageId)).toEqual([`<${taken!.id}@example.com>`]);
    expect(await states()).toEqual([{ state: "sent", attempts: 3 }]);
  });

  test("a mail that stalls does not delay the shutdown, and is sent after the next start", async () => {
    server.behaviour = "stall";
    const polling = recordAndPoll(runEnded());
    await server.attempted(1);
    await outbox.close();
    await polling;
    expect(await states()).toEqual([{ state: "waiting", attempts: 1 }]);
    server.behaviour = "accept";
    outbox = await open();
    outbox.start("http://barkeep.test:3000");
    await server.arrived(1);
    await outbox.idle();
    expect(await states()).toEqual([{ state: "sent", attempts: 2 }]);
  });
});

describe("after the clock was set back", () => {
  const YEARS = 10 * 365 * 24 * 60 * MINUTE;

  test("after the clock was set back, mails that wait, and those being sent, are due now, and the log says so", async () => {
    await server.stop();
    await recordAndPoll(runEnded());
    await recordAndPoll(quota());
    await outbox.close();
    await takeMail(db, clock.now() + MINUTE, 2 * MINUTE);
    const later = clock.now() + YEARS;
    await db.write([
      { sql: "UPDATE mails SET created_at = ?1, not_before = ?1", args: [later] },
      { sql: "UPDATE mails SET leased_until = ?1 WHERE state = 'sending'", args: [later] },
    ]);
    await server.start();
    outbox = await open();
    outbox.start("http://barkeep.test:3000");
    await outbox.idle();
    expect(server.mails.length).toBe(2);
    expect((await states()).map(({ state }) => state)).toEqual(["sent", "sent"]);
    expect((await only()).createdAt).toBe(clock.now());
    expect(lines.join("\n")).toContain("The clock was set back: 2 mails were to be sent far in the future");
  });

  test("after the clock was set back, events and mails of the future do not delay a mail", async () => {
    await recordAndPoll(runEnded({ at: clock.now() + YEARS }));
    expect(server.mails.length).toBe(1);
    await db.write([{ sql: "UPDATE mails SET created_at = ?, state = 'sent'", args: [clock.now() + YEARS] }]);
    await recordAndPoll(runEnded({ run: runReport({ id: "r2" }) }));
    await pass(16 * MINUTE);
    expect(server.mails.length).toBe(2);
  });
});

describe("without a mail server", () => {
  beforeEach(() => outbox.use(null));

  test("without a mail server events are recorded, and not mailed long after", async () => {
    await recordAndPoll(runEnded());
    await outbox.use(account());
    await outbox.idle();
    expect(server.mails).toEqual([]);
    expect(await db.rows("SELECT state FROM alert_events", [])).toEqual([["muted"]]);
  });

  test("without a mail server a test mail is refused with what to do", async () => {
    await expect(outbox.sendTest()).rejects.toThrow("set one up first");
  });
});

test("a test mail is sent in quiet hours too; one that was sent is sent again as a new mail", async () => {
  await outbox.changeRules({ ...DEFAULT_ALERT_RULES, quiet: { from: "00:00", to: "23:59", zone: "UTC" } });
  await recordAndPoll();
  await outbox.sendTest();
  await outbox.idle();
  expect(server.mails.map(({ subject }) => subject)).toEqual(["Test mail from Barkeep"]);
  await outbox.sendAgain((await only()).id);
  await outbox.idle();
  expect(server.mails.length).toBe(2);
  expect(new Set(server.mails.map(({ messageId }) => messageId)).size).toBe(2);
  await expect(outbox.sendAgain("nobody")).rejects.toThrow("no such mail");
});

test("old mails are deleted with their events, waiting ones are not", async () => {
  await recordAndPoll(runEnded());
  await server.stop();
  await recordAndPoll(quota());
  const later = clock.now() + MINUTE;
  expect(await deleteMails(db, later)).toBe(1);
  expect((await listMails(db, { limit: 10 })).rows.map(({ kind }) => kind)).toEqual(["quota_level"]);
  expect(await db.rows("SELECT kind FROM alert_events", [])).toEqual([["quota_level"]]);
  expect((await findMail(db, (await only()).id))?.text).toContain("twelvedata");
});
