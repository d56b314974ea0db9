/** What a worker reports to its server, and the orders that it gets: numbered, so that none is lost and none comes twice. */

import type { QueueState } from "../../domain/hosts/host-state.ts";
import { decode, encode } from "../../pipeline/remote/codec.ts";
import type {
  ClaimAnswer,
  ClaimRequest,
  Order,
  Registered,
  Registration,
  Report,
  SyncAnswer,
  SyncRequest,
} from "../../pipeline/remote/protocol.ts";
import { type Attempt, Away, RefusedByServer, type ServerConnection } from "../../pipeline/remote/server-connection.ts";

/** Reports of one request, at most. */
const MAX_REPORTS = 2_000;
/** The pause after a request that was not answered, milliseconds: from the first to the last, doubled each time. */
const PAUSE_MS = [100, 5_000] as const;
/** A server that has answered nothing for this long is away, milliseconds: single requests are lost on any network. */
const AWAY_MS = 3_000;
/** The pause before the worker comes again to a server that does not take what it reports, milliseconds. */
const REFUSED_MS = 5_000;
/** How much longer than the server holds it back a request may take, milliseconds. */
const SLACK_MS = 10_000;

/** How long a claim may take, milliseconds: then the key is given back. */
const CLAIM_MS = 5_000;

/** What a worker does with what its server says. */
export interface LinkHandlers {
  /** The server has taken the worker in; what it had is another's now. */
  onSession(registered: Registered): void;
  /** @param until what the order allows ends then, epoch milliseconds: the server may have given the job to another */
  onOrder(order: Order, until: number): void;
  /** The server does not answer or refuses what it may take later, and why; `null`: it answers again. */
  onAway(why: Away | null): void;
  /** Whether the worker reaches the job queue; `null`: it takes no keys from there. */
  queueState(): QueueState | null;
}

/** One stay at the server. */
interface Session {
  readonly registered: Registered;
  /** The number of the first report that may not have arrived. */
  first: number;
  reports: Report[];
  /** The last order that has arrived. */
  ordered: number;
  isOver: boolean;
  /** Whether it is over because the server did not take what was reported. */
  isRefused: boolean;
  /** Whether the worker may take keys from the job queue. */
  mayTake: boolean;
}

export class ServerLink {
  #session: Session | null = null;
  #isLeaving = false;
  #isClosed = false;
  #away: Away | null = null;
  /** Whether the state of the job queue has changed since it was last sent. */
  #hasNews = false;
  /** Since when no request was answered, milliseconds of `performance.now()`. */
  #failingSince = Number.POSITIVE_INFINITY;
  /** Ends the wait of the sender for something to send. */
  #wake = () => {};

  constructor(
    private readonly connection: ServerConnection,
    private readonly registration: Registration,
    private readonly handlers: LinkHandlers,
  ) {}

  /**
   * Stays with the server until `close`, and comes back to it whenever it has let go of the worker.
   * @throws RefusedByServer if the server refuses the worker for good
   */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      const registered = await this.#register();
      if (registered === null) return;
      const fresh = { first: 1, reports: [], ordered: 0, isOver: false, isRefused: false, mayTake: true };
      const session: Session = { registered, ...fresh };
      this.#session = session;
      // Closed while the server answered: nobody would end this stay.
      if (this.#isClosed) return await this.#leave(session);
      this.handlers.onSession(registered);
      await Promise.all([this.#send(session), this.#poll(session)]);
      if (session.isRefused && !this.#isClosed) await Bun.sleep(REFUSED_MS);
    }
  }

  report(report: Report): void {
    this.#session?.reports.push(report);
    this.#wake();
  }

  /** Tells the server now whether the job queue can be reached. */
  announce(): void {
    this.#hasNews = true;
    this.#wake();
  }

  /** Whether the worker may take keys from the job queue. */
  get mayTake(): boolean {
    return this.#session !== null && !this.#session.isOver && this.#session.mayTake && !this.#isLeaving;
  }

  /** Whether the server has answered the last request of this stay. */
  get isHeard(): boolean {
    return this.#session !== null && !this.#session.isOver && this.#failingSince === Number.POSITIVE_INFINITY;
  }

  /** Tells the server of a key that was taken from the job queue; resolves with `null` if it has not heard of it. */
  async claim(key: string): Promise<ClaimAnswer | null> {
    const session = this.#session;
    // One that came when the worker was just drained is claimed too: then it begins elsewhere at once.
    if (session === null || session.isOver) return null;
    const request: ClaimRequest = { session: session.registered.session, key };
    try {
      const answer = await this.connection.try("claim", encode(request), {}, CLAIM_MS);
      return answer instanceof Uint8Array ? (decode(answer) as ClaimAnswer) : null;
    } catch {
      // Refused: so is the next report, which ends the worker.
      return null;
    }
  }

  /** Whether reports have yet to arrive. */
  get isBehind(): boolean {
    return this.#session !== null && this.#session.reports.length > 0;
  }

  /** Tells the server that the worker takes no more jobs and gives back those that it has. */
  leave(): void {
    this.#isLeaving = true;
    this.#wake();
  }

  /** Ends the stay. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const session = this.#session;
    if (session === null) return;
    await this.#leave(session);
  }

  async #leave(session: Session): Promise<void> {
    session.isOver = true;
    this.#wake();
    await this.connection.try("leave", encode({ session: session.registered.session }), {}, SLACK_MS).catch(() => {});
  }

  async #register(): Promise<Registered | null> {
    for (let failures = 0; !this.#isClosed; failures++) {
      const answer = await this.#request("register", encode(this.registration));
      this.#noteAway(answer);
      if (answer instanceof Uint8Array) return decode(answer) as Registered;
      await pause(failures);
    }
    return null;
  }

  /** Sends reports as they come; while a request is under way they gather. */
  async #send(session: Session): Promise<void> {
    let hasLeft = false;
    for (let failures = 0; !session.isOver; ) {
      const mustSay: boolean = this.#hasNews || (this.#isLeaving && !hasLeft);
      if (session.reports.length === 0 && !mustSay) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
        continue;
      }
      const isLast = this.#isLeaving;
      this.#hasNews = false;
      const isAnswered = await this.#exchange(session, session.reports.slice(0, MAX_REPORTS), false);
      hasLeft ||= isLast && isAnswered;
      this.#hasNews ||= mustSay && !isAnswered;
      failures = isAnswered ? 0 : failures + 1;
      if (!isAnswered && !session.isOver) await pause(failures - 1);
    }
  }

