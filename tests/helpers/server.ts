/** The real server as a process of its own. */

import { dirname } from "node:path";
import { executable } from "./bundle/programs.ts";
import { type Client, clientOf } from "./http.ts";

export interface ServerProcess {
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** Resolves when the server listens; rejects if it ends before. */
  readonly listening: Promise<Client>;
  /** Kills the process at once, like a power failure. */
  kill(): Promise<void>;
  /** Sends SIGTERM; returns the exit code. */
  stop(): Promise<number>;
}

const ownVariables = (wanted: RegExp): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value = ""]) => (wanted.test(name) ? [[name, value]] : [])),
  );

/** What the test script sets for the engine and its allocator: it costs a process that lives for a second far less time. */
export const ENGINE_ENV = ownVariables(/^(?:MIMALLOC|BUN_JSC)_/);

/**
 * What a child process gets of our environment: no settings of Barkeep, but Bun's cache of transpiled modules (in the
 * home folder), and those for the engine.
 */
export const CHILD_ENV: Readonly<Record<string, string>> = { ...ownVariables(/^(?:PATH|HOME)$/), ...ENGINE_ENV };

/**
 * Spawns the executable as a server on any free port, in the folder `cwd`, by default one without a developer's `.env`.
 * What a checkout starts instead is shown by tests/cli.test.ts.
 */
export function spawnServer(env: Record<string, string>, cwd = dirname(executable())): ServerProcess {
  return spawnCommand([executable(), "serve"], { ...CHILD_ENV, ...env }, cwd);
}

/** Spawns a command that is the server, with nothing in its environment but `env` and a free port. */
export function spawnCommand(command: string[], env: Record<string, string>, cwd: string): ServerProcess {
  const child = Bun.spawn(command, {
    cwd,
    env: { PORT: "0", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return {
    process: child,
    listening: firstLine(child),
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
    stop() {
      child.kill("SIGTERM");
      return child.exited;
    },
  };
}

/** How a process has ended: one that a signal has killed has said nothing itself. */
export const endOf = (signal: Bun.Subprocess["signalCode"], code: number | null) =>
  signal === null ? `with exit code ${code}` : `killed by ${signal}`;

async function firstLine(child: ServerProcess["process"]): Promise<Client> {
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const url = /^Barkeep listening on (http:\/\/\S+)$/m.exec(text)?.[1];
    if (url !== undefined) return clientOf(url);
  }
  const [code, words] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  throw new Error(`the server ended before it listened, ${endOf(child.signalCode, code)}: ${text}${words}`);
}
