/** Why a backup was not made, and what a person can do about it. */

import { messageOf } from "../../domain/errors.ts";

export interface BackupFault {
  /** A clause. */
  readonly reason: string;
  /** A sentence. */
  readonly advice: string;
}

const FULL = {
  reason: "the disk of the folder is full",
  advice: "Free space there, keep fewer backups, or choose a folder on a larger disk.",
};
const MISSING = {
  reason: "the folder does not exist",
  advice: "Create it, or mount its disk, or choose another folder.",
};
const REFUSED = {
  reason: "the folder is not writable",
  advice: "Let the user that runs Barkeep write to it, or choose another folder.",
};

const BY_CODE: readonly (readonly [RegExp, BackupFault])[] = [
  [/^(?:ENOSPC|EDQUOT|SQLITE_FULL)/, FULL],
  [/^ENOENT/, MISSING],
  [/^ENOTDIR/, { reason: "it is not a folder", advice: "Choose a folder that exists." }],
  [/^(?:EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_PERM)/, REFUSED],
];

/** A backup that was not begun, for a reason that is known. */
export class BackupRefused extends Error {
  constructor(readonly fault: BackupFault) {
    super(fault.reason);
  }
}

/** The fault behind an error of a backup, also if another error wraps it; other errors in their own words. */
export function faultOfBackup(error: unknown): BackupFault {
  let last = error;
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if (each instanceof BackupRefused) return each.fault;
    const code = "code" in each ? String(each.code) : "";
    const known = BY_CODE.find(([pattern]) => pattern.test(code))?.[1];
    if (known !== undefined) return known;
    last = each;
  }
  return { reason: messageOf(last), advice: "Try again; npm run doctor checks the database." };
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/** There is less free space than the copy takes. */
export const tooSmall = (free: number, needed: number): BackupFault => ({
  ...FULL,
  reason: `the disk of the folder has ${gigabytes(free)} free, and a copy needs ${gigabytes(needed)}`,
});
