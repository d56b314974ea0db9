import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/storage/db.ts";
import { startHrana } from "../fakes/hrana.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { databaseContract } from "./database.contract.ts";

describe("a libSQL server", () =>
  databaseContract(async () => {
    const folder = temporaryFolder();
    const server = startHrana(undefined, new URL(await migratedDatabase(folder)).pathname);
    return {
      url: server.url,
      async close() {
        await server.close();
        folder[Symbol.dispose]();
      },
    };
  }));

describe("opening a server", () => {
  test("a libsql:// address is reached over HTTP, with the same time limits", async () => {
    const server = startHrana();
    const db = await openDatabase(`${server.url.replace("http:", "libsql:")}?tls=0`);
    expect(await db.rows("SELECT 1", [])).toEqual([[1]]);
    db.close();
    await server.close();
  });

  test("opening a remote server sends the token, and says what failed without showing it", async () => {
    const server = startHrana("s3cret");
    const db = await openDatabase(server.url, "s3cret");
    expect(await db.rows("SELECT 1", [])).toEqual([[1]]);
    db.close();
    const refused = await openDatabase(server.url, "wr0ng").catch((error: Error) => error.message);
    expect(refused).toMatch(/^The database http:\/\/127\.0\.0\.1:\d+ cannot be opened: .*401/);
    expect(refused).not.toContain("wr0ng");
    await server.close();
    const gone = await openDatabase(server.url.replace("//", "//me:pass@"), "s3cret").catch((e: Error) => e.message);
    expect(gone).toMatch(/cannot be opened/);
    expect(gone).not.toMatch(/pass|s3cret/);
  });
});
