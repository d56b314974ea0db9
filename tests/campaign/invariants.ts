/** What must hold whenever a server has ended, however it ended. */

import { readdirSync } from "node:fs";
import type { Database } from "../../src/storage/db.ts";
import { contents } from "./contents.ts";
import { type Asked, type Contents, idOf, type World } from "./world.ts";

/** Parts that must be equal; the requests of a disturbed run may be more. */
const PARTS = ["runs", "jobs", "ledger", "bars", "profiles"] as const;
/** What a server that was killed may leave in its folder; the executable keeps its driver there. */
const OWN_FILES = /^(?:(?:calm|campaign)\.db(?:-wal|-shm)?|\.[\w-]+\.node)$/;

export class Invariants {
  /** The windows that were stored when they were last looked at, and the hash of the bars in each. */
  readonly #stored = new Map<string, { symbol: string; from: number; to: number; hash: number }>();
  /** Runs that are over and have been compared. */
  readonly #compared = new Set<number>();
  /** Requests counted beyond those received, in all and for each symbol. What a kill adds must hide none that is not counted. */
  surplus = 0;
  readonly #surplusFor = new Map<string, number>();
  readonly totals = { compared: 0, batches: 0, bars: 0 };

  /** @param isTimely whether the clocks of all servers are right, so that requests can be compared with the ledger */
  constructor(
    private readonly world: World,
    private readonly isTimely: boolean,
  ) {}

