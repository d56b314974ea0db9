/** Identifies the sender of a request: by login session, by API token, or anybody if no password is set. */

import { hashSecret, newSecret, Password, runAs, Throttle, TOKEN_PREFIX } from "../../auth.ts";
import type { Config } from "../../config.ts";
import { type Actor, actorOfToken, type Scope } from "../../domain/access.ts";
import { record } from "../../storage/access/audit.ts";
import {
  endAllSessions,
  endChosenSession,
  endPasswordSessions,
  endSession,
  findSession,
  listSessions,
  SESSION_MS,
  saveSession,
  touchSession,
} from "../../storage/access/sessions.ts";
import { findToken, revokeToken, touchToken } from "../../storage/access/tokens.ts";
import type { Database } from "../../storage/db.ts";
import { readSettings, saveSetting } from "../../storage/settings.ts";
import { networkOf } from "./client-address.ts";
import { LoginBudget } from "./login-budget.ts";
import { type Grant, SessionSignals } from "./session-signals.ts";
import { TokenCache } from "./token-cache.ts";

/** Shortest time between two updates of a token's last use, milliseconds. */
const LAST_USE_MS = 60_000;
/** Networks that are remembered, and the wait for somebody whose attempt was not checked, milliseconds. */
const MAX_KNOWN = 1_000;
const TRY_AGAIN_MS = 1_000;
/** Longest name of a browser that is kept, characters. */
const MAX_AGENT = 200;
/** The setting that holds the password's hash as of the last start. */
const PASSWORD_KEY = "auth:password";

/** Whoever can read the database file has every right already. */
const COMMAND_LINE: Actor = { name: "command line", scope: "admin" };

/** The headers of a request that identify its sender. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
}

/** Who signs in. */
export interface Client {
  readonly address: string;
  /** The name that the browser gives itself. */
  readonly agent: string;
}

export type SignIn =
  | { readonly actor: Actor; readonly secret: string }
  | { readonly error: true }
  /** Too many attempts: milliseconds until the next one is checked. */
  | { readonly wait: number };

/** Who sends a request, and the session or token that admitted it; `null` without a login. */
export interface Admission {
  readonly actor: Actor;
  readonly grant: Grant | null;
}

export class Authenticator {
  /** Ends streams together with the login sessions and tokens that opened them. */
  readonly signals = new SessionSignals();
  readonly #tokens = new TokenCache();
  readonly #throttle = new Throttle();
  readonly #budget = new LoginBudget();
  /** When the use of a session or token was last recorded, epoch milliseconds. */
  readonly #touched = new Map<string, number>();
  /** Networks from which somebody has signed in. */
  readonly #known = new Set<string>();
  private constructor(
    private readonly db: Database,
    private readonly password: Password | null,
    private readonly readOnly: boolean,
    private readonly ownToken: string | undefined,
    signedIn: readonly { readonly address: string | null }[] = [],
  ) {
    for (const { address } of signedIn) if (address) this.#known.add(networkOf(address));
  }

  /**
   * Ends the login sessions that were opened with another password.
   * @param ownToken the token of the command line in the same process, known only there
   */
  static async open(db: Database, config: Config, ownToken?: string): Promise<Authenticator> {
    const known = (await readSettings(db, PASSWORD_KEY))[0]?.value;
    const { password, passwordHash, readOnly } = config;
    if (password === undefined && passwordHash === undefined) {
      if (known !== undefined) {
        await saveSetting(db, PASSWORD_KEY, null);
        await recordAtStart(db, "password.remove");
      }
      await endPasswordSessions(db);
      return new Authenticator(db, null, readOnly, ownToken);
    }
    const same = passwordHash ? known === passwordHash : known !== undefined && (await matches(password!, known));
    const hash = same && known !== undefined ? known : (passwordHash ?? (await Bun.password.hash(password!)));
    if (!same) {
      await endPasswordSessions(db);
      await saveSetting(db, PASSWORD_KEY, hash);
      await recordAtStart(db, known === undefined ? "password.set" : "password.change");
    }
    const signedIn = await listSessions(db, Date.now());
    return new Authenticator(db, new Password(hash, password), readOnly, ownToken, signedIn);
  }

  /** Whether a login is required. */
  get required(): boolean {
    return this.password !== null;
  }

  /** The sender of a request; `null` if the credentials are missing or invalid. */
  async identify({ authorization, cookie }: Credentials): Promise<Admission | null> {
    if (this.ownToken !== undefined && authorization === `Bearer ${this.ownToken}`)
      return { actor: COMMAND_LINE, grant: null };
    const admission = await this.#identify(authorization, cookie);
    // A worker may never read: its scope is no lower one of the others.
    return admission && this.readOnly && admission.actor.scope !== "worker"
      ? { ...admission, actor: { ...admission.actor, scope: "read" } }
      : admission;
  }

