/** The doctor also checks the mail server and what was set on the settings page. */

import { expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diagnose, examineProvider } from "../src/doctor.ts";
import { DEFAULT_ALERT_RULES } from "../src/domain/alerts.ts";
import { migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { openCipher } from "../src/storage/settings.ts";
import { valuesFor } from "./fakes/providers.ts";
import { MAIL_PASSWORD, startMailServer } from "./fakes/smtp.ts";
import { fakeBinance } from "./fakes/vendors/binance.ts";
import { fakeEodhd } from "./fakes/vendors/eodhd.ts";
import { startApp } from "./helpers/app.ts";
import { temporaryFolder } from "./helpers/folder.ts";

test("the doctor says whether the mail server accepts the login, and never the password", async () => {
  await using server = await startMailServer();
  using folder = temporaryFolder();
  const find = async (env: Record<string, string>) => {
    for await (const finding of diagnose({ BARKEEP_DB_URL: folder.database(), ...env })) {
      if (finding.what.startsWith("mail server")) return finding;
    }
    throw new Error("the doctor did not look at the mail server");
  };
  expect((await find({})).advice).toContain("SMTP_URL");
  expect(await find({ SMTP_URL: server.url, ALERT_TO: "a@b" })).toEqual({
    what: `mail server ${new URL(server.url).host}`,
    fault: null,
  });
  const url = new URL(server.url);
  url.password = "wr0ng-one";
  const wrong = await find({ SMTP_URL: url.href, ALERT_TO: "a@b" });
  expect(wrong.fault).toContain("no such login");
  expect(JSON.stringify(wrong)).not.toContain("wr0ng-one");
  expect(server.mails).toEqual([]);
});

test("the doctor says of providers that it has not contacted that it has not", async () => {
  using folder = temporaryFolder();
  const advice = new Map<string, string | undefined>();
  for await (const finding of diagnose({ BARKEEP_DB_URL: folder.database() })) advice.set(finding.what, finding.advice);
  expect(["demo", "binance", "eodhd"].map((name) => advice.get(`provider ${name}`))).toEqual([
    undefined,
    "Not contacted, as nothing is set for it: barkeep doctor --provider binance makes one request.",
    "Not contacted, as nothing is set for it: barkeep doctor --provider eodhd makes one request.",
  ]);
});

test("the doctor asks one provider, and says what it saw of quota, plan and newest bar, never the key", async () => {
  using folder = temporaryFolder();
  const db = { BARKEEP_DB_URL: folder.database() };
  const eodhd = fakeEodhd();
  eodhd.calls.used = 12;
  const good = await examineProvider({ ...db, ...(valuesFor(eodhd, "eodhd") as Record<string, string>) }, "eodhd");
  expect(good!.fault).toBeNull();
  expect(good!.seen).toContain("EODHD accepts the key (2 requests)");
  expect(good!.seen.join("\n")).toMatch(
    /quota: 12 of 100,000 a day used\n[\s\S]*newest bar: AAPL 1d \d{4}-\d\d-\d\d, close [\d.]+/,
  );
  const binance = fakeBinance();
  const pairs = await examineProvider({ ...db, BINANCE_BASE_URL: binance.url }, "binance");
  expect(pairs!.seen.join("\n")).toMatch(/Binance answers \(1 request\)[\s\S]*newest bar: BTC-USDT/);
  const wrong = await examineProvider({ ...db, EODHD_BASE_URL: eodhd.url, EODHD_API_KEY: "wr0ng-key" }, "eodhd");
  expect(wrong!.fault).toContain("check EODHD_API_KEY");
  expect(JSON.stringify([good, pairs, wrong])).not.toContain("wr0ng-key");
  expect(JSON.stringify(good)).not.toContain(eodhd.key);
  expect((await examineProvider(db, "tiingo"))!.fault).toBe("not set: TIINGO_API_KEY");
  expect(await examineProvider(db, "nobody")).toBeNull();
  await Promise.all([eodhd.close(), binance.close()]);
});

test("the doctor checks providers set on the page, and reports a key or password that it cannot decrypt", async () => {
  await using server = await startMailServer();
  using folder = temporaryFolder();
  const secret = (letter: string) => ({ BARKEEP_SECRET: Buffer.from(letter.repeat(32)).toString("base64") });
  {
    await using app = await startApp({ folder, env: secret("a") });
    const settings = new URLSearchParams({ TIINGO_API_KEY: "t0ken-of-mine", TIINGO_BASE_URL: "http://127.0.0.1:9" });
    const saved = await fetch(`${app.url}/settings/tiingo`, { method: "POST", body: settings, redirect: "manual" });
    expect(saved.status).toBe(303);
    const account = { server: server.url.replace(/:[^:/]+@/, "@"), from: "a@b", to: "a@b" };
    await app.app.mail.change(account, MAIL_PASSWORD);
  }
  const faults = async (env: Record<string, string>) => {
    const found = await Array.fromAsync(diagnose({ BARKEEP_DB_URL: folder.database(), ...env }));
    return found.flatMap(({ what, fault }) => (fault === null ? [] : [`${what}: ${fault}`]));
  };
  expect(await faults(secret("a"))).toEqual([expect.stringMatching(/^provider tiingo: cannot be reached/)]);
  expect(await faults(secret("b"))).toEqual([
    "provider tiingo: TIINGO_API_KEY is stored, but cannot be read with this BARKEEP_SECRET",
    "mail server: The mail server's password is stored, but cannot be read with this BARKEEP_SECRET",
  ]);
});

test("the doctor neither creates nor migrates a database, and advises by what is wrong with it", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "b.db");
  const find = async () => {
    for await (const finding of diagnose({ BARKEEP_DB_URL: `file:${path}` })) {
      if (finding.what.startsWith("database")) return finding;
    }
    throw new Error("the database was not looked at");
  };
  expect(await find()).toMatchObject({ fault: null, advice: expect.stringContaining("There is no file yet") });
  expect(existsSync(path)).toBe(false);

  writeFileSync(path, "no database at all, but long enough to be read as the head of one ".repeat(20));
  expect(await find()).toMatchObject({ advice: expect.stringContaining("restore the newest backup") });
  rmSync(path);

  const db = await openDatabase(`file:${path}`);
  await db.write([{ sql: "CREATE TABLE other (id INTEGER)", args: [] }]);
  expect(await find()).toMatchObject({ fault: null, advice: expect.stringContaining("next start of the server") });
  expect(await db.rows("SELECT name FROM sqlite_master", [])).toEqual([["other"]]);
  await migrateDatabase(db);
  expect(await find()).toMatchObject({ fault: null });
  await db.write([
    { sql: "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)", args: [] },
  ]);
  expect(await find()).toMatchObject({ fault: expect.stringContaining("newer Barkeep") });
  db.close();
});