  /** Checks everything that may have changed since the last call; a sentence for each fault. */
  async check(db: Database): Promise<string[]> {
    const { world } = this;
    const faults: string[] = [];
    // What was stored at the last look must not have been requested since.
    const isUnaware = (at: number) => world.unaware.some(({ from, to }) => from <= at && at <= to);
    const asked = world.takeRequests().filter(({ at }) => !isUnaware(at));
    if (this.isTimely) faults.push(...(await repeatedFaults(db, asked)));
    for (const { symbol, from, to } of asked) {
      for (const window of this.#stored.values()) {
        if (window.symbol === symbol && window.from < to && from < window.to)
          faults.push(`${symbol} ${window.from}-${window.to} was stored and has been requested again`);
      }
    }
    faults.push(...(await this.#countFaults(db)), ...this.#fileFaults());
    const states = new Map((await db.rows("SELECT id, state FROM runs", [])) as [string, string][]);
    for (let run = 0; run < world.ordered; run++) {
      if (this.#compared.has(run)) continue;
      const now = await contents(db, idOf(run));
      faults.push(...this.#lossFaults(now), ...ledgerFaults(now));
      const isOver = states.get(idOf(run)) !== "running";
      faults.push(...(await alertFaults(db, idOf(run), isOver)));
      if (!isOver) continue;
      faults.push(...this.#differences(run, now));
      this.#forget(now);
      this.#compared.add(run);
      this.totals.compared += 1;
    }
    return faults;
  }

  /** Compares all runs once more, after the last round. */
  async checkAll(db: Database): Promise<string[]> {
    const faults = await this.check(db);
    this.totals.batches = Number((await db.rows("SELECT count(*) FROM batches", []))[0]![0]);
    this.totals.bars = Number((await db.rows("SELECT count(*) FROM bars", []))[0]![0]);
    for (const run of this.#compared) faults.push(...this.#differences(run, await contents(db, idOf(run))));
    const expected = this.world.calm.bars.length * this.#compared.size;
    if (this.#compared.size === this.world.ordered && this.totals.bars !== expected)
      faults.push(`${this.totals.bars} bars are stored instead of ${expected}`);
    const [[integrity]] = (await db.rows("PRAGMA integrity_check", [])) as [[string]];
    if (integrity !== "ok") faults.push(`integrity_check: ${integrity}`);
    const orphans = await db.rows("PRAGMA foreign_key_check", []);
    if (orphans.length > 0) faults.push(`${orphans.length} rows refer to rows that do not exist`);
    const series = Number((await db.rows("SELECT count(*) FROM series", []))[0]![0]);
    if (series !== this.world.calm.jobs.length * this.world.ordered) faults.push(`${series} series are stored`);
    return faults;
  }

  #differences(run: number, now: Contents): string[] {
    return PARTS.flatMap((part) => {
      const expected = JSON.stringify(this.world.calm[part])
        .replaceAll("run-calm", idOf(run))
        .replace(/"R(?=[AB]\\?")/g, `"R${run}`);
      const found = JSON.stringify(now[part]);
      if (found === expected) return [];
      let at = 0;
      while (found[at] === expected[at]) at += 1;
      const [there, wanted] = [found, expected].map((text) => text.slice(Math.max(0, at - 60), at + 100));
      return [`${part} of ${idOf(run)} differ from those of an undisturbed run: …${there}… instead of …${wanted}…`];
    });
  }

  /** No window, and no bar in it, that was stored may be gone or different. */
  #lossFaults(now: Contents): string[] {
    const faults: string[] = [];
    const found = new Map(windowsOf(now).map((window) => [`${window.symbol} ${window.from}-${window.to}`, window]));
    const symbols = new Set(now.jobs.map(([, symbol]) => symbol as string));
    for (const [key, before] of this.#stored) {
      if (!symbols.has(before.symbol)) continue;
      const window = found.get(key);
      if (window === undefined) faults.push(`${key} was stored and is gone`);
      else if (window.hash !== before.hash) faults.push(`the bars of ${key} have changed since they were stored`);
    }
    for (const [key, window] of found) this.#stored.set(key, window);
    return faults;
  }

  #forget(run: Contents): void {
    for (const { symbol, from, to } of windowsOf(run)) this.#stored.delete(`${symbol} ${from}-${to}`);
  }

  async #countFaults(db: Database): Promise<string[]> {
    const { received, receivedFor } = this.world;
    const faults: string[] = [];
    // Of every minute: what was counted by a clock that was wrong is moved to the day of one that is right.
    const used = Number((await db.rows("SELECT coalesce(sum(requests), 0) FROM api_usage", []))[0]![0]);
    const since = used - received - this.surplus;
    if (since < 0)
      faults.push(`the usage counts ${-since} requests less than the vendor has received since the last look`);
    this.surplus += since;
    for (const [symbol, calls] of (await db.rows("SELECT symbol, api_calls FROM jobs", [])) as [string, number][]) {
      const surplus = calls - (receivedFor.get(symbol) ?? 0);
      const lost = (this.#surplusFor.get(symbol) ?? 0) - surplus;
      if (lost > 0)
        faults.push(`${symbol} counts ${lost} requests less than the vendor has received since the last look`);
      this.#surplusFor.set(symbol, surplus);
    }
    return faults;
  }

  #fileFaults(): string[] {
    const strange = readdirSync(this.world.folder.path).filter((name) => !OWN_FILES.test(name));
    return strange.map((name) => `${name} was left behind`);
  }
}

/** No window was requested after its stored answer had been fetched, however little later. */
async function repeatedFaults(db: Database, asked: readonly Asked[]): Promise<string[]> {
  const rows = await db.rows(
    "SELECT s.symbol, from_ts, to_ts, fetched_at FROM series s JOIN batches ON s.id = series_id",
    [],
  );
  const stored = Map.groupBy(rows as [string, number, number, number][], ([symbol]) => symbol);
  return asked.flatMap(({ symbol, from, to, at }) =>
    (stored.get(symbol) ?? [])
      .filter(([, start, end, fetchedAt]) => start < to && from < end && at > fetchedAt)
      .map(
        ([, start, end, fetchedAt]) =>
          `${symbol} ${start}-${end} was fetched and requested again ${at - fetchedAt} ms later`,
      ),
  );
}

/** The stored windows with the hash of their bars. */
function windowsOf({ ledger, bars }: Contents) {
  const bySymbol = Map.groupBy(bars, ([symbol]) => symbol);
  return ledger.map(([symbol, from, to]) => {
    const within = (bySymbol.get(symbol!) ?? []).filter(([, ts]) => ts! >= from! && ts! < to!);
    return {
      symbol: symbol as string,
      from: from as number,
      to: to as number,
      hash: Number(Bun.hash.crc32(JSON.stringify(within))),
    };
  });
}

/** The ledger says of each window what is stored in it, and of every bar in which window it came. */
function ledgerFaults({ ledger, bars }: Contents): string[] {
  const faults: string[] = [];
  const bySymbol = Map.groupBy(bars, ([symbol]) => symbol);
  let covered = 0;
  for (const [symbol, from, to, , status, rows, , first, last, attempts] of ledger) {
    const within = (bySymbol.get(symbol!) ?? []).filter(([, ts]) => ts! >= from! && ts! < to!);
    covered += within.length;
    const window = `${symbol} ${from}-${to}`;
    if (status !== (within.length > 0 ? "ok" : "empty"))
      faults.push(`${window} is ${status} with ${within.length} bars`);
    if (rows !== within.length) faults.push(`the ledger counts ${rows} bars in ${window}: ${within.length} are stored`);
    if (first !== (within[0]?.[1] ?? null) || last !== (within.at(-1)?.[1] ?? null))
      faults.push(`the ledger has other ends of ${window} than its bars`);
    if (attempts !== 1) faults.push(`${window} was fetched ${attempts} times`);
  }
  if (covered !== bars.length) faults.push(`${bars.length - covered} bars lie in no window of the ledger`);
  return faults;
}

/** The end of a run is recorded once, and nothing else. */
async function alertFaults(db: Database, run: string, isOver: boolean): Promise<string[]> {
  const found = await db.rows("SELECT kind FROM alert_events WHERE run_id = ?1", [run]);
  const [is, wanted] = [found.map(([kind]) => kind).join(", "), isOver ? "run_finished" : ""];
  return is === wanted ? [] : [`the alerts of ${run} are "${is}" instead of "${wanted}"`];
}
