/** Makes mails from recorded events and sends the queued ones, with retries. */

import { type Clock, systemClock } from "../clock.ts";
import { type AlertRules, DEFAULT_ALERT_RULES, withoutMailAddresses } from "../domain/alerts.ts";
import { messageOf, Refusal } from "../domain/errors.ts";
import type { Log } from "../log.ts";
import { record } from "../storage/access/audit.ts";
import {
  correctMails,
  hurryMails,
  lastMails,
  type MailRow,
  mailFailed,
  mailSent,
  muteEvents,
  newEvents,
  nextMailAt,
  postMail,
  type Remaining,
  releaseMails,
  sendAgain,
  takeMail,
} from "../storage/alerts/outbox.ts";
import { readRules, storeRules } from "../storage/alerts/rules.ts";
import type { Database } from "../storage/db.ts";
import { composeMail } from "./compose.ts";
import { planMails } from "./digest.ts";
import { describeRetry, earlier, MAX_RETRY_MS, PollLoop, retryAt } from "./poll-loop.ts";
import { type Delivery, type MailAccount, MailError, Mailer } from "./smtp.ts";
import { renderMail } from "./templates/layout.ts";
import { testMail } from "./templates/operations.ts";

/** Longer than any attempt: connection, greeting and each answer have a third of it. */
const LEASE_MS = 120_000;
/** Most events that one poll reads. */
const EVENTS_PER_POLL = 20_000;

export interface OutboxOptions {
  readonly db: Database;
  readonly log: Log;
  readonly clock?: Clock;
  /** How long the mail server may be silent, milliseconds. */
  readonly maxWait?: number;
}

export class MailDispatcher {
  readonly #db: Database;
  readonly #clock: Clock;
  #rules: AlertRules = DEFAULT_ALERT_RULES;
  #account: MailAccount | null = null;
  #waits = false;
  #base: string | null = null;
  readonly #loop: PollLoop;

  private constructor(private readonly options: OutboxOptions) {
    this.#db = options.db;
    this.#clock = options.clock ?? systemClock;
    this.#loop = new PollLoop(this.#clock, () => this.#poll());
  }

  static async open(options: OutboxOptions): Promise<MailDispatcher> {
    const outbox = new MailDispatcher(options);
    outbox.#rules = await readRules(options.db);
    return outbox;
  }

  get rules(): AlertRules {
    return this.#rules;
  }

  /** The mail account, or `null` without a mail server; then events are recorded, but not mailed. */
  get account(): MailAccount | null {
    return this.#account;
  }

  /** Whether there is a mail server that cannot be used for now; then events are kept for it. */
  get waits(): boolean {
    return this.#waits;
  }

  /** Starts to send. `base` is the address of the server, for links in mails. */
  start(base: string): void {
    this.#base = base.replace(/\/$/, "");
    this.#loop.start();
  }

