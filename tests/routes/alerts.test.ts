/** `/alerts` as a browser without JavaScript uses it. */

import { expect, test } from "bun:test";
import { Refusal } from "../../src/domain/errors.ts";
import { readAlertFields, rulesOf } from "../../src/routes/alerts/rules-form.ts";
import { postMail } from "../../src/storage/alerts/outbox.ts";
import { startChannel } from "../fakes/channel.ts";
import { startMailServer } from "../fakes/smtp.ts";
import { startApp, type TestApp } from "../helpers/app.ts";

const submit = async (app: TestApp, path: string, fields: [string, string][] = []) => {
  const response = await fetch(app.url + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { Accept: "text/html" },
    redirect: "follow",
  });
  return { status: response.status, text: await response.text(), url: response.url };
};

const rules: [string, string][] = [
  ["on", "run_finished"],
  ["on", "gap_found"],
  ["quota_percent", "90"],
  ["digest_minutes", "5"],
  ["quiet", "on"],
  ["quiet_from", "21:30"],
  ["quiet_to", "06:15"],
  ["quiet_zone", "America/New_York"],
];

test("the answer names all that is wrong with the rules, and quiet hours only while they are on", () => {
  const typed = {
    quota_percent: "0",
    digest_minutes: "1.5",
    quiet: "on",
    quiet_from: "24:00",
    quiet_to: "24:00",
    quiet_zone: "Mars",
  };
  const check = (fields: object) => {
    try {
      return rulesOf(readAlertFields({ ...typed, ...fields }));
    } catch (error) {
      return error instanceof Refusal ? error.errors.map(({ path, message }) => `${path}: ${message}`) : error;
    }
  };
  expect(check({})).toEqual([
    "quota_percent: Wants a whole number from 1 to 100",
    "digest_minutes: Wants a whole number from 0 to 1440",
    "quiet_from: Wants a time from 00:00 to 23:59",
    "quiet_to: Wants a time from 00:00 to 23:59",
    "quiet_zone: Wants a time zone such as Europe/Berlin",
    "quiet_to: Wants another time than the beginning",
  ]);
  expect(check({ quota_percent: "80", digest_minutes: "0", quiet: "" })).toMatchObject({
    quotaPercent: 80,
    quiet: null,
  });
  const quiet = { quiet_from: "22:00", quiet_to: "07:00", quiet_zone: "europe/berlin" };
  expect(check({ quota_percent: "80", digest_minutes: "5", ...quiet })).toMatchObject({
    digestMinutes: 5,
    quiet: { from: "22:00", to: "07:00", zone: "Europe/Berlin" },
  });
});

test("alert rules are saved and shown; a wrong field is named, and nothing is changed", async () => {
  await using app = await startApp();
  const saved = await submit(app, "/alerts", rules);
  expect(saved.status).toBe(200);
  expect(saved.text).toContain("Saved; the rules hold from now on");
  expect(saved.text).toMatch(/value="run_finished" checked/);
  expect(saved.text).not.toMatch(/value="run_failed" checked/);
  expect(saved.text).toContain('value="America/New_York"');
  const before = app.app.outbox.rules;
  const unknown = await submit(app, "/alerts", [["on", "run_faild"], ...rules]);
  expect(unknown.status).toBe(422);
  expect(unknown.text).toContain(
    "Nothing was saved: &quot;run_faild&quot; is not one of job_failed, run_failed, run_finished",
  );
  expect(app.app.outbox.rules).toEqual(before);
  expect(before.quiet).toEqual({ from: "21:30", to: "06:15", zone: "America/New_York" });

  const wrong: [string, string, string][] = [
    ["quota_percent", "101", "from 1 to 100"],
    ["digest_minutes", "-1", "from 0 to 1440"],
    ["quiet_from", "25:00", "from 00:00 to 23:59"],
    ["quiet_to", "21:30", "another time"],
    ["quiet_zone", "<script>", "Europe/Berlin"],
  ];
  for (const [name, value, says] of wrong) {
    const refused = await submit(app, "/alerts", [...rules.filter(([each]) => each !== name), [name, value]]);
    expect(refused.status).toBe(422);
    expect(refused.text).toContain(`id="alert-${name}-error"`);
    expect(refused.text).toContain(says);
    expect(refused.text).not.toContain("<script>");
  }
  expect(app.app.outbox.rules).toEqual(before);
});

