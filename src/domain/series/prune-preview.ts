/** What a deletion of old bars would delete. */

/** Rows that are deleted, by what they are. */
export interface PruneCounts {
  readonly bars: number;
  /** Series that lose all of their bars, and those of them that have a profile, which goes too. */
  readonly emptied: number;
  readonly profiles: number;
  /** Profiles that stay, and whose features are computed again. */
  readonly recomputed: number;
  /** Earlier values: revisions, and values of bars that were not final. */
  readonly revisions: number;
  /** Rows that were no bars, and bars that are impossible among their neighbours. */
  readonly refused: number;
  readonly gaps: number;
  readonly findings: number;
  /** Windows of the ledger, and stretches that say when bars were first seen. */
  readonly windows: number;
  readonly arrivals: number;
}

export interface PrunePreview extends PruneCounts {
  /** Series that are selected, and those of them that have bars before the date. */
  readonly selected: number;
  readonly series: number;
  /** Series of those that are counted; what is said of them is all if there are no others. */
  readonly counted: number;
  /** Symbols of the first of them. */
  readonly symbols: readonly string[];
  /** Series with a job that waits, runs or is paused: nothing is deleted while there are any. */
  readonly busy: number;
  readonly busySymbols: readonly string[];
  /** About how many bytes become free in the database, and in the lake; `null` if that is not known. */
  readonly bytes: number | null;
  readonly lakeBytes: number | null;
}
