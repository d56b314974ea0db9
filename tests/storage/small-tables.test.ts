import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { currentFacts } from "../../src/domain/plan.ts";
import { deleteOldSessions, findSession, saveSession, touchSession } from "../../src/storage/access/sessions.ts";
import { listTokens, saveToken } from "../../src/storage/access/tokens.ts";
import { type ChannelRow, listChannels, storeChannel } from "../../src/storage/alerts/channels.ts";
import {
  createWatchlist,
  readWatchlists,
  renameWatchlist,
  watchlistNamed,
} from "../../src/storage/companies/watchlists.ts";
import { type Database, openDatabase } from "../../src/storage/db.ts";
import { correctFutureMoments } from "../../src/storage/future-moments.ts";
import { LogStore, readLog } from "../../src/storage/log.ts";
import { UsageStore } from "../../src/storage/quotas/usage.ts";
import { line } from "../helpers/fixtures.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

let folder: Folder;
let db: Database;
const errors: unknown[] = [];
const onError = (error: unknown) => void errors.push(error);

beforeEach(async () => {
  errors.length = 0;
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
});
afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

describe("log lines", () => {
  test("log lines are all written, in order, and read back in pages by run and symbol", async () => {
    const store = new LogStore(db, onError);
    for (let i = 0; i < 1_000; i++) {
      store.save(line({ message: `${i}`, runId: i % 2 ? "odd" : "even", symbol: i % 4 ? "A" : "B" }));
      if (i === 500) void store.flush();
    }
    await store.flush();
    const newest = await readLog(db, { limit: 3 });
    expect(newest.map(({ message }) => message)).toEqual(["999", "998", "997"]);
    const older = await readLog(db, { limit: 2, before: newest.at(-1)!.id, runId: "even" });
    expect(older.map(({ message }) => message)).toEqual(["996", "994"]);
    expect((await readLog(db, { limit: 2_000, symbol: "B" })).length).toBe(250);
    store.save(line({ message: "Retry 1/5: 100 % of HTTP_503", level: "warn" }));
    store.save(line({ message: "sma_5", level: "debug" }));
    await store.close();
    const found = async (text: string) => (await readLog(db, { text, debug: false, limit: 5 })).map((row) => row.level);
    expect(await Promise.all(["WARN retry", "100 %", "http_503"].map(found))).toEqual([["warn"], ["warn"], ["warn"]]);
    expect(await Promise.all(["http-503", "0%", "sma"].map(found))).toEqual([[], [], []]);
    expect(errors).toEqual([]);
  });

  test("log lines that cannot be written are reported, not thrown", async () => {
    const store = new LogStore(db, onError);
    await db.write([{ sql: "DROP TABLE logs", args: [] }]);
    store.save(line());
    await store.flush();
    expect(String(errors[0])).toMatch(/no such table: logs/);
  });
});

describe("usage", () => {
  const MIDNIGHT = Date.UTC(2025, 5, 16);

  test("usage survives a restart, is counted by minute and by day, and starts again at midnight UTC", async () => {
    let now = MIDNIGHT + 3_600_000;
    const store = await UsageStore.open(db, onError, () => now);
    store.count("demo", 5);
    store.count("demo", 1, 0);
    now += 120_000;
    store.count("demo", 2);
    await store.flush();
    const again = await UsageStore.open(db, onError, () => now);
    const expected = [{ provider: "demo", lastMinute: { requests: 1, units: 2 }, today: { requests: 2, units: 8 } }];
    expect(again.usage()).toEqual(expected);
    again.count("demo", 1);
    await again.flush();
    now = MIDNIGHT + 86_400_000;
    const tomorrow = await UsageStore.open(db, onError, () => now);
    expect(tomorrow.usage().every(({ today }) => today.requests === 0)).toBe(true);
    expect(await db.rows("SELECT sum(requests), sum(units) FROM api_usage", [])).toEqual([[3, 9]]);
  });
});

