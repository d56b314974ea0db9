/** A thread that judges stored series by the present rules, one after the other, after an upgrade. */

import { messageOf } from "../../domain/errors.ts";
import type { LogLevel } from "../../domain/log.ts";
import { RULES_VERSION } from "../../domain/market/anomalies/scale-changes.ts";
import { type Calendar, createCalendar } from "../../domain/market/calendar.ts";
import { venueOfSeries } from "../../domain/market/exchanges/exchanges.ts";
import { DAY } from "../../domain/market/interval.ts";
import type { Provider } from "../../providers/provider.ts";
import { createProvider } from "../../providers/registry.ts";
import { type Database, openShared } from "../../storage/db.ts";
import { markJudged, type SeriesRow, unjudgedSeries } from "../../storage/market/series.ts";
import { saveGapCount } from "../../storage/profiles/profiles.ts";
import { busySymbols } from "../../storage/runs/runs.ts";
import type { WorkerSettings } from "../messages.ts";
import { directJobStore } from "../store/direct-store.ts";
import { recordFindings } from "./findings.ts";
import { recordGapsOf } from "./record-gaps.ts";
import { rejudgeAll } from "./rejudge.ts";

export type ToRejudger = { readonly type: "judge"; readonly settings: WorkerSettings } | { readonly type: "stop" };

/** A series whose bars have changed. */
export type ChangedSeries = Pick<SeriesRow, "symbol" | "interval" | "provider">;

export type FromRejudger =
  /** How many series are still to be judged. */
  | { readonly type: "left"; readonly left: number }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string }
  | { readonly type: "alert" }
  /** `withdrawn` and `restored` count bars. */
  | {
      readonly type: "done";
      readonly changed: readonly ChangedSeries[];
      readonly withdrawn: number;
      readonly restored: number;
    }
  | { readonly type: "failed"; readonly message: string };

/** Milliseconds until series with jobs at work are tried again. */
const RETRY_MS = 15_000;

declare const self: Pick<Worker, "onmessage" | "postMessage">;

const send = (message: FromRejudger) => self.postMessage(message);
const stop = new AbortController();

class Busy extends Error {}

interface Dependencies {
  readonly db: Database;
  readonly calendar: Calendar;
  /** `null` for a provider that cannot be used any more. */
  providerOf(name: string): Provider | null;
}

async function judgeAll(dependencies: Dependencies): Promise<void> {
  const { db } = dependencies;
  const changed: ChangedSeries[] = [];
  const sum = { withdrawn: 0, restored: 0 };
  /** Series that could not be judged; they are tried again at the next start. */
  const failed = new Set<number>();
  for (;;) {
    const open = (await unjudgedSeries(db)).filter(({ id }) => !failed.has(id));
    if (open.length === 0) break;
    let left = open.length;
    for (const series of open) {
      const { symbol, interval, provider } = series;
      try {
        const result = await judgeOne(dependencies, series);
        sum.withdrawn += result.withdrawn;
        sum.restored += result.restored;
        if (result.withdrawn + result.restored > 0) changed.push({ symbol, interval, provider });
      } catch (error) {
        if (stop.signal.aborted) throw error;
        if (error instanceof Busy) continue;
        failed.add(series.id);
        const message = `${symbol} (${interval}, ${provider}) could not be judged: ${messageOf(error)}`;
        send({ type: "log", level: "error", message });
      }
      left -= 1;
      send({ type: "left", left });
    }
    if (left > 0) await pause(RETRY_MS);
  }
  send({ type: "done", changed, ...sum });
}

type Unjudged = Awaited<ReturnType<typeof unjudgedSeries>>[number];

/** @throws Busy when a job of the symbol is open: it writes bars too */
async function judgeOne({ db, calendar, providerOf }: Dependencies, series: Unjudged) {
  const { id, symbol, interval, provider, judged } = series;
  const store = directJobStore(db);
  const checkpoint = async (ms: number) => {
    await pause(ms);
    if ((await busySymbols(db, interval)).has(symbol)) throw new Busy();
  };
  await checkpoint(0);
  const about = (message: string) => `${symbol} (${interval}, ${provider}): ${message}`;
  const io = {
    log: (level: LogLevel, message: string) => send({ type: "log", level, message: about(message) }),
    alert: () => send({ type: "alert" }),
  };
  const result = judged < RULES_VERSION ? await rejudgeAll(store, id, checkpoint) : { withdrawn: 0, restored: 0 };
  const { withdrawn } = result;
  if (withdrawn > 0) io.log("warn", `${withdrawn} impossible ${withdrawn === 1 ? "bar" : "bars"} withdrawn`);
  await recordFindings(store, series, 0, io);
  const market = venueOfSeries(series);
  const known = providerOf(provider);
  // Where nobody can say when bars are final, they are taken to be so a day later.
  const finalAt = (ts: number) =>
    known?.finalAt?.(symbol, interval, ts) ?? calendar.barEnd(market, interval, ts) + (known ? 0 : DAY);
  // What was withdrawn has left a gap.
  const gaps = await recordGapsOf({ store, calendar, ...io }, series, 0, {
    asOf: Math.floor(Date.now() / 1000),
    finalAt,
  });
  await db.write([saveGapCount(id, gaps)]);
  await markJudged(db, id);
  return result;
}

/** Waits, and throws if the server stops. */
async function pause(ms: number): Promise<void> {
  stop.signal.throwIfAborted();
  const end = Promise.withResolvers<void>();
  const timer = setTimeout(end.resolve, ms);
  const onAbort = () => end.resolve();
  stop.signal.addEventListener("abort", onAbort, { once: true });
  await end.promise;
  stop.signal.removeEventListener("abort", onAbort);
  clearTimeout(timer);
  stop.signal.throwIfAborted();
}

self.onmessage = async ({ data: message }: MessageEvent<ToRejudger>) => {
  if (message.type === "stop") return stop.abort(new Error("the server stops"));
  const { lease, providerValues, sessions } = message.settings;
  const calendar = createCalendar(sessions);
  const providerOf = (name: string) => {
    try {
      return createProvider(name, providerValues, calendar);
    } catch {
      return null;
    }
  };
  let db: Database | undefined;
  try {
    db = await openShared(message.settings);
    db.fence(lease);
    await judgeAll({ db, calendar, providerOf });
  } catch (error) {
    send({ type: "failed", message: messageOf(error) });
  } finally {
    db?.close();
    process.exit();
  }
};
