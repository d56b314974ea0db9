/** The command line. Each command loads only the modules that it needs. */

import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import { applyCompilerSetting } from "./cli/compiler-setting.ts";
import { EXIT } from "./cli/exit-codes.ts";
import { exitCodeOf, faultLines } from "./cli/fault-report.ts";
import { print, printError } from "./cli/terminal.ts";
import { withoutCredentials } from "./config/reader.ts";
import { readConfig } from "./config.ts";
import { MAX_AT_WORK, RUN_DEFAULTS } from "./domain/defaults.ts";
import { INTERVALS, READ_INTERVALS } from "./domain/market/interval.ts";
import { MODES } from "./domain/runs/states.ts";
import { versionOf, versionText } from "./installation.ts";
import { EXPORT_FORMATS } from "./pipeline/exports/formats.ts";
import { plural, sizeText } from "./views/ui/format.ts";

// What this process creates only its user may read.
process.umask(0o077);

const settings = async () => {
  const { listProviders } = await import("./providers/registry.ts");
  return readConfig(process.env, listProviders(process.env));
};

const program = new Command("barkeep")
  .description("Fetches and keeps price bars. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some symbols failed.")
  .version(versionText(versionOf(process.env.BARKEEP_COMMIT)))
  .exitOverride()
  .showHelpAfterError("(barkeep --help lists the commands; with npm only: npm run doctor, npm run backup FILE, …)");

/** A command whose action returns the exit code. */
function command(usage: string, description: string, parent: Command = program): Command {
  const path = parent === program ? usage : `${parent.name()} ${usage}`;
  return parent
    .command(usage)
    .description(description)
    .option("--json", "print one JSON value for programs")
    .exitOverride()
    .showHelpAfterError(`(barkeep ${path} --help shows what it takes)`);
}
const withServer = (each: Command) =>
  each.option("--server <url>", "address of the server; otherwise the one that has the database open, or none");
const ends =
  <T extends unknown[]>(action: (...args: T) => Promise<number | undefined>) =>
  async (...args: T) => {
    process.exitCode = await action(...args);
  };

program
  .command("serve")
  .description("start the server; what happens without a command, too")
  .action(async () => {
    applyCompilerSetting();
    await import("./server.ts");
  });

withServer(command("run", "run symbols to their end"))
  .argument("<symbol...>", "separated by commas or spaces")
  .option("--name <name>", "what the run is called on the pages and in mails")
  .addOption(new Option("--mode <mode>", "what to fetch").choices(MODES).default(RUN_DEFAULTS.mode))
  .addOption(new Option("--interval <interval>", "length of a bar").choices(INTERVALS).default(RUN_DEFAULTS.interval))
  .option("--years <years>", `1 to 30, or all; ${RUN_DEFAULTS.years} if not given`)
  .option("--from <date>", "first day, instead of years")
  .option("--to <date>", "day before which it ends; now if not given")
  .option("--provider <name>", "source of the bars; the server's default if not given")
  .option("--batch-days <days>", `days fetched and stored as a unit; ${RUN_DEFAULTS.batchDays} if not given`)
  .option("--max-workers <count>", `symbols at once; ${MAX_AT_WORK} if not given`)
  .action(
    ends(async (symbols: string[], options) => {
      applyCompilerSetting();
      const { splitSymbols } = await import("./domain/market/symbol.ts");
      const { runCommand } = await import("./cli/commands.ts");
      return runCommand(await settings(), splitSymbols(symbols.join(" ")), options);
    }),
  );

withServer(command("watch", "follow a run of the server: the given one, or the newest"))
  .argument("[run]", "the run's id")
  .action(
    ends(async (run: string | undefined, options) => {
      const { watchCommand } = await import("./cli/commands.ts");
      return watchCommand(await settings(), run, options);
    }),
  );

