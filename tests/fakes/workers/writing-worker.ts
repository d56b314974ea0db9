/** A thread that stores batches of bars of its own series, as a worker of the pipeline does. */

import { emptyBars } from "../../../src/domain/market/bars.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { storeBatch } from "../../../src/storage/runs/batches.ts";
import { rampBars } from "../../helpers/inputs/bars.ts";

declare const self: Pick<Worker, "onmessage" | "postMessage">;

self.onmessage = async ({ data }: MessageEvent<{ url: string; series: number; batches: number; rows: number }>) => {
  const db = await openDatabase(data.url);
  try {
    for (let n = 0; n < data.batches; n++) {
      const from = n * data.rows * 60;
      await storeBatch(db, {
        seriesId: data.series,
        barsId: data.series,
        runId: "r",
        window: { from, to: from + data.rows * 60 },
        bars: rampBars(data.rows, from),
        known: emptyBars(),
        rejected: [],
        counters: { jobId: data.series, apiCalls: n + 1, fetchMs: 0, dataPoints: (n + 1) * data.rows },
      });
    }
    self.postMessage(null);
  } catch (error) {
    self.postMessage(String(error));
  } finally {
    db.close();
  }
};
