import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isoDate } from "../../../src/domain/time.ts";
import { createFilesProvider } from "../../../src/providers/files/files-provider.ts";
import type { Provider } from "../../../src/providers/provider.ts";
import { listGaps } from "../../../src/storage/market/quality/gaps.ts";
import { MemoryVendor } from "../../fakes/memory-vendor.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { startPipeline } from "../../helpers/pipeline.ts";

const at = (date: string) => Date.parse(`${date}Z`) / 1_000;
const HEAD = "timestamp,open,high,low,close,volume\n";

/** The files of a folder as the vendor of a pipeline. */
class FilesVendor extends MemoryVendor {
  constructor(readonly directory: string) {
    super("files", { feed: "file", adjustment: "none", sessions: "regular" });
  }
  override get provider(): Provider {
    return createFilesProvider({ directory: this.directory });
  }
}

async function reasonOf(
  text: string,
  { asOf = "2026-11-27T22:00", mode = "full" as const, log = [] as string[] } = {},
) {
  using folder = temporaryFolder();
  using pipeline = await startPipeline();
  writeFileSync(join(folder.path, "ACME.csv"), text);
  const outcome = await pipeline.run(new FilesVendor(folder.path), { asOf: at(asOf), mode });
  log.push(...pipeline.log);
  return outcome.kind === "failed" ? outcome.reason : outcome.kind;
}

test("a job whose rows were all refused when the file was read says so, with the first of them", async () => {
  expect(await reasonOf(HEAD + "04/06/2026,100,101,99,100,1000\n".repeat(40))).toStartWith(
    '40 of 40 rows refused: row 2: "04/06/2026" is not a date (4 June or 6 April? ',
  );
});

test("a job whose bars are impossible says which, and the log has one line for each kind", async () => {
  const log: string[] = [];
  const reason = await reasonOf(`${HEAD}2026-11-24,1,2,0.5,-1,10\n2026-11-25,1,2,0.5,-1,10\n`, { log });
  expect(reason).toBe("2 of 2 rows refused: row 2026-11-24T00:00:00.000Z: a price is zero or negative");
  expect(log.filter((line) => line.startsWith("warn"))).toHaveLength(1);
});

test("a job without bars in its range says which bars the file holds", async () => {
  expect(await reasonOf(`${HEAD}2001-01-02,1,2,0.5,1,10\n2001-01-03,1,2,0.5,1,10\n`)).toBe(
    "Files (CSV, Parquet) has no bars of ACME in 2025-11-28 to 2026-11-27; ACME.csv holds bars of 2001-01-02 to 2001-01-03",
  );
});

test("very many refused rows of an answer are all counted, and a thousand of each reason are kept", async () => {
  using pipeline = await startPipeline();
  const vendor = new MemoryVendor();
  const { provider } = vendor;
  const rows = Array.from({ length: 5_000 }, (_, row) => ({
    where: `2026-11, row ${row + 1}`,
    reason: row % 5 === 0 ? "of another day" : "not a row of a bar",
    raw: "7",
  }));
  let isFirst = true;
  Object.defineProperty(vendor, "provider", {
    value: {
      ...provider,
      async fetchBars(...args: Parameters<Provider["fetchBars"]>) {
        const answer = await provider.fetchBars(...args);
        const rejected = isFirst ? rows : [];
        isFirst = false;
        return { ...answer, rejected };
      },
    },
  });
  const outcome = await pipeline.run(vendor, { asOf: at("2026-11-27T22:00") });
  expect(outcome).toMatchObject({ reason: "5000 of 5000 rows refused: row 2026-11, row 1: of another day" });
  expect(pipeline.log).toContain("warn 4000 rows rejected, 2026-11, row 2 and others: not a row of a bar");
  const query = "SELECT reason, count(*), max(place LIKE '%others') FROM rejected_bars GROUP BY 1 ORDER BY 2 DESC, 1";
  expect(await pipeline.db.rows(query, [])).toEqual([
    ["not a row of a bar", 1_000, 0],
    ["of another day", 1_000, 0],
    ["3000 more rows, not kept: not a row of a bar", 1, 1],
  ]);
});

test("a job whose only bars have not ended says that a later run stores them", async () => {
  expect(await reasonOf(`${HEAD}2026-11-27,1,2,0.5,1,10\n`, { asOf: "2026-11-27T15:00" })).toBe(
    "Files (CSV, Parquet): ACME: 1 bar has not ended yet; a run after the close stores them",
  );
});

test("a job that recomputes what is not stored says what to do", async () => {
  using pipeline = await startPipeline();
  const outcome = await pipeline.run(new MemoryVendor(), { asOf: at("2026-11-27T22:00"), mode: "reprocess" });
  expect(outcome).toMatchObject({ reason: "nothing is stored of ACME at 1d: a full run fetches it first" });
});

test("a job whose vendor answers without bars names symbol, vendor and range", async () => {
  using pipeline = await startPipeline();
  const outcome = await pipeline.run(new MemoryVendor(), { asOf: at("2026-11-27T22:00") });
  expect(outcome).toMatchObject({ reason: "Vendor demo has no bars of ACME in 2025-11-28 to 2026-11-27" });
});

const golden = ["2026-04-27", "2026-04-28", "2026-04-30", "2026-05-01", "2026-05-07", "2026-05-08"];

test.each([
  // Showa Day and Golden Week.
  ["7203@TSE", []],
  ["AAPL", ["2026-04-29", "2026-05-04", "2026-05-05", "2026-05-06"]],
  ["PKO@WSE", []],
] as const)("files of %s are held against the sessions of its own exchange", async (symbol, missing) => {
  using folder = temporaryFolder();
  using pipeline = await startPipeline({ symbol });
  writeFileSync(join(folder.path, `${symbol}.csv`), HEAD + golden.map((date) => `${date},1,2,0.5,1,10\n`).join(""));
  const vendor = new FilesVendor(folder.path);
  expect(await pipeline.run(vendor, { asOf: at("2026-05-09T12:00") })).toMatchObject({ kind: "done" });
  const gaps = await listGaps(pipeline.db, await pipeline.series(vendor));
  expect(gaps.map(({ date, kind }) => [isoDate(date), kind]).sort()).toEqual(missing.map((date) => [date, "missing"]));
  const said = pipeline.log.filter((line) => line.includes("no calendar"));
  expect(said).toEqual(symbol === "PKO@WSE" ? ["warn no calendar for WSE: gaps unknown"] : []);
});
