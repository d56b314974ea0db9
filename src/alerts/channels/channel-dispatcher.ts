/**
 * Makes messages from recorded events for every channel but mail, each by its own rules, and posts the queued ones, with
 * retries. Channels are served side by side: one that does not answer delays no other.
 */

import { type Clock, systemClock } from "../../clock.ts";
import { type AlertRules, type ChannelKind, DEFAULT_ALERT_RULES } from "../../domain/alerts.ts";
import { messageOf, Refusal } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import { nameOf } from "../../schemas.ts";
import { record } from "../../storage/access/audit.ts";
import { type ChannelRow, deleteChannel, listChannels, storeChannel } from "../../storage/alerts/channels.ts";
import {
  hurryMails,
  lastMails,
  type MailRow,
  mailFailed,
  mailSent,
  muteEventsOf,
  newEventsOf,
  nextMailAt,
  type PendingEvent,
  postMessage,
  releaseMails,
  sendAgain,
  takeMail,
} from "../../storage/alerts/outbox.ts";
import type { Database } from "../../storage/db.ts";
import type { Cipher } from "../../storage/encryption.ts";
import { composeMail } from "../compose.ts";
import { planMails } from "../digest.ts";
import { describeRetry, earlier, PollLoop, retryAt } from "../poll-loop.ts";
import { type RenderedMail, renderMail } from "../templates/layout.ts";
import { testMail } from "../templates/operations.ts";
import { ChannelError, postToChannel } from "./post.ts";
import type { ChannelMessage } from "./requests.ts";
import { type ChannelTarget, faultsOf, secretsOfTarget, storedFault, withDefaults } from "./target.ts";

/** Longer than any attempt. */
const LEASE_MS = 60_000;
/** Longest name of a channel, characters. */
const MAX_CHANNEL_NAME = 60;
/** Most events that one poll reads for a channel. */
const EVENTS_PER_POLL = 20_000;

/** A channel as it was entered. An empty secret or address keeps the stored one. */
export interface ChannelInput {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly target: ChannelTarget;
  readonly rules: AlertRules;
  readonly enabled: boolean;
}

/** A channel as pages show it. */
export interface ChannelState extends Omit<ChannelRow, "target" | "since"> {
  /** Whether its address cannot be read with this BARKEEP_SECRET; its messages wait. */
  readonly unreadable: boolean;
  /** What would be refused today of what an earlier version stored; `null` if nothing. It goes on until it is saved. */
  readonly fault: string | null;
  readonly place: string;
  readonly hasSecret: boolean;
}

export interface ChannelOptions {
  readonly db: Database;
  readonly log: Log;
  /** `null` without BARKEEP_SECRET: then no channel can be stored. */
  readonly cipher: Cipher | null;
  readonly clock?: Clock;
  /** Receives what must be redacted. */
  onSecrets?(secrets: readonly string[]): void;
  /** How long a channel may take to answer, milliseconds. */
  readonly timeoutMs?: number;
}

interface Channel {
  readonly row: ChannelRow;
  /** `null` if it cannot be read with this secret. */
  readonly target: ChannelTarget | null;
}

export class ChannelDispatcher {
  readonly #db: Database;
  readonly #clock: Clock;
  #channels = new Map<string, Channel>();
  #base: string | null = null;
  readonly #loop: PollLoop;

  private constructor(private readonly options: ChannelOptions) {
    this.#db = options.db;
    this.#clock = options.clock ?? systemClock;
    this.#loop = new PollLoop(this.#clock, () => this.#poll());
  }

  static async open(options: ChannelOptions): Promise<ChannelDispatcher> {
    const own = new ChannelDispatcher(options);
    for (const row of await listChannels(options.db)) {
      const text = (await options.cipher?.open(sealName(row.id), row.target)) ?? null;
      if (text === null)
        options.log.write("warn", `The address of the channel ${row.name} cannot be read with this BARKEEP_SECRET`);
      own.#put(row, text === null ? null : JSON.parse(text));
      const fault = text === null ? null : storedFault(row.kind, JSON.parse(text));
      if (fault !== null) options.log.write("warn", `The channel ${row.name}: ${fault}`);
    }
    return own;
  }

