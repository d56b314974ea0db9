/** How many bytes each series has in the lake, by its manifest. */

import type { LakePlace } from "../../config/places.ts";
import { DAY } from "../../domain/market/interval.ts";
import { bySeries, folderOf, hasBars, type LakeFile } from "../lake/manifest.ts";
import { openLake } from "../lake/open-lake.ts";

/** How long a manifest is used, milliseconds: a lake of 50,000 series has one of some hundred megabytes. */
const KEPT_MS = 10_000;

/** What separates the series of a symbol, interval and provider. */
interface LakePart {
  readonly symbol: string;
  readonly provider: string;
  readonly interval: string;
  readonly feed: string;
  readonly adjustment: string;
  readonly sessions: string;
}

/** The files of bars in a lake, by series. */
export class LakeSizes {
  readonly #files: ReadonlyMap<string, readonly LakeFile[]>;
  /** The bytes of all files: bars, actions and features. */
  readonly total: number;

  constructor(files: readonly LakeFile[]) {
    this.#files = bySeries(files.filter(hasBars));
    this.total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes of a series; 0 if the lake does not have it. */
  bytesOf(series: LakePart): number {
    return this.#filesOf(series).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** About how many bytes of a series are of bars before a moment (epoch seconds): years are whole files. */
  bytesBefore(series: LakePart, before: number): number {
    return this.#filesOf(series).reduce((sum, { bytes, min_timestamp, max_timestamp }) => {
      const [first, last] = [Date.parse(min_timestamp) / 1_000, Date.parse(max_timestamp) / 1_000 + DAY];
      return sum + bytes * Math.min(1, Math.max(0, (before - first) / (last - first)));
    }, 0);
  }

  #filesOf(series: LakePart): readonly LakeFile[] {
    return (this.#files.get(folderOf(series)) ?? []).filter(
      ({ feed, adjustment, sessions }) =>
        feed === series.feed && adjustment === series.adjustment && sessions === series.sessions,
    );
  }
}

let known: { readonly at: number; readonly name: string; readonly sizes: LakeSizes } | null = null;

/** The sizes in a lake; `null` if there is none or it cannot be read just now. */
export async function readLakeSizes(place: LakePlace | undefined): Promise<LakeSizes | null> {
  if (place === undefined) return null;
  const name = JSON.stringify(place);
  if (known !== null && known.name === name && performance.now() - known.at < KEPT_MS) return known.sizes;
  try {
    const lake = openLake(place, { waits: [250], deadline: 15_000 });
    const manifest = await lake.manifest();
    lake.close();
    known = { at: performance.now(), name, sizes: new LakeSizes(manifest?.files ?? []) };
    return known.sizes;
  } catch {
    return null;
  }
}
