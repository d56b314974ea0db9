/** What a campaign works on: one long-lived database, a fake vendor, and an undisturbed run to compare with. */

import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAY } from "../../src/domain/market/interval.ts";
import { type Database, migrateDatabase, openDatabase } from "../../src/storage/db.ts";
import { insertRun } from "../../src/storage/runs/runs.ts";
import { type FakeMassive, fakeMassive } from "../fakes/vendors/massive.ts";
import { behindRelay } from "../fakes/vendors/relay.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { type ServerProcess, spawnServer } from "../helpers/server.ts";
import { contents, finishRuns } from "./contents.ts";
import { WORKERS } from "./machines.ts";
import { type Network, openNetwork } from "./network.ts";
import { Redis } from "./redis.ts";

export type Contents = Awaited<ReturnType<typeof contents>>;

const asOf = Date.UTC(2025, 5, 16, 18) / 1000;
const rangeTo = (Math.floor(asOf / DAY) + 1) * DAY;
const BATCH_DAYS = 30;
const BATCHES = 24;
/** The symbols whose prices those of a run have, in this order. */
const PRICES = ["AAPL", "MSFT"];
const LATENCY_MS = 8;
/** Above what a campaign sends: pacing would only make the rounds longer. */
const PER_MINUTE = 60_000;

const nameOf = (run: number | "calm", index: number) => `R${run === "calm" ? "" : run}${"AB"[index]}`;
const symbolsOf = (run: number | "calm") => PRICES.map((_, index) => nameOf(run, index));
export const idOf = (run: number | "calm") => `run-${run}`;

/** Lets a vendor answer after so long, milliseconds. */
const answersAfter = (latency: number) => async () => {
  await Bun.sleep(latency);
  return null;
};

/** A request for bars that the vendor received; epoch seconds, half open. */
export interface Asked {
  readonly symbol: string;
  readonly from: number;
  readonly to: number;
  /** When it arrived, epoch milliseconds. */
  readonly at: number;
}

export class World implements AsyncDisposable {
  /** Runs that were stored so far; their numbers count from 0. */
  ordered = 0;
  /** Requests that the vendor received since the undisturbed run: in all, and for each symbol. */
  received = 0;
  readonly receivedFor = new Map<string, number>();
  /** From when to when a server sent requests that did not know yet that it had lost its lease, epoch milliseconds. */
  readonly unaware: { readonly from: number; readonly to: number }[] = [];
  /** Whether the database and the files beside it are kept, so that a fault can be looked into. */
  isKept = false;

  private constructor(
    readonly folder: Folder,
    /** Whether the folder is a file system of its own that can be filled. */
    readonly isSmallDisk: boolean,
    readonly vendor: FakeMassive,
    readonly calm: Contents,
    /** Between workers and server, and the job queue of the server, if there are rounds with workers. */
    readonly network: Network | null,
    readonly redis: Redis | null,
  ) {}

  static async create(hasWorkers: boolean): Promise<World> {
    const folder = temporaryFolder();
    const sockets = temporaryFolder();
    const network = hasWorkers ? openNetwork(WORKERS, sockets.path) : null;
    const isSmallDisk = mountSmallDisk(folder.path);
    const vendor = await behindRelay(fakeMassive(), network?.host);
    const redis = network === null ? null : await Redis.start(network.host, sockets.path);
    vendor.market.pricesOf = (symbol) => PRICES["AB".indexOf(symbol.at(-1)!)]!;
    vendor.always = answersAfter(LATENCY_MS);
    const calm = await undisturbed(folder, vendor);
    vendor.urls.length = 0;
    vendor.arrivals.length = 0;
    const world = new World(folder, isSmallDisk, vendor, calm, network, redis);
    using db = await world.open();
    await migrateDatabase(db.database);
    return world;
  }

  /** The database, for as long as no server has it. */
  async open() {
    const database = await openDatabase(this.folder.database("campaign.db"));
    const close = () => {
      database.close();
      // Its statements are finalized when they are collected; until then the file counts as open in this process.
      Bun.gc(true);
    };
    return { database, [Symbol.dispose]: close };
  }

  spawn(more: Record<string, string> = {}): ServerProcess {
    return spawnServer({ ...environmentOf(this.folder, this.vendor, "campaign.db"), ...more });
  }

  /** The vendor answers after so long, milliseconds, until the end of the block. */
  slow(latency: number): Disposable {
    const { vendor } = this;
    vendor.always = answersAfter(latency);
    return {
      [Symbol.dispose]() {
        vendor.always = answersAfter(LATENCY_MS);
      },
    };
  }

