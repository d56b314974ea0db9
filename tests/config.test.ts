import { describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { queuePlaceName } from "../src/config/places.ts";
import { ConfigError } from "../src/config/reader.ts";
import { isMailAddress, readConfig } from "../src/config.ts";
import { PROVIDERS } from "../src/providers/registry.ts";
import { migratedDatabase, temporaryFolder } from "./helpers/folder.ts";
import { spawnServer } from "./helpers/server.ts";

const read = (env: Record<string, string>) => readConfig(env, PROVIDERS);
const faultsOf = (env: Record<string, string>) => {
  try {
    read(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
};

test("without any variable every setting has a working default", () => {
  const config = read({});
  expect(config).toMatchObject({
    port: 3000,
    host: "127.0.0.1",
    dbUrl: "file:data/barkeep.db",
    provider: "demo",
    logLevel: "info",
  });
  expect(config.workers).toBeGreaterThan(0);
  expect(read({ BARKEEP_WORKERS: "64" }).workers).toBe(Math.max(2, availableParallelism()));
  expect(read({ PORT: "", HOST: "  ", BARKEEP_WORKERS: "" })).toEqual(config);
});

describe("a wrong value is refused with the variable, what it held and what it wants", () => {
  const wrong: [string, string, RegExp][] = [
    ["PORT", "http", /whole number from 0 to 65535/],
    ["PORT", "65536", /whole number/],
    ["PORT", "-1", /whole number/],
    ["PORT", "1e3", /whole number/],
    ["HOST", "not a host", /host name/],
    ["BARKEEP_DB_URL", "data/barkeep.db", /file:PATH/],
    ["BARKEEP_DB_URL", "postgres://x", /file:PATH/],
    ["BARKEEP_DB_URL", "file://data/barkeep.db", /one slash or three/],
    ["BARKEEP_DB_URL", "file::memory:", /file:PATH/],
    ["BARKEEP_DB_URL", "wss://db.example", /file:PATH/],
    ["BARKEEP_WORKERS", "0", /from 1 to 64/],
    ["BARKEEP_WORKERS", "two", /from 1 to 64/],
    ["BARKEEP_PROVIDER", "nobody", /one of demo, files/],
    ["BARKEEP_LOG_LEVEL", "verbose", /one of debug, info, warn, error/],
    ["DEMO_LATENCY_MS", "-5", /whole number/],
    ...PROVIDERS.flatMap(({ settings }) => settings)
      .filter(({ kind }) => kind === "url")
      .map(({ variable }): [string, string, RegExp] => [variable, "example.com", /http/]),
  ];
  for (const [variable, held, wants] of wrong) {
    test(`${variable}=${held} is refused with what is expected`, () => {
      expect(faultsOf({ [variable]: held })).toEqual([{ variable, value: held, wants: expect.stringMatching(wants) }]);
    });
  }

  for (const { name, settings } of PROVIDERS) {
    const required = settings.filter((setting) => setting.required).map(({ variable }) => variable);
    if (required.length === 0) continue;
    test(`BARKEEP_PROVIDER=${name} without ${required.join(", ")}`, () => {
      expect(faultsOf({ BARKEEP_PROVIDER: name }).map(({ variable }) => variable)).toEqual(required);
    });
  }
});

test("all faults are reported at once, and no secret with them", () => {
  const secret = "s3cr3t-t0k3n";
  const env = {
    PORT: "x",
    BARKEEP_WORKERS: "x",
    BARKEEP_LOG_LEVEL: "x",
    BARKEEP_DB_URL: `mysql://user:${secret}@db.example/x?authToken=${secret}`,
    BARKEEP_DB_TOKEN: secret,
    EODHD_API_KEY: secret,
    EODHD_BASE_URL: `ftp://user:${secret}@x/?api_token=${secret}`,
  };
  const faults = faultsOf(env);
  expect(faults.map(({ variable }) => variable).toSorted()).toEqual(
    ["BARKEEP_DB_URL", "BARKEEP_LOG_LEVEL", "BARKEEP_WORKERS", "EODHD_BASE_URL", "PORT"].toSorted(),
  );
  expect(JSON.stringify(faults)).not.toContain(secret);
  expect(new ConfigError(faults).message).not.toContain(secret);
});

describe("the server", () => {
  test("the server stops with one message that names every wrong setting, and without a stack trace", async () => {
    using folder = temporaryFolder();
    const server = spawnServer({ BARKEEP_DB_URL: folder.database(), PORT: "high", BARKEEP_WORKERS: "many" });
    const listening = server.listening.catch((error: Error) => error.message);
    expect(await server.process.exited).toBe(1);
    const said = String(await listening);
    expect(said).toContain('PORT is "high": wants a whole number from 0 to 65535');
    expect(said).toContain('BARKEEP_WORKERS is "many": wants a whole number from 1 to 64');
    expect(said).not.toMatch(/\bat .*\.ts:\d+/);
  });

  test("the server names a database that cannot be opened", async () => {
    using folder = temporaryFolder();
    await Bun.write(
      `${folder.path}/note.db`,
      "this is a text, and a rather long one, but no database at all ".repeat(20),
    );
    const server = spawnServer({ BARKEEP_DB_URL: folder.database("note.db") });
    const listening = server.listening.catch((error: Error) => error.message);
    expect(await server.process.exited).toBe(1);
    expect(String(await listening)).toMatch(/note\.db cannot be opened: .*not a database/);
  });

  test("the server refuses a database on which another server works, and says what to do", async () => {
    using folder = temporaryFolder();
    const url = await migratedDatabase(folder);
    const start = () => spawnServer({ BARKEEP_DB_URL: url, BARKEEP_WORKERS: "1" });
    const first = start();
    await first.listening;
    const second = start();
    const refused = String(await second.listening.catch((error: Error) => error.message));
    expect(refused).toContain(`Another Barkeep (process ${first.process.pid} on `);
    expect(await first.stop()).toBe(0);
    const third = start();
    expect((await (await third.listening).get("/readyz")).body.database).toBe(true);
    expect(await third.stop()).toBe(0);
  });
});

describe("alerts by mail", () => {
  const SMTP_URL = "smtp://user:p%40ss@mail.example.com:587";

  test("alerts by mail need a server and recipients; the sender is the first of them", () => {
    expect(read({}).mail).toBeUndefined();
    expect(read({ SMTP_URL, ALERT_TO: "Ops <ops@example.com>, b@example.com" }).mail).toEqual({
      url: SMTP_URL,
      from: "Ops <ops@example.com>",
      to: ["Ops <ops@example.com>", "b@example.com"],
    });
    expect(read({ SMTP_URL, ALERT_TO: "a@b", ALERT_FROM: "c@d" }).mail?.from).toBe("c@d");
  });

  test.each([
    [{ SMTP_URL }, "ALERT_TO"],
    [{ ALERT_TO: "a@b" }, "SMTP_URL"],
    [{ ALERT_FROM: "a@b" }, "SMTP_URL"],
    [{ SMTP_URL: "mail.example.com:25", ALERT_TO: "a@b" }, "SMTP_URL"],
    [{ SMTP_URL: "http://mail.example.com", ALERT_TO: "a@b" }, "SMTP_URL"],
    [{ SMTP_URL: "smtp://u:%ZZ@mail.example.com", ALERT_TO: "a@b" }, "SMTP_URL"],
    [{ SMTP_URL, ALERT_TO: "nobody" }, "ALERT_TO"],
    [{ SMTP_URL, ALERT_TO: "a@b, c d@e" }, "ALERT_TO"],
    [{ SMTP_URL, ALERT_TO: "a@b", ALERT_FROM: "x\r\ny@z" }, "ALERT_FROM"],
    [{ BARKEEP_URL: "barkeep.example.com" }, "BARKEEP_URL"],
  ] as [Record<string, string>, string][])("%j names %s", (env, variable) => {
    expect(faultsOf(env).map((fault) => fault.variable)).toEqual([variable]);
  });

  test("the configuration of mail never prints the password", () => {
    const faults = faultsOf({ SMTP_URL: "smtq://user:s3cr3t/with@slash@host", ALERT_TO: "a@b" });
    expect(JSON.stringify(faults)).not.toContain("s3cr3t");
  });
});

test("trusted proxies are addresses and networks", () => {
  const read = (BARKEEP_TRUSTED_PROXIES: string) => readConfig({ BARKEEP_TRUSTED_PROXIES }, PROVIDERS).trustedProxies;
  expect(read("")).toEqual([]);
  expect(read("127.0.0.1, 10.0.0.0/8,fd00::/8")).toEqual(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]);
  for (const wrong of ["proxy.example", "10.0.0.0/33", "10.0.0.0/8/8", "*", "300.1.1.1", "1.2.3.4/"]) {
    expect(() => read(wrong)).toThrow("BARKEEP_TRUSTED_PROXIES");
  }
});

test("the series with features in the lake are named by interval or one by one", () => {
  expect(read({}).lakeFeatures).toEqual([]);
  expect(read({ BARKEEP_LAKE_FEATURES: "1d, brk.b:1m,vod@lse:1h" }).lakeFeatures).toEqual([
    "1d",
    "BRK.B:1m",
    "VOD@LSE:1h",
  ]);
  for (const value of ["2d", "AAPL", "AAPL:1w", "1d;1h", "1d,,1h"]) {
    const wants = "all, or intervals and series such as 1d, AAPL:1m, with commas between";
    expect(faultsOf({ BARKEEP_LAKE_FEATURES: value })).toEqual([{ variable: "BARKEEP_LAKE_FEATURES", value, wants }]);
  }
});

test("the lake is a folder or a bucket of S3 with its key, and another address is refused without its password", () => {
  expect(read({}).lake).toBeUndefined();
  expect(read({ BARKEEP_LAKE: "/srv/lake" }).lake).toEqual({ type: "folder", path: "/srv/lake" });
  const key = { S3_ACCESS_KEY_ID: "AKIA", S3_SECRET_ACCESS_KEY: "secret" };
  const place = {
    type: "s3",
    bucket: "prices",
    prefix: "a/b",
    accessKeyId: "AKIA",
    secretAccessKey: "secret",
  } as const;
  expect(read({ BARKEEP_LAKE: "s3://prices/a/b/", ...key }).lake).toEqual({
    ...{ ...place, region: "us-east-1", endpoint: "https://s3.us-east-1.amazonaws.com" },
  });
  const own = { S3_ENDPOINT: "http://127.0.0.1:9000", S3_REGION: "auto" };
  expect(read({ BARKEEP_LAKE: "s3://prices", ...own, ...key }).lake).toEqual({
    ...{ ...place, prefix: "", region: "auto", endpoint: "http://127.0.0.1:9000" },
  });
  expect(faultsOf({ BARKEEP_LAKE: "s3://prices", S3_ENDPOINT: "minio:9000" })).toEqual([
    { variable: "S3_ENDPOINT", value: "minio:9000", wants: "an http:// or https:// URL" },
    { variable: "S3_ACCESS_KEY_ID", value: "", wants: "the bucket's key: BARKEEP_LAKE is s3://…" },
    { variable: "S3_SECRET_ACCESS_KEY", value: "", wants: "the bucket's key: BARKEEP_LAKE is s3://…" },
  ]);
  for (const lake of [
    "https://me:secret@example.com/lake",
    "s3://",
    "s3://UPPER/x",
    "s3://prices//x",
    "s3://prices/../x",
  ]) {
    const [fault, ...others] = faultsOf({ BARKEEP_LAKE: lake, ...key });
    expect(others).toEqual([]);
    const value = lake.replace("me:secret", "***");
    expect(fault).toEqual({ variable: "BARKEEP_LAKE", value, wants: "a folder, or s3://bucket/prefix" });
  }
});

test("the job queue is in Redis or PostgreSQL, and a wrong address is reported without its password", () => {
  expect(read({}).queue).toBeUndefined();
  const redis = ["redis://:pw@queue:6379/1", "rediss://queue"];
  const postgres = ["postgres://u:p%40w@db/jobs", "postgresql://u@db/jobs"];
  for (const url of redis) expect(read({ BARKEEP_QUEUE: url }).queue).toEqual({ kind: "redis", url });
  for (const url of postgres) expect(read({ BARKEEP_QUEUE: url }).queue).toEqual({ kind: "postgres", url });
  expect(queuePlaceName({ kind: "postgres", url: postgres[0]! })).toBe("postgres://db/jobs");
  for (const [value, shown] of [
    ["localhost:6379", "localhost:6379"],
    ["mysql://u:hunter2@db/jobs", "***@db/jobs"],
    ["redis://:hunter%2@queue", "***@queue"],
    ["redis://", "redis://"],
    ["u:hunter2@queue", "***@queue"],
  ] as const) {
    const wants = "redis://HOST:6379 or postgres://USER:PASSWORD@HOST/DATABASE (special characters as %40)";
    expect(faultsOf({ BARKEEP_QUEUE: value })).toEqual([{ variable: "BARKEEP_QUEUE", value: shown, wants }]);
  }
});

test("a mail address has no control character, comment or quote in it: no mail could be sent to it, or to another one", () => {
  for (const right of [
    "a@b",
    "Ops (night) <ops@example.com>",
    "ops@bücher.example",
    "a@[127.0.0.1]",
    "öps+x@example.com",
  ])
    expect([right, isMailAddress(right)]).toEqual([right, true]);
  for (const wrong of [
    "a\0@b.c",
    "x(y)@b.c",
    '"a"@b.c',
    "group:a@b.c;",
    "a\\@b.c",
    "N\u0007 <a@b.c>",
    "a@b.c\r\nBcc: d@e.f",
  ])
    expect([wrong, isMailAddress(wrong)]).toEqual([wrong, false]);
});