describe("usage when the clock is set", () => {
  const NOON = Date.UTC(2025, 5, 16, 12);

  test.each([3_600_000, 86_400_000, 7 * 86_400_000])(
    "no day's count is lost by a clock that is %d ms off for a while",
    async (by) => {
      for (const sign of [1, -1]) {
        await db.write([{ sql: "DELETE FROM api_usage", args: [] }]);
        let now = NOON;
        const store = await UsageStore.open(db, onError, () => now);
        store.count("demo", 1);
        now += sign * by;
        await store.reload();
        store.count("demo", 1);
        now -= sign * by;
        await store.reload();
        store.count("demo", 1);
        await store.flush();
        const [usage] = store.usage();
        expect(usage!.lastMinute.requests).toBe(2);
        expect(usage!.today.requests).toBeGreaterThanOrEqual(2);
        expect(await db.rows("SELECT sum(requests) FROM api_usage", [])).toEqual([[3]]);
      }
    },
  );

  test("requests are stored with what else is written when they are sent, and taken back if that fails", async () => {
    const store = await UsageStore.open(db, onError, () => NOON);
    const before = Number((await db.rows("SELECT sum(requests) FROM api_usage", []))[0]![0]);
    const sent = store.spend([
      { provider: "acme", cost: 5 },
      { provider: "acme", cost: 1 },
    ]);
    await db.write(sent.writes);
    expect(store.usage().find(({ provider }) => provider === "acme")?.today).toEqual({ requests: 2, units: 6 });
    expect(await db.rows("SELECT sum(requests) FROM api_usage", [])).toEqual([[before + 2]]);
    store.spend([{ provider: "acme", cost: 7 }]).undo();
    await store.flush();
    expect(store.usage().find(({ provider }) => provider === "acme")?.today).toEqual({ requests: 2, units: 6 });
    expect(await db.rows("SELECT sum(requests) FROM api_usage", [])).toEqual([[before + 2]]);
  });
});

describe("the last hour of requests", () => {
  test("the last hour of requests is kept minute by minute, over midnight and a restart", async () => {
    const midnight = Date.UTC(2025, 5, 16);
    let now = midnight - 30 * 60_000;
    const store = await UsageStore.open(db, onError, () => now);
    store.count("demo", 1);
    store.count("demo", 1);
    now = midnight + 61_000;
    store.count("acme", 5);
    await store.flush();
    for (const each of [store, await UsageStore.open(db, onError, () => now)]) {
      const minutes = each.minutes(60);
      expect(minutes.get("demo")!.indexOf(2)).toBe(28);
      expect(minutes.get("acme")!.at(-1)).toBe(1);
      now += 60_000;
      expect(each.minutes(60).get("acme")!.at(-2)).toBe(1);
      now += 60 * 60_000;
      expect(each.minutes(60).size).toBe(0);
      now = midnight + 61_000;
    }
  });
});

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 29);
const LATER = NOW + 3_650 * DAY;

const insert = (at: number) => [
  `INSERT INTO tokens (id, name, hash, scope, created_at, last_used_at) VALUES (1, 't', 'h', 'read', 1, ${at})`,
  `INSERT INTO sessions (hash, created_at, expires_at, last_used_at, address, agent) VALUES ('s', ${at}, ${at + DAY}, ${at}, '', '')`,
  `INSERT INTO plan_facts (account, kind, scope, value, words, seen_at) VALUES ('a', 'history', 'US 1d', 1, 'w', ${at})`,
  `INSERT INTO company_lists (provider, exchange, companies, fetched_at) VALUES ('eodhd', 'US', 5, ${at})`,
  `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions, revised_at) VALUES
    (1, 'AAPL', 'demo', 'x', '1d', 'none', 'regular', ${at})`,
  `INSERT INTO api_usage (provider, minute, requests, units) VALUES ('demo', ${Math.floor(at / 1000)}, 1, 1)`,
  `INSERT INTO channels (id, name, kind, target, host, rules, enabled, since, created_at) VALUES ('c', 'n', 'ntfy', '', '', '{}', 1, ${at}, 1)`,
  `INSERT INTO quotas (account, period, started_at, used) VALUES ('demo:1', 'hold', ${Math.floor(at / 1000)}, 0)`,
];
const all = async (...queries: string[]) =>
  Promise.all(queries.map(async (sql) => (await db.rows(sql, []))[0] ?? null));
