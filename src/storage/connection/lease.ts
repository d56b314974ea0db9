/**
 * The lease that lets one server at a time use a database. Its holder renews it, and every write transaction checks it
 * (`Database.fence`); another server waits for its end.
 */

import { readFileSync, readlinkSync } from "node:fs";
import { eq, sql } from "drizzle-orm";
import { messageOf } from "../../domain/errors.ts";
import type { Database } from "../db.ts";
import { settings } from "../schema/server.ts";
import { LEASE_KEY, LeaseLost } from "./fence.ts";
import { WRITE_KEYS } from "./remote-client.ts";
import { StorageUnavailable } from "./trouble.ts";

const RENEW_MS = 5_000;
/** A lease that was not renewed for this long has expired. */
const EXPIRES_MS = 15_000;
/** The clocks of two machines may differ by less than this: a lease that is older by the clock has expired. */
const SKEW_MS = 5 * 60_000;
/** How often a lease that is waited for is read again. */
const POLL_MS = 250;
const OURS = `key = '${LEASE_KEY}' AND value = `;
const RENEW = `UPDATE settings SET updated_at = ?1 WHERE ${OURS}?2`;
const RELEASE = `DELETE FROM settings WHERE ${OURS}?1`;
const ADVICE = "Stop it first, or set BARKEEP_DB_URL to another file.";

interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  /** What tells its process from others that had or have its pid; missing where the system does not say. */
  readonly process?: string;
}

export interface LeaseOptions {
  readonly host: string;
  /** Receives what is waited for. */
  print(line: string): void;
  /** Another server has taken the lease over. */
  onLost(): void;
}

export interface Lease {
  /** Its row, as every connection that writes must find it. */
  readonly value: string;
  /** Resolves while the lease is sure to be held: at once if it was renewed lately, otherwise after a renewal. */
  confirm(): Promise<void>;
  /** Ends the renewals and gives the lease back. */
  release(): Promise<void>;
}

/** The start time and the name space of a process, from Linux; `null` if there is no such process, or it has ended. */
function identify(pid: number): string | null | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
    // A zombie has ended; its parent has not asked yet.
    return fields[0] === "Z" || fields[0] === "X" ? null : `${fields[19]}@${readlinkSync(`/proc/${pid}/ns/pid`)}`;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    return code === "ENOENT" && isLinux() ? null : undefined;
  }
}

const isLinux = () => process.platform === "linux";

