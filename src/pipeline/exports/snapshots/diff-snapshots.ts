/** Compares two snapshots by the digests of their rows, symbol by symbol. */

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { yieldToEvents } from "../../../storage/db.ts";
import { type Digests, unpackDigests } from "./row-digests.ts";
import type { IndexEntry } from "./write-snapshot.ts";

/** What to compare. Plain data: it is sent to a thread. */
export interface SnapshotDiffRequest {
  readonly content: "snapshot-diff";
  /** The folders of the earlier and the later one. */
  readonly a: string;
  readonly b: string;
  /** Whether both have the same features and labels by the same catalogue, so that values can be compared. */
  readonly isComparable: boolean;
}

interface SymbolDiff {
  readonly symbol: string;
  readonly bars_added: number;
  readonly bars_changed: number;
  readonly bars_removed: number;
  /** Rows of both with other features or labels; `null` if they cannot be compared. */
  readonly features_changed: number | null;
}

export interface RowsDiff {
  readonly symbols_added: readonly string[];
  readonly symbols_removed: readonly string[];
  /** Symbols of both with differences. */
  readonly symbols_changed: readonly SymbolDiff[];
}

const BEAT = new TextEncoder().encode("\n");

/** A line now and then, the last with the differences, as JSON. */
export async function* diffSnapshots(
  { a, b, isComparable }: SnapshotDiffRequest,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const [before, after] = [indexOf(a), indexOf(b)];
  const changed: SymbolDiff[] = [];
  let compared = 0;
  for (const [symbol, old] of before) {
    const now = after.get(symbol);
    if (now === undefined || (now.sha256 === old.sha256 && isComparable)) continue;
    throwIfStopped();
    const diff = compare(symbol, readDigests(a, old), readDigests(b, now), isComparable);
    if (diff.bars_added + diff.bars_changed + diff.bars_removed + (diff.features_changed ?? 0) > 0) changed.push(diff);
    await yieldToEvents();
    if (++compared % 50 === 0) yield BEAT.slice();
  }
  const diff: RowsDiff = {
    symbols_added: [...after.keys()].filter((symbol) => !before.has(symbol)),
    symbols_removed: [...before.keys()].filter((symbol) => !after.has(symbol)),
    symbols_changed: changed,
  };
  yield new TextEncoder().encode(JSON.stringify(diff));
}

function indexOf(folder: string): Map<string, IndexEntry> {
  const entries: IndexEntry[] = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  return new Map(entries.map((entry) => [entry.symbol, entry]));
}

function readDigests(folder: string, { start, bytes, rows }: IndexEntry): Digests {
  const packed = new Uint8Array(bytes);
  const fd = openSync(join(folder, "index.bin"), "r");
  try {
    for (let at = 0; at < bytes; ) {
      const read = readSync(fd, packed, at, bytes - at, start + at);
      if (read === 0) throw new Error(`the index of ${folder} ends too early`);
      at += read;
    }
  } finally {
    closeSync(fd);
  }
  return unpackDigests(packed, rows);
}

function compare(symbol: string, a: Digests, b: Digests, isComparable: boolean): SymbolDiff {
  const count = { added: 0, changed: 0, removed: 0, features: 0 };
  for (let i = 0, k = 0; i < a.ts.length || k < b.ts.length; ) {
    const [old, now] = [a.ts[i] ?? Number.POSITIVE_INFINITY, b.ts[k] ?? Number.POSITIVE_INFINITY];
    if (old < now) {
      count.removed += 1;
      i += 1;
    } else if (now < old) {
      count.added += 1;
      k += 1;
    } else {
      if (a.bars[i] !== b.bars[k]) count.changed += 1;
      if (a.values[i] !== b.values[k]) count.features += 1;
      i += 1;
      k += 1;
    }
  }
  return {
    symbol,
    bars_added: count.added,
    bars_changed: count.changed,
    bars_removed: count.removed,
    features_changed: isComparable ? count.features : null,
  };
}
