/** What is said of servers that do not take the connection of the job queue. */

import { expect, test } from "bun:test";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { postgresFault, redisFault } from "../../../../src/scheduler/queue/bullmq/connection-faults.ts";
import { CERTIFICATE } from "../../../fakes/certificate.ts";

const SECRET = "s3cret";
const LIMIT_MS = 10_000;

/** A server on loopback that answers each piece that it gets; `null`: it closes the connection. */
async function answering(answer: (piece: string) => string | Buffer | null, tls = false) {
  const onSocket = (socket: Socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const said = answer(data.toString("latin1"));
      if (said === null) socket.destroy();
      else socket.write(said);
    });
  };
  const server = tls ? createTlsServer(CERTIFICATE, onSocket) : createServer(onSocket);
  server.on("tlsClientError", () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    at: (scheme: string, user = "") => `${scheme}://${user}:${SECRET}@127.0.0.1:${port}/7`,
    port,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
  };
}

const saying = async (answer: (piece: string) => string | Buffer | null, user?: string) => {
  await using server = await answering(answer);
  return await redisFault(server.at("redis", user), LIMIT_MS);
};

test("each refusal of a Redis is said in its own words, and none shows the password", async () => {
  const said = {
    fine: await saying(() => "+OK\r\n"),
    password: await saying(() => "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
    user: await saying(() => "-WRONGPASS invalid username-password pair or user is disabled.\r\n", "barkeep"),
    none: await saying(() => "-ERR AUTH <password> called without any password configured for the default user.\r\n"),
    database: await saying((piece) => (piece.includes("AUTH") ? "+OK\r\n" : "-ERR DB index is out of range\r\n")),
    other: await saying(() => "-DENIED Redis is running in protected mode\r\n"),
    web: await saying(() => "HTTP/1.1 400 Bad Request\r\n\r\n"),
    strange: await saying(() => "220 mail.example ESMTP\r\n"),
    tls: await saying(() => Buffer.from([0x15, 3, 3, 0, 2, 2, 70])),
    closed: await saying(() => null),
  };
  expect(said).toEqual({
    fine: null,
    password: "the password is refused",
    user: "the user or the password is refused",
    none: "the password is refused: that server has none set",
    database: 'it has no database "7"',
    other: "it refuses: DENIED Redis is running in protected mode",
    web: "a web server answers there, no Redis",
    strange: "what answers there is no Redis",
    tls: "it expects TLS: write rediss:// instead of redis://",
    closed: "it closes the connection without an answer: it expects TLS (rediss://), or is no Redis",
  });
  expect(JSON.stringify(said)).not.toContain(SECRET);
});

test("a Redis that wants a password, or is silent, says so", async () => {
  await using server = await answering(() => "-NOAUTH Authentication required.\r\n");
  expect(await redisFault(`redis://127.0.0.1:${server.port}`, LIMIT_MS)).toBe(
    "it wants a password: write redis://:PASSWORD@HOST",
  );
  await using silent = await answering(() => "");
  expect(await redisFault(silent.at("redis"), 50)).toBe("it takes connections, but does not answer");
});

test("a Redis that repeats the password, answers in pieces or closes after the login says no more than that", async () => {
  const repeated = (before: number) =>
    saying(() => `-ERR unknown command 'AUTH', with args beginning with: '${"x".repeat(before)}' '${SECRET}' \r\n`);
  expect(await repeated(5)).toBe("it refuses: ERR unknown command 'AUTH', with args beginning with: 'xxxxx' '***' ");
  // Words are cut within the password.
  expect(await repeated(60)).not.toContain(SECRET.slice(0, 2));
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("-NOA");
      setImmediate(() => socket.write("UTH Authentication required.\r\n"));
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  expect(await redisFault(`redis://127.0.0.1:${port}`, LIMIT_MS)).toBe(
    "it wants a password: write redis://:PASSWORD@HOST",
  );
  server.close();
  expect(await saying((piece) => (piece.includes("AUTH") ? "+OK\r\n" : null))).toBe(
    "it takes the login, then closes the connection",
  );
});

test("a server that speaks TLS, and one that does not, are told apart, and a certificate of nobody is named", async () => {
  await using tls = await answering(() => "+OK\r\n", true);
  expect(await redisFault(tls.at("rediss"), LIMIT_MS)).toContain("set NODE_EXTRA_CA_CERTS");
  expect(await redisFault(tls.at("redis"), LIMIT_MS)).toMatch(/expects TLS/);
  await using deaf = await answering(() => "");
  expect(await redisFault(deaf.at("rediss"), 100)).toBe("it does not speak TLS: write redis:// instead of rediss://");
  await using plain = await answering(() => "-ERR unknown command\r\n");
  expect(await redisFault(plain.at("rediss"), LIMIT_MS)).toBe(
    "it does not speak TLS: write redis:// instead of rediss://",
  );
});

test("a port without a server, and a name without an address, are said for both kinds of queue", async () => {
  const server = await answering(() => null);
  const url = server.at("redis");
  await server[Symbol.asyncDispose]();
  expect(await redisFault(url, LIMIT_MS)).toBe(`nothing listens at 127.0.0.1:${server.port}`);
  const coded = (code: string) => Object.assign(new Error("failed"), { code });
  const at = "postgres://barkeep:s3cret@db.example/bars";
  expect(postgresFault(coded("ENOTFOUND"), at)).toStartWith("the name db.example has no address");
  expect(postgresFault(coded("ECONNREFUSED"), at)).toBe("nothing listens at db.example:5432");
});

test("each refusal of a PostgreSQL is said in its own words", () => {
  const at = "postgres://barkeep:s3cret@db.example/bars";
  const said = (code: string, message: string) => postgresFault(Object.assign(new Error(message), { code }), at);
  expect(said("28P01", 'password authentication failed for user "barkeep"')).toBe(
    "the user or the password is refused",
  );
  expect(said("3D000", 'database "bars" does not exist')).toBe('it has no database "bars"');
  expect(said("28000", 'no pg_hba.conf entry for host "10.0.0.5", user "barkeep", no encryption')).toBe(
    "it wants TLS: add ?sslmode=require",
  );
  expect(said("28000", 'role "barkeep" does not exist')).toBe(
    'it does not let this user in from here: role "barkeep" does not exist',
  );
  expect(said("57014", "canceling statement due to statement timeout")).toBe(
    "it refuses: canceling statement due to statement timeout",
  );
  expect(said("42P01", 'relation "jobs" does not exist: unexpected s3cret')).toBe(
    'it refuses: relation "jobs" does not exist: unexpected ***',
  );
  expect(said("53300", "sorry, too many clients already")).toBe(
    "it takes no more connections: raise its max_connections",
  );
  expect(said("53300", 'too many connections for role "barkeep"')).toBe(
    'it takes no more connections of this user or to this database: too many connections for role "barkeep"',
  );
  expect(said("", "Query read timeout")).toBe("it did not finish a statement in time");
  expect(said("EPIPE", "Connection terminated unexpectedly")).toBe(
    "what answers there is no PostgreSQL, or it closed the connection",
  );
  expect(said("", "The server does not support SSL connections")).toBe("it does not speak TLS: leave out sslmode");
  expect(said("", "timeout expired")).toBe("db.example:5432 does not answer as PostgreSQL does");
  expect(said("", "Connection terminated unexpectedly")).toBe(
    "what answers there is no PostgreSQL, or it closed the connection",
  );
});