test("a channel that an earlier version stored with a key that is none is named by doctor, log and page, until it is changed", async () => {
  using folder = temporaryFolder();
  const dbUrl = folder.database();
  const secret = "the secret of this test";
  const says = "its key or token wants Base64 of at least 16 bytes after whsec_. It is still used: enter another one";
  const find = async (env: Record<string, string>) =>
    (await Array.fromAsync(diagnose({ BARKEEP_DB_URL: dbUrl, ...env }))).filter(({ what }) =>
      what.startsWith("channel "),
    );
  const env = { BARKEEP_SECRET: secret };
  const target = { url: "http://127.0.0.1:9/hook", secret: "whsec_c2lnbmluZy1rZXktb2YtdGhlLXRlc3Q=", place: "" };
  let id = "";
  {
    await using app = await startApp({ env, dbUrl });
    expect(await find(env)).toEqual([]);
    const rules = DEFAULT_ALERT_RULES;
    id = await app.app.channels.save(null, { name: "Team", kind: "webhook", target, rules, enabled: true });
    expect(await find(env)).toEqual([{ what: "channel Team", fault: null }]);
  }
  const db = await openDatabase(dbUrl);
  const cipher = await openCipher(db, secret);
  const broken = await cipher.close(`channel:${id}`, JSON.stringify({ ...target, secret: "whsec_!!!!!!!!!!!!!!!!" }));
  await db.write([{ sql: "UPDATE channels SET target = ?", args: [broken] }]);
  db.close();
  const [found] = await find(env);
  expect([found!.fault, found!.advice]).toEqual([expect.stringContaining(says), "Change it on /alerts/channels."]);
  expect((await find({ BARKEEP_SECRET: "another secret of it" }))[0]!.fault).toContain("cannot be read");
  await using app = await startApp({ env, dbUrl });
  expect(app.printed.filter((line) => line.includes(says))).toHaveLength(1);
  expect((await app.get("/alerts/channels")).text).toContain(says);
  await app.app.channels.save(id, { name: "Team", kind: "webhook", target, rules: DEFAULT_ALERT_RULES, enabled: true });
  expect((await app.get("/alerts/channels")).text).not.toContain("wants Base64");
  expect(await find(env)).toEqual([{ what: "channel Team", fault: null }]);
});
