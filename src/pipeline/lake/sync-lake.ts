/** Writes what has changed in the store to the lake: years of bars as files, then the manifest that names them. */

import { version } from "../../../package.json";
import { BAR_FIELDS } from "../../domain/market/bars.ts";
import type { Database } from "../../storage/db.ts";
import { barPages } from "../../storage/market/bars.ts";
import {
  ACTIONS,
  changesOfBars,
  clearChanges,
  countChangedSeries,
  dueChanges,
  type LakeChange,
  lakeSeries,
  MARK_ALL,
  yearStart,
  yearsOf,
} from "../../storage/market/lake-changes.ts";
import { readSettings, settingStatement } from "../../storage/settings.ts";
import { encodeParquet } from "../exports/parquet/encode-parquet.ts";
import type { TableBlock } from "../exports/table-block.ts";
import { stageActions } from "./actions.ts";
import { BarsHash } from "./bars-hash.ts";
import { type FeatureSeries, type FeatureWish, featureSeries, firstDueYear, writeFeatures } from "./features.ts";
import {
  bySeries,
  featuresFolderOf,
  folderOf,
  GRACE_MS,
  hasActions,
  hasBars,
  hasFeatures,
  isoOf,
  LAYOUT,
  type LakeFile,
  type Manifest,
  NoManifest,
  OtherOwner,
  pathOf,
  pathOfActions,
  yearOfPath,
} from "./manifest.ts";
import type { LakeStorage, StagedFile } from "./storage.ts";

/** The setting that says which manifests belong to the present state of the database. */
const STATE_KEY = "lake_state";
/** Most changes written before a manifest names them. */
const PASS = 256;
/** Milliseconds of writing features before a manifest names them: it lists all files, so it is not written for each. */
const MANIFEST_MS = 5_000;

const COLUMNS = BAR_FIELDS.filter((field) => field !== "ts");

export interface SyncOptions {
  /** Whether everything is written again, whatever the lake has. */
  readonly all: boolean;
  /** Whether files that no manifest names are looked for, as a killed process leaves them. */
  readonly sweep: boolean;
  /** The series whose features are written too. */
  readonly features?: FeatureWish;
  /** Which database this is: a lake of another one is only written if `all` is. */
  readonly owner?: string;
  /** Called before each series, with how many were written and are to be; throws to stop. */
  onStep(done: number, total: number): void;
  readonly now?: () => number;
}

export interface SyncResult {
  /** Years of bars and of features written, and files deleted. */
  readonly written: number;
  readonly removed: number;
  /** The size of all files that the manifest names now. */
  readonly bytes: number;
}

interface LakeState {
  /** Of the manifest whose changes are no longer recorded, and of the one that may have been written after it. */
  readonly id: string;
  readonly next: string;
  readonly folder: string;
  /** Series whose features wait to be written. */
  readonly features?: number;
}

/**
 * Brings the lake to the state of the store, except for symbols that a job is at work on.
 * @throws OtherOwner if another database writes it
 */
