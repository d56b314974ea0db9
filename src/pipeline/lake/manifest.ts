/** The list of a lake's files. It is replaced after they are written, so what it names is whole. */

import { isoSecond } from "../../domain/time.ts";
import type { LakeSeries } from "../../storage/market/lake-changes.ts";

export const MANIFEST = "_manifest.json";
/** Raised when the layout or the columns change, or files may be unreadable: a lake of another version is rebuilt. */
export const LAYOUT = 3;

/** How long files of an earlier manifest stay for readers that have it, milliseconds. */
export const GRACE_MS = 5 * 60_000;

/** The folders at the top of a lake. */
export const TOPS = ["bars", "actions", "features"] as const;

/** What readers may have of a lake: nothing else is served. */
export const PART =
  /^(?:(?:bars|features)(?:\/[a-z]+=[A-Za-z0-9%@._-]+){4}|actions\/provider=[A-Za-z0-9%@._-]+)\/part-([0-9a-f]{16})\.parquet$/;

export interface LakeFile {
  /** Relative to the lake. */
  readonly path: string;
  readonly rows: number;
  /** ISO. */
  readonly min_timestamp: string;
  readonly max_timestamp: string;
  readonly bytes: number;
  readonly sha256: string;
  /** SHA-256 of the bars or actions themselves, which no encoding changes. */
  readonly content_sha256: string;
  /** Which of a provider's series it is of; a file of actions is of none. */
  readonly feed?: string;
  readonly adjustment?: string;
  readonly sessions?: string;
  /** Of a file of features: the version of the catalogue, and a hash of all that its values follow from. */
  readonly catalog_version?: number;
  readonly basis?: string;
}

export interface Manifest {
  readonly layout: number;
  /** Another one for every manifest that is written. */
  readonly id: string;
  readonly written_at: string;
  /** A hash of the place of the database that writes it; earlier versions had none. */
  readonly owner?: string;
  readonly files: readonly LakeFile[];
  /** Files of earlier manifests, kept for readers that have one of them; `since` in ISO. */
  readonly replaced: readonly { readonly path: string; readonly since: string }[];
}

type SeriesPlace = Pick<LakeSeries, "symbol" | "provider" | "interval">;

const seriesFolder = ({ provider, interval, symbol }: SeriesPlace): string =>
  `provider=${encodeURIComponent(provider)}/interval=${interval}/symbol=${symbol}/`;

const partIn = (folder: string, year: number, sha256: string) =>
  `${folder}year=${year}/part-${sha256.slice(0, 16)}.parquet`;

/** The folder of the bars of a series, and of its features. */
export const folderOf = (series: SeriesPlace): string => `bars/${seriesFolder(series)}`;
export const featuresFolderOf = (series: SeriesPlace): string => `features/${seriesFolder(series)}`;

export const pathOf = (series: SeriesPlace, year: number, sha256: string): string =>
  partIn(folderOf(series), year, sha256);
export const pathOfFeatures = (series: SeriesPlace, year: number, sha256: string): string =>
  partIn(featuresFolderOf(series), year, sha256);

/** What a file has: bars, splits and dividends, or features. */
export const hasBars = ({ path }: Pick<LakeFile, "path">): boolean => path.startsWith("bars/");
export const hasActions = ({ path }: Pick<LakeFile, "path">): boolean => path.startsWith("actions/");
export const hasFeatures = ({ path }: Pick<LakeFile, "path">): boolean => path.startsWith("features/");

/** The files by the folder of their series. */
export const bySeries = (files: readonly LakeFile[]): Map<string, LakeFile[]> =>
  Map.groupBy(files, ({ path }) => path.slice(0, path.indexOf("/year=") + 1));

export const pathOfActions = (provider: string, sha256: string): string =>
  `actions/provider=${encodeURIComponent(provider)}/part-${sha256.slice(0, 16)}.parquet`;

/** The year in the path of a file. */
export const yearOfPath = (path: string): number => Number(/\/year=(\d+)\//.exec(path)?.[1]);

export const isoOf = (ts: number): string => isoSecond(ts);

/** One file a line, so that two manifests can be compared. */
export function writeManifest({ files, replaced, ...head }: Manifest): string {
  const lines = (list: readonly object[]) => list.map((each) => `\n  ${JSON.stringify(each)}`).join(",");
  return `${JSON.stringify(head).slice(0, -1)},"files":[${lines(files)}],"replaced":[${lines(replaced)}]}\n`;
}

/** Two servers that write one lake would replace each other's files: a copy of a database leaves that of the original. */
export class OtherOwner extends Error {
  override readonly name = "OtherOwner";
  constructor() {
    super(
      'it belongs to another database. Name another folder in BARKEEP_LAKE, or run "barkeep lake sync" to take it over',
    );
  }
}

/** What lies in the manifest's place is no manifest. */
export class NoManifest extends Error {
  override readonly name = "NoManifest";
}

/** @throws NoManifest */
export function parseManifest(text: string): Manifest {
  const parsed = parsedOf(text);
  const { layout, id, files, replaced } = parsed;
  if (typeof layout !== "number" || typeof id !== "string" || !Array.isArray(files) || !Array.isArray(replaced)) {
    throw new NoManifest(`${MANIFEST} is not the list of a lake`);
  }
  return parsed as Manifest;
}

function parsedOf(text: string): Partial<Manifest> {
  try {
    return (JSON.parse(text) as Partial<Manifest> | null) ?? {};
  } catch {
    return {};
  }
}
