/** Compares the lake with its manifest, file by file, and with the bars in the store. */

import type { Database } from "../../storage/db.ts";
import { barPages } from "../../storage/market/bars.ts";
import {
  ACTIONS,
  changesOfBars,
  countChanges,
  keysOfSeries,
  lakeSeries,
  yearStart,
  yearsOf,
} from "../../storage/market/lake-changes.ts";
import { actionTables } from "./actions.ts";
import { BarsHash } from "./bars-hash.ts";
import { type FeatureWish, featureSeries, featureYears, firstDueYear } from "./features.ts";
import {
  bySeries,
  featuresFolderOf,
  folderOf,
  hasActions,
  hasBars,
  hasFeatures,
  isoOf,
  LAYOUT,
  type LakeFile,
  pathOfActions,
  yearOfPath,
} from "./manifest.ts";
import type { LakeStorage } from "./storage.ts";
import { waitingFeatures } from "./sync-lake.ts";

/** Differences that are listed; the others are counted. */
const MAX_LISTED = 1_000;

interface LakeDifference {
  /** The file, or the folder of the year that has none. */
  readonly path: string;
  readonly what: string;
}

export interface CheckResult {
  /** Files whose bytes were compared with the manifest, and the bars of those that were compared with the store. */
  readonly files: number;
  readonly rows: number;
  /** Years of bars, and series with features, that wait to be written: they were not compared with the store. */
  readonly pending: number;
  readonly count: number;
  /** The first of them. */
  readonly differences: readonly LakeDifference[];
}

/** @param onStep called before each file and series; throws to stop */
export async function checkLake(
  db: Database,
  lake: LakeStorage,
  onStep: (done: number, total: number) => void,
  wish: FeatureWish = [],
): Promise<CheckResult> {
  const manifest = await lake.manifest();
  const differences: LakeDifference[] = [];
  let count = 0;
  const differ = (path: string, what: string) => {
    count += 1;
    if (differences.length < MAX_LISTED) differences.push({ path, what });
  };
  if (manifest === null) differ("_manifest.json", "is not there");
  else if (manifest.layout !== LAYOUT) differ("_manifest.json", `is of layout ${manifest.layout}, not ${LAYOUT}`);
  const files = manifest?.layout === LAYOUT ? manifest.files : [];
  const keys = await keysOfSeries(db);
  const total = files.length + keys.length;
  let done = 0;
  for (const file of files) {
    onStep(done++, total);
    const found = await lake.digest(file.path);
    if (found === null) differ(file.path, "is in the manifest, and is not there");
    else if (found.bytes !== file.bytes) differ(file.path, `has ${found.bytes} bytes, not ${file.bytes}`);
    else if (found.sha256 !== file.sha256) differ(file.path, "has another SHA-256 than the manifest says");
  }
  const byFolder = bySeries(files.filter(hasBars));
  let rows = 0;
  for (const key of keys) {
    onStep(done++, total);
    const found = await lakeSeries(db, key);
    if (found === null) continue;
    const folder = folderOf(found.series);
    const own = byFolder.get(folder) ?? [];
    byFolder.delete(folder);
    const stored = await storedYears(db, found.series.id);
    // Read after the bars: what has changed meanwhile is among them.
    const waiting = new Set((await changesOfBars(db, found.barsIds)).map(({ year }) => year));
    for (const year of new Set([...stored.keys(), ...own.map(({ path }) => yearOfPath(path))])) {
      if (waiting.has(0) || waiting.has(year)) continue;
      const file = own.find(({ path }) => yearOfPath(path) === year);
      const bars = stored.get(year);
      const fault = faultOf(file, bars);
      if (fault !== null) differ(file?.path ?? `${folder}year=${year}/`, fault);
      rows += file === undefined ? 0 : (bars?.rows ?? 0);
    }
  }
  const [actions, waiting] = [await storedActions(db), await changesOfBars(db, [ACTIONS])];
  const own = waiting.length > 0 ? [] : files.filter(hasActions);
  const tables = Map.groupBy(waiting.length > 0 ? [] : actions, ({ provider }) => provider);
  for (const [provider, parts] of tables) {
    const folder = pathOfActions(provider, "").replace(/part-.*/, "");
    const present = own.filter(({ path }) => path.startsWith(folder));
    const isSame = (file: LakeFile) => parts.some(({ facts }) => facts.content_sha256 === file.content_sha256);
    const others = present.filter((file) => !isSame(file));
    for (const { facts } of parts) {
      if (present.some((file) => file.content_sha256 === facts.content_sha256)) continue;
      const file = others.shift();
      if (file === undefined) differ(folder, `the store has ${facts.rows} actions of it, and the lake has no file`);
      else if (file.rows === facts.rows) differ(file.path, "has other values than the store");
      else differ(file.path, `has ${file.rows} rows, and the store ${facts.rows} actions`);
    }
    for (const { path } of others) differ(path, "the store has no such actions");
  }
  for (const { path } of own) {
    const isKnown = actions.some(({ provider }) => path.startsWith(pathOfActions(provider, "").replace(/part-.*/, "")));
    if (!isKnown) differ(path, "the store has no actions of this provider");
  }
  for (const file of [...byFolder.values()].flat()) differ(file.path, "is of a series that the store does not have");
  const features = await checkFeatures(db, files, wish, differ, () => onStep(done, total));
  return { files: files.length, rows, pending: (await countChanges(db)) + features, count, differences };
}