  /** Asks for orders; the server answers when there are some. */
  async #poll(session: Session): Promise<void> {
    for (let failures = 0; !session.isOver; ) {
      const isAnswered = await this.#exchange(session, [], true);
      failures = isAnswered ? 0 : failures + 1;
      if (!isAnswered && !session.isOver) await pause(failures - 1);
    }
  }

  /** @returns whether there was an answer */
  async #exchange(session: Session, reports: readonly Report[], mayWait: boolean): Promise<boolean> {
    const { registered } = session;
    const request: SyncRequest = {
      session: registered.session,
      first: session.first,
      reports: [...reports],
      ordered: session.ordered,
      mayWait,
      memory: process.memoryUsage.rss(),
      isLeaving: this.#isLeaving,
      queue: this.handlers.queueState(),
    };
    const sentAt = { steady: performance.now(), epoch: Date.now() };
    const answer = await this.#request("sync", encode(request), registered.holdMs + SLACK_MS);
    if (session.isOver) return true;
    this.#noteAway(answer);
    if (answer instanceof RefusedByServer) {
      // What was reported would be refused for ever: a new stay begins without it.
      session.isRefused = answer.isOfBody;
      session.isOver = answer.isOfBody;
      this.#wake();
      return false;
    }
    // A process that was stopped for so long has lost everything, whatever the answer from before says. The steady clock
    // stands still while a machine sleeps, and the other one may be set back.
    const { leaseMs } = registered;
    const isStale = performance.now() - sentAt.steady > leaseMs || Date.now() - sentAt.epoch > leaseMs;
    if (answer === "lost" || (isStale && answer instanceof Uint8Array)) {
      session.isOver = true;
      this.#wake();
      return true;
    }
    if (!(answer instanceof Uint8Array)) return false;
    const { received, orders, mayTake } = decode(answer) as SyncAnswer;
    session.mayTake = mayTake;
    const arrived = received - session.first + 1;
    if (arrived > 0) {
      session.reports.splice(0, arrived);
      session.first = received + 1;
    }
    for (const order of orders) {
      if (order.number <= session.ordered) continue;
      session.ordered = order.number;
      this.handlers.onOrder(order, sentAt.epoch + leaseMs);
    }
    return true;
  }

  /** @throws RefusedByServer if the server refuses the worker for good; other refusals are returned */
  async #request(
    path: "register" | "sync",
    body: Uint8Array<ArrayBuffer>,
    requestMs?: number,
  ): Promise<Attempt | RefusedByServer> {
    try {
      return await this.connection.try(path, body, {}, requestMs);
    } catch (error) {
      if (error instanceof RefusedByServer && !error.isFinal) return error;
      throw error;
    }
  }

  #noteAway(answer: Attempt | RefusedByServer): void {
    const now = performance.now();
    const away =
      answer instanceof RefusedByServer ? new Away(answer.message, true) : answer instanceof Away ? answer : null;
    this.#failingSince = away === null ? Number.POSITIVE_INFINITY : Math.min(this.#failingSince, now);
    // Single requests are lost on any network; a refusal is said at once.
    const current = away?.isRefusal || now - this.#failingSince >= AWAY_MS ? away : null;
    const isNew =
      (current === null) !== (this.#away === null) || (current?.isRefusal && current.reason !== this.#away?.reason);
    if (!isNew) return;
    this.#away = current;
    this.handlers.onAway(current);
  }
}

/** The pause after a number of failures before; of many workers not all come back at the same moment. */
const pause = (failures: number): Promise<void> => {
  const [least, most] = PAUSE_MS;
  return Bun.sleep(Math.min(most, least * 2 ** failures) * (0.5 + Math.random() / 2));
};