  /** Signs a browser in with the password, or as a guest with an API token. */
  async signIn({ address, agent }: Client, secret: string): Promise<SignIn> {
    const network = networkOf(address);
    const wait = this.#throttle.take(network);
    if (wait > 0) return { wait };
    // From where somebody has signed in before, attempts do not compete with those of everybody else.
    if (!this.#known.has(network) && !(await this.#budget.take())) return this.#tryAgain(network);
    const found = secret.startsWith(TOKEN_PREFIX)
      ? await findToken(this.db, hashSecret(secret), Date.now())
      : undefined;
    // There is no page that a worker may see.
    const token = found?.scope === "worker" ? undefined : found;
    const right = token !== undefined || (await this.password?.verify(secret));
    if (right === null) return this.#tryAgain(network);
    if (!right) return { error: true };
    this.#throttle.reset(network);
    this.#known.add(network);
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.values().next().value!);
    const session = newSecret();
    await saveSession(this.db, {
      hash: hashSecret(session),
      tokenId: token?.id ?? null,
      expiresAt: Date.now() + SESSION_MS,
      address: address.slice(0, 64),
      agent: agent.slice(0, MAX_AGENT),
    });
    return { actor: token ? tokenActor(token) : OWNER, secret: session };
  }

  /** The attempt was not checked, so it does not count. */
  #tryAgain(network: string): SignIn {
    this.#throttle.giveBack(network);
    return { wait: TRY_AGAIN_MS };
  }

  async signOut(cookie: string): Promise<void> {
    const hash = hashSecret(cookie);
    await endSession(this.db, hash);
    this.signals.end(({ session }) => session === hash);
  }

  /** The open sessions, the last used first; `cookie` is that of the reader. */
  async sessions(cookie: string | undefined) {
    const own = cookie === undefined ? undefined : hashSecret(cookie);
    const rows = await listSessions(this.db, Date.now());
    return rows.map(({ hash, ...row }) => ({ ...row, id: hash, own: hash === own }));
  }

  /**
   * Ends a session by the id of the list, with its streams.
   * @throws Refusal if it is over already
   */
  async endSession(id: string): Promise<void> {
    await endChosenSession(this.db, id);
    this.signals.end(({ session }) => session === id);
  }

  /** Ends every session, with its streams; tokens of programs stay. */
  async endAllSessions(): Promise<void> {
    await endAllSessions(this.db);
    this.signals.end(({ session }) => session !== null);
  }

  /**
   * Revokes a token and ends every login session opened with it, with their streams.
   * @throws Refusal if there is no such token
   */
  async revoke(id: number): Promise<void> {
    try {
      await revokeToken(this.db, id);
    } finally {
      // A write whose answer was lost may have been made.
      this.#tokens.clear();
    }
    this.signals.end(({ token }) => token === id);
  }

  async #identify(authorization: string | undefined, cookie: string | undefined): Promise<Admission | null> {
    // A wrong token is refused even where none is required: its sender expects to be identified.
    if (authorization !== undefined) return this.#byToken(authorization);
    const hash = cookie === undefined ? undefined : hashSecret(cookie);
    const now = Date.now();
    const session = hash === undefined ? undefined : await findSession(this.db, hash, now);
    if (hash !== undefined && session) {
      const { token, expiresAt, usedAt } = session;
      // Also if it was used in the future, from which the clock was set back.
      if (Math.abs(now - usedAt) > LAST_USE_MS) this.#touch(hash, now, () => touchSession(this.db, hash, now));
      const actor = token ? tokenActor(token) : OWNER;
      return { actor, grant: { session: hash, token: token?.id ?? null, until: expiresAt } };
    }
    return this.required ? null : { actor: LOCAL, grant: null };
  }

  /** Records a use in the background: no response waits for it or fails because of it. */
  #touch(key: string, now: number, write: () => Promise<unknown>): void {
    if (Math.abs(now - (this.#touched.get(key) ?? 0)) < LAST_USE_MS) return;
    this.#touched.set(key, now);
    if (this.#touched.size > MAX_KNOWN) this.#touched.delete(this.#touched.keys().next().value!);
    write().catch(() => {});
  }

  async #byToken(authorization: string): Promise<Admission | null> {
    const now = Date.now();
    const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    const find = (hash: string) => findToken(this.db, hash, now);
    const token = secret === undefined ? undefined : await this.#tokens.find(hashSecret(secret), now, find);
    if (token === undefined) return null;
    if (Math.abs(now - (token.lastUsedAt ?? 0)) > LAST_USE_MS) {
      this.#touch(`token ${token.id}`, now, () => touchToken(this.db, token.id, now));
    }
    return {
      actor: tokenActor(token),
      grant: { session: null, token: token.id, until: token.expiresAt },
    };
  }
}

/** The password comes from the environment, so it changes only with a start of the server. */
const recordAtStart = (db: Database, action: string) =>
  runAs({ name: "server", scope: "admin" }, null, () => record(db, { action, subject: "owner" }));

const tokenActor = ({ name, scope }: { readonly name: string; readonly scope: Scope }): Actor => ({
  name: actorOfToken(name),
  scope,
});

const OWNER: Actor = { name: "owner", scope: "admin" };
const LOCAL: Actor = { name: "local", scope: "admin" };

/** A stored text that is not a hash matches nothing. */
const matches = (password: string, hash: string) => Bun.password.verify(password, hash).catch(() => false);
