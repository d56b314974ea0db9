/** Why a server of the job queue does not take a connection, in words that say what to change; never with a secret. */

import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { queueSecrets } from "../../../config/places.ts";
import { messageOf, onOneLine, quote } from "../../../domain/errors.ts";
import { redactor } from "../../../redact.ts";

/** The first byte of a TLS alert, with which a server answers what is no TLS. */
const TLS_ALERT = 0x15;
/** A longer first line is no answer of Redis, bytes. */
const MAX_LINE = 4_096;
/** Words of a server are cut to so many characters. */
const MAX_WORDS = 120;
/** What PostgreSQL itself refuses has such a code (SQLSTATE). */
const SQL_STATE = /^(?!E[A-Z]+$)[0-9A-Z]{5}$/;
const REDIS_PORT = 6_379;
const POSTGRES_PORT = 5_432;

/** What happened before any word of a protocol. `null`: it is none of these. */
function networkFault(error: unknown, { hostname, port }: { hostname: string; port: number }): string | null {
  const { code = "" } = error as { code?: string };
  const place = `${hostname}:${port}`;
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NONAME":
      return `the name ${hostname} has no address: it is misspelt, or the name server does not answer`;
    case "ECONNREFUSED":
      return `nothing listens at ${place}`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `no route leads to ${hostname}`;
    case "ETIMEDOUT":
      return `${place} does not answer`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return "nobody whom this machine trusts has signed its certificate: set NODE_EXTRA_CA_CERTS to the file of its authority";
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `its certificate is not for ${hostname}`;
    default:
      return null;
  }
}

const placeOf = ({ hostname, port }: URL, usual: number) => ({
  hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
  port: Number(port || usual),
});

/** Words of a server on one line: it may repeat the password, which is taken out before they are cut. */
const wordsOf = (text: string, { href }: URL): string =>
  onOneLine(redactor(queueSecrets({ url: href }))(text)).slice(0, MAX_WORDS);

/** A command as Redis reads it. */
const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

/**
 * Connects to Redis step by step, because its client says "Connection closed" for every refusal.
 * @returns what is wrong, or `null` if it takes the login
 */
export async function redisFault(text: string, timeoutMs: number): Promise<string | null> {
  const url = new URL(text);
  const place = placeOf(url, REDIS_PORT);
  const isTls = url.protocol === "rediss:";
  const [user, password] = [url.username, url.password].map(decodeURIComponent) as [string, string];
  const database = url.pathname.slice(1) || "0";
  let socket: Socket | null = null;
  try {
    socket = await connected(place, isTls, timeoutMs);
    if (password !== "") {
      const login = user === "" ? ["AUTH", password] : ["AUTH", user, password];
      const refusal = refusalOf(await answerTo(socket, command(...login), timeoutMs), url);
      if (refusal !== null) return refusal;
    }
    const chosen = await answerTo(socket, command("SELECT", database), timeoutMs);
    if (chosen.length === 0 && password !== "") return "it takes the login, then closes the connection";
    return refusalOf(chosen, url, database);
  } catch (error) {
    const fault = networkFault(error, place);
    if (fault !== null) return fault;
    if (isTls && isNoTls(error)) return "it does not speak TLS: write redis:// instead of rediss://";
    return wordsOf(messageOf(error), url);
  } finally {
    socket?.destroy();
  }
}

/** A server without TLS answers the handshake with words of its own, or closes the connection. */
const isNoTls = (error: unknown) =>
  /wrong.version|packet.length|ECONNRESET|EPROTO|disconnected before secure|socket hang up/i.test(
    `${(error as { code?: string }).code} ${messageOf(error)}`,
  );

function connected(place: { hostname: string; port: number }, isTls: boolean, timeoutMs: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const { hostname: host, port } = place;
  const options = { host, port, ...(isTls && isIP(host) === 0 && { servername: host }) };
  const socket = isTls ? connectTls(options) : connectPlain(options);
  let isThere = false;
  socket.once("connect", () => {
    isThere = isTls;
  });
  // Redis without TLS reads the handshake as the beginning of a command, and waits for its end.
  const silent = () => Object.assign(new Error("no answer"), { code: isThere ? "EPROTO" : "ETIMEDOUT" });
  const late = setTimeout(() => reject(silent()), timeoutMs);
  socket.once(isTls ? "secureConnect" : "connect", () => resolve(socket));
  socket.on("error", reject);
  socket.once("close", () => reject(Object.assign(new Error("closed"), { code: isTls ? "EPROTO" : "ECONNRESET" })));
  return promise
    .finally(() => clearTimeout(late))
    .catch((error) => {
      socket.destroy();
      throw error;
    });
}