test("a test mail has a state and a text, and can be sent again", async () => {
  await using server = await startMailServer();
  await using app = await startApp({ env: { SMTP_URL: server.url, ALERT_TO: "ops@example.com" } });
  expect((await app.get("/alerts")).text).toContain("No mail yet");
  expect((await submit(app, "/alerts/test")).text).toContain("on its way");
  expect((await app.get("/alerts?state=failed")).text).toContain("No mail has this status");
  await server.arrived(1);
  await app.app.outbox.idle();
  const page = await app.get("/alerts");
  expect(page.text).toContain("ops@example.com");
  expect(page.text).not.toContain("p4ss");
  const [, address] = /href="(\/alerts\/mails\/[^"]+)"/.exec(page.text)!;
  expect((await app.get(address!)).text).toContain("This is the test you asked for");
  expect((await submit(app, `${address}/again`)).text).toContain("on its way again");
  await server.arrived(2);
  expect(server.mails.map(({ subject }) => subject)).toEqual(["Test mail from Barkeep", "Test mail from Barkeep"]);
});

test("a mail that could not be sent says why, and can be tried now", async () => {
  await using server = await startMailServer();
  server.behaviour = "busy";
  await using app = await startApp({ env: { SMTP_URL: server.url, ALERT_TO: "ops@example.com" } });
  await submit(app, "/alerts/test");
  await server.attempted(1);
  await app.app.outbox.idle();
  const page = await app.get("/alerts");
  expect(page.text).toContain("come back later");
  expect(page.text).toContain("Try now");
});

test("without a mail server the page says so and where to set one up; what does not exist is not found", async () => {
  await using app = await startApp();
  const page = await app.get("/alerts");
  expect(page.text).toContain("No mail server");
  expect(page.text).toContain('href="/settings#mail"');
  expect((await submit(app, "/alerts/test")).status).toBe(409);
  expect((await app.get("/alerts/mails/nothing")).status).toBe(404);
  expect((await submit(app, "/alerts/mails/nothing/again")).status).toBe(409);
});

test("mails are paged by key in both directions, and the filter stays", async () => {
  await using app = await startApp();
  const { db } = app.app;
  const createdAt = Date.UTC(2026, 0, 5);
  // All of one moment: only their ids tell them apart.
  for (let n = 1; n <= 250; n++) {
    const id = `mail-${String(n).padStart(3, "0")}`;
    const mail = {
      id,
      kind: "test",
      recipients: "ops@example.com",
      subject: id,
      text: "",
      html: "",
      createdAt,
    } as const;
    await postMail(db, mail, []);
  }
  const links = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/rel="(prev|next)" href="([^"]+)"/g)].map(([, rel, href]) => [
        rel,
        href!.replaceAll("&amp;", "&"),
      ]),
    );
  const seen: string[][] = [];
  let address = "/alerts?state=waiting";
  for (let pages = 0; pages < 3; pages++) {
    const { text } = await app.get(address);
    seen.push([...text.matchAll(/>(mail-\d+)<\/a>/g)].map(([, subject]) => subject!));
    address = links(text).next ?? address;
    expect(address).toContain("state=waiting");
  }
  expect(seen.map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(new Set(seen.flat()).size).toBe(250);
  const last = links((await app.get(address)).text);
  expect(last.next).toBeUndefined();
  expect((await app.get(last.prev!)).text).toContain(`>${seen[1]![0]}</a>`);
});