  /** Whether channels can be stored. */
  get keepsSecrets(): boolean {
    return this.options.cipher !== null;
  }

  list(): ChannelState[] {
    return [...this.#channels.values()]
      .map(({ row: { target: _, since: __, ...row }, target }) => ({
        ...row,
        unreadable: target === null,
        fault: target === null ? null : storedFault(row.kind, target),
        place: target?.place ?? "",
        hasSecret: target !== null && target.secret !== "",
      }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  /** The rules of the enabled channels. */
  rules(): AlertRules[] {
    return [...this.#channels.values()].flatMap(({ row }) => (row.enabled ? [row.rules] : []));
  }

  /** Starts to post. `base` is the address of the server, for links. */
  start(base: string): void {
    this.#base = base.replace(/\/$/, "");
    this.#loop.start();
  }

  /**
   * Stores a channel; its queued messages are tried at once.
   * @param id `null` for a new one
   * @throws Refusal with one error per wrong field
   */
  async save(id: string | null, input: ChannelInput): Promise<string> {
    const { cipher } = this.options;
    const known = id === null ? undefined : this.#require(id);
    if (cipher === null)
      throw new Refusal("conflict", "Set BARKEEP_SECRET first: addresses and tokens are kept sealed");
    const { kind, rules, enabled } = input;
    const { name, faults } = nameOf("channel", MAX_CHANNEL_NAME, input.name);
    const before = known?.row.kind === kind ? known.target : null;
    // Secrets are never sent back to a browser, so an empty field means the stored one; but not at another address.
    const url = input.target.url || (before?.url ?? "");
    const moved = before !== null && url !== before.url;
    const target = withDefaults(kind, {
      url,
      secret: input.target.secret || (moved ? "" : (before?.secret ?? "")),
      place: input.target.place,
    });
    const errors = [...faults, ...faultsOf(kind, target)];
    if (errors.length > 0) throw new Refusal("invalid", errors[0]!.message, errors);
    const now = this.#clock.now();
    const row: ChannelRow = {
      id: known?.row.id ?? Bun.randomUUIDv7(),
      name,
      kind,
      target: "",
      host: new URL(target.url).host,
      rules: { ...DEFAULT_ALERT_RULES, ...rules },
      enabled,
      // What happened while it was paused is not posted afterwards.
      since: known?.row.enabled ? Math.min(known.row.since, now) : now,
      createdAt: known?.row.createdAt ?? now,
    };
    const sealed = { ...row, target: await cipher.close(sealName(row.id), JSON.stringify(target)) };
    await storeChannel(this.#db, sealed, known?.row);
    this.#put(sealed, target);
    await hurryMails(this.#db, now, row.id);
    this.notify();
    return row.id;
  }

  async remove(id: string): Promise<void> {
    await deleteChannel(this.#db, this.#require(id).row);
    this.#channels.delete(id);
  }

  /** Queues a test message, at any hour. @throws Refusal if there is no such channel, or its address cannot be read */
  async sendTest(id: string): Promise<void> {
    const { row, target } = this.#require(id);
    if (target === null) throw new Refusal("conflict", "Its address cannot be read: enter it again");
    const now = this.#clock.now();
    const base = this.#base ?? "";
    await this.#post(row, "test", renderMail(testMail(base, now), base), []);
    await record(this.#db, { action: "channel.test", subject: row.name });
    this.notify();
  }

  /** @throws Refusal if there is no such message, or it is just being sent */
  async sendAgain(message: string): Promise<void> {
    const done = await sendAgain(this.#db, message, Bun.randomUUIDv7(), this.#clock.now());
    if (!done) throw new Refusal("conflict", "There is no such message, or it is just being sent");
    await record(this.#db, { action: "mail.again", subject: message });
    this.notify();
  }

  /** There may be new events. */
  notify(): void {
    this.#loop.notify();
  }

  /** Resolves when there is nothing to do at present. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  /** Stops. A message under way may finish for a moment; otherwise it is posted again after the next start. */
  close(): Promise<void> {
    return this.#loop.close();
  }

  #put(row: ChannelRow, target: ChannelTarget | null): void {
    if (target !== null) this.options.onSecrets?.(secretsOfTarget(target));
    this.#channels.set(row.id, { row, target });
  }

  #require(id: string): Channel {
    const channel = this.#channels.get(id);
    if (channel === undefined) throw new Refusal("not_found", "There is no such channel");
    return channel;
  }

  async #poll(): Promise<number | null> {
    if (this.#channels.size === 0) return null;
    await releaseMails(this.#db, this.#clock.now()).catch(() => {});
    const times = await Promise.all([...this.#channels.values()].map((channel) => this.#serve(channel)));
    return times.reduce(earlier, null);
  }

  /** Makes and posts the messages of one channel; returns when to do so again. */
  async #serve(channel: Channel): Promise<number | null> {
    try {
      const planned = channel.row.enabled ? await this.#makeMessages(channel.row) : null;
      if (channel.target === null) return planned;
      await this.#postDue(channel.row, channel.target);
      return earlier(planned, await nextMailAt(this.#db, channel.row.id));
    } catch (error) {
      this.options.log.write("error", `Alerts of ${channel.row.name} cannot be processed: ${messageOf(error)}`);
      return null;
    }
  }

  async #makeMessages(row: ChannelRow): Promise<number | null> {
    const events = await newEventsOf(this.#db, row.id, EVENTS_PER_POLL);
    if (events.length === 0) return null;
    const plan = planMails(events, row.rules, await lastMails(this.#db, row.id), this.#clock.now());
    await muteEventsOf(this.#db, row.id, plan.muted);
    for (const { kind, events } of plan.mails) {
      const mail = composeMail(
        kind,
        events.map(({ event }) => event),
        this.#base!,
      );
      await this.#post(row, kind, mail, events);
    }
    return plan.nextAt;
  }

  async #post(
    row: ChannelRow,
    kind: MailRow["kind"],
    { subject, brief, url }: RenderedMail,
    events: readonly PendingEvent[],
  ): Promise<void> {
    const id = Bun.randomUUIDv7();
    const now = this.#clock.now();
    const createdAt = new Date(now).toISOString();
    const message: ChannelMessage = {
      id,
      kind,
      subject,
      text: brief,
      url,
      created_at: createdAt,
      events: events.map(({ event }) => event),
    };
    const body = JSON.stringify(message);
    await postMessage(
      this.#db,
      {
        ...{ id, kind, subject, body, createdAt: now, channelId: row.id, recipients: row.name, html: "" },
        text: `${brief}\n\n${url}\n`,
      },
      events.map(({ id }) => id),
    );
  }

  async #postDue({ id, kind, name }: ChannelRow, target: ChannelTarget): Promise<void> {
    const { log, timeoutMs } = this.options;
    while (!this.#loop.closed) {
      const message = await takeMail(this.#db, this.#clock.now(), LEASE_MS, id);
      if (message === undefined) return;
      const { signal } = this.#loop;
      try {
        await postToChannel(kind, target, message.body ?? "{}", {
          now: this.#clock.now(),
          signal,
          ...(timeoutMs !== undefined && { timeoutMs }),
        });
      } catch (error) {
        const now = this.#clock.now();
        if (signal.aborted) return mailFailed(this.#db, message, "the server stopped while it was posted", now);
        const { final = false, retryAfter = 0 } = error instanceof ChannelError ? error : {};
        const again = final ? null : retryAt(message, now, retryAfter * 1_000);
        await mailFailed(this.#db, message, messageOf(error), again);
        const next = describeRetry(again, now);
        log.write("warn", `Message “${message.subject}” not posted to ${name} (${next})`, null, null, messageOf(error));
        continue;
      }
      await mailSent(this.#db, message, this.#clock.now());
      log.write("info", `Message posted to ${name}: ${message.subject}`);
    }
  }
}

/** The name that the address of a channel is bound to. */
const sealName = (id: string) => `channel:${id}`;
