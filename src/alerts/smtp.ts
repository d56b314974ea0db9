/** The mail server: how it is reached, whether it answers, and what its refusals mean. */

import { messageOf } from "../domain/errors.ts";
import { redactor } from "../redact.ts";

/** Where mails go. */
export interface MailAccount {
  /** `smtp://user:password@host:587` or `smtps://…`. */
  readonly url: string;
  readonly from: string;
  readonly to: readonly string[];
}

export interface OutgoingMail {
  readonly id: string;
  readonly recipients: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A mail that was not taken. */
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
const PATIENCE_MS = 20_000;

export class Mailer {
  readonly #redact: (text: string) => string;

  constructor(
    private readonly account: MailAccount,
    private readonly maxWait = PATIENCE_MS,
  ) {
    this.#redact = redactor(secretsOfMail(account.url));
  }

  /**
   * Hands a mail to the server. Its Message-ID comes from its id, so that a mail that is sent twice, because nobody
   * knows whether the first attempt arrived, can be told to be the same.
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
        // Holiday notices and the like are not answered to a machine.
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
    // Loaded with the first mail: it takes a fifth of the time in which the server starts.
    const { createTransport } = await import("nodemailer");
    const url = new URL(this.account.url);
    const { username, password } = url;
    const secure = url.protocol === "smtps:";
    return createTransport({
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
      secure,
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
    const said = this.#redact(messageOf(error));
    // A wrong password can be put right in the settings, so the mail waits for it.
    const refused = responseCode !== undefined && responseCode >= 500 && code !== "EAUTH";
    return new MailError(`${host}: ${said}`, refused && (code === "EENVELOPE" || code === "EMESSAGE"));
  }
}

/** What must never be shown of a mail server's URL: the password, also as it looks on the wire. */
export function secretsOfMail(url: string): string[] {
  const { username, password } = new URL(url);
  if (password === "") return [];
  const [user, plain] = [decodeURIComponent(username), decodeURIComponent(password)];
  return [plain, password, Buffer.from(`\0${user}\0${plain}`).toString("base64")];
}

const domainOf = (address: string) => /@([^\s>]+)/.exec(address)?.[1] ?? "barkeep";