withServer(command("export", "write the bars or features of a symbol"))
  .argument("<symbol>", "one, such as AAPL")
  .option("--features", "the feature matrix instead of bars")
  .addOption(
    new Option("--interval <interval>", "length of a bar").choices(READ_INTERVALS).default(RUN_DEFAULTS.interval),
  )
  .option("--from <time>", "from this ISO date or time on")
  .option("--to <time>", "before this ISO date or time")
  .option("--names <names>", "features, separated by commas; all if not given")
  .option("--adjust <how>", "none, splits or all; splits if not given")
  .option("--provider <name>", "provider of the bars; that of the last run if not given")
  .addOption(new Option("--format <format>", "format of the output").choices(EXPORT_FORMATS).default("csv"))
  .option("-o, --output <file>", "write to this file; to the standard output if not given")
  .action(
    ends(async (symbol: string, options) => {
      const { exportCommand } = await import("./cli/commands.ts");
      return exportCommand(await settings(), symbol.toUpperCase(), options);
    }),
  );

withServer(command("snapshot", "write bars, features and labels to files that never change, with a hash to cite"))
  .argument("<name>", "what the snapshot is called")
  .argument("[symbol...]", "separated by commas or spaces; or --watchlist")
  .option("--watchlist <name>", "the symbols of a watchlist")
  .addOption(
    new Option("--interval <interval>", "length of a bar").choices(READ_INTERVALS).default(RUN_DEFAULTS.interval),
  )
  .option("--from <time>", "from this ISO date or time on")
  .option("--to <time>", "before this ISO date or time")
  .option("--names <names>", "features, separated by commas; all if not given, or none")
  .option("--include <columns>", "ohlcv: the bars themselves", "ohlcv")
  .option("--labels <labels>", "labels, separated by commas")
  .option("--adjust <how>", "none, splits or all; splits if not given")
  .option("--as-known-at <time>", "what was stored at this ISO date or time")
  .option("--dtype <type>", "float64 or float32; float64 if not given")
  .action(
    ends(async (name: string, symbols: string[], options) => {
      const { splitSymbols } = await import("./domain/market/symbol.ts");
      const { snapshotCommand } = await import("./cli/commands.ts");
      return snapshotCommand(await settings(), name, splitSymbols(symbols.join(" ")), options);
    }),
  );

const lake = program
  .command("lake")
  .description("the stored bars as files, in the folder or bucket of BARKEEP_LAKE")
  .exitOverride();
withServer(command("sync", "rebuild the whole lake", lake)).action(
  ends(async (options) => (await import("./cli/lake.ts")).lakeSyncCommand(await settings(), options)),
);
withServer(
  command("check", "compare the lake with its manifest and the stored bars; 1 if something differs", lake),
).action(ends(async (options) => (await import("./cli/lake.ts")).lakeCheckCommand(await settings(), options)));

withServer(command("status", "what is running, and what is stored")).action(
  ends(async (options) => {
    const { statusCommand } = await import("./cli/commands.ts");
    return statusCommand(await settings(), options);
  }),
);

command("backup", "a consistent copy of the database, also while a run writes").argument("<file>").action(ends(backup));

command("restore", "replace the database by a backup; the present file is renamed")
  .argument("<file>")
  .option("--yes", "without asking")
  .action(ends(restore));

program
  .command("worker")
  .description("do jobs of a server on another machine; its token has the scope worker (BARKEEP_TOKEN)")
  .requiredOption("--server <url>", "address of the server")
  .option("--token <token>", "better in BARKEEP_TOKEN: other users of a machine see its commands")
  .option("--threads <count>", "threads that compute; as many as the machine has if not given")
  .option("--jobs <count>", "jobs at once; 16 for each thread if not given")
  .option("--providers <names>", "take jobs of these providers only")
  .option("--intervals <intervals>", "take jobs of these intervals only")
  .option("--name <name>", "what the worker is called; the name of the machine if not given")
  .exitOverride()
  .action(
    ends(async (options) => {
      applyCompilerSetting();
      const { workerCommand } = await import("./cli/worker/command.ts");
      return workerCommand(options);
    }),
  );

