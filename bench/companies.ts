/** The duration of a search while typing on 30,000 companies, and of storing them. */

import { searchCompanies, storeCompanies } from "../src/storage/companies/companies.ts";
import { migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";

const COMPANIES = 30_000;
const ROUNDS = 200;
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
console.log(`${COMPANIES} companies stored in ${(performance.now() - before).toFixed(0)} ms`);
const again = performance.now();
await storeCompanies(db, companies, "bench");
console.log(`and once more, unchanged, in ${(performance.now() - again).toFixed(0)} ms`);

const rows = [];
for (const search of ["", "a", "am", "amer", "american", "inc", "american ba", "zzzz", "first nat", "b.c-d"]) {
  const times: number[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    found = (await searchCompanies(db, { search, limit: 50 })).companies.length;
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => `${times[Math.floor(times.length * share)]!.toFixed(2)} ms`;
  rows.push({ search, found, median: at(0.5), p99: at(0.99) });
}
console.table(rows);
db.close();