  /** Stores one more run. */
  async order(db: Database): Promise<void> {
    await order(db, this.vendor, this.ordered++);
  }

  /** Counts the requests that have arrived since the last call; returns those for bars. */
  takeRequests(): Asked[] {
    const asked: Asked[] = [];
    const { urls, arrivals } = this.vendor;
    const first = arrivals.length - urls.length;
    for (const [index, { pathname, searchParams }] of urls.splice(0).entries()) {
      const parts = pathname.split("/");
      const symbol = searchParams.get("ticker") ?? parts.find((part) => /^R\d*[AB]$/.test(part));
      this.received += 1;
      if (symbol !== undefined) this.receivedFor.set(symbol, (this.receivedFor.get(symbol) ?? 0) + 1);
      const [from, to] = parts.slice(-2).map(Number);
      const at = arrivals[first + index]!;
      if (symbol !== undefined && parts[2] === "aggs")
        asked.push({ symbol, from: from! / 1000, to: (to! + 1) / 1000, at });
    }
    return asked;
  }

  /** All requests so far, those included that have not been taken yet. */
  get asked(): number {
    return this.received + this.vendor.urls.length;
  }

  /** Takes all space that is left. */
  fillDisk(): void {
    for (let piece = BALLAST_BYTES, at = 0; piece >= 4_096; at++) {
      try {
        writeFileSync(join(this.folder.path, `ballast-${at}`), new Uint8Array(piece));
      } catch {
        piece = Math.floor(piece / 16);
      }
    }
  }

  freeDisk(): void {
    for (const name of readdirSync(this.folder.path))
      if (name.startsWith("ballast-")) rmSync(join(this.folder.path, name));
  }

  /** Ends what is not in the folder. */
  async close(): Promise<void> {
    await this.vendor.close();
    await this.redis?.[Symbol.asyncDispose]();
    await this.network?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    if (this.isKept) return;
    if (this.isSmallDisk) Bun.spawnSync(["umount", "-l", this.folder.path]);
    this.folder[Symbol.dispose]();
  }
}

/** Holds some thousand runs. */
const DISK_SIZE = "1g";
const BALLAST_BYTES = 64 * 2 ** 20;

/** Whether a file system of this size is mounted there now: only root may do that, on Linux. */
function mountSmallDisk(path: string): boolean {
  const command = ["mount", "-t", "tmpfs", "-o", `size=${DISK_SIZE}`, "none", path];
  return process.platform === "linux" && Bun.spawnSync(command, { stderr: "ignore" }).exitCode === 0;
}

const environmentOf = (folder: Folder, vendor: FakeMassive, database: string) => ({
  BARKEEP_DB_URL: folder.database(database),
  BARKEEP_WORKERS: "1",
  BARKEEP_LOG_LEVEL: "warn",
  BARKEEP_PROVIDER: "massive",
  MASSIVE_API_KEY: vendor.key,
  MASSIVE_BASE_URL: vendor.url,
  MASSIVE_PER_MINUTE: `${PER_MINUTE}`,
  TMPDIR: folder.path,
});

async function order(db: Database, vendor: FakeMassive, run: number | "calm"): Promise<void> {
  const symbols = symbolsOf(run);
  for (const symbol of symbols) vendor.market.known.add(symbol);
  await insertRun(
    db,
    {
      id: idOf(run),
      mode: "full",
      interval: "1h",
      provider: "massive",
      years: "2",
      batchDays: BATCH_DAYS,
      maxWorkers: 2,
      rangeFrom: rangeTo - BATCHES * BATCH_DAYS * DAY,
      rangeTo,
      asOf,
      createdAt: Date.now(),
    },
    symbols,
  );
}

/** A run whose server nobody disturbs, in a database of its own. */
async function undisturbed(folder: Folder, vendor: FakeMassive): Promise<Contents> {
  const db = await openDatabase(folder.database("calm.db"));
  try {
    await migrateDatabase(db);
    await order(db, vendor, "calm");
    const code = await finishRuns(spawnServer(environmentOf(folder, vendor, "calm.db")), [idOf("calm")]);
    const found = await contents(db, idOf("calm"));
    const isWhole = found.ledger.length === BATCHES * PRICES.length && found.bars.length > 1_000;
    if (code !== 0 || found.runs[0]?.[1] !== "complete" || !isWhole)
      throw new Error(`the undisturbed run is ${JSON.stringify(found.runs)} with ${found.ledger.length} batches`);
    return found;
  } finally {
    db.close();
  }
}
