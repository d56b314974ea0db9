/** What browsers show as desktop notifications: runs that have ended, and promises at risk or missed. */

import type { PromiseEvent } from "../../domain/alerts.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { runTitle } from "../../domain/runs/run-title.ts";
import { utcMinute } from "../../domain/time.ts";
import type { ProgressHub } from "../../hub.ts";
import type { NotificationKind } from "../../views/notifications.tsx";

import { plural } from "../../views/ui/format.ts";
import type { StreamLifetime } from "../http/stream-limits.ts";

interface DesktopNotification {
  readonly kind: NotificationKind;
  readonly title: string;
  readonly body: string;
  /** The page that it leads to, below the base path. */
  readonly path: string;
  /** The same for the same occurrence, so that a browser shows it once. */
  readonly tag: string;
}

/** Time between two heartbeats, milliseconds: a browser notices by them that its connection broke. */
const HEARTBEAT_MS = 20_000;
/** The last notifications are kept for browsers that connect again. */
const KEPT = 50;
/** Messages that may wait for a reader; one who accepts none is disconnected. */
const MAX_WAITING = 100;

interface Dependencies {
  readonly hub: ProgressHub;
  /** Follows what is reported of promises; returns the function that stops it. */
  onPromise(listener: (event: PromiseEvent) => void): () => void;
}

export class Notifications {
  readonly #readers = new Set<(text: string) => void>();
  readonly #started = new DisposableStack();
  readonly #startedAt = Date.now();
  /** When each run ended that was reported, epoch milliseconds. */
  readonly #ended = new Map<string, number>();
  #sent: { readonly number: number; readonly text: string }[] = [];
  #number = 0;

  constructor(
    private readonly dependencies: Dependencies,
    private readonly heartbeatMs = HEARTBEAT_MS,
  ) {}

  /** Follows runs and promises until it is closed. */
  start(): void {
    const { hub, onPromise } = this.dependencies;
    this.#started.defer(
      hub.onFrame(({ runs }) => {
        for (const run of runs) this.#onRun(run);
      }),
    );
    this.#started.defer(onPromise((event) => this.#onPromise(event)));
    this.#started.adopt(
      setInterval(() => {
        for (const write of this.#readers) write(this.#heartbeat());
      }, this.heartbeatMs),
      clearInterval,
    );
  }

  close(): void {
    this.#started.dispose();
  }

  /**
   * A stream of what happens after `cursor`, the id of the last event that a browser got; without one, from now on. All that
   * this start has sent comes after a cursor of an earlier one.
   */
  connect(cursor: string | undefined, lifetime?: StreamLifetime): ReadableStream<Uint8Array> {
    const [epoch, number] = (cursor ?? "").split("-");
    const isOfThisStart = epoch === this.dependencies.hub.epoch;
    const from = epoch === "" ? Number.POSITIVE_INFINITY : isOfThisStart ? Number(number) : 0;
    const missed = this.#sent.filter((each) => each.number > from).map(({ text }) => text);
    let leave = () => {};
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const write = (text: string) => {
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
            else end();
          };
          const end = () => {
            leave();
            try {
              controller.close();
            } catch {
              // The connection is closed already.
            }
          };
          const ended = lifetime?.(end);
          leave = () => {
            this.#readers.delete(write);
            ended?.();
          };
          this.#readers.add(write);
          // The headers are sent with the first bytes.
          write(missed.join("") + this.#heartbeat());
        },
        cancel: () => leave(),
      },
      { highWaterMark: MAX_WAITING },
    );
  }

  #onRun(run: RunSummary): void {
    const { id, state, finishedAt, counts, total } = run;
    // What had ended before this start is no news.
    if (finishedAt === null || finishedAt < this.#startedAt || this.#ended.get(id) === finishedAt) return;
    this.#ended.set(id, finishedAt);
    if (this.#ended.size > 1_000) this.#ended.delete(this.#ended.keys().next().value!);
    const common = { path: `runs/${encodeURIComponent(id)}`, tag: `${id} ${finishedAt}` };
    if (state === "failed") {
      const body = `${plural(counts.failed, "symbol")} of ${total} failed, ${counts.complete} complete`;
      this.#send({ kind: "run_failed", title: `Ended with failures: ${runTitle(run)}`, body, ...common });
    } else if (state === "complete") {
      const body = `${plural(counts.complete, "symbol")} complete`;
      this.#send({ kind: "run_done", title: `Done: ${runTitle(run)}`, body, ...common });
    }
  }

  #onPromise({ kind, name, deadline, promiseId, missing, total, reason }: PromiseEvent): void {
    if (kind === "freshness_recovered") return;
    const isMissed = kind === "freshness_missed";
    const gone = missing > 0 ? `${missing} of ${plural(total, "symbol")} missing; ` : "";
    this.#send({
      kind: isMissed ? "promise_missed" : "promise_at_risk",
      title: `Promise ${isMissed ? "missed" : "at risk"}: ${name}`,
      body: `Deadline ${utcMinute(deadline)}. ${gone}${reason}`,
      path: `promises/${promiseId}`,
      tag: `${kind} ${promiseId} ${deadline}`,
    });
  }

  /** With the id of the last event, so that a browser that has got none yet has a cursor too. */
  #heartbeat(): string {
    return `event: heartbeat\nid: ${this.#idOf(this.#number)}\ndata: {}\n\n`;
  }

  #idOf(number: number): string {
    return `${this.dependencies.hub.epoch}-${number}`;
  }

  #send(notification: DesktopNotification): void {
    this.#number += 1;
    const text = `event: notification\nid: ${this.#idOf(this.#number)}\ndata: ${JSON.stringify(notification)}\n\n`;
    this.#sent = [...this.#sent.slice(1 - KEPT), { number: this.#number, text }];
    for (const write of [...this.#readers]) write(text);
  }
}

const encoder = new TextEncoder();
