/** What login rests on: secrets and their hashes, throttled guesses, forged requests, and who is acting now. */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Actor } from "./domain/access.ts";

/** What API tokens begin with, so that one in a log or a repository is recognised. */
export const TOKEN_PREFIX = "bk_";

/** A secret of 256 random bits, URL-safe. */
export function newSecret(prefix = ""): string {
  return prefix + Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}

/** What is stored of a random secret: SHA-256 is enough, because 256 random bits cannot be guessed. */
export function hashSecret(secret: string): string {
  return new Bun.CryptoHasher("sha256").update(secret).digest("hex");
}

/** Only this machine can reach a server that listens here. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** The name in a `Host` header, without its port. */
export const hostName = (header: string): string => header.replace(/:\d*$/, "");

/**
 * Whether a page of another site makes a browser send this. Browsers name the origin of whatever they post; a program
 * that names none has no user to be tricked.
 */
export function isForged(headers: Headers): boolean {
  const site = headers.get("Sec-Fetch-Site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("Origin");
  if (origin === null) return false;
  // Hosts are compared, not schemes: behind a proxy that ends TLS the server sees http.
  return !URL.canParse(origin) || new URL(origin).host !== headers.get("Host");
}

/** Guesses that cost nothing, then each waits twice as long as the one before, milliseconds. */
const FREE_GUESSES = 3;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15 * 60_000;
/** Addresses remembered; the one that guessed longest ago makes room. */
const MAX_ADDRESSES = 10_000;

/** Slows down guessing, per address. */
export class Throttle {
  readonly #guesses = new Map<string, { count: number; until: number }>();
  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Reserves one login attempt. It counts as failed until `reset`, so that parallel attempts are limited too.
   * @returns 0, or the milliseconds to wait first
   */
  take(address: string): number {
    const now = this.now();
    const { count, until } = this.#guesses.get(address) ?? { count: 0, until: 0 };
    if (until > now) return until - now;
    // An address without attempts for the longest wait starts from zero.
    const guesses = until > 0 && now - until > LONGEST_WAIT ? 1 : count + 1;
    const wait = guesses < FREE_GUESSES ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (guesses - FREE_GUESSES));
    this.#guesses.delete(address);
    this.#guesses.set(address, { count: guesses, until: now + wait });
    if (this.#guesses.size > MAX_ADDRESSES) this.#guesses.delete(this.#guesses.keys().next().value!);
    return 0;
  }

  /** The last guess was right. */
  reset(address: string): void {
    this.#guesses.delete(address);
  }
}

/** Verifies passwords against an argon2 (or bcrypt) hash, off the main thread and one at a time: each takes 64 MB. */
export class Password {
  #turn: Promise<unknown> = Promise.resolve();
  constructor(readonly hash: string) {}

  verify(guess: string): Promise<boolean> {
    const answer = this.#turn.then(() => Bun.password.verify(guess, this.hash));
    this.#turn = answer.catch(() => {});
    return answer;
  }
}

interface AuditEntry {
  readonly actor: Actor;
  /** Why, in the actor's own words. */
  readonly reason: string | null;
  over: boolean;
}

const acting = new AsyncLocalStorage<AuditEntry>();

/** Runs `work` in the name of `actor`. Timers and streams that it leaves behind act in nobody's name. */
export async function runAs<T>(actor: Actor, reason: string | null, work: () => Promise<T>): Promise<T> {
  const entry: AuditEntry = { actor, reason, over: false };
  try {
    return await acting.run(entry, work);
  } finally {
    entry.over = true;
  }
}

/** Who acts now and why; `undefined` when the server acts by itself. */
export function currentActor(): { readonly actor: Actor; readonly reason: string | null } | undefined {
  const entry = acting.getStore();
  return entry?.over === false ? entry : undefined;
}