const stored = () =>
  all(
    "SELECT last_used_at FROM tokens",
    "SELECT created_at, last_used_at, expires_at FROM sessions",
    "SELECT seen_at FROM plan_facts",
    "SELECT fetched_at FROM company_lists",
    "SELECT revised_at, suspect_at FROM series",
    "SELECT minute FROM api_usage",
    "SELECT since FROM channels",
    "SELECT started_at FROM quotas",
  );

test("moments in the future are put right, and each kind is said once", async () => {
  await db.write(insert(LATER).map((sql) => ({ sql, args: [] })));
  const lines = await correctFutureMoments(db, NOW);
  expect(lines.length).toBe(9);
  for (const line of lines) expect(line).toMatch(/^The clock was set back: 1 \w/);
  expect(await stored()).toEqual([
    [NOW],
    [NOW, NOW, NOW + 14 * DAY],
    null,
    [0],
    [NOW, null],
    [NOW / 1_000],
    [NOW],
    null,
  ]);
  expect(await correctFutureMoments(db, NOW)).toEqual([]);
});

test("moments of the last minutes, and of clocks that differ by seconds, are left as they are", async () => {
  await db.write(insert(NOW + 20_000).map((sql) => ({ sql, args: [] })));
  const before = await stored();
  expect(await correctFutureMoments(db, NOW)).toEqual([]);
  expect(await stored()).toEqual(before);
});

test("requests that were counted in the future count today, so that a day is never below what was sent", async () => {
  const noon = NOW + DAY / 2;
  let now = noon;
  const store = await UsageStore.open(db, onError, () => now);
  store.count("demo", 2);
  store.count("acme", 1);
  now += 300 * DAY;
  store.count("demo", 3);
  now += 60_000;
  store.count("demo", 5);
  await store.flush();
  now = noon + 120_000;
  // Twice: what is put right is not put right again.
  for (let time = 0; time < 2; time++) await correctFutureMoments(db, now);
  await store.reload();
  for (const each of [store, await UsageStore.open(db, onError, () => now)]) {
    const spent = each.usage().map(({ provider, lastMinute, today }) => [provider, lastMinute.units, today]);
    expect(spent.toSorted()).toEqual([
      ["acme", 0, { requests: 1, units: 1 }],
      ["demo", 0, { requests: 3, units: 10 }],
    ]);
  }
});

test("a sign-in by a clock that is set ahead ends no other session, and tidying ends them by a time that is right", async () => {
  const session = { tokenId: null, address: "", agent: "" };
  setSystemTime(NOW);
  await saveSession(db, { ...session, hash: "first", expiresAt: NOW + 14 * DAY });
  setSystemTime(LATER);
  await saveSession(db, { ...session, hash: "second", expiresAt: LATER + 14 * DAY });
  setSystemTime();
  expect(await findSession(db, "first", NOW + DAY)).toBeDefined();
  await deleteOldSessions(db, NOW + DAY);
  expect(await findSession(db, "first", NOW + DAY)).toBeDefined();
  await deleteOldSessions(db, NOW + 4 * DAY);
  expect(await db.rows("SELECT hash FROM sessions", [])).toEqual([["second"]]);
});

test("a login session that was used in the future ends when it is not used, after one more use", async () => {
  await saveSession(db, { hash: "s", tokenId: null, expiresAt: NOW + 10 * DAY, address: "", agent: "" });
  await db.write([{ sql: "UPDATE sessions SET created_at = ?1, last_used_at = ?1", args: [LATER] }]);
  await touchSession(db, "s", NOW);
  expect((await findSession(db, "s", NOW))?.usedAt).toBe(NOW);
  expect(await findSession(db, "s", NOW + 4 * DAY)).toBeUndefined();
});