command("doctor", "check settings, database, providers and mail server, with advice")
  .option("--provider <name>", "make the cheapest request to this provider instead, and show its result")
  .action(ends(doctor));

try {
  // Started without a word, as by a double click, it is the server.
  await program.parseAsync(process.argv.length > 2 ? process.argv : [...process.argv, "serve"]);
} catch (error) {
  process.exitCode = exitCodeOf(error);
  const [name] = process.argv.slice(2);
  const { options = [] } = program.commands.find((each) => each.name() === name) ?? {};
  for (const line of faultLines(error, (flag) => options.some(({ long }) => long === flag))) printError(line);
}

async function backup(path: string, { json }: { json?: boolean }): Promise<number> {
  const { openExisting, refuseNewerSchema } = await import("./storage/db.ts");
  const { backUp } = await import("./storage/backup.ts");
  const { placeAt } = await import("./cli/output-place.ts");
  await placeAt(path);
  const config = await settings();
  const db = await openExisting(config.dbUrl, config.dbToken);
  try {
    await refuseNewerSchema(db);
    await backUp(db, path);
  } finally {
    db.close();
  }
  const bytes = Bun.file(path).size;
  console.log(json ? JSON.stringify({ file: path, bytes }) : `Saved ${sizeText(bytes)} to ${path}`);
  return EXIT.done;
}

async function restore(path: string, { yes, json }: { yes?: boolean; json?: boolean }): Promise<number> {
  const { restoreBackup } = await import("./storage/backup.ts");
  const { pathOf } = await import("./storage/db.ts");
  const { dbUrl } = await settings();
  const replaces = !dbUrl.startsWith("file:") || existsSync(pathOf(dbUrl));
  const question = `Put ${path} in the place of ${withoutCredentials(dbUrl)}? The present file is kept under another name.`;
  if (replaces && !yes && !(process.stdin.isTTY && confirm(question))) {
    console.error(process.stdin.isTTY ? "Nothing was changed" : `${question} Answer with --yes.`);
    return EXIT.failed;
  }
  const { kept, profiles } = await restoreBackup(path, dbUrl);
  if (json) console.log(JSON.stringify({ restored: path, kept, profiles }));
  else {
    console.log(`Restored ${path}: ${plural(profiles, "profile")}`);
    if (kept !== null) console.log(`The database that was there is now ${kept}`);
  }
  return EXIT.done;
}

async function doctor({ json, provider }: { json?: boolean; provider?: string }): Promise<number> {
  if (provider !== undefined) return doctorOf(provider, json);
  const { diagnose } = await import("./doctor.ts");
  const findings = [];
  for await (const finding of diagnose(process.env)) {
    findings.push(finding);
    if (json) continue;
    const { what, fault, advice } = finding;
    print(fault === null ? `ok    ${what}` : `FAULT ${what}: ${fault}`);
    if (advice) print(`      ${advice}`);
  }
  if (json) console.log(JSON.stringify(findings));
  return findings.every(({ fault }) => fault === null) ? EXIT.done : EXIT.failed;
}

async function doctorOf(name: string, json?: boolean): Promise<number> {
  const { examineProvider } = await import("./doctor.ts");
  const found = await examineProvider(process.env, name);
  if (found === null) {
    const { listProviders } = await import("./providers/registry.ts");
    const known = listProviders(process.env).map((each) => each.name);
    console.error(`There is no provider "${name.slice(0, 40)}" (known: ${known.join(", ")})`);
    return EXIT.usage;
  }
  if (json) console.log(JSON.stringify({ provider: name, ...found }));
  else {
    print(found.fault === null ? `ok    provider ${name}` : `FAULT provider ${name}: ${found.fault}`);
    for (const line of found.seen) print(`      ${line}`);
  }
  return found.fault === null ? EXIT.done : EXIT.failed;
}