  /**
   * Sends through another account from now on; queued mails are tried at once.
   * @param waits without an account: there is one, but it cannot be used for now, so events are kept for it
   */
  async use(account: MailAccount | null, waits = false): Promise<void> {
    this.#account = account;
    this.#waits = account === null && waits;
    if (this.#base === null) return;
    await hurryMails(this.#db, this.#clock.now());
    this.notify();
  }

  async changeRules(rules: AlertRules): Promise<void> {
    await storeRules(this.#db, rules);
    this.#rules = rules;
    this.notify();
  }

  /** @throws Refusal if there is no such mail, or it is just being sent */
  async sendAgain(id: string): Promise<void> {
    this.#accountOrRefusal();
    const done = await sendAgain(this.#db, id, Bun.randomUUIDv7(), this.#clock.now());
    if (!done) throw new Refusal("conflict", "There is no such mail, or it is just being sent");
    await record(this.#db, { action: "mail.again", subject: id });
    this.notify();
  }

  /** Sends a test mail, at any hour. @throws Refusal if there is no mail server */
  async sendTest(): Promise<void> {
    const { to } = this.#accountOrRefusal();
    const now = this.#clock.now();
    const mail = renderMail(testMail(this.#base ?? "", now), this.#base ?? "");
    const row = { ...mail, id: Bun.randomUUIDv7(), kind: "test", recipients: to.join(", "), createdAt: now } as const;
    await postMail(this.#db, row, []);
    await record(this.#db, { action: "mail.test", subject: row.id, after: { to } });
    this.notify();
  }

  /** There may be new events. */
  notify(): void {
    this.#loop.notify();
  }

  /** Resolves when there is nothing to do at present. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  /** Stops. A mail under way may finish for a moment; otherwise it is sent again after the next start. */
  close(): Promise<void> {
    return this.#loop.close();
  }

  async #poll(): Promise<number | null> {
    try {
      await this.#correctMails();
      const planned = await this.#makeMails();
      await this.#sendMails();
      const due = this.#account === null ? null : await nextMailAt(this.#db);
      return earlier(planned, due);
    } catch (error) {
      this.options.log.write("error", `Alerts cannot be processed: ${messageOf(error)}`);
      return null;
    }
  }

  /** Makes mails from pending events; returns when to poll again. */
  async #makeMails(): Promise<number | null> {
    if (this.#waits) return null;
    const events = await newEvents(this.#db, EVENTS_PER_POLL);
    if (events.length === 0) return null;
    if (this.#account === null) {
      await muteEvents(
        this.#db,
        events.map(({ id }) => id),
      );
      return null;
    }
    const now = this.#clock.now();
    const plan = planMails(events, this.#rules, await lastMails(this.#db), now);
    await muteEvents(this.#db, plan.muted);
    for (const { kind, events } of plan.mails) {
      const mail = composeMail(
        kind,
        events.map(({ event }) => event),
        this.#base!,
      );
      const row = { ...mail, id: Bun.randomUUIDv7(), kind, recipients: this.#account.to.join(", "), createdAt: now };
      await postMail(
        this.#db,
        row,
        events.map(({ id }) => id),
      );
    }
    return plan.nextAt;
  }

  async #correctMails(): Promise<void> {
    const limits = { retryMs: MAX_RETRY_MS, leaseMs: LEASE_MS };
    const found = await correctMails(this.#db, this.#clock.now(), limits);
    if (found === 0) return;
    const mails = found === 1 ? "1 mail was" : `${found} mails were`;
    this.options.log.write(
      "warn",
      `The clock was set back: ${mails} to be sent far in the future, and may be sent now`,
    );
  }

  async #sendMails(): Promise<void> {
    await releaseMails(this.#db, this.#clock.now());
    while (this.#account !== null && !this.#loop.closed) {
      const mail = await takeMail(this.#db, this.#clock.now(), LEASE_MS);
      if (mail === undefined) return;
      await this.#send(mail, new Mailer(this.#account, this.options.maxWait));
    }
  }

  async #send(mail: MailRow, mailer: Mailer): Promise<void> {
    let delivery: Delivery;
    try {
      delivery = await mailer.send(mail, this.#loop.signal);
    } catch (error) {
      if (this.#loop.signal.aborted) {
        await mailFailed(this.#db, mail, "the server stopped while it was sent", this.#clock.now());
        return;
      }
      await this.#recordFailure(mail, messageOf(error), error instanceof MailError && error.final, mail);
      return;
    }
    const refused = [...mail.refused, ...delivery.refused.map(({ address }) => address)];
    if (delivery.later.length > 0 || refused.length > 0) {
      const later = delivery.later.map(({ address }) => address);
      const replies = [...delivery.later, ...delivery.refused].map(({ address, reply }) => `${address}: ${reply}`);
      const before = mail.refused.length > 0 ? [`refused before: ${mail.refused.join(", ")}`] : [];
      const error = [...(replies.length > 0 ? [`not accepted for ${replies.join("; ")}`] : []), ...before].join("; ");
      await this.#recordFailure(mail, error, later.length === 0, { later, refused });
      return;
    }
    await mailSent(this.#db, mail, this.#clock.now());
    this.options.log.write("info", `Mail sent: ${mail.subject}`);
  }

  /** Records that `remaining` did not get a mail; it is tried again for them unless that is `final`. */
  async #recordFailure(mail: MailRow, error: string, final: boolean, remaining: Remaining): Promise<void> {
    const now = this.#clock.now();
    const again = final ? null : retryAt(mail, now);
    await mailFailed(this.#db, mail, error, again, remaining);
    const next = describeRetry(again, now);
    const { log } = this.options;
    log.write("warn", `Mail “${mail.subject}” not sent (${next})`, null, null, withoutMailAddresses(error));
  }

  #accountOrRefusal(): MailAccount {
    if (this.#waits) {
      throw new Refusal("conflict", "The mail server's password cannot be read: enter it again under Settings");
    }
    if (this.#account === null) throw new Refusal("conflict", "There is no mail server yet: set one up first");
    return this.#account;
  }
}
