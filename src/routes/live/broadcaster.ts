/**
 * Live updates of the pages: renders each frame of the hub once per view and sends the bytes to all its connections.
 * A connection has at most one write in flight; later updates are merged, newest per job, until it accepts more. So a
 * slow reader gets fewer updates, costs no more memory than a set of job keys, and delays nobody.
 */

import type { LogLine } from "../../domain/log.ts";
import type { JobProgress } from "../../domain/runs/progress.ts";
import { type Frame, jobKey, type ProgressHub } from "../../hub.ts";
import type { RunView } from "../../views/jobs/job-table.tsx";
import {
  liveAnnouncement,
  liveCards,
  liveJob,
  liveLog,
  liveLogLines,
  livePager,
  liveRunHead,
  liveRuns,
  liveStrip,
  rowsOrder,
  sseHeartbeat,
  sseRows,
  sseSections,
  sseTogether,
} from "../../views/live.tsx";
import { LOG_PAGE_LINES } from "../../views/runs/log-panel.tsx";
import type { StripView } from "../../views/runs/run-strip.tsx";
import type { StreamLifetime } from "../http/stream-limits.ts";
import { Announcer } from "./announcer.ts";
import { type Change, Channel, drawRuns, drawStrip, PAUSES, type Pauses } from "./channel.ts";
import { SseConnection } from "./connection.ts";
import { Message } from "./message.ts";
import { NO_PANELS, PANELS, type PanelName, type PanelReaders, Panels, type ShownPanels } from "./panels.ts";
import { isEmpty, merge, NOTHING, type PendingUpdate } from "./pending-update.ts";
import { linesOf, MONITOR, type ViewQuery, viewKey } from "./view-query.ts";

/** Time between two heartbeats, milliseconds; after three missing ones the browser shows the page as stale. */
const HEARTBEAT_MS = 5_000;
/** A connection that accepts nothing for this long is closed, milliseconds. */
const STALLED_MS = 3 * HEARTBEAT_MS;
/** Shortest time between two additions to the log panel, milliseconds: text must stay readable. */
const LOG_MS = 400;
/** Delay of the next addition for each line of a burst, milliseconds, up to `MAX_BURST_MS`. */
const BURST_LINE_MS = 10;
const MAX_BURST_MS = 1_000;
/** Time between two checks of the quotas, and of the other panels, milliseconds. */
const QUOTA_MS = 1_000;
const PANEL_MS = 2_000;
/** Shortest time between two drawings of a card in the strip of runs, milliseconds. */
const CARDS_MS = 1_000;

export class LiveBroadcaster {
  readonly #hub: ProgressHub;
  /** Sequence number of the last frame that was handed to all connections. */
  #framed: number;
  readonly #channels = new Map<string, Channel>();
  /** The last HTML of each job's row: an unchanged row is not sent again, and slow connections reuse it. */
  readonly #rows = new Map<string, string>();
  readonly #announcer = new Announcer();
  /** The runs whose cards are to be drawn again. */
  readonly #cards = new Set<string>();
  /** Log lines that are still to be sent, and the id of the last one that was. */
  #lines: LogLine[] = [];
  #line: number;
  #linesTimer: ReturnType<typeof setTimeout> | null = null;
  /** Delay of the next addition to the log panel, milliseconds. */
  #linesDue: number;
  #redraw: ReturnType<typeof setTimeout> | null = null;
  readonly #panels: Panels;
  readonly #markup: (html: string) => string;
  readonly #banner: () => string;
  /** Subscription and timers, while it is started. */
  readonly #started = new DisposableStack();
  readonly #intervals: Readonly<Record<PanelName | "heartbeat" | "cards", number>>;
  readonly #stallMs: number;
  readonly #pauses: Pauses;
  readonly #logEvery: number;
  /** Updates merged instead of sent, and connections closed because they accepted nothing. */
  readonly counts = { merged: 0, dropped: 0 };