/** Whether the process of this machine that took a lease is running; `undefined` if that cannot be known from here. */
function isRunning({ pid, process: known }: Holder): boolean | undefined {
  const own = identify(process.pid);
  const [ownSpace, space] = [own, known].map((text) => text?.split("@")[1]);
  // Of another container's processes nothing can be seen from here.
  if (space !== undefined && ownSpace !== undefined && space !== ownSpace) return undefined;
  const found = identify(pid);
  if (found === null) return false;
  if (found !== undefined) return known === undefined || found === known;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Takes the lease and renews it. Whether a process of another machine or container runs cannot be checked from here, so
 * its lease is waited for: if the holder is gone, it expires.
 * @throws Error if another running server has it
 */
export async function takeLease(db: Database, { host, print, onLost }: LeaseOptions): Promise<Lease> {
  const own = identify(process.pid);
  const holder: Holder = { id: Bun.randomUUIDv7(), pid: process.pid, host, ...(own && { process: own }) };
  const value = JSON.stringify(holder);
  const seen = await voidLease(db, host, print);
  // Only if the lease is still the one that was read: of two servers that start together, one gets it.
  const taken = await db.orm
    .insert(settings)
    .values({ key: LEASE_KEY, value, updatedAt: Date.now() })
    .onConflictDoUpdate({
      target: settings.key,
      set: { value, updatedAt: Date.now() },
      setWhere: seen === undefined ? sql`false` : eq(settings.value, seen),
    })
    .returning();
  if (taken.length === 0) throw new Error(`Another Barkeep has just started on this database. ${ADVICE}`);
  // The numbers of earlier connections: whatever they may still send, the fence refuses.
  if (!db.local) await db.write([{ sql: "DELETE FROM settings WHERE key LIKE ?1", args: [`${WRITE_KEYS}%`] }]);
  db.fence(value, onLost);
  return holdLease(db, value, print);
}

/** Renews a lease until it is released or lost. */
function holdLease(db: Database, value: string, print: (line: string) => void): Lease {
  let isLost = false;
  // Both clocks: the steady one stands still while the machine is suspended, the other one may be set.
  let renewed = { steady: performance.now(), wall: Date.now() };
  let renewing: Promise<void> | null = null;
  const renewOnce = async () => {
    const at = { steady: performance.now(), wall: Date.now() };
    // The fence checks that it is still ours.
    await db.write([{ sql: RENEW, args: [at.wall, value] }]);
    renewed = at;
  };
  const renew = () => {
    renewing ??= renewOnce()
      .catch((error) => {
        if (!(error instanceof LeaseLost)) throw error;
        isLost = true;
        throw error;
      })
      .finally(() => {
        renewing = null;
      });
    return renewing;
  };
  // A failed renewal is tried again; meanwhile `confirm` holds whatever needs the lease.
  let said = "";
  const timer = setInterval(
    () =>
      void renew().then(
        () => {
          said = "";
        },
        (error) => {
          if (said === messageOf(error)) return;
          said = messageOf(error);
          print(`error The database cannot be written: ${said}`);
        },
      ),
    RENEW_MS,
  );
  const isFresh = () =>
    performance.now() - renewed.steady < EXPIRES_MS && Math.abs(Date.now() - renewed.wall) < EXPIRES_MS;
  return {
    value,
    async confirm() {
      while (!isLost && !isFresh()) await renew().catch(() => Bun.sleep(isLost ? 0 : POLL_MS));
      if (isLost) throw new LeaseLost();
    },
    async release() {
      clearInterval(timer);
      await renewing?.catch(() => {});
      await db.write([{ sql: RELEASE, args: [value] }]).catch((error) => {
        // It expires; the trouble has been reported.
        if (!(error instanceof LeaseLost || error instanceof StorageUnavailable)) throw error;
      });
    },
  };
}

/** Waits until the lease may be taken over, and returns it; `undefined` if there is none. */
async function voidLease(db: Database, host: string, print: (line: string) => void): Promise<string | undefined> {
  let first: { readonly updatedAt: number; readonly value: string; readonly at: number } | undefined;
  for (;;) {
    const row = await db.orm.select().from(settings).where(eq(settings.key, LEASE_KEY)).get();
    if (row === undefined) return undefined;
    const holder = parseHolder(row.value);
    if (holder === null) return row.value;
    const name = `Another Barkeep (process ${holder.pid} on ${holder.host})`;
    const age = Date.now() - row.updatedAt;
    const running = holder.host === host ? isRunning(holder) : undefined;
    if (running === false || (holder.host === host && holder.pid === process.pid && running !== undefined)) {
      return row.value;
    }
    if (running === true) {
      const silence = age >= EXPIRES_MS ? ` It has not answered for ${seconds(age)} s: it may be suspended.` : "";
      throw new Error(`${name} works on this database.${silence} ${ADVICE}`);
    }
    if (age >= SKEW_MS) return row.value;
    if (first === undefined) {
      first = { ...row, at: performance.now() };
      print(
        `${name} has the lease of this database: waiting up to ${seconds(EXPIRES_MS)} s for it to be renewed or expire`,
      );
    } else if (row.updatedAt !== first.updatedAt || row.value !== first.value) {
      throw new Error(`${name} works on this database. ${ADVICE}`);
    }
    if (performance.now() - first.at >= EXPIRES_MS) return row.value;
    await Bun.sleep(POLL_MS);
  }
}

/** `null` if the row is damaged: nobody can hold it. */
function parseHolder(value: string): Holder | null {
  try {
    const holder: unknown = JSON.parse(value);
    return typeof holder === "object" && holder !== null && "pid" in holder ? (holder as Holder) : null;
  } catch {
    return null;
  }
}

const seconds = (ms: number) => Math.round(ms / 1_000);
