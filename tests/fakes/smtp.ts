/** A mail server on loopback that accepts, refuses or stalls mails, and can be stopped and started. */

import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";

/** Answers to commands: a code with a text, by the command and, of `rcpt`, by the address. */
interface Refusals {
  from?: string;
  data?: string;
  rcpt?: Readonly<Record<string, string>>;
}

/** `busy` answers 451 (try later), `reject` 550 (unknown recipient), `stall` never answers. */
type Behaviour = "accept" | "busy" | "reject" | "stall";

export interface FakeMailServer extends AsyncDisposable {
  /** `smtp://user:password@127.0.0.1:port` */
  readonly url: string;
  behaviour: Behaviour;
  /** What it refuses, e.g. `{ rcpt: { "b@example.com": "450 greylisted" } }`; all else goes by its behaviour. */
  refusals: Refusals;
  /** The recipients for whom it accepted a mail, by mail. */
  readonly received: string[][];
  /** The accepted mails, in order. */
  readonly mails: Email[];
  /** Mails that a client began to send. */
  attempts: number;
  /** Resolves when `count` mails were accepted. */
  arrived(count: number): Promise<Email[]>;
  /** Resolves when `count` mails were begun. */
  attempted(count: number): Promise<void>;
  /** Stops, and cuts every connection. */
  stop(): Promise<void>;
  /** Starts, on the same port as before. */
  start(): Promise<void>;
}

const MAIL_USER = "barkeep";
export const MAIL_PASSWORD = "p4ss/w0rd:of+the@mail";

export async function startMailServer(): Promise<FakeMailServer> {
  let server: SMTPServer | null = null;
  let port = 0;
  const waiting = new Set<() => void>();
  const stalled = new Set<() => void>();
  const changed = () => {
    for (const look of [...waiting]) look();
  };
  const until = <T>(look: () => T | undefined) =>
    new Promise<T>((resolve) => {
      const check = () => {
        const found = look();
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    });
  const answer = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });
  const refusal = (text: string) => answer(Number(text.slice(0, 3)), text.slice(4));

  const fake: FakeMailServer = {
    get url() {
      return `smtp://${MAIL_USER}:${encodeURIComponent(MAIL_PASSWORD)}@127.0.0.1:${port}`;
    },
    behaviour: "accept",
    refusals: {},
    received: [],
    mails: [],
    attempts: 0,
    arrived: (count) => until(() => (fake.mails.length >= count ? fake.mails : undefined)),
    attempted: (count) => until(() => (fake.attempts >= count ? (true as const) : undefined)).then(() => {}),
    start: () =>
      new Promise((resolve, reject) => {
        server = new SMTPServer({
          authOptional: false,
          allowInsecureAuth: true,
          disabledCommands: ["STARTTLS"],
          closeTimeout: 1,
          onAuth({ username, password }, _session, done) {
            if (username === MAIL_USER && password === MAIL_PASSWORD) done(null, { user: username });
            // Repeats the credentials, to verify that they are redacted.
            else done(answer(535, `no such login: ${username} ${password}`));
          },
          onMailFrom(_address, _session, done) {
            fake.attempts += 1;
            changed();
            if (fake.refusals.from) done(refusal(fake.refusals.from));
            else if (fake.behaviour === "busy") done(answer(451, "come back later"));
            else done();
          },
          onRcptTo({ address }, _session, done) {
            const refused = fake.refusals.rcpt?.[address];
            if (refused) done(refusal(refused));
            else if (fake.behaviour === "reject") done(answer(550, "no such mailbox"));
            else done();
          },
          onData(stream, session, done) {
            new Response(stream as unknown as ReadableStream).arrayBuffer().then(async (raw) => {
              const mail = await PostalMime.parse(raw);
              if (fake.behaviour === "stall") {
                stalled.add(() => done(answer(421, "closing")));
                return;
              }
              if (fake.refusals.data) return done(refusal(fake.refusals.data));
              fake.mails.push(mail);
              fake.received.push(session.envelope.rcptTo.map(({ address }) => address));
              done();
              changed();
            }, done);
          },
        });
        server.on("error", reject);
        server.listen(port, "127.0.0.1", () => {
          port = (server!.server.address() as { port: number }).port;
          resolve();
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        for (const end of stalled) end();
        stalled.clear();
        if (server === null) return resolve();
        server.close(() => resolve());
        server = null;
      }),
    [Symbol.asyncDispose]: () => fake.stop(),
  };
  await fake.start();
  return fake;
}