  constructor(
    hub: ProgressHub,
    {
      heartbeat = HEARTBEAT_MS,
      stalled = STALLED_MS,
      log = LOG_MS,
      cardsEvery = CARDS_MS,
      quota = (): ReturnType<PanelReaders["quota"]> => [],
      quotaEvery = QUOTA_MS,
      lastHour = (): ReturnType<PanelReaders["lastHour"]> => null,
      lastHourEvery = PANEL_MS,
      promises = (): ReturnType<PanelReaders["promises"]> => [],
      promisesEvery = PANEL_MS,
      markup = (html: string): string => html,
      banner = (): string => "",
      pauses = PAUSES,
    } = {},
  ) {
    this.#hub = hub;
    this.#framed = hub.seq;
    this.#pauses = pauses;
    [this.#markup, this.#banner] = [markup, banner];
    this.#panels = new Panels({ quota, lastHour, promises });
    const panels = { quota: quotaEvery, lastHour: lastHourEvery, promises: promisesEvery };
    this.#intervals = { heartbeat, cards: cardsEvery, ...panels };
    this.#line = hub.lastLine;
    this.#logEvery = this.#linesDue = log;
    this.#stallMs = stalled;
    this.#channelOf(MONITOR);
  }

  /** Follows the hub and sends heartbeats until it is closed. */
  start(): void {
    const every = (ms: number, action: () => void) => this.#started.adopt(setInterval(action, ms), clearInterval);
    this.#started.defer(this.#hub.onFrame((frame) => this.#onFrame(frame)));
    every(this.#intervals.heartbeat, () => this.#onHeartbeat());
    every(this.#intervals.cards, () => this.#onCards());
    for (const panel of PANELS) every(this.#intervals[panel], () => this.#onPanel(panel));
  }

  get connections(): number {
    return this.#channels.values().reduce((count, { connections }) => count + connections.size, 0);
  }

  /** The cursor that a page without panels connects with, so that it gets only what changed since it was rendered. */
  cursor(): string {
    return this.#cursorAt(this.#hub.seq, 0);
  }

  /** What the panels of a page show that is rendered now, and the cursor that it connects with. */
  page(): { readonly cursor: string; readonly panels: ShownPanels } {
    const panels = this.#panels.now();
    return { cursor: this.#cursorAt(this.#hub.seq, panels.change), panels };
  }

  /** @param panels the number of the last change of the panels */
  #cursorAt(seq: number, panels: number): string {
    return [this.#hub.epoch, seq, this.#line, panels].join("-");
  }

  /** The runs of a view with their jobs, as they are now. */
  draw(query: ViewQuery): RunView[] {
    return drawRuns(query, this.#hub);
  }

  /** The strip of runs of a view, as it is now. */
  strip(query: ViewQuery): StripView {
    return drawStrip(query, this.#hub);
  }

  /** The newest log lines of a view, oldest first: those that a page is sent with. */
  lines(query: ViewQuery): LogLine[] {
    return this.#linesOf(query).slice(-LOG_PAGE_LINES);
  }

  /** Every log line that was sent to the connections; later ones are still queued. */
  announced(): LogLine[] {
    return this.#hub.lines().filter(({ id }) => id <= this.#line);
  }

  /** A stream of server-sent events, compressed if asked for, for a page that shows everything up to `cursor`. */
  connect(
    query: ViewQuery,
    cursor: string | undefined,
    { lifetime, gzipped = false }: { lifetime?: StreamLifetime; gzipped?: boolean } = {},
  ): ReadableStream<Uint8Array> {
    const channel = this.#channelOf(query);
    this.#send(channel, updateOf(channel.refresh()));
    // Nobody else waits for what the panels show now.
    if (this.connections === 0) for (const panel of PANELS) this.#panels.hasChanged(panel);
    const catchUp = (pending: PendingUpdate) => (isEmpty(pending) ? null : this.#render(channel, pending));
    const leave = () => {
      ended?.();
      this.#leave(channel, connection);
    };
    const connection = new SseConnection(catchUp, leave, gzipped);
    const ended = lifetime?.(() => connection.end());
    channel.connections.add(connection);
    connection.pending = this.#missed(channel, cursor);
    // The response headers leave with the first bytes, and tell the browser that it is connected.
    connection.write(new Message(sseHeartbeat(Date.now(), this.#banner())));
    return connection.stream;
  }

  /** Ends every stream; browsers reconnect. */
  close(): void {
    this.#started.dispose();
    if (this.#linesTimer) clearTimeout(this.#linesTimer);
    if (this.#redraw) clearTimeout(this.#redraw);
    for (const channel of this.#channels.values()) for (const connection of [...channel.connections]) connection.end();
    this.#channels.clear();
  }

  #channelOf(query: ViewQuery): Channel {
    const key = viewKey(query);
    const channel = this.#channels.get(key) ?? new Channel(query, this.#hub, this.#pauses);
    this.#channels.set(key, channel);
    return channel;
  }

  #leave(channel: Channel, connection: SseConnection): void {
    channel.connections.delete(connection);
    // The monitor's channel is kept, because pages that are about to connect need the time of its last change.
    if (channel.connections.size === 0 && channel.query !== MONITOR) this.#channels.delete(viewKey(channel.query));
    if (this.connections === 0) this.#rows.clear();
  }

  #onFrame(frame: Frame): void {
    this.#framed = frame.seq;
    const watched = this.connections > 0;
    const changed = watched ? frame.jobs.filter((job) => this.#renderRow(job)) : [];
    const sentence = watched ? this.#announcer.sentencesFor(frame.runs) : "";
    if (watched) for (const { id } of frame.runs) this.#cards.add(id);
    for (const channel of this.#channels.values()) {
      channel.noteChanges(frame.jobs);
      const change = updateOf(channel.refresh());
      if (channel.connections.size === 0) continue;
      this.#send(channel, {
        ...change,
        jobs: changed.filter((job) => channel.shows(job)).map((job) => jobKey(job.runId, job.symbol)),
        runs: frame.runs.filter(({ id }) => channel.runs.includes(id)).map(({ id }) => id),
        sentence,
      });
    }
    this.#planRedraw();
    this.#lines.push(...frame.logs);
    if (this.#lines.length > 0) this.#linesTimer ??= setTimeout(() => this.#sendLines(), this.#linesDue);
  }

  /** Refreshes views whose rows came or went, as soon as their pause is over. */
  #planRedraw(): void {
    const due = [...this.#channels.values()].flatMap(({ dueIn }) => dueIn ?? []);
    if (due.length === 0) return;
    this.#redraw ??= setTimeout(
      () => {
        this.#redraw = null;
        for (const channel of this.#channels.values()) {
          this.#send(channel, updateOf(channel.refresh()));
        }
        this.#planRedraw();
      },
      Math.min(...due),
    );
  }

  /** Sends the cards of runs that changed to the monitor. */
  #onCards(): void {
    const changed = [...this.#cards];
    this.#cards.clear();
    for (const channel of this.#channels.values()) {
      const cards = channel.strip.length > 1 ? changed.filter((id) => channel.strip.includes(id)) : [];
      this.#send(channel, { ...NOTHING, cards });
    }
  }

  /** Sends a panel to the monitor when it has changed; browsers count down to the reset of a quota themselves. */
  #onPanel(panel: PanelName): void {
    if (this.connections === 0 || !this.#panels.hasChanged(panel)) return;
    for (const channel of this.#channels.values()) {
      if (channel.query.run === undefined) this.#send(channel, { ...NOTHING, [panel]: true });
    }
  }

  /** The lines of a view that were sent. */
  #linesOf(query: ViewQuery): LogLine[] {
    return linesOf(query, this.announced());
  }

  #sendLines(): void {
    this.#linesTimer = null;
    const lines = this.#lines;
    this.#lines = [];
    this.#linesDue = Math.max(this.#logEvery, Math.min(MAX_BURST_MS, lines.length * BURST_LINE_MS));
    this.#line = lines.at(-1)?.id ?? this.#line;
    for (const channel of this.#channels.values()) {
      this.#send(channel, { ...NOTHING, logs: linesOf(channel.query, lines) });
    }
  }

  #send(channel: Channel, update: PendingUpdate): void {
    if (isEmpty(update)) return;
    let message: Message | null = null;
    for (const connection of [...channel.connections]) {
      if (connection.ready) {
        message ??= this.#render(channel, update);
        connection.write(message);
      } else {
        connection.pending = merge(connection.pending, update);
        this.counts.merged += 1;
      }
    }
  }

  #onHeartbeat(): void {
    const now = performance.now();
    const heartbeat = new Message(sseHeartbeat(Date.now(), this.#banner()));
    for (const channel of this.#channels.values()) {
      for (const connection of [...channel.connections]) {
        if (connection.ready) connection.write(heartbeat);
        else if (now - connection.busySince > this.#stallMs) {
          this.counts.dropped += 1;
          connection.end();
        }
      }
    }
  }

  /** Renders the row of a job; false if it is unchanged. */
  #renderRow(job: JobProgress): boolean {
    const key = jobKey(job.runId, job.symbol);
    const row = liveJob(job);
    if (this.#rows.get(key) === row) return false;
    this.#rows.set(key, row);
    return true;
  }

  #rowOf(key: string): string {
    // Not stored: it may be newer than the last frame, and the next frame must send it to the others.
    const job = this.#hub.jobByKey(key);
    return this.#rows.get(key) ?? (job === undefined ? "" : liveJob(job));
  }

  #render(channel: Channel, update: PendingUpdate): Message {
    const parts: string[] = [];
    let events = "";
    const drawn = update.whole || update.sections ? this.draw(channel.present) : [];
    // The page of a run that is no longer in memory keeps what it shows.
    const known = drawn.length > 0 || channel.query.run === undefined;
    if (update.whole) {
      if (known) parts.push(liveRuns(drawn, channel.query.run === undefined));
    } else {
      // A new run is rendered as it is now, with all its rows.
      const fresh = new Set(update.cameRuns);
      if (update.sections && known) events += sseSections(drawn, fresh);
      const views = channel.views.filter(({ run }) => !fresh.has(run.id));
      if (update.rows && views.length > 0) {
        const came = update.came.flatMap((key) => (channel.showsKey(key) ? (this.#hub.jobByKey(key) ?? []) : []));
        events += sseRows(views.map((view) => rowsOrder(view, came)));
        for (const view of views) parts.push(livePager(view));
      }
      for (const key of update.jobs) if (!fresh.has(this.#hub.jobByKey(key)?.runId ?? "")) parts.push(this.#rowOf(key));
      const byId = new Map(this.#hub.runs().map((run) => [run.id, run]));
      for (const id of update.runs) {
        const run = byId.get(id);
        if (run && !fresh.has(id)) parts.push(liveRunHead(run, channel.query.run === undefined));
      }
    }
    const strip = update.strip || update.cards.length > 0 ? this.strip(channel.present) : null;
    if (strip !== null) parts.push(update.strip ? liveStrip(strip) : liveCards(strip, update.cards));
    if (update.wholeLog) parts.push(liveLog(this.lines(channel.query)));
    else if (update.logs.length > 0) parts.push(liveLogLines(update.logs));
    parts.push(...this.#panels.render(update));
    if (update.sentence !== "") parts.push(liveAnnouncement(update.sentence));
    // Rows are those of the last frame: a reconnect with this cursor gets what happened after it.
    return new Message(
      this.#markup(sseTogether(this.#cursorAt(this.#framed, this.#panels.sent), events, parts.join(""))),
    );
  }

  /** What changed in a view since `cursor`; everything if the cursor is not known. */
  #missed(channel: Channel, cursor: string | undefined): PendingUpdate {
    const [epoch, ...numbers] = (cursor ?? "").split("-");
    const [seq = Number.NaN, line = Number.NaN, panelChange = Number.NaN] = numbers.map(Number);
    const known = epoch === this.#hub.epoch && [seq, line, panelChange].every(Number.isSafeInteger);
    const monitor = channel.query.run === undefined;
    const panels = monitor ? this.#panels.changedSince(known ? panelChange : 0) : NO_PANELS;
    if (!known) return { ...NOTHING, ...panels, strip: monitor, whole: true, wholeLog: true };
    // Another run may be open now than the one that the page was drawn with.
    const others = monitor && channel.query.at !== undefined && channel.query.at !== channel.runs[0];
    if (!others && seq === this.#hub.seq && line === this.#line) return { ...NOTHING, ...panels };
    const logs = this.#linesOf(channel.query).filter(({ id }) => id > line);
    const wholeLog = logs.length >= LOG_PAGE_LINES;
    const whole = others || seq < channel.since;
    const jobs = whole
      ? []
      : channel.runs.flatMap((id) => this.#hub.jobsOf(id)).filter((job) => job.seq > seq && channel.shows(job));
    const hasChanged = (id: string) => this.#hub.runChangedAt(id) > seq;
    const strip = seq < channel.stripSince;
    return {
      ...NOTHING,
      whole,
      jobs: jobs.map((job) => jobKey(job.runId, job.symbol)),
      runs: whole ? [] : channel.runs.filter(hasChanged),
      logs: wholeLog ? [] : logs,
      wholeLog,
      strip,
      cards: strip || channel.strip.length < 2 ? [] : channel.strip.filter(hasChanged),
      ...panels,
    };
  }
}

function updateOf(change: Change | null): PendingUpdate {
  if (change === null) return NOTHING;
  const { runs, rows, came, strip } = change;
  return { ...NOTHING, sections: runs !== null, cameRuns: runs ?? [], rows, came, strip };
}
