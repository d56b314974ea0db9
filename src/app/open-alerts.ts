/** Alerts by mail and by other channels. */

import { ChannelDispatcher } from "../alerts/channels/channel-dispatcher.ts";
import { MailDispatcher } from "../alerts/mail-dispatcher.ts";
import { MailSettings } from "../alerts/mail-settings.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../storage/db.ts";
import { openCipher } from "../storage/settings.ts";
import type { Reporting } from "./open-log.ts";
import { close } from "./options.ts";

export interface Alerts {
  readonly outbox: MailDispatcher;
  readonly channels: ChannelDispatcher;
  readonly mail: MailSettings;
  /** To be called when an event was recorded. */
  notify(): void;
}

export async function openAlerts(
  stack: AsyncDisposableStack,
  config: Config,
  { db, clock }: { readonly db: Database; readonly clock: Clock },
  { log, secrets }: Reporting,
): Promise<Alerts> {
  const outbox = stack.adopt(await MailDispatcher.open({ db, log, clock }), close);
  const channels = stack.adopt(
    await ChannelDispatcher.open({
      db,
      log,
      clock,
      cipher: config.secret === undefined ? null : await openCipher(db, config.secret),
      onSecrets: (found) => secrets.add(found),
    }),
    close,
  );
  const mail = await MailSettings.open({
    db,
    config,
    log,
    async onChange(account, passwords, unreadable) {
      secrets.add(passwords);
      await outbox.use(account, unreadable);
    },
  });
  return {
    ...{ outbox, channels, mail },
    notify() {
      outbox.notify();
      channels.notify();
    },
  };
}
