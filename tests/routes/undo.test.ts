import { expect, setSystemTime, test } from "bun:test";
import { UndoStore } from "../../src/routes/jobs/undo.ts";

test.each([
  ["forwards", 3_600_000],
  ["back", -3_600_000],
])("a clock that is set %s takes no undo away", (_, by) => {
  const store = new UndoStore();
  const token = store.add("r1", ["AAPL"]);
  setSystemTime(Date.now() + by);
  try {
    expect(store.take(token)?.symbols).toEqual(new Set(["AAPL"]));
    expect(store.take(token)).toBeUndefined();
  } finally {
    setSystemTime();
  }
});