export async function syncLake(
  db: Database,
  lake: LakeStorage,
  folder: string,
  { all, sweep, features = [], owner, onStep, now = Date.now }: SyncOptions,
): Promise<SyncResult> {
  // One that cannot be read just now is no reason to write all again.
  let manifest = await lake.manifest().catch((error) => {
    if (error instanceof NoManifest) return null;
    throw error;
  });
  const isOther = manifest?.owner !== undefined && owner !== undefined && manifest.owner !== owner;
  if (isOther && !all) throw new OtherOwner();
  const state = await readState(db);
  const isOurs =
    manifest?.layout === LAYOUT && state?.folder === folder && [state.id, state.next].includes(manifest.id);
  if (all || !isOurs || manifest === null) {
    await db.write([MARK_ALL]);
    // Files of another store stay for readers that have their manifest, and go with the grace.
    const replaced = [...(manifest?.files ?? []), ...(manifest?.replaced ?? [])];
    const since = new Date(now()).toISOString();
    manifest = {
      ...{ layout: LAYOUT, id: "", written_at: "", files: isOurs ? (manifest?.files ?? []) : [] },
      replaced: isOurs ? (manifest?.replaced ?? []) : replaced.map(({ path }) => ({ path, since })),
    };
  }
  const named = new Set([...manifest.files, ...manifest.replaced].map(({ path }) => path));
  let removed = sweep || !isOurs ? await lake.sweep((place) => named.has(place)) : 0;
  let written = 0;
  const total = await countChangedSeries(db);
  let done = 0;
  const onSeries = () => onStep(done, Math.max(total, ++done));
  let waiting = state?.features ?? 0;
  const replaceManifest = async (old: Manifest, pass: Pick<Pass, "files" | "replaced" | "done">): Promise<Manifest> => {
    const all = [...old.replaced, ...stamped(pass.replaced, now())];
    const kept = await removeReplaced(lake, all, pass.files, now());
    removed += kept.removed;
    const next: Manifest = {
      ...{ layout: LAYOUT, id: crypto.randomUUID(), written_at: new Date(now()).toISOString() },
      ...(owner === undefined ? {} : { owner }),
      files: pass.files,
      replaced: kept.replaced,
    };
    await saveState(db, { id: old.id, next: next.id, folder, features: waiting });
    await lake.replaceManifest(next);
    await saveState(db, { id: next.id, next: next.id, folder, features: waiting }, pass.done);
    return next;
  };
  for (;;) {
    const due = await dueChanges(db, PASS);
    if (due.length === 0 && manifest.id !== "") break;
    const pass = await writePass(db, lake, manifest, due, onSeries);
    written += pass.written;
    manifest = await replaceManifest(manifest, pass);
    // What has changed while it was written is met again, unless a job is at work on it.
    if (due.length < PASS && pass.done.length === due.length) break;
  }
  const due = await dueFeatures(db, manifest, features, all);
  if (due.waiting !== waiting) {
    waiting = due.waiting;
    await saveState(db, { id: manifest.id, next: manifest.id, folder, features: waiting });
  }
  let pass: Pick<Pass, "files" | "replaced" | "done"> = { ...due, done: [] };
  let writtenAt = performance.now();
  for (const [place, { found, from }] of due.series.entries()) {
    onStep(place, due.series.length);
    const files = await writeFeatures(db, lake, found, from, () => onStep(place, due.series.length));
    if (files === null) continue;
    waiting -= 1;
    written += files.length;
    const own = featuresFolderOf(found.series);
    const old = pass.files.filter(({ path }) => path.startsWith(own) && yearOfPath(path) >= from);
    const rest = pass.files.filter((file) => !old.includes(file));
    const gone = old.filter(({ path }) => !files.some((file) => file.path === path));
    pass = { files: [...rest, ...files], replaced: [...pass.replaced, ...gone.map(({ path }) => path)], done: [] };
    if (performance.now() - writtenAt < MANIFEST_MS) continue;
    manifest = await replaceManifest(manifest, inOrder(pass));
    pass = { files: manifest.files, replaced: [], done: [] };
    writtenAt = performance.now();
  }
  if (pass.files.length !== manifest.files.length || pass.files.some((file, at) => file !== manifest!.files[at]))
    manifest = await replaceManifest(manifest, inOrder(pass));
  const kept = await removeReplaced(lake, manifest.replaced, manifest.files, now());
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  return { written, removed: removed + kept.removed, bytes };
}

/** How many series have features to be written. */
export async function waitingFeatures(db: Database): Promise<number> {
  return (await readState(db))?.features ?? 0;
}

/** The features that are to be written, and what remains of those in the lake. */
async function dueFeatures(db: Database, { files }: Manifest, wish: FeatureWish, all: boolean) {
  const present = bySeries(files.filter(hasFeatures));
  const kept: LakeFile[] = [];
  const series: { readonly found: FeatureSeries; readonly from: number }[] = [];
  let waiting = 0;
  for await (const found of featureSeries(db, files, wish)) {
    const own = present.get(featuresFolderOf(found.series)) ?? [];
    const from = all ? [...found.bases.keys()][0]! : firstDueYear(found, own);
    kept.push(...own.filter(({ path }) => found.bases.has(yearOfPath(path))));
    if (from === null && !found.isBehind) continue;
    waiting += 1;
    if (!found.isBehind) series.push({ found, from: from! });
  }
  const rest = new Set(kept);
  const gone = files.filter((file) => hasFeatures(file) && !rest.has(file));
  return {
    ...{ series, waiting, replaced: gone.map(({ path }) => path) },
    files: files.filter((file) => !gone.includes(file)),
  };
}

