import { expect, test } from "bun:test";
import { mayLeave, variablesOf } from "../../../src/scheduler/hosts/provider-keys.ts";

const VALUES = {
  EODHD_API_KEY: "eodhd-key",
  TIINGO_API_KEY: "tiingo-key",
  EODHD_BASE_URL: "https://eodhd.example",
  BARKEEP_CSV_DIR: "/data",
  BARKEEP_CCXT: "kraken",
};

test("jobs of a provider with a key leave the machine only for a worker that may have keys, and those of a folder never", () => {
  const may = (provider: string) => [true, false].map((mayHaveKeys) => mayLeave(provider, VALUES, mayHaveKeys));
  expect(may("eodhd")).toEqual([true, false]);
  expect(may("files")).toEqual([false, false]);
  expect(may("demo")).toEqual([true, true]);
  expect(may("binance")).toEqual([true, true]);
  expect(may("nobody")).toEqual([false, false]);
});

test("a worker is sent the variables of the providers whose jobs it has, and of no other", () => {
  const sent = variablesOf(["eodhd"], VALUES);
  expect(sent).toMatchObject({ EODHD_API_KEY: "eodhd-key", EODHD_BASE_URL: "https://eodhd.example" });
  expect(Object.keys(sent)).not.toContain("TIINGO_API_KEY");
  expect(Object.keys(variablesOf(["demo"], VALUES)).toSorted()).toEqual(["BARKEEP_CCXT", "DEMO_LATENCY_MS"]);
});
