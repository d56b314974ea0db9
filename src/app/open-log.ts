/** The log with its hub and table, the redactor of all keys, and the health of the database. */

import { placeSecrets } from "../config/places.ts";
import type { Config } from "../config.ts";
import type { LogLine } from "../domain/log.ts";
import { ProgressHub } from "../hub.ts";
import { createLog, type Log, reportError } from "../log.ts";
import { secretsOf } from "../providers/registry.ts";
import { Redactor } from "../redact.ts";
import { StorageHealth } from "../storage/connection/health.ts";
import type { Database } from "../storage/db.ts";
import { correctFutureMoments } from "../storage/future-moments.ts";
import { LogStore } from "../storage/log.ts";
import { type AppOptions, close } from "./options.ts";

export interface Reporting {
  readonly hub: ProgressHub;
  readonly log: Log;
  readonly secrets: Redactor;
  readonly storage: StorageHealth;
  /** Sets what is done when the database can be written again. */
  onRecovery(react: () => void): void;
}

export async function openLog(
  stack: AsyncDisposableStack,
  db: Database,
  config: Config,
  options: AppOptions,
): Promise<Reporting> {
  const hub = stack.adopt(new ProgressHub(), close);
  const secrets = new Redactor();
  secrets.add([config.secret, config.password, config.token, config.dbToken, ...secretsOf(config.providerValues)]);
  secrets.add(placeSecrets(config));
  const { redact } = secrets;
  const logStore = stack.adopt(new LogStore(db, reportError), close);
  const save = (line: LogLine) => logStore.save(line);
  const log = createLog({ level: config.logLevel, format: config.logFormat, hub, save, redact, print: options.print });
  for (const line of await correctFutureMoments(db, Date.now())) log.write("warn", line);
  let recovered = () => {};
  const storage = stack.adopt(
    new StorageHealth({
      db,
      log,
      onChange(trouble) {
        if (trouble === null) recovered();
      },
    }),
    close,
  );
  return {
    ...{ hub, log, secrets, storage },
    onRecovery(react) {
      recovered = react;
    },
  };
}
