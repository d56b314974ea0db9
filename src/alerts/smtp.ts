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
  readonly subject: string;
  readonly text: string;
  readonly html: string;
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

/** How long the mail server may be silent, milliseconds. */
const TIMEOUT_MS = 20_000;

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
   * @throws MailError
   */
  async send(mail: OutgoingMail, signal?: AbortSignal): Promise<void> {
    const { from } = this.account;
    const transport = await this.#connect();
    try {
      const { rejected } = await transport.sendMail({
        messageId: `<${mail.id}@${domainOf(from)}>`,
        from,
        to: mail.recipients,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        // Asks receivers not to send automatic replies.
        headers: { "Auto-Submitted": "auto-generated" },
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(signal && { signal }),
      });
      if (rejected.length > 0) throw new MailError(this.#redact(`not accepted for ${rejected.join(", ")}`), true);
    } catch (error) {
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
    try {
      await transport.verify();
    } catch (error) {
      throw this.#explain(error);
    } finally {
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

  #explain(error: unknown): MailError {
    if (error instanceof MailError) return error;
    const { code, responseCode } = error as { code?: string; responseCode?: number };
    const host = new URL(this.account.url).host;
    if (code === "ETLS" && needsTls(this.account)) return new MailError(`${host}: ${NO_TLS}`, false);
    const reply = this.#redact(messageOf(error));
    // A wrong password can be corrected in the settings, so the mail is kept.
    const refused = responseCode !== undefined && responseCode >= 500 && code !== "EAUTH";
    return new MailError(`${host}: ${reply}`, refused && (code === "EENVELOPE" || code === "EMESSAGE"));
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
