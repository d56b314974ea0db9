/** The basics of access: secrets and hashes, throttled attempts, forged requests, and the current actor. */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Actor } from "./domain/access.ts";
import { COMMON_PASSWORD_BYTES, COMMON_PASSWORDS } from "./domain/common-passwords.ts";

/** The prefix of API tokens, so that one in a log or a repository is recognised. */
export const TOKEN_PREFIX = "bk_";

/** A secret of 256 random bits, URL-safe. */
export function newSecret(prefix = ""): string {
  return prefix + Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}

/** What is stored of a random secret: SHA-256 is enough, because 256 random bits cannot be guessed. */
export function hashSecret(secret: string): string {
  return new Bun.CryptoHasher("sha256").update(secret).digest("hex");
}

/** Whether only this machine can reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The name in a `Host` header, without its port. */
export const hostName = (header: string): string => header.replace(/:\d*$/, "");

/**
 * Whether a page of another site made the browser send this request. Browsers name the origin of every POST; a program
 * that names none has no user who could be tricked.
 * @param publicUrl how the server is reached from outside
 */
export function isForged(headers: Headers, publicUrl?: string): boolean {
  const site = headers.get("Sec-Fetch-Site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("Origin");
  if (origin === null) return false;
  const host = headers.get("Host") ?? "";
  // Proxies such as nginx with `Host $host` send the name without the port, which the origin of the page has.
  if (publicUrl !== undefined && new URL(publicUrl).hostname === host.toLowerCase()) {
    if (origin === new URL(publicUrl).origin) return false;
  }
  // Hosts are compared, not schemes: behind a proxy that terminates TLS the server sees http.
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/**
 * Whether a page of another site loads this address by a script, an image or a frame, which may start work even though
 * the page cannot read the answer. Following a link is no such request. Browsers without these headers name no site.
 */
export function isEmbedded(headers: Headers): boolean {
  const site = headers.get("Sec-Fetch-Site");
  if (site !== "cross-site" && site !== "same-site") return false;
  return headers.get("Sec-Fetch-Mode") !== "navigate" || headers.get("Sec-Fetch-Dest") !== "document";
}

/** From this attempt on each one delays the next: by `FIRST_WAIT_MS`, then twice as long each time, milliseconds. */
const DELAY_FROM_ATTEMPT = 3;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 15 * 60_000;
/** Addresses that are tracked; the one whose last attempt is the oldest is dropped first. */
const MAX_ADDRESSES = 10_000;

/** Slows down login attempts, per address. */
export class Throttle {
  readonly #attempts = new Map<string, { count: number; until: number }>();
  /** @param now a clock that nobody sets back, milliseconds: no wait grows longer */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Reserves one login attempt. It counts as failed until `reset`, so that parallel attempts are limited too.
   * @returns 0, or the milliseconds to wait first
   */
  take(address: string): number {
    const now = this.now();
    const { count, until } = this.#attempts.get(address) ?? { count: 0, until: 0 };
    if (until > now) return until - now;
    // An address without attempts for the longest wait starts from zero.
    const attempts = until > 0 && now - until > MAX_WAIT_MS ? 1 : count + 1;
    const wait =
      attempts < DELAY_FROM_ATTEMPT ? 0 : Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - DELAY_FROM_ATTEMPT));
    this.#attempts.delete(address);
    this.#attempts.set(address, { count: attempts, until: now + wait });
    if (this.#attempts.size > MAX_ADDRESSES) this.#attempts.delete(this.#attempts.keys().next().value!);
    return 0;
  }

  /** Takes back an attempt that was reserved but not checked. */
  giveBack(address: string): void {
    const known = this.#attempts.get(address);
    if (known) this.#attempts.set(address, { count: known.count - 1, until: 0 });
  }

  /** Clears an address after a successful login. */
  reset(address: string): void {
    this.#attempts.delete(address);
  }
}

/** Why a password is too easy to guess; `null` if nothing speaks against it. */
export function passwordWeakness(password: string): string | null {
  const text = password.toLowerCase();
  // Whoever reads the hash could sign in with it.
  if (/^\$(?:argon2(?:id|i|d)|2[aby])\$/.test(text))
    return "the password itself: a hash belongs into BARKEEP_PASSWORD_HASH";
  if (new Set(text).size < MIN_DISTINCT) return `at least ${MIN_DISTINCT} different characters`;
  // The name of this server with a number is what comes to mind first.
  if (/^(?:barkeep|admin|owner)[\d\W_]*$/.test(text)) return "another word than the name of the program or of its user";
  const hash = new Bun.CryptoHasher("sha256").update(text).digest().subarray(0, COMMON_PASSWORD_BYTES);
  const known = Buffer.from(COMMON_PASSWORDS, "base64");
  for (let at = 0; at < known.length; at += COMMON_PASSWORD_BYTES) {
    if (known.subarray(at, at + COMMON_PASSWORD_BYTES).equals(hash)) {
      return "another password: this one is among the 3,000 that are used, and tried, most";
    }
  }
  return null;
}

const MIN_DISTINCT = 4;

/** Verifications at the same time, each of which takes 64 MB with argon2, and those that wait. */
const MAX_VERIFYING = 2;
const MAX_WAITING = 3;

/**
 * Verifies passwords against an argon2 (or bcrypt) hash, off the main thread. Of those that wait the newest is next, and
 * the oldest is given up when there are too many: nobody waits for longer than a few verifications take.
 */
export class Password {
  #verifying = 0;
  readonly #waiting: { readonly guess: string; resolve(answer: boolean | null | Promise<boolean>): void }[] = [];
  readonly #seal = crypto.getRandomValues(new Uint8Array(32));
  /** The right password under a key of this process, once it is known: compared within microseconds. */
  #known: Buffer | null;

  /** @param plain the password itself, if the settings have it */
  constructor(
    readonly hash: string,
    plain?: string,
  ) {
    this.#known = plain === undefined ? null : this.#digest(plain);
  }

  /** Whether `guess` is the password; `null` if too many others are being verified. */
  async verify(guess: string): Promise<boolean | null> {
    const digest = this.#digest(guess);
    if (this.#known !== null) return crypto.timingSafeEqual(digest, this.#known);
    const right = await this.#place(guess);
    if (right === true) this.#known = digest;
    return right;
  }

  #place(guess: string): Promise<boolean | null> {
    if (this.#verifying < MAX_VERIFYING) return this.#run(guess);
    const { promise, resolve } = Promise.withResolvers<boolean | null>();
    this.#waiting.push({ guess, resolve });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()!.resolve(null);
    return promise;
  }

  async #run(guess: string): Promise<boolean> {
    this.#verifying += 1;
    try {
      return await Bun.password.verify(guess, this.hash);
    } finally {
      this.#verifying -= 1;
      const next = this.#waiting.pop();
      if (next) next.resolve(this.#run(next.guess));
    }
  }

  #digest(text: string): Buffer {
    return new Bun.CryptoHasher("sha256", this.#seal).update(text).digest();
  }
}

interface AuditEntry {
  readonly actor: Actor;
  /** The reason that the actor gave. */
  readonly reason: string | null;
  ended: boolean;
}

const acting = new AsyncLocalStorage<AuditEntry>();

/** Runs `work` as `actor`. Timers and streams that outlive it have no actor. */
export async function runAs<T>(actor: Actor, reason: string | null, work: () => Promise<T>): Promise<T> {
  const entry: AuditEntry = { actor, reason, ended: false };
  try {
    return await acting.run(entry, work);
  } finally {
    entry.ended = true;
  }
}

/** The current actor and the reason; `undefined` when the server itself acts. */
export function currentActor(): { readonly actor: Actor; readonly reason: string | null } | undefined {
  const entry = acting.getStore();
  return entry?.ended === false ? entry : undefined;
}