/** Actions, bars, features; each by path. */
const inOrder = <T extends { readonly files: readonly LakeFile[] }>(pass: T): T => ({
  ...pass,
  files: pass.files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
});

const stamped = (paths: readonly string[], at: number) =>
  paths.map((path) => ({ path, since: new Date(at).toISOString() }));

/** Deletes files whose grace is over; those that a manifest names again stay. */
async function removeReplaced(
  lake: LakeStorage,
  replaced: Manifest["replaced"],
  files: readonly LakeFile[],
  now: number,
): Promise<{ readonly replaced: Manifest["replaced"]; readonly removed: number }> {
  const named = new Set(files.map(({ path }) => path));
  const unnamed = replaced.filter(({ path }) => !named.has(path));
  const isOver = ({ since }: { since: string }) => now - Date.parse(since) >= GRACE_MS;
  const over = unnamed.filter(isOver);
  for (const { path } of over) await lake.remove(path);
  return { replaced: unnamed.filter((each) => !isOver(each)), removed: over.length };
}

interface Pass {
  readonly files: readonly LakeFile[];
  readonly replaced: readonly string[];
  readonly done: readonly LakeChange[];
  readonly written: number;
}

/** Writes the years of some changes; what changes meanwhile is left as it was, and is not `done`. */
async function writePass(
  db: Database,
  lake: LakeStorage,
  manifest: Manifest,
  due: Awaited<ReturnType<typeof dueChanges>>,
  onSeries: () => void,
): Promise<Pass> {
  const byFolder = bySeries(manifest.files.filter(hasBars));
  const groups = Map.groupBy(due, ({ key }) => (key === null ? "" : JSON.stringify(key)));
  // Bars of a series that is being built, or of none: its swap marks them again.
  const done: LakeChange[] = (groups.get("") ?? []).filter(({ barsId }) => barsId !== ACTIONS);
  const replaced: string[] = [];
  const oldActions = manifest.files.filter(hasActions);
  let actions: readonly LakeFile[] | null = null;
  let written = 0;
  for (const [name, changes] of groups) {
    onSeries();
    if (changes.some(({ barsId }) => barsId === ACTIONS)) {
      const before = await changesOfBars(db, [ACTIONS]);
      actions = await writeActions(db, lake, before);
      if (actions !== null) done.push(...before);
    }
    const key = name === "" ? null : changes[0]!.key!;
    const found = key && (await lakeSeries(db, key));
    if (!found) continue;
    const { series, barsIds } = found;
    const folder = folderOf(series);
    const old = byFolder.get(folder) ?? [];
    const isOther = old.some(
      ({ feed, adjustment, sessions }) =>
        feed !== series.feed || adjustment !== series.adjustment || sessions !== series.sessions,
    );
    const before = await changesOfBars(db, barsIds);
    const years =
      isOther || before.some(({ year }) => year === 0)
        ? await allYears(db, series.id, old)
        : before.map(({ year }) => year);
    const staged: { readonly year: number; readonly file: StagedYear | null }[] = [];
    for (const year of new Set(years)) staged.push({ year, file: await stageYear(db, lake, series, year) });
    const after = await changesOfBars(db, barsIds);
    if (JSON.stringify(before.toSorted(byYear)) !== JSON.stringify(after.toSorted(byYear))) {
      for (const { file } of staged) if (file) await file.staged.discard();
      continue;
    }
    const kept = old.filter(({ path }) => !years.includes(yearOfPath(path)));
    const fresh: LakeFile[] = [];
    for (const { year, file } of staged) {
      if (file === null) continue;
      const { staged: part, ...facts } = file;
      const path = pathOf(series, year, part.sha256);
      await part.publish(path);
      const { feed, adjustment, sessions } = series;
      fresh.push({ path, ...facts, bytes: part.bytes, sha256: part.sha256, feed, adjustment, sessions });
      written += 1;
    }
    const files = [...kept, ...fresh].sort((a, b) => (a.path < b.path ? -1 : 1));
    const paths = new Set(files.map(({ path }) => path));
    replaced.push(...old.map(({ path }) => path).filter((path) => !paths.has(path)));
    byFolder.set(folder, files);
    done.push(...before);
  }
  const files = [...byFolder].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, each]) => each);
  const present = new Set((actions ?? oldActions).map(({ path }) => path));
  replaced.push(...oldActions.map(({ path }) => path).filter((path) => !present.has(path)));
  files.unshift(...(actions ?? oldActions));
  files.push(...manifest.files.filter(hasFeatures));
  return { files, replaced, done: done.map(({ barsId, year, changes }) => ({ barsId, year, changes })), written };
}

