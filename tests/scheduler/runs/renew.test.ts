import { expect, test } from "bun:test";
import { DAY } from "../../../src/domain/market/interval.ts";
import { MAX_SYMBOLS } from "../../../src/domain/market/symbol.ts";
import { type Renewable, renewalRequests } from "../../../src/scheduler/runs/renew.ts";

const NOW = 2_000 * DAY * 10;
const stored = (symbol: string, years: number, over: Partial<Renewable> = {}): Renewable => ({
  symbol,
  interval: "1d",
  provider: "demo",
  firstBar: NOW - Math.round(years * 365 * DAY),
  ...over,
});

test("profiles are renewed by one request for each provider, interval and length of history", () => {
  const profiles = [
    stored("A", 1.5),
    stored("B", 2),
    stored("C", 31),
    stored("D", 2, { interval: "1m" }),
    stored("E", 2, { provider: "csv" }),
  ];
  const brief = (renewal: Parameters<typeof renewalRequests>[1]) =>
    renewalRequests(profiles, renewal, NOW).map(({ provider, interval, years, symbols }) =>
      [provider, interval, years, symbols.join()].join(" "),
    );
  expect(brief("rebuild")).toEqual(["demo 1d 2 A,B", "demo 1d all C", "demo 1m 2 D", "csv 1d 2 E"]);
  expect(brief("update")).toEqual(["demo 1d 2 A,B,C", "demo 1m 2 D", "csv 1d 2 E"]);
  expect(renewalRequests(profiles, "rebuild", NOW).every(({ mode, rebuild }) => mode === "full" && rebuild)).toBe(true);
  expect(renewalRequests(profiles, "repair", NOW).every(({ mode, rebuild }) => mode === "repair" && !rebuild)).toBe(
    true,
  );
});

test("no renewal request has more symbols than a run may have, and none is lost", () => {
  const many = Array.from({ length: MAX_SYMBOLS + 1 }, (_, at) => stored(`S${at}`, 1));
  const orders = renewalRequests(many, "engineer", NOW);
  expect(orders.map(({ symbols }) => symbols.length)).toEqual([MAX_SYMBOLS, 1]);
  expect(orders.flatMap(({ symbols }) => symbols)).toEqual(many.map(({ symbol }) => symbol));
});
