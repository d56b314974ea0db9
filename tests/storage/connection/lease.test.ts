/** The lease: who gets it, who waits, and what becomes of the writes of a server that has lost it. */

import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { LeaseLost } from "../../../src/storage/connection/fence.ts";
import { takeLease } from "../../../src/storage/connection/lease.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

let folder: Folder;
let db: Database;
let lines: string[];
let lost: number;

beforeEach(async () => {
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
  lines = [];
  lost = 0;
});
afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

const take = (host: string, on = db) =>
  takeLease(on, { host, print: (line) => void lines.push(line), onLost: () => void lost++ });

/** Another connection to the same file, as another server has. */
async function other<T>(use: (db: Database) => Promise<T>): Promise<T> {
  const second = await openDatabase(folder.database());
  try {
    return await use(second);
  } finally {
    second.close();
  }
}

const hold = (holder: { host: string; pid: number; process?: string }, age: number) =>
  other((second) =>
    second.write([
      {
        sql: "INSERT OR REPLACE INTO settings VALUES ('server_lease', ?1, ?2)",
        args: [JSON.stringify({ id: "other", ...holder }), Date.now() - age],
      },
    ]),
  );
const held = () => db.rows("SELECT json_extract(value, '$.pid') FROM settings WHERE key = 'server_lease'", []);
const identityOf = (pid: number) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
  return { started: stat[19]!, space: readlinkSync(`/proc/${pid}/ns/pid`) };
};

describe("taking the lease", () => {
  test("the lease of a dead process of this machine is taken at once, and released at the end", async () => {
    const gone = Bun.spawn([process.execPath, "--version"], { stdout: "ignore" });
    await gone.exited;
    await hold({ host: "here", pid: gone.pid }, 0);
    const lease = await take("here");
    expect(await held()).toEqual([[process.pid]]);
    await lease.release();
    expect(await held()).toEqual([]);
  });

  test("the lease is refused while its holder is running, however long that has not renewed it", async () => {
    const alive = Bun.spawn([process.execPath, "-e", "await Bun.sleep(60_000)"]);
    await hold({ host: "here", pid: alive.pid }, 0);
    await expect(take("here")).rejects.toThrow(`process ${alive.pid} on here`);
    await hold({ host: "here", pid: alive.pid }, 17_000);
    await expect(take("here")).rejects.toThrow("has not answered for 17 s: it may be suspended");
    alive.kill();
    await alive.exited;
  });

  test.skipIf(process.platform !== "linux")(
    "another process with the pid of the holder is not taken for it",
    async () => {
      const alive = Bun.spawn([process.execPath, "-e", "await Bun.sleep(60_000)"]);
      const { started, space } = identityOf(alive.pid);
      await hold({ host: "here", pid: alive.pid, process: `${Number(started) - 100}@${space}` }, 0);
      await (await take("here")).release();
      await hold({ host: "here", pid: alive.pid, process: `${started}@${space}` }, 0);
      await expect(take("here")).rejects.toThrow(`process ${alive.pid} on here`);
      alive.kill();
      await alive.exited;
    },
  );

  test("a lease of another machine that is renewed is refused, after a line that says who is waited for", async () => {
    await hold({ host: "there", pid: 1 }, 1_000);
    let isWaiting = true;
    const refused = take("here").finally(() => {
      isWaiting = false;
    });
    refused.catch(() => {});
    while (isWaiting) {
      await hold({ host: "there", pid: 1 }, 0);
      await Bun.sleep(20);
    }
    await expect(refused).rejects.toThrow("process 1 on there");
    expect(lines).toEqual([
      expect.stringContaining("process 1 on there) has the lease of this database: waiting up to 15 s"),
    ]);
  });

  test("a lease of another machine that is minutes old by the clock is taken at once", async () => {
    await hold({ host: "there", pid: 1 }, 5 * 60_000);
    await (await take("here")).release();
    expect(lines).toEqual([]);
  });

  test("a lease of another machine that is ahead by the clock is waited for as any other, and not for longer", async () => {
    await hold({ host: "there", pid: 1 }, -60 * 60_000);
    // A whole number: the difference of two fractions 15 s apart may be less than 15 s.
    const started = Math.ceil(performance.now());
    const clock = spyOn(performance, "now").mockImplementation(() => started + (lines.length > 0 ? 15_000 : 0));
    try {
      await (await take("here")).release();
    } finally {
      clock.mockRestore();
    }
    expect(lines).toEqual([expect.stringContaining("waiting up to 15 s")]);
  });

  test("a lease that cannot be read does not keep a server from starting", async () => {
    await other((second) => second.write([{ sql: "INSERT INTO settings VALUES ('server_lease', '{', 0)", args: [] }]));
    await (await take("here")).release();
  });

  test("the lease goes to one of two servers that ask at the same moment", async () => {
    const results = await Promise.allSettled([take("a"), take("b")]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    for (const result of results) if (result.status === "fulfilled") await result.value.release();
  });
});

describe("a lost lease", () => {
  const write = (on: Database, key: string) =>
    on.write([{ sql: "INSERT INTO settings VALUES (?1, 'x', 0)", args: [key] }]);
  const keys = () =>
    db.rows("SELECT key FROM settings WHERE key NOT IN ('server_lease', 'seal:salt') ORDER BY key", []);

  test("a server whose lease another has taken writes nothing more, by any way, and calls onLost", async () => {
    const lease = await take("here");
    await write(db, "before");
    await hold({ host: "there", pid: 1 }, 0);
    await expect(write(db, "after")).rejects.toThrow(LeaseLost);
    const byOrm = async () => db.orm.run("INSERT INTO settings VALUES ('orm', 'x', 0)");
    await expect(byOrm()).rejects.toThrow();
    expect(await keys()).toEqual([["before"]]);
    expect(lost).toBeGreaterThan(0);
    await lease.release();
    expect(await held()).toEqual([[1]]);
  });

  test("every connection of the server is fenced, and those writes that waited together are all refused", async () => {
    const lease = await take("here");
    const worker = await openDatabase(folder.database());
    worker.fence(lease.value);
    await write(worker, "before");
    await hold({ host: "there", pid: 1 }, 0);
    const results = await Promise.allSettled(["a", "b", "c"].map((key) => write(worker, key)));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await keys()).toEqual([["before"]]);
    worker.close();
    await lease.release();
  });

  test("a lease that was not renewed for long is confirmed before anything is asked of a provider", async () => {
    const lease = await take("here");
    await lease.confirm();
    const clock = performance.now;
    performance.now = () => clock.call(performance) + 17_000;
    try {
      await lease.confirm();
      performance.now = () => clock.call(performance) + 34_000;
      await hold({ host: "there", pid: 1 }, 0);
      await expect(lease.confirm()).rejects.toThrow(LeaseLost);
    } finally {
      performance.now = clock;
    }
    expect(lost).toBeGreaterThan(0);
    await lease.release();
  });
});
