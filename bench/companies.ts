/** The duration of a search while typing on 30,000 companies, and of storing them. */

import { searchCompanies, storeCompanies } from "../src/storage/companies/companies.ts";
import { migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { atMost, type BenchResult, report } from "./support/report.ts";

const COMPANIES = 30_000;
const ROUNDS = 200;
/** Of a search in the median, milliseconds: the list follows each key that is typed. */
const MOST_MS = 30;
const WORDS =
  "American First National Global United Applied Advanced Pacific Energy Bank Health Capital Trust Fund".split(" ");
const ENDS = ["Inc", "Corp", "Holdings Ltd", "plc", "ETF", "Group Inc"];

/** Four letters, counting up. */
const symbolOf = (n: number) =>
  String.fromCharCode(...[17_576, 676, 26, 1].map((weight) => 65 + (Math.floor(n / weight) % 26)));

const companies = Array.from({ length: COMPANIES }, (_, n) => ({
  symbol: symbolOf(n * 13),
  name: `${WORDS[n % WORDS.length]} ${symbolOf(n * 7).toLowerCase()} ${WORDS[(n * 3) % WORDS.length]} ${ENDS[n % ENDS.length]}`,
  exchange: "NYSE",
}));

using folder = temporaryFolder();
const db = await openDatabase(folder.database());
await migrateDatabase(db);
const before = performance.now();
await storeCompanies(db, companies, "bench");
const again = performance.now();
await storeCompanies(db, companies, "bench");
const results: BenchResult[] = [
  {
    question: `${COMPANIES} companies stored`,
    measured: `${(again - before).toFixed(0)} ms`,
    comparedWith: `once more, unchanged, ${(performance.now() - again).toFixed(0)} ms`,
  },
];

for (const search of ["", "a", "am", "amer", "american", "inc", "american ba", "zzzz", "first nat", "b.c-d"]) {
  const times: number[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    found = (await searchCompanies(db, { search, limit: 50 })).companies.length;
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!;
  results.push({
    question: `search of ${COMPANIES} companies for ${JSON.stringify(search)}`,
    measured: `${at(0.5).toFixed(2)} ms`,
    comparedWith: `99 of 100 in ${at(0.99).toFixed(2)} ms, ${found} found`,
    ...atMost(at(0.5), MOST_MS, "ms"),
  });
}
report(results);
db.close();
