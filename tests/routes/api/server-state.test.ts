/** What the API says of providers and alerts: as their pages, and never a key or, to a reader, an address. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { hashSecret, newSecret } from "../../../src/auth.ts";
import type { Scope } from "../../../src/domain/access.ts";
import { accountFor, PROVIDERS } from "../../../src/providers/registry.ts";
import { saveToken } from "../../../src/storage/access/tokens.ts";
import { postMail } from "../../../src/storage/alerts/outbox.ts";
import { learnPlanFacts } from "../../../src/storage/quotas/plan-facts.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { ask } from "../../helpers/http.ts";
import { PASSWORD_HASH } from "../../helpers/password.ts";

setDefaultTimeout(60_000);

const KEY = "k3y-of-the-owner";
let app: TestApp;
const tokens = new Map<Scope, string>();
beforeAll(async () => {
  app = await startApp({
    env: {
      BARKEEP_PASSWORD_HASH: PASSWORD_HASH,
      EODHD_API_KEY: KEY,
      SMTP_URL: "smtp://sender:hidden-word@127.0.0.1:9",
      ALERT_TO: "owner@example.com",
    },
  });
  const { db } = app.app;
  for (const scope of ["read", "admin"] as const) {
    const secret = newSecret("bk_");
    await saveToken(db, { name: scope, scope, hash: hashSecret(secret), expiresAt: null });
    tokens.set(scope, secret);
  }
  const from = Date.UTC(2024, 10, 27) / 1_000;
  await learnPlanFacts(db, accountFor("eodhd", app.app.settings.values), [
    { kind: "history", scope: "US 1d", value: from, words: "a year", seenAt: Date.now() },
    { kind: "recent", scope: "US 1m", value: 2, words: "", seenAt: Date.now() },
    { kind: "exchange", scope: "LSE", value: 0, words: "too old to be relied on", seenAt: 0 },
  ]);
  for (const [i, id] of ["a", "b", "c"].entries()) {
    const mail = { recipients: "owner@example.com", subject: `Mail ${id}`, text: "", html: "", createdAt: 1_000 + i };
    await postMail(db, { id, kind: "job_failed", ...mail }, []);
  }
  const failed = "UPDATE mails SET state = 'failed', leased_until = NULL, error = 'owner@example.com: no such box'";
  await db.write([{ sql: failed, args: [] }]);
});
afterAll(() => app[Symbol.asyncDispose]());

const get = (scope: Scope, path: string) =>
  ask(app.url + path, { headers: { Authorization: `Bearer ${tokens.get(scope)}` } });

test("the API lists the providers with what they need, the plan as it was seen and the limits, and no key", async () => {
  const { status, body, text } = await get("read", "/api/providers");
  expect(status).toBe(200);
  expect(body.providers.map(({ name }: { name: string }) => name)).toEqual(PROVIDERS.map(({ name }) => name));
  expect(text).not.toContain(KEY);
  const named = (wanted: string) => body.providers.find(({ name }: { name: string }) => name === wanted);
  const eodhd = named("eodhd");
  expect([eodhd.usable, eodhd.missing]).toEqual([true, []]);
  expect(eodhd.settings[0]).toMatchObject({ variable: "EODHD_API_KEY", source: "environment", value: null });
  const facts = eodhd.plan.toSorted((a: { kind: string }, b: { kind: string }) => a.kind.localeCompare(b.kind));
  expect(facts).toEqual([
    {
      ...{ kind: "history", scope: "US 1d", from: "2024-11-27T00:00:00.000Z", days: null },
      ...{ text: "US 1d: nothing before 2024-11-27 (a year)", seen_at: expect.any(String) },
    },
    expect.objectContaining({ kind: "recent", from: null, days: 2, text: "US 1m: not today and the 2 days before" }),
  ]);
  const { body: usage } = await get("read", "/api/usage");
  const { provider: _, ...same } = usage.usage.find(({ provider }: { provider: string }) => provider === "eodhd");
  expect(eodhd.usage).toEqual(same);
  expect(same.limits.length).toBeGreaterThan(0);
  expect(named("tiingo")).toMatchObject({ usable: false, missing: ["TIINGO_API_KEY"], plan: [] });
  expect([named("demo").usable, named("demo").intervals]).toEqual([true, null]);
});

test("the API gives the alerts to an admin with their addresses, to a reader without any", async () => {
  const { status, body } = await get("admin", "/api/alerts?limit=2");
  expect(status).toBe(200);
  expect(body.mail).toEqual({ set: true, unreadable: false, host: "127.0.0.1:9", to: ["owner@example.com"] });
  expect(body.rules).toMatchObject({ quota_percent: 80, digest_minutes: 15, quiet: null });
  expect(body.rules.on).toContain("job_failed");
  expect(body.rules.on).not.toContain("daily_summary");
  expect(body.messages.map(({ id }: { id: string }) => id)).toEqual(["c", "b"]);
  expect(body.messages[0]).toMatchObject({
    ...{ kind: "job_failed", recipients: "owner@example.com", state: "failed", channel_id: null },
    ...{ error: "owner@example.com: no such box", created_at: "1970-01-01T00:00:01.002Z", sent_at: null },
  });
  const { body: older } = await get("admin", `/api/alerts?limit=2&before=${body.older}`);
  expect(older.messages.map(({ id }: { id: string }) => id)).toEqual(["a"]);
  expect(older.older).toBeNull();

  const { body: seen, text } = await get("read", "/api/alerts");
  expect(text).not.toMatch(/example\.com|hidden-word|127\.0\.0\.1/);
  expect(seen.mail).toEqual({ set: true, unreadable: false, host: null, to: null });
  expect(seen.messages[0]).toMatchObject({ recipients: null, error: "admins see the reason" });
  expect((await get("admin", "/api/alerts?state=sent")).body.messages).toEqual([]);
  expect((await get("admin", "/api/alerts?state=lost")).status).toBe(422);
});

test("the API says nothing of providers or alerts without a token", async () => {
  const statuses = ["/api/providers", "/api/alerts"].map(async (path) => (await fetch(app.url + path)).status);
  expect(await Promise.all(statuses)).toEqual([401, 401]);
});
