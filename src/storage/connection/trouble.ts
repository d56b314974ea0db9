/** Which errors of a write or read are trouble of the whole database, and not of the statement. */

import { faultOf, Refusal, type StorageFault, type TroubleKind } from "../../domain/errors.ts";

/** After how many seconds another try of what was refused makes sense. */
const TRY_AGAIN_S = 5;

/** Nothing can be stored now: what was to be written was not, and will not be. */
export class StorageUnavailable extends Refusal {
  constructor(readonly fault: StorageFault) {
    super("unavailable", `${fault.what}, so nothing was changed. ${fault.advice}`, [], TRY_AGAIN_S);
  }
}

/** An error that is a fault of the database in words of its own. */
export class FaultError extends Error {
  constructor(
    readonly fault: StorageFault,
    options?: ErrorOptions,
  ) {
    super(`${fault.what}. ${fault.advice}`, options);
  }
}

/** A server has made a change, but its answer was lost: what the change was must be read. */
export class AnswerLost extends Error {
  override readonly name = "AnswerLost";
  constructor() {
    super("The database server has made a change, but its answer was lost: check whether all is as it should be");
  }
}

const KINDS: readonly (readonly [RegExp, Exclude<TroubleKind, "gone">])[] = [
  [/^SQLITE_(?:BUSY|LOCKED|PROTOCOL)/, "locked"],
  [/^SQLITE_FULL/, "full"],
  [/^SQLITE_(?:READONLY|PERM)/, "read_only"],
  [/^SQLITE_(?:IOERR|CANTOPEN)/, "failing"],
  [/^SQLITE_(?:CORRUPT|NOTADB)/, "damaged"],
];

/** The driver gives no code for a file that it cannot open. */
const NOT_OPENED = /^ConnectionFailed\("Unable to open .*: 14"\)$/;

/** The fault behind an error, also if another error wraps it; `null` if the database as a whole is well. */
export function storageFault(error: unknown): StorageFault | null {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if (each instanceof FaultError || each instanceof StorageUnavailable) return each.fault;
    const code = ("code" in each && each.code) || (NOT_OPENED.test(each.message) ? "SQLITE_CANTOPEN" : "");
    const kind = KINDS.find(([pattern]) => pattern.test(String(code)))?.[1];
    if (kind !== undefined) return faultOf(kind);
  }
  return null;
}

/** Whether a write failed because a row with the same unique key exists. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed/.test(error.message + String(error.cause ?? ""));
}
