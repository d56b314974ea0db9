/** Which corporate actions counted at an earlier moment, where the clock was set back between changes. */

import { afterAll, afterEach, beforeAll, expect, setSystemTime, test } from "bun:test";
import fc from "fast-check";
import { ACTION_KINDS, type CorporateAction } from "../../../src/domain/market/corporate-actions.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { listActions, listActionsAt, storeActions } from "../../../src/storage/market/corporate-actions.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

let folder: Folder;
let db: Database;
beforeAll(async () => {
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
});
afterEach(() => void setSystemTime());
afterAll(() => {
  db.close();
  folder[Symbol.dispose]();
});

const NOW = Date.UTC(2024, 5, 3);
const split = (value: number): CorporateAction => ({ kind: "split", date: NOW / 1_000, value, currency: null });

let count = 0;
/** A symbol of which the provider lists one split, of a value that changes. */
function newSymbol() {
  const symbol = `S${++count}`;
  return {
    async list(value: number): Promise<void> {
      const known = await listActions(db, "eodhd", symbol);
      const replaced = known.filter((each) => each.value !== value);
      const actions = known.some((each) => each.value === value) ? [] : [split(value)];
      await storeActions(db, { provider: "eodhd", symbol, actions, replaced });
    },
    async knownAt(at: number): Promise<number[]> {
      return (await listActionsAt(db, "eodhd", symbol, ACTION_KINDS, at)).map(({ value }) => value);
    },
  };
}

test("a split that is corrected after the clock was set back never counts together with the one in its place", async () => {
  const symbol = newSymbol();
  setSystemTime(NOW + 500);
  await symbol.list(4);
  setSystemTime(NOW);
  await symbol.list(5);
  const moments = [NOW - 1, NOW, NOW + 499, NOW + 500, NOW + 501, NOW + 1_000];
  expect(await Promise.all(moments.map((at) => symbol.knownAt(at)))).toEqual([[], [], [], [4], [5], [5]]);
});

test("a split that is listed again after the clock was set back counted when it was listed first, and not in between", async () => {
  const symbol = newSymbol();
  for (const [at, value] of [
    [0, 4],
    [10, 5],
    [5, 4],
    [3, 5],
  ] as const) {
    setSystemTime(NOW + at);
    await symbol.list(value);
  }
  const moments = [-1, 0, 9, 10, 11, 20];
  expect(await Promise.all(moments.map((at) => symbol.knownAt(NOW + at)))).toEqual([[], [4], [4], [5], [4], [5]]);
});

test("property: by whatever clock a split changes its value, one counts at every moment since the first, in the order of the changes", async () => {
  const change = fc.record({ clock: fc.integer({ min: 0, max: 5 }), value: fc.integer({ min: 2, max: 4 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
      const symbol = newSymbol();
      const listed: number[] = [];
      for (const { clock, value } of changes) {
        setSystemTime(NOW + clock);
        await symbol.list(value);
        if (value !== listed.at(-1)) listed.push(value);
      }
      const known: number[] = [];
      for (let at = NOW + changes[0]!.clock; at <= NOW + 20; at++) {
        const values = await symbol.knownAt(at);
        expect(values).toHaveLength(1);
        if (values[0] !== known.at(-1)) known.push(values[0]!);
      }
      expect(known).toEqual(listed);
      expect(await symbol.knownAt(NOW + changes[0]!.clock - 1)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