/** The first line of the answer, or what there is of it at the end of the connection or of the time; none without one. */
async function answerTo(socket: Socket, request: string, timeoutMs: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let read: Buffer = Buffer.alloc(0);
  const take = (piece: Buffer) => {
    read = Buffer.concat([read, piece]);
    if (/^[^+-]|\r\n/.test(read.toString("latin1")) || read.length > MAX_LINE) resolve(read);
  };
  const closed = () => resolve(read);
  const late = setTimeout(
    () => (read.length > 0 ? resolve(read) : reject(new Error("it takes connections, but does not answer"))),
    timeoutMs,
  );
  socket.on("data", take);
  socket.once("close", closed);
  socket.write(request);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    socket.off("data", take);
    socket.off("close", closed);
  }
}

function refusalOf(answer: Buffer, url: URL, database?: string): string | null {
  const isTls = url.protocol === "rediss:";
  const words = answer.toString("latin1").split("\r\n", 1)[0]!;
  if (words.startsWith("+")) return null;
  if (answer.length === 0)
    return isTls
      ? "it closes the connection without an answer"
      : "it closes the connection without an answer: it expects TLS (rediss://), or is no Redis";
  if (answer[0] === TLS_ALERT) return "it expects TLS: write rediss:// instead of redis://";
  if (/^-WRONGPASS|^-ERR invalid password/.test(words))
    return url.username !== "" ? "the user or the password is refused" : "the password is refused";
  if (/^-ERR AUTH .*without any password/.test(words)) return "the password is refused: that server has none set";
  if (words.startsWith("-NOAUTH")) return "it wants a password: write redis://:PASSWORD@HOST";
  if (/^-ERR .*(?:DB index|SELECT)/i.test(words)) return `it has no database ${quote(database ?? "")}`;
  if (words.startsWith("-")) return `it refuses: ${wordsOf(words.slice(1), url)}`;
  return words.startsWith("HTTP/") ? "a web server answers there, no Redis" : "what answers there is no Redis";
}

/** What a failure of the client of PostgreSQL means. */
export function postgresFault(error: unknown, text: string): string {
  const url = new URL(text);
  const place = placeOf(url, POSTGRES_PORT);
  const database = decodeURIComponent(url.pathname.slice(1)) || url.username;
  const { code = "" } = error as { code?: string };
  const message = messageOf(error);
  switch (code) {
    case "28P01":
      return "the user or the password is refused";
    case "28000":
      return /SSL|encryption/i.test(message)
        ? "it wants TLS: add ?sslmode=require"
        : `it does not let this user in from here: ${wordsOf(message, url)}`;
    case "3D000":
      return `it has no database ${quote(database)}`;
    case "53300":
      return /\brole\b|\bdatabase\b/i.test(message)
        ? `it takes no more connections of this user or to this database: ${wordsOf(message, url)}`
        : "it takes no more connections: raise its max_connections";
    case "57P03":
      return "it is starting or stopping";
  }
  const fault = networkFault(error, place);
  if (fault !== null) return fault;
  if (SQL_STATE.test(code)) return `it refuses: ${wordsOf(message, url)}`;
  if (/does not support SSL/i.test(message)) return "it does not speak TLS: leave out sslmode";
  if (/password must be a string|no password/i.test(message)) return "it wants a password, and BARKEEP_QUEUE has none";
  if (/statement timeout|query read timeout/i.test(message)) return "it did not finish a statement in time";
  if (/timeout/i.test(message)) return `${place.hostname}:${place.port} does not answer as PostgreSQL does`;
  if (/invalid response|unexpected|unknown message|ended unexpectedly/i.test(message))
    return "what answers there is no PostgreSQL, or it closed the connection";
  return wordsOf(message, url);
}