/** Writes the files of splits and dividends; `null` if they changed meanwhile. */
async function writeActions(
  db: Database,
  lake: LakeStorage,
  before: readonly LakeChange[],
): Promise<LakeFile[] | null> {
  const all = await stageActions(db, lake);
  const after = await changesOfBars(db, [ACTIONS]);
  if (JSON.stringify(before) !== JSON.stringify(after)) {
    for (const { staged } of all) await staged.discard();
    return null;
  }
  const files: LakeFile[] = [];
  for (const { provider, staged, ...facts } of all) {
    const path = pathOfActions(provider, staged.sha256);
    await staged.publish(path);
    files.push({ path, ...facts, bytes: staged.bytes, sha256: staged.sha256 });
  }
  return files;
}

const byYear = (a: LakeChange, b: LakeChange) => a.barsId - b.barsId || a.year - b.year;

async function allYears(db: Database, seriesId: number, old: readonly LakeFile[]): Promise<number[]> {
  const stored = await yearsOf(db, seriesId);
  const present = stored === null ? [] : Array.from({ length: stored[1] - stored[0] + 1 }, (_, at) => stored[0] + at);
  return [...present, ...old.map(({ path }) => yearOfPath(path))];
}

type StagedYear = Pick<LakeFile, "rows" | "min_timestamp" | "max_timestamp" | "content_sha256"> & {
  readonly staged: StagedFile;
};

/** One year of a series as a file without a place; `null` if it has no bars. */
async function stageYear(
  db: Database,
  lake: LakeStorage,
  series: Parameters<typeof folderOf>[0] & { readonly id: number; readonly feed: string },
  year: number,
): Promise<StagedYear | null> {
  const hash = new BarsHash();
  const blocks = async function* (): AsyncGenerator<TableBlock> {
    for await (const bars of barPages(db, series.id, yearStart(year), yearStart(year + 1))) {
      hash.add(bars);
      const symbols = new Uint16Array(bars.ts.length);
      yield { ts: bars.ts, columns: COLUMNS.map((name) => bars[name]), symbols };
    }
  };
  const { symbol, provider, interval, feed } = series;
  const facts = { version, symbol, interval, source_interval: interval, provider, feed, adjust: "none" };
  const metadata = Object.fromEntries(Object.entries(facts).map(([key, value]) => [`barkeep.${key}`, value]));
  const head = { names: COLUMNS, symbols: [symbol], dtype: "float64", metadata } as const;
  const staged = await lake.stage(encodeParquet(head, blocks()));
  if (hash.rows === 0) {
    await staged.discard();
    return null;
  }
  const [min_timestamp, max_timestamp] = [isoOf(hash.first), isoOf(hash.last)];
  return { rows: hash.rows, min_timestamp, max_timestamp, content_sha256: hash.digest(), staged };
}

async function readState(db: Database): Promise<LakeState | null> {
  const stored = (await readSettings(db, STATE_KEY)).find(({ key }) => key === STATE_KEY);
  return stored === undefined ? null : JSON.parse(stored.value);
}

const saveState = (db: Database, state: LakeState, done: readonly LakeChange[] = []) =>
  db.write([settingStatement(db, STATE_KEY, JSON.stringify(state)), ...clearChanges(done)]);
