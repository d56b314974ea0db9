/**
 * The mail account, from the environment or from the settings page. What is set there is verified before it is stored.
 * The password is write-only, and sent only to the server it was entered for.
 */

import { type Config, isMailAddress, isMailServer } from "../config.ts";
import { type FieldError, messageOf, Refusal } from "../domain/errors.ts";
import type { Log } from "../log.ts";
import { changesOf, record } from "../storage/access/audit.ts";
import type { Database } from "../storage/db.ts";
import type { Cipher } from "../storage/encryption.ts";
import { openCipher, readSettings, saveSetting } from "../storage/settings.ts";
import { type MailAccount, Mailer, secretsOfMail } from "./smtp.ts";

const ACCOUNT = "mail:account";
const PASSWORD = "mail:password";

/** The message of log and doctor for a password that is stored under another secret. */
export const UNREADABLE_PASSWORD = "The mail server's password is stored, but cannot be read with this BARKEEP_SECRET";

/** The account without its password, as it is stored and shown. */
export interface MailFields {
  /** `smtp://user@host:587`, without the password. */
  readonly server: string;
  readonly from: string;
  /** Separated by commas. */
  readonly to: string;
}

export interface MailSettingsOptions {
  readonly db: Database;
  readonly config: Config;
  readonly log: Log;
  /** Called on opening and whenever the account changes; `unreadable`: its password cannot be read. */
  onChange(account: MailAccount | null, secrets: readonly string[], unreadable: boolean): Promise<void>;
  /** How long the mail server may be silent during the verification, milliseconds. */
  readonly maxWait?: number;
}

export class MailSettings {
  #fields: MailFields | null = null;
  /** `null` while the stored one cannot be read with this secret. */
  #password: string | null = "";
  #cipher: Cipher | null = null;

  private constructor(private readonly options: MailSettingsOptions) {}

  static async open(options: MailSettingsOptions): Promise<MailSettings> {
    const { db, config, log } = options;
    const own = new MailSettings(options);
    if (config.secret !== undefined) own.#cipher = await openCipher(db, config.secret);
    if (config.mail !== undefined) {
      await own.#notify();
      return own;
    }
    const stored = new Map((await readSettings(db, "mail:")).map(({ key, value }) => [key, value]));
    const account = stored.get(ACCOUNT);
    if (account === undefined) return own;
    own.#fields = JSON.parse(account);
    const sealed = stored.get(PASSWORD);
    own.#password = sealed === undefined ? "" : ((await own.#cipher?.open(PASSWORD, sealed)) ?? null);
    if (own.unreadable) log.write("warn", UNREADABLE_PASSWORD);
    await own.#notify();
    return own;
  }

  /** Whether the environment sets the account; then it cannot be changed here. */
  get fixed(): boolean {
    return this.options.config.mail !== undefined;
  }

  /** The account; `null` if none is set, or its password cannot be read. */
  get account(): MailAccount | null {
    const { mail, allowsPlainMailPassword: allowsPlainPassword } = this.options.config;
    if (mail !== undefined) return { ...mail, allowsPlainPassword };
    return this.#password === null ? null : this.#fields && this.#accountOf(this.#fields, this.#password);
  }

  /** The account without the password; `null` if none is set. */
  get fields(): MailFields | null {
    const { mail } = this.options.config;
    if (mail === undefined) return this.#fields;
    return { server: withoutPassword(mail.url), from: mail.from, to: mail.to.join(", ") };
  }

  get hasPassword(): boolean {
    const { mail } = this.options.config;
    return mail === undefined ? Boolean(this.#password) : new URL(mail.url).password !== "";
  }

  /** Whether a password is stored that cannot be read with this secret. */
  get unreadable(): boolean {
    return this.#password === null;
  }

  /** Whether passwords can be stored. */
  get keepsPassword(): boolean {
    return this.#cipher !== null;
  }

  /**
   * Stores an account after logging in to its server.
   * @param password empty to keep the one that is set
   * @throws Refusal with one error per wrong field; nothing is changed then
   */
  async change(fields: MailFields, password: string): Promise<void> {
    const errors = this.#faults(fields, password);
    if (errors.length > 0) throw new Refusal("invalid", errors[0]!.message, errors);
    const secret = password || (this.#password ?? "");
    const account = this.#accountOf(fields, secret);
    try {
      await new Mailer(account, this.options.maxWait).verify();
    } catch (error) {
      const message = `The mail server cannot be used: ${messageOf(error)}`;
      throw new Refusal("invalid", message, [{ path: "server", message }]);
    }
    const { db } = this.options;
    if (password !== "") await saveSetting(db, PASSWORD, await this.#cipher!.close(PASSWORD, password));
    else if (this.unreadable) await saveSetting(db, PASSWORD, null);
    await saveSetting(db, ACCOUNT, JSON.stringify(fields));
    const changes = changesOf({ ...this.#fields }, { ...fields, ...(password !== "" && { password: "new value" }) });
    if (changes) await record(db, { action: "mail.change", subject: "mail server", ...changes });
    this.#fields = fields;
    this.#password = secret;
    await this.#notify();
  }

  /** Removes the account that was set on the page. */
  async forget(): Promise<void> {
    if (this.fixed) throw new Refusal("conflict", "Set in the environment; change it there");
    await saveSetting(this.options.db, ACCOUNT, null);
    await saveSetting(this.options.db, PASSWORD, null);
    if (this.#fields) {
      await record(this.options.db, { action: "mail.forget", subject: "mail server", before: { ...this.#fields } });
    }
    this.#fields = null;
    this.#password = "";
    await this.#notify();
  }

  #faults({ server, from, to }: MailFields, password: string): FieldError[] {
    if (this.fixed) return [{ path: "server", message: "Set in the environment; change it there" }];
    const errors: FieldError[] = [];
    const fault = (path: string, message: string) => void errors.push({ path, message });
    if (!isMailServer(server)) fault("server", "Wants smtp://USER@HOST:587, or smtps:// with TLS from the first byte");
    else if (new URL(server).password !== "") fault("server", "The password has a field of its own");
    else if (password !== "" && new URL(server).username === "")
      fault("server", "A password needs a user: smtp://USER@HOST");
    else if (password === "" && this.hasPassword && server !== this.#fields?.server)
      fault("password", "Enter the password again: it is sent to another server or user than before");
    else if (password === "" && this.unreadable && new URL(server).username !== "")
      fault("password", "Enter the password again: the stored one cannot be read with this BARKEEP_SECRET");
    if (password !== "" && this.#cipher === null)
      fault("password", "Set SMTP_URL in the environment, or set BARKEEP_SECRET to keep passwords here");
    if (!isMailAddress(from)) fault("from", "Wants a mail address");
    const recipients = listOf(to);
    if (recipients.length === 0 || !recipients.every(isMailAddress))
      fault("to", "Wants mail addresses, with commas between");
    return errors;
  }

  #accountOf({ server, from, to }: MailFields, password: string): MailAccount {
    const url = new URL(server);
    if (password !== "") url.password = encodeURIComponent(password);
    const { allowsPlainMailPassword: allowsPlainPassword } = this.options.config;
    return { url: url.href, from, to: listOf(to), allowsPlainPassword };
  }

  async #notify(): Promise<void> {
    const { account } = this;
    await this.options.onChange(account, account ? secretsOfMail(account.url) : [], this.unreadable);
  }
}

const listOf = (to: string) => to.split(",").flatMap((each) => each.trim() || []);

function withoutPassword(text: string): string {
  const url = new URL(text);
  url.password = "";
  return url.href;
}
