/** Puts failed logins and refused requests on record, without letting them fill the disk. */

import { runAs } from "../../auth.ts";
import { messageOf, onOneLine } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import { record } from "../../storage/access/audit.ts";
import type { Database } from "../../storage/db.ts";

/** The first refusal of a kind is recorded at once; how many followed, after this long, milliseconds. */
const WINDOW_MS = 60_000;
/** Kinds of an action that are recorded one by one within a window; further ones are counted together. */
const MAX_KINDS = 30;

export interface RefusedRequest {
  /** `login.refuse` or `request.refuse`. */
  readonly action: "login.refuse" | "request.refuse";
  /** Who sent it; `nobody` without a login. */
  readonly actor: string;
  /** What was asked for: a path, or the owner's login. */
  readonly subject: string;
  readonly why: string;
  /** The network that it came from. */
  readonly from: string;
}

interface Kind {
  readonly request: RefusedRequest;
  /** Refusals that are not on record yet. */
  more: number;
}

export class RefusalRecord {
  readonly #kinds = new Map<string, Kind>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly db: Database,
    private readonly log: Log,
    private readonly windowMs = WINDOW_MS,
  ) {}

  note(request: RefusedRequest): void {
    const alike = [...this.#kinds.values()].filter((kind) => kind.request.action === request.action);
    const whole = alike.length >= MAX_KINDS;
    const own = [request.action, request.actor, request.from, request.why].join("\n");
    const key = whole && !this.#kinds.has(own) ? request.action : own;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.more += 1;
      return;
    }
    const kept = key === own ? request : { ...request, actor: "nobody", subject: "several", from: "several addresses" };
    this.#kinds.set(key, { request: kept, more: 0 });
    this.#write(kept, 1);
    this.#timer ??= setTimeout(() => this.#onWindow(), this.windowMs).unref();
  }

  /** Writes what is not on record yet, and nothing more. */
  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const { request, more } of this.#kinds.values()) if (more > 0) this.#write(request, more);
    this.#kinds.clear();
  }

  #onWindow(): void {
    this.#timer = null;
    for (const [key, kind] of this.#kinds) {
      if (kind.more === 0) this.#kinds.delete(key);
      else this.#write(kind.request, kind.more);
      kind.more = 0;
    }
    if (this.#kinds.size > 0) this.#timer = setTimeout(() => this.#onWindow(), this.windowMs).unref();
  }

  /** Addresses are in the audit only; names of tokens are in `actor` and `why`, and for admins like the audit. */
  #write({ action, actor, subject, why, from }: RefusedRequest, count: number): void {
    const times = count === 1 ? "" : ` (${count} times)`;
    this.log.write("warn", `Refused${times}: ${subject}`, null, null, `${actor}: ${why}`);
    const entry = { action, subject, after: { why: onOneLine(why), from, count } };
    runAs({ name: actor, scope: "read" }, null, () => record(this.db, entry)).catch((error: unknown) =>
      this.log.write("error", `A refusal could not be put on record: ${messageOf(error)}`),
    );
  }
}
