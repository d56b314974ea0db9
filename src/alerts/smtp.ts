/** The SMTP client: sends mails, verifies accounts, and classifies errors. */

import { isLoopback } from "../auth.ts";
import { messageOf } from "../domain/errors.ts";
import { redactor } from "../redact.ts";

/** A mail server and the addresses to use. */
export interface MailAccount {
  /** `smtp://user:password@host:587` or `smtps://…`. */
  readonly url: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Whether the password may be sent without TLS to another machine. */
  readonly allowsPlainPassword?: boolean;
}

export interface OutgoingMail {
  readonly id: string;
  readonly recipients: string;
  /** Those of them who have yet to get it; `null`: all. */
  readonly later: readonly string[] | null;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** A table, as CSV. */
  readonly attachment?: string | null;
}

/** A mail was not accepted. */
export class MailError extends Error {
  override readonly name = "MailError";
  constructor(
    message: string,
    /** Whether sending the same mail again cannot succeed. */
    readonly final: boolean,
  ) {
    super(message);
  }
}

/** A recipient for whom a mail was not accepted, and what the mail server said. */
interface Undelivered {
  readonly address: string;
  readonly reply: string;
}

/** For whom a mail was not accepted; it was for all others. */
export interface Delivery {
  /** Temporarily, or because of something that a setting can cure: it is worth trying again. */
  readonly later: readonly Undelivered[];
  readonly refused: readonly Undelivered[];
}

/** What nodemailer says of a refusal. */
interface Reply {
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
  readonly recipient?: string;
  readonly rejectedErrors?: readonly Reply[];
}

/** Refusals of the login or the sender (RFC 4954, 5321): a setting can cure them. */
const CURABLE_CODES: readonly (number | undefined)[] = [530, 534, 535, 538, 553];
/** The enhanced codes of security and policy: not logged in, relaying denied, a sender that is not the user's. */
const CURABLE = /\b5\.7\.\d+\b/;
/** A mail that is too large stays so. */
const TOO_LARGE = 552;

/** Whether the same mail will be refused whatever is set. */
function isFinal({ code, command, response = "", responseCode = 0 }: Reply): boolean {
  if (responseCode < 500 || code === "EAUTH") return false;
  if (command === "MAIL FROM") return responseCode === TOO_LARGE;
  return !CURABLE_CODES.includes(responseCode) && !CURABLE.test(response);
}

/** How long the mail server may be silent, milliseconds. */
const TIMEOUT_MS = 20_000;
/** How many times as long it may take in all: one that always says a little more would hold up every later mail. */
const ATTEMPT_WAITS = 5;

export class Mailer {
  readonly #redact: (text: string) => string;

  constructor(
    private readonly account: MailAccount,
    private readonly maxWait = TIMEOUT_MS,
  ) {
    this.#redact = redactor(secretsOfMail(account.url));
  }

  /**
   * Sends a mail. Its Message-ID comes from its id, so that receivers recognise a mail that is sent again because the
   * result of the first attempt is unknown.
   * @throws MailError if it was accepted for nobody, for a reason that does not lie with the recipients
   */
  async send(mail: OutgoingMail, signal?: AbortSignal): Promise<Delivery> {
    const { from } = this.account;
    const transport = await this.#connect();
    const limit = AbortSignal.timeout(this.#longest);
    try {
      const { rejectedErrors = [] } = await transport.sendMail({
        messageId: `<${mail.id}@${domainOf(from)}>`,
        from,
        to: mail.recipients,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        ...(mail.attachment && {
          attachments: [{ filename: "symbols.csv", contentType: "text/csv; charset=utf-8", content: mail.attachment }],
        }),
        // Asks receivers not to send automatic replies.
        headers: { "Auto-Submitted": "auto-generated" },
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(mail.later !== null && { envelope: { from, to: [...mail.later] } }),
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      });
      return this.#deliveryOf(rejectedErrors);
    } catch (error) {
      if (limit.aborted && signal?.aborted !== true) throw this.#tooSlow();
      const { command, rejectedErrors = [] } = error as Reply;
      // Everybody was refused, each for a reason of his own.
      if (command === "RCPT TO" && rejectedErrors.length > 0) return this.#deliveryOf(rejectedErrors);
      throw this.#explain(error);
    } finally {
      transport.close();
    }
  }

  /**
   * Connects, and logs in if there is a password, but sends nothing.
   * @throws MailError
   */
  async verify(): Promise<void> {
    const transport = await this.#connect();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(this.#tooSlow()), this.#longest);
    try {
      await Promise.race([transport.verify(), late.promise]);
    } catch (error) {
      throw error instanceof MailError ? error : this.#explain(error);
    } finally {
      clearTimeout(timer);
      transport.close();
    }
  }

  async #connect() {
    // Loaded with the first mail: loading it takes a fifth of the server's start.
    const { createTransport } = await import("nodemailer");
    const url = new URL(this.account.url);
    const { username, password } = url;
    const secure = url.protocol === "smtps:";
    return createTransport({
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
      secure,
      // Somebody between the two could otherwise hide that the server offers TLS, and read the password.
      requireTLS: needsTls(this.account),
      ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      connectionTimeout: this.maxWait,
      greetingTimeout: this.maxWait,
      socketTimeout: this.maxWait,
      dnsTimeout: this.maxWait,
    });
  }

  #deliveryOf(errors: readonly Reply[]): Delivery {
    const { refused = [], later = [] } = Object.groupBy(errors, (error) => (isFinal(error) ? "refused" : "later"));
    const undelivered = (each: Reply) => ({
      address: each.recipient ?? "",
      reply: this.#redact(each.response ?? messageOf(each)),
    });
    return { refused: refused.map(undelivered), later: later.map(undelivered) };
  }

  get #longest(): number {
    return ATTEMPT_WAITS * this.maxWait;
  }

  #tooSlow(): MailError {
    const { host } = new URL(this.account.url);
    return new MailError(`${host}: it was not done after ${this.#longest / 1_000}s`, false);
  }

  #explain(error: unknown): MailError {
    const { code } = error as Reply;
    const host = new URL(this.account.url).host;
    if (code === "ETLS" && needsTls(this.account)) return new MailError(`${host}: ${NO_TLS}`, false);
    const reply = this.#redact(messageOf(error));
    // A wrong password or sender can be corrected in the settings, so the mail is kept.
    return new MailError(`${host}: ${reply}`, (code === "EENVELOPE" || code === "EMESSAGE") && isFinal(error as Reply));
  }
}

const NO_TLS =
  "offers no TLS, so the password was not sent: use smtps://, a server with STARTTLS, or set SMTP_PLAIN_PASSWORD=allow";

/** Whether a mail may go out under TLS only: there is a password, and it would leave this machine. */
function needsTls({ url, allowsPlainPassword = false }: MailAccount): boolean {
  const { protocol, hostname, password } = new URL(url);
  return protocol === "smtp:" && password !== "" && !allowsPlainPassword && !isLoopback(hostname);
}

/** The secrets in a mail server's URL: the password, also in the encodings of SMTP. */
export function secretsOfMail(url: string): string[] {
  const { username, password } = new URL(url);
  if (password === "") return [];
  const [user, plain] = [decodeURIComponent(username), decodeURIComponent(password)];
  return [plain, password, Buffer.from(`\0${user}\0${plain}`).toString("base64")];
}

const domainOf = (address: string) => /@([^\s>]+)/.exec(address)?.[1] ?? "barkeep";