test("what a plan was seen to leave out in the future is asked for again", () => {
  const fact = { kind: "history", scope: "US 1d", value: 1, words: "w" } as const;
  const seen = [NOW - DAY, NOW + DAY, NOW - 8 * DAY].map((seenAt) => ({ ...fact, seenAt }));
  expect(currentFacts(seen, NOW).map(({ seenAt }) => seenAt)).toEqual([NOW - DAY]);
});

describe("names", () => {
  const namesOf = (rows: readonly { name: string }[]) => rows.map(({ name }) => name);
  const channel = (id: string, name: string): ChannelRow => ({
    ...{ id, name, kind: "ntfy", target: "", host: "", rules: {} as ChannelRow["rules"], enabled: true },
    ...{ since: 0, createdAt: 0 },
  });
  const token = (name: string) => saveToken(db, { name, scope: "read", hash: name, expiresAt: null });

  test("names of watchlists, tokens and channels that differ only in case are the same name, in any alphabet", async () => {
    await createWatchlist(db, "Öl", []);
    await token("Größe");
    await storeChannel(db, channel("1", "Πύργος"), undefined);
    await expect(createWatchlist(db, "ÖL", [])).rejects.toThrow("There is already a watchlist named ÖL");
    await expect(token("GRÖSSE")).rejects.toThrow("There is already a token named GRÖSSE");
    await expect(storeChannel(db, channel("2", "ΠΎΡΓΟΣ"), undefined)).rejects.toThrow("already a channel named ΠΎΡΓΟΣ");
    await createWatchlist(db, "Ol", []);
    expect(namesOf(await readWatchlists(db))).toEqual(["Ol", "Öl"]);
    expect(namesOf(await listTokens(db))).toEqual(["Größe"]);
    expect(namesOf(await listChannels(db))).toEqual(["Πύργος"]);
  });

  test("of two equal names that are given at once only one is stored", async () => {
    const both = await Promise.allSettled([createWatchlist(db, "Ä", []), createWatchlist(db, "ä", [])]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(namesOf(await readWatchlists(db))).toEqual(["Ä"]);
  });

  test("the case of a name can be changed, and a name from before this rule stays and can be kept", async () => {
    const id = await createWatchlist(db, "öl", []);
    await renameWatchlist(db, id, "ÖL");
    await db.write([{ sql: "INSERT INTO watchlists (name, created_at) VALUES ('öl', 0)", args: [] }]);
    await renameWatchlist(db, id, "ÖL");
    await expect(renameWatchlist(db, id, "Öl")).rejects.toThrow("There is already a watchlist named Öl");
    expect(namesOf(await readWatchlists(db)).sort()).toEqual(["ÖL", "öl"]);
  });

  test("a watchlist is found by its name in whatever case, and of two from before this rule by the very name", async () => {
    const id = await createWatchlist(db, "Öl und Gas", []);
    expect((await watchlistNamed(db, "ÖL  und gas ")).id).toBe(id);
    await db.write([{ sql: "INSERT INTO watchlists (name, created_at) VALUES ('öl und gas', 0)", args: [] }]);
    expect((await watchlistNamed(db, "öl und gas")).name).toBe("öl und gas");
    expect((await watchlistNamed(db, "Öl und Gas")).id).toBe(id);
    await expect(watchlistNamed(db, "Ol und Gas")).rejects.toThrow('There is no watchlist named "Ol und Gas"');
  });

  test("lists are sorted by name as a reader expects it, whatever the letters", async () => {
    for (const name of ["Zink", "Äpfel", "birnen", "Liste 10", "Liste 9"]) await createWatchlist(db, name, []);
    expect(namesOf(await readWatchlists(db))).toEqual(["Äpfel", "birnen", "Liste 9", "Liste 10", "Zink"]);
  });
});