/** Computes the features of the files again; those that wait to be written are counted and not compared. */
async function checkFeatures(
  db: Database,
  files: readonly LakeFile[],
  wish: FeatureWish,
  differ: (path: string, what: string) => void,
  throwIfStopped: () => void,
): Promise<number> {
  const byFolder = bySeries(files.filter(hasFeatures));
  const waiting = await waitingFeatures(db);
  for await (const found of featureSeries(db, files, wish)) {
    const folder = featuresFolderOf(found.series);
    const own = new Map((byFolder.get(folder) ?? []).map((file) => [yearOfPath(file.path), file]));
    byFolder.delete(folder);
    if (found.isBehind) continue;
    const due = firstDueYear(found, [...own.values()]);
    if (due !== null && waiting === 0) {
      const file = own.get(due);
      if (file === undefined) differ(`${folder}year=${due}/`, "the series asks for features, and the lake has no file");
      else differ(file.path, "follows other bars, splits or another catalogue than the store has");
    }
    const [first] = found.bases.keys();
    for await (const { year, blocks, facts } of featureYears(db, found, first!, throwIfStopped)) {
      for await (const _ of blocks());
      const file = own.get(year);
      own.delete(year);
      if (file === undefined || (due !== null && year >= due)) continue;
      const { rows, content_sha256 } = facts();
      if (file.rows !== rows) differ(file.path, `has ${file.rows} rows, and the store ${rows} bars`);
      else if (file.content_sha256 !== content_sha256)
        differ(file.path, "has other values than the features of the store");
    }
    for (const { path } of own.values()) differ(path, "the lake has no bars of this year");
  }
  for (const { path } of [...byFolder.values()].flat()) differ(path, "is of a series that asks for no features");
  return waiting;
}

async function storedActions(db: Database) {
  const all = [];
  for (const { provider, blocks, facts } of await actionTables(db)) {
    for await (const _ of blocks());
    all.push({ provider, facts: facts() });
  }
  return all;
}

async function storedYears(db: Database, seriesId: number): Promise<Map<number, BarsHash>> {
  const years = new Map<number, BarsHash>();
  const [first, last] = (await yearsOf(db, seriesId)) ?? [0, -1];
  for (let year = first; year <= last; year++) {
    const hash = new BarsHash();
    for await (const bars of barPages(db, seriesId, yearStart(year), yearStart(year + 1))) hash.add(bars);
    if (hash.rows > 0) years.set(year, hash);
  }
  return years;
}

/** What is wrong with the file of a year; `null` if the store has the same bars. */
function faultOf(file: LakeFile | undefined, stored: BarsHash | undefined): string | null {
  if (file === undefined) return `the store has ${stored!.rows} bars of it, and the lake has no file`;
  if (stored === undefined) return "the store has no bars of this year";
  const [first, last] = [isoOf(stored.first), isoOf(stored.last)];
  if (file.rows !== stored.rows) return `has ${file.rows} rows, and the store ${stored.rows} bars`;
  if (file.min_timestamp !== first || file.max_timestamp !== last)
    return `is from ${file.min_timestamp} to ${file.max_timestamp}, and the store from ${first} to ${last}`;
  return file.content_sha256 === stored.digest() ? null : "has other values than the store";
}
