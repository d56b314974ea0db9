/** Stored profiles for benches of lists and screens. */

import { INTERVALS } from "../../src/domain/market/interval.ts";
import { FEATURES } from "../../src/features/catalog.ts";
import { CATALOG_VERSION } from "../../src/features/version.ts";
import type { Database } from "../../src/storage/db.ts";
import { profileStatements } from "../../src/storage/profiles/profiles.ts";

/** The symbol of profile `n`, from 0 on. */
export const symbolOf = (n: number) => `S${String(n).padStart(5, "0")}`;

/** Stores daily profiles with a value for most features. */
export async function fillProfiles(db: Database, count: number): Promise<void> {
  const day = 86_400;
  for (let from = 0; from < count; from += 500) {
    const statements = Array.from({ length: Math.min(500, count - from) }, (_, at) => {
      const n = from + at;
      const features = Object.fromEntries(
        FEATURES.map(({ name }, place) => [
          name,
          (n + place) % 97 === 0 ? null : 100 * Math.abs(Math.sin(n * 7.3 + place)),
        ]),
      );
      const key = { symbol: symbolOf(n), interval: INTERVALS.at(-1)!, provider: "demo" };
      return [
        {
          sql: `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions)
            VALUES (?, ?, ?, 'synthetic', ?, 'none', 'regular')`,
          args: [n + 1, key.symbol, key.provider, key.interval],
        },
        ...profileStatements({
          ...key,
          seriesId: n + 1,
          firstBar: 19_000 * day,
          lastBar: (20_000 + (n % 300)) * day,
          lastClose: 100 + n,
          features,
          catalogVersion: String(CATALOG_VERSION),
          backfill: {
            history_complete: true,
            history_rows: 504 + (n % 50),
            api_calls_used: 24,
            fetch_duration_seconds: 1.5,
            feature_count: FEATURES.length,
            batch_size_days: 30,
          },
          updatedAt: 1_700_000_000_000 + n,
        }),
      ];
    });
    await db.write(statements.flat());
  }
}
