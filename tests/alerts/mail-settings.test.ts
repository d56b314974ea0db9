/** The mail server as it is set on the settings page. */

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Mailer } from "../../src/alerts/smtp.ts";
import { MAIL_PASSWORD, startMailServer } from "../fakes/smtp.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const SECRET = { BARKEEP_SECRET: "the secret of these tests" };

const submit = async (app: TestApp, fields: Record<string, string>, path = "/settings/mail") => {
  const response = await fetch(app.url + path, { method: "POST", body: new URLSearchParams(fields) });
  return { status: response.status, text: await response.text() };
};
const fieldsFor = (url: string, over: Record<string, string> = {}) => {
  const server = new URL(url);
  server.password = "";
  return { server: server.href, password: MAIL_PASSWORD, from: "b@example.com", to: "ops@example.com", ...over };
};

test("a mail server is verified before it is saved, survives a restart, and its password is shown nowhere", async () => {
  await using server = await startMailServer();
  using folder = temporaryFolder();
  const seen: string[] = [];
  {
    await using app = await startApp({ env: SECRET, folder });
    const wrong = await submit(app, fieldsFor(server.url, { password: "wr0ng-one" }));
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain("The mail server cannot be used");
    expect(wrong.text).not.toContain("wr0ng-one");
    expect(app.app.outbox.account).toBe(null);

    const saved = await submit(app, fieldsFor(server.url));
    expect(saved.text).toContain("the mail server accepted the connection");
    // Without the password again, it is kept.
    const again = await submit(app, fieldsFor(server.url, { password: "", to: "a@example.com, b@example.com" }));
    expect(again.text).toContain("a@example.com, b@example.com");
    seen.push(
      saved.text,
      again.text,
      ...app.printed,
      (await app.get("/settings")).text,
      (await app.get("/alerts")).text,
    );
  }
  await using app = await startApp({ env: SECRET, folder });
  await app.app.outbox.sendTest();
  const [mail] = await server.arrived(1);
  expect(mail!.to!.map(({ address }) => address)).toEqual(["a@example.com", "b@example.com"]);
  const files = readdirSync(folder.path).map((name) => readFileSync(join(folder.path, name), "latin1"));
  for (const text of [...seen, ...files, ...app.printed]) {
    for (const form of [MAIL_PASSWORD, encodeURIComponent(MAIL_PASSWORD)]) expect(text.includes(form)).toBe(false);
  }
});

test("a stored password is not sent to another server, and can be removed", async () => {
  await using server = await startMailServer();
  await using other = await startMailServer();
  await using app = await startApp({ env: SECRET });
  await submit(app, fieldsFor(server.url));
  const elsewhere = await submit(app, fieldsFor(other.url, { password: "" }));
  expect(elsewhere.status).toBe(422);
  expect(elsewhere.text).toContain("Enter the password again");
  await submit(app, {}, "/settings/mail/forget");
  expect(app.app.outbox.account).toBe(null);
  expect(await app.app.db.rows("SELECT key FROM settings WHERE key LIKE 'mail:%'", [])).toEqual([]);
  const entries = await app.app.db.rows("SELECT action, after ->> 'password' FROM audit ORDER BY id", []);
  expect(entries.map((entry) => [...entry])).toEqual([
    ["mail.change", "new value"],
    ["mail.forget", null],
  ]);
});

test("a password that can no longer be decrypted holds mails back, is reported where they are, and can be entered again", async () => {
  await using server = await startMailServer();
  using folder = temporaryFolder();
  {
    await using app = await startApp({ env: SECRET, folder });
    await submit(app, fieldsFor(server.url));
  }
  const other = { BARKEEP_SECRET: "another secret than before" };
  await using app = await startApp({ env: other, folder });
  await app.waitForRun(await app.start({ symbols: ["DEMO-FAIL"] }), "failed");
  await app.app.outbox.idle();
  expect((await app.get("/alerts")).text).toContain("2 events wait");
  expect((await app.get("/settings")).text).toContain("Password cannot be read");
  expect((await app.post("/alerts/test", {})).status).toBe(409);
  const empty = await submit(app, fieldsFor(server.url, { password: "" }));
  expect(empty.text).toContain("Enter the password again");
  await submit(app, fieldsFor(server.url));
  const [mail] = await server.arrived(1);
  expect(mail!.subject).toContain("DEMO-FAIL");
  expect((await app.get("/alerts")).text).not.toContain("cannot be read");
});

test("wrong mail settings are named; without a secret a password is refused; what the environment sets stays", async () => {
  await using server = await startMailServer();
  {
    await using app = await startApp();
    const refused = await submit(app, { server: "mail.example.com", from: "nobody", to: "", password: "x" });
    expect(refused.status).toBe(422);
    for (const name of ["server", "password", "from", "to"]) expect(refused.text).toContain(`id="mail-${name}-error"`);
    const hidden = await submit(app, fieldsFor(server.url, { server: "smtp://me:h1dden@127.0.0.1:1", password: "" }));
    expect(hidden.text).toContain("field of its own");
    expect(hidden.text).not.toContain("h1dden");
  }
  await using app = await startApp({ env: { SMTP_URL: server.url, ALERT_TO: "ops@example.com" } });
  expect((await submit(app, fieldsFor(server.url))).text).toContain("change it there");
  expect((await submit(app, {}, "/settings/mail/forget")).status).toBe(409);
  expect(app.app.outbox.account?.to).toEqual(["ops@example.com"]);
});

test("a password leaves this machine under TLS only, unless a setting allows it otherwise", async () => {
  await using server = await startMailServer();
  const url = new URL(server.url);
  // The same server under an address that is not a loopback one.
  url.hostname = "0.0.0.0";
  const account = { url: url.href, from: "b@example.com", to: ["ops@example.com"] };
  expect(new Mailer(account).verify()).rejects.toThrow("SMTP_PLAIN_PASSWORD=allow");
  await new Mailer({ ...account, allowsPlainPassword: true }).verify();
  await new Mailer({ ...account, url: server.url }).verify();
  // Without a password there is nothing to keep.
  const open = new URL(url);
  open.username = open.password = "";
  await new Mailer({ ...account, url: open.href }).verify();
});