test("readers see that mails are sent, but neither the mail server nor any address", async () => {
  await using server = await startMailServer();
  await using own = await startApp({
    env: { SMTP_URL: server.url, ALERT_TO: "ops@example.com", ALERT_FROM: "b@example.com", BARKEEP_READ_ONLY: "true" },
  });
  const mail = {
    kind: "test" as const,
    subject: "s",
    text: "t",
    html: "",
    recipients: "ops@example.com",
    createdAt: Date.now(),
  };
  await postMail(own.app.db, { id: "m1", ...mail }, []);
  await own.app.db.write([{ sql: "update mails set error = ?, state = 'failed'", args: ["550 no <ops@example.com>"] }]);
  for (const path of ["/settings", "/alerts", "/alerts/mails/m1"]) {
    const { status, text } = await own.get(path);
    expect([path, status]).toEqual([path, 200]);
    for (const hidden of ["ops@example.com", "b@example.com", "127.0.0.1:", "barkeep@"]) {
      expect([path, hidden, text.includes(hidden)]).toEqual([path, hidden, false]);
    }
  }
  expect((await own.get("/alerts")).text).toContain("shown to admins only");
});

test("a channel is added, tested, changed and deleted, and its address and key are on no page", async () => {
  await using channel = startChannel();
  await using app = await startApp({ env: { BARKEEP_SECRET: "the secret of this test" } });
  const secret = "a-signing-key-of-the-test";
  const fields: [string, string][] = [
    ["name", "Team"],
    ["kind", "webhook"],
    ["url", `${channel.url}/T0K3N-in-path`],
    ["secret", secret],
    ["on", "run_failed"],
    ["digest_minutes", "0"],
    ["enabled", "on"],
  ];
  const wrong = await submit(app, "/alerts/channels", [...fields, ["kind", "pigeon"]]);
  expect([wrong.status, wrong.text.includes("Wants one of webhook")]).toEqual([422, true]);
  expect(wrong.text).not.toContain("T0K3N");
  const added = await submit(app, "/alerts/channels", fields);
  expect(added.text).toContain("Saved; the rules hold from now on");
  const id = app.app.channels.list()[0]!.id;
  const tested = await submit(app, `/alerts/channels/${id}/test`);
  await app.app.channels.idle();
  expect(JSON.parse(channel.posts[0]!.text)).toMatchObject({ kind: "test", subject: "Test mail from Barkeep" });
  expect((await app.get("/alerts")).text).toContain("Test mail from Barkeep");
  const change = await app.get(`/alerts/channels/${id}`);
  for (const text of [added.text, tested.text, change.text]) {
    expect(text).not.toContain("T0K3N");
    expect(text).not.toContain(secret);
  }
  expect(change.text).toMatch(/value="run_failed" checked/);
  expect(change.text).not.toMatch(/value="gap_found" checked/);
  await submit(app, `/alerts/channels/${id}`, [
    ["name", "Ops"],
    ["kind", "webhook"],
    ["digest_minutes", "5"],
  ]);
  expect(app.app.channels.list()).toMatchObject([{ name: "Ops", enabled: false, hasSecret: true }]);
  expect((await submit(app, `/alerts/channels/${id}/delete`)).text).toContain("The channel was deleted");
  expect((await app.get(`/alerts/channels/${id}`)).status).toBe(404);
});

test("without BARKEEP_SECRET no channel is stored, and the page says why", async () => {
  await using app = await startApp();
  expect((await app.get("/alerts/channels")).text).toContain("Set BARKEEP_SECRET first");
  const refused = await submit(app, "/alerts/channels", [
    ["name", "Team"],
    ["kind", "slack"],
    ["url", "https://hooks.slack.com/x"],
    ["digest_minutes", "5"],
  ]);
  expect([refused.status, app.app.channels.list()]).toEqual([409, []]);
});
