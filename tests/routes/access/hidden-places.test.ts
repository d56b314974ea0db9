import { expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { composeMail } from "../../../src/alerts/compose.ts";
import { hashSecret, newSecret, TOKEN_PREFIX } from "../../../src/auth.ts";
import type { AlertEvent } from "../../../src/domain/alerts.ts";
import { traceOf } from "../../../src/domain/errors.ts";
import { RULES } from "../../../src/scheduler/hosts/rules.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import { postMail } from "../../../src/storage/alerts/outbox.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { ask } from "../../helpers/http.ts";
import { PASSWORD } from "../../helpers/password.ts";

const PAGES = [
  ...["/", "/runs", "/hosts", "/alerts", "/alerts/mails/backup_failed", "/alerts/mails/queue_down", "/storage"],
  ...["/settings", "/lake/_manifest.json", "/metrics", "/readyz", "/healthz"],
  ...["/api/logs?limit=1000", "/api/alerts", "/api/lake", "/api/hosts", "/api/storage", "/api/runs", "/api/providers"],
] as const;

/** What an admin chose or the system said, and no reader sees. */
const ADDRESSES = ["token of another", "10.1.2.3", "mail.internal", "redis.internal", "ops@example.com"] as const;

async function bearer(app: TestApp, scope: "read" | "admin", name: string = scope) {
  const secret = newSecret(TOKEN_PREFIX);
  await saveToken(app.app.db, {
    name,
    scope,
    hash: hashSecret(secret),
    expiresAt: null,
  });
  return { Authorization: `Bearer ${secret}`, Accept: "text/html, application/json" };
}

async function post(app: TestApp, event: AlertEvent) {
  const [id, createdAt] = [event.kind, Date.now()];
  const mail = composeMail(event.kind, [event], app.url);
  await postMail(app.app.db, { ...mail, id, kind: event.kind, recipients: "ops@example.com", createdAt }, []);
}

test("readers find no path and no address of the server on any page, in the log or in JSON, and admins find the reasons", async () => {
  using folder = temporaryFolder();
  const [lake, backups] = [join(folder.path, "own-lake"), join(folder.path, "own-backups")];
  writeFileSync(lake, "a file where the folder should be");
  mkdirSync(backups);
  await using app = await startApp({
    env: { BARKEEP_PASSWORD: PASSWORD, BARKEEP_LAKE: lake, BARKEEP_CSV_DIR: folder.path },
  });
  const { app: server, printed } = app;
  const reader = await bearer(app, "read");
  const other = await bearer(app, "read", "token of another");
  const admin = await bearer(app, "admin");

  await server.backups.change({ folder: backups, at: null, keep: 1 });
  await server.backups.backUpNow();
  rmSync(backups, { recursive: true });
  await server.backups.backUpNow();
  await server.backups.idle();
  await server.lake.rebuild(() => {}).catch(() => {});
  const registration = { rules: RULES, version: "0.2.0", host: "rack-1", cores: 1, memory: 1e9, jobs: 1 };
  const from = { token: "t", address: "10.1.2.3", mayHaveKeys: true };
  server.hosts.register({ ...registration, providers: null, intervals: null }, from);
  const fault = { reason: "the folder does not exist", advice: "Create it." };
  await post(app, { kind: "backup_failed", at: 1, folder: backups, ...fault });
  const queue = { what: "The job queue does not answer", detail: "redis.internal:6379", advice: "Start it." };
  await post(app, { kind: "queue_down", at: 1, since: 1, ...queue });
  const refusal = "mail.internal:587: 550 no <ops@example.com>";
  await server.db.write([{ sql: "update mails set state = 'failed', error = ?", args: [refusal] }]);
  const error = new Error(`ENOENT: no such file or directory, open '${folder.path}/own-file'`);
  server.log.write("error", traceOf(error));

  expect((await ask(`${app.url}/api/audit`, { headers: other })).status).toBe(403);

  for (const path of PAGES) {
    const { text } = await ask(app.url + path, { headers: reader });
    const found = [folder.path, process.cwd(), ...ADDRESSES].filter((place) => text.includes(place));
    expect([path, found]).toEqual([path, []]);
  }
  const shown = async (path: string) => (await ask(app.url + path, { headers: admin })).text;
  expect(await shown("/api/lake")).toContain(lake);
  expect(await shown("/alerts/mails/backup_failed")).toContain(backups);
  expect(await shown("/api/alerts")).toContain("mail.internal");
  for (const path of ["/settings", "/api/providers"]) expect(await shown(path)).toContain(`"${folder.path}"`);
  const lines = printed.join("\n");
  for (const words of [
    `Backup made (${join(backups, "barkeep-")}`,
    `The backup failed (to ${backups}: the folder does not exist. `,
    "Refused: GET /api/audit (token of another: ",
    "Worker rack-1 (0.2.0, 1 cores) has come (10.1.2.3)",
    `open '${folder.path}/own-file'`,
  ])
    expect(lines).toContain(words);
  expect(lines).toMatch(/The lake could not be written, which is tried again every minute \(.*own-lake/);
});
