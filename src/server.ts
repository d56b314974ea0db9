/** Starts the server: settings, app, HTTP, signals. */

import { constants } from "node:os";
import { createApp } from "./app.ts";
import { ADDRESS_KEY } from "./cli/api-client.ts";
import { onStopSignals } from "./cli/stop-signals.ts";
import { ConfigError } from "./config/reader.ts";
import { readConfig } from "./config.ts";
import { messageOf } from "./domain/errors.ts";
import { listProviders } from "./providers/registry.ts";
import { httpAddress } from "./routes/http/server-address.ts";
import { IDLE_SECONDS } from "./routes/http/timeouts.ts";
import { saveSetting } from "./storage/settings.ts";

/** How long a shutdown may take before the process exits anyway, milliseconds. */
const SHUTDOWN_MS = 9_000;

/** Ends the process without writing: whatever it still does would be done twice. */
function onLeaseLost(): void {
  console.error("Another Barkeep has taken over this database while this one did not answer: this one ends.");
  process.exit(1);
}

/**
 * Says why the process ends if it does so while it starts: without these listeners a signal would end it without a word.
 * SIGHUP has none: once it was taken away, a process of `nohup`, which ignores that signal, would be ended by it.
 */
function watchStart(): () => void {
  const signals = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    const end = () => {
      process.off("exit", onExit);
      console.error(`Barkeep did not start: it was ended by ${signal}`);
      process.exit(128 + constants.signals[signal]);
    };
    process.on(signal, end);
    return () => process.off(signal, end);
  });
  const onExit = (code: number) => console.error(`Barkeep did not start: the process ends with exit code ${code}`);
  process.on("exit", onExit);
  return () => {
    process.off("exit", onExit);
    for (const off of signals) off();
  };
}

// What this process creates only its user may read.
process.umask(0o077);

const started = watchStart();
try {
  await using stack = new AsyncDisposableStack();
  const config = readConfig(process.env, listProviders(process.env));
  const app = stack.adopt(await createApp(config, { onLeaseLost }), (each) => each.close());
  const server = Bun.serve({
    port: config.port,
    hostname: config.host,
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: 16 * 1024 * 1024,
    fetch: app.fetch,
  });
  const owned = stack.move();
  const address = httpAddress(server.hostname ?? config.host, server.port ?? config.port);
  console.log(`Barkeep listening on ${address}`);
  // For the command line on this machine.
  const here = ["0.0.0.0", "::"].includes(config.host) ? `http://127.0.0.1:${server.port}` : address;
  await saveSetting(app.db, ADDRESS_KEY, here);
  app.outbox.start(config.publicUrl ?? address);
  app.channels.start(config.publicUrl ?? address);

  const stop = async (signal: string) => {
    app.log.write("info", `${signal}: finishing the current batches, then stopping`);
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    // No new connections; those that are open are answered until the app is closed.
    void server.stop();
    const isWell = app.storage.current() === null;
    await owned.disposeAsync();
    await server.stop(true);
    process.exit(isWell ? 0 : 1);
  };
  onStopSignals((signal) => void stop(signal));
  started();
} catch (error) {
  started();
  console.error(error instanceof ConfigError ? error.message : `Barkeep cannot start: ${messageOf(error)}`);
  process.exit(1);
}
