/** The command line: runs, backups and diagnosis. Each command loads only the modules that it needs. */

import { parseArgs } from "node:util";
import { ConfigError, readConfig, withoutCredentials } from "./config.ts";
import { RUN_DEFAULTS } from "./domain/defaults.ts";
import { describeError, messageOf, Refusal } from "./domain/errors.ts";

const DEFAULTS = `[--mode ${RUN_DEFAULTS.mode}] [--interval ${RUN_DEFAULTS.interval}] [--years ${RUN_DEFAULTS.years}]`;
const USAGE = `Usage:
  bun src/cli.ts run SYMBOL… ${DEFAULTS} [--provider demo]
  bun run backup FILE      a consistent copy of the database, also while a run writes
  bun run restore FILE [--yes]   puts a backup in the place of the database, which is renamed
  bun run doctor           checks settings, database, providers and mail server, and says what to do
  bun run doctor --provider NAME   makes the cheapest request to one provider, and says what it saw
Without Bun on PATH: npm run backup FILE, npm run restore FILE, npm run doctor.`;

// What this process creates only its user may read.
process.umask(0o077);

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : messageOf(error));
  if (error instanceof Refusal) for (const each of error.errors) console.error(`  ${describeError(each)}`);
  process.exitCode = 1;
}

async function main([verb, ...args]: string[]): Promise<number> {
  switch (verb) {
    case "run":
      return run(args);
    case "backup":
      return backup(args);
    case "restore":
      return restore(args);
    case "doctor":
      return doctor(args);
    default:
      console.error(USAGE);
      return 2;
  }
}

/** Runs symbols to their end in this process, with the log on stderr. */
async function run(args: string[]): Promise<number> {
  const { createApp } = await import("./app.ts");
  const { splitSymbols } = await import("./domain/market/symbol.ts");
  const { PROVIDERS } = await import("./providers/registry.ts");
  const { parseRunRequest } = await import("./scheduler/runs/run-request.ts");
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      mode: { type: "string" },
      interval: { type: "string" },
      years: { type: "string" },
      provider: { type: "string" },
    },
  });
  const years = values.years === undefined || values.years === "all" ? values.years : Number(values.years);
  const request = parseRunRequest({ ...values, years, symbols: splitSymbols(positionals.join(" ")) });
  const config = readConfig(process.env, PROVIDERS);
  const app = await createApp(config);
  app.outbox.start(config.publicUrl ?? `http://${config.host}:${config.port}`);
  try {
    const events = app.hub.stream({ latest: true });
    const { id } = await app.runs.start(request);
    for (;;) {
      const { run } = await app.runs.read(id);
      if (run.finishedAt !== null) return run.state === "complete" ? 0 : 1;
      if ((await events.next(60_000)) === null) return 1;
    }
  } finally {
    // Sends the mails now: the next server may start much later.
    await app.outbox.idle();
    await app.close();
  }
}

async function backup([path]: string[]): Promise<number> {
  if (path === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { PROVIDERS } = await import("./providers/registry.ts");
  const { openExisting, refuseNewerSchema } = await import("./storage/db.ts");
  const { backUp } = await import("./storage/backup.ts");
  const config = readConfig(process.env, PROVIDERS);
  const db = await openExisting(config.dbUrl, config.dbToken);
  try {
    await refuseNewerSchema(db);
    await backUp(db, path);
  } finally {
    db.close();
  }
  console.log(`Saved ${(Bun.file(path).size / 1024 / 1024).toFixed(1)} MB to ${path}`);
  return 0;
}

async function restore(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { yes: { type: "boolean" } } });
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) {
    console.error(USAGE);
    return 2;
  }
  const { PROVIDERS } = await import("./providers/registry.ts");
  const { restoreBackup } = await import("./storage/backup.ts");
  const { dbUrl } = readConfig(process.env, PROVIDERS);
  const question = `Put ${path} in the place of ${withoutCredentials(dbUrl)}? The present file is kept under another name.`;
  if (!values.yes && !(process.stdin.isTTY && confirm(question))) {
    console.error(process.stdin.isTTY ? "Nothing was changed" : `${question} Answer with --yes.`);
    return 1;
  }
  const { kept, profiles } = await restoreBackup(path, dbUrl);
  console.log(`Restored ${path}: ${profiles} profiles`);
  if (kept !== null) console.log(`The database that was there is now ${kept}`);
  return 0;
}

async function doctor(args: string[]): Promise<number> {
  const [option = "", name = "", ...more] = args.flatMap((arg) => arg.split("=", 2));
  if (option !== "" && (option !== "--provider" || name === "" || more.length > 0)) {
    console.error(USAGE);
    return 2;
  }
  const { diagnose, examineProvider } = await import("./doctor.ts");
  if (option !== "") {
    const found = await examineProvider(process.env, name);
    if (found === null) {
      const { PROVIDERS } = await import("./providers/registry.ts");
      console.error(
        `There is no provider "${name.slice(0, 40)}" (known: ${PROVIDERS.map((each) => each.name).join(", ")})`,
      );
      return 2;
    }
    console.log(found.fault === null ? `ok    provider ${name}` : `FAULT provider ${name}: ${found.fault}`);
    for (const line of found.seen) console.log(`      ${line}`);
    return found.fault === null ? 0 : 1;
  }
  let healthy = true;
  for await (const { what, fault, advice } of diagnose(process.env)) {
    console.log(fault === null ? `ok    ${what}` : `FAULT ${what}: ${fault}`);
    if (advice) console.log(`      ${advice}`);
    healthy &&= fault === null;
  }
  return healthy ? 0 : 1;
}
